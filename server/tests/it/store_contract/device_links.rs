//! Links that sign a user in on another device.

use super::{ANN, BOB, advance_clock, every_store};
use app::wire::UserId;
use futures_util::future::join_all;
use server::store::{LinkError, MAX_DEVICE_LINKS, Store, TooManyLinks};
use std::{sync::Arc, time::Duration};

every_store! {
    a_device_link_is_redeemed_once_and_peeking_does_not_use_it
    device_link_expires_and_replaces_only_the_users_unused_link
    device_links_past_the_bound_are_rejected_until_others_expire
}

const MINUTE: Duration = Duration::from_secs(60);

async fn a_device_link_is_redeemed_once_and_peeking_does_not_use_it(store: Arc<dyn Store>) {
    store.create_device_link([1; 32], ANN, MINUTE).await.unwrap().unwrap();
    for _ in 0..2 {
        assert_eq!(store.device_link([1; 32]).await.unwrap(), Ok(ANN));
    }
    let both = join_all((0..2).map(|_| store.redeem_device_link([1; 32]))).await;
    let both: Vec<_> = both.into_iter().map(Result::unwrap).collect();
    assert_eq!(both, [Ok(ANN), Err(LinkError::Used)]);
    assert_eq!(store.device_link([1; 32]).await.unwrap(), Err(LinkError::Used));
    assert_eq!(store.redeem_device_link([2; 32]).await.unwrap(), Err(LinkError::Expired), "never created");
}

async fn device_link_expires_and_replaces_only_the_users_unused_link(store: Arc<dyn Store>) {
    store.create_device_link([1; 32], ANN, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(store.device_link([1; 32]).await.unwrap(), Err(LinkError::Expired));
    assert_eq!(store.redeem_device_link([1; 32]).await.unwrap(), Err(LinkError::Expired));
    for (hash, user) in [([2; 32], BOB), ([3; 32], ANN)] {
        store.create_device_link(hash, user, MINUTE).await.unwrap().unwrap();
    }
    store.redeem_device_link([3; 32]).await.unwrap().unwrap();
    for hash in [[4; 32], [5; 32]] {
        store.create_device_link(hash, ANN, MINUTE).await.unwrap().unwrap();
    }
    for (hash, found) in [
        ([2; 32], Ok(BOB)),
        ([3; 32], Err(LinkError::Used)),
        ([4; 32], Err(LinkError::Expired)),
        ([5; 32], Ok(ANN)),
    ] {
        assert_eq!(store.device_link(hash).await.unwrap(), found);
    }
}

async fn device_links_past_the_bound_are_rejected_until_others_expire(store: Arc<dyn Store>) {
    let hash = |n: u32| std::array::from_fn(|at| n.to_be_bytes()[at % 4]);
    store.create_device_link(hash(0), ANN, MINUTE).await.unwrap().unwrap();
    let soon = Duration::from_secs(1);
    let rest = (1..MAX_DEVICE_LINKS).map(|n| {
        store.create_device_link(hash(n), UserId(1_000 + u64::from(n)), if n < 9 { soon } else { MINUTE })
    });
    join_all(rest).await.into_iter().for_each(|created| created.unwrap().unwrap());
    let bobs = async || store.create_device_link(hash(MAX_DEVICE_LINKS), BOB, MINUTE).await.unwrap();
    let is_full = bobs().await == Err(TooManyLinks);
    assert!(
        is_full || store.device_link(hash(1)).await.unwrap().is_err(),
        "full, or the first ones have expired"
    );
    assert_eq!(store.device_link(hash(0)).await.unwrap(), Ok(ANN), "no other link is lost");
    store
        .create_device_link(hash(MAX_DEVICE_LINKS + 1), ANN, MINUTE)
        .await
        .unwrap()
        .expect("her own is replaced");
    while bobs().await.is_err() {
        advance_clock().await;
    }
}
