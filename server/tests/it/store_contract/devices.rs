//! Devices, sign-outs and recovery codes.

use super::{ANN, BOB, advance_clock, every_store, post};
use app::wire::UserId;
use futures_util::{future::join_all, stream::StreamExt};
use server::store::{
    DeviceId, DeviceLabel, LinkError, MAX_DEVICES, Notification, SignIn, SignIns, SignOut, Store,
};
use std::{sync::Arc, time::Duration};

every_store! {
    a_guest_has_no_devices_and_no_recovery_code
    a_device_is_listed_once_and_the_ones_seen_last_stand_first
    signed_out_device_is_neither_admitted_nor_listed_again
    signing_out_others_keeps_one_device_and_everywhere_none
    a_device_of_another_user_stays
    device_seen_least_recently_is_signed_out_past_the_bound
    a_recovery_code_works_once_and_a_new_one_replaces_it
}

fn device(id: u64) -> DeviceId {
    DeviceId(id)
}

fn sign_in(id: u64, generation: u64) -> SignIn {
    SignIn { device: device(id), generation }
}

fn label(browser: &str) -> Option<DeviceLabel> {
    Some(DeviceLabel { browser: browser.into(), system: "Linux".into() })
}

async fn record(store: &dyn Store, user: UserId, id: u64, generation: u64) {
    store.record_device(user, sign_in(id, generation), label("Firefox")).await.unwrap();
}

fn ids(sign_ins: &SignIns) -> Vec<u64> {
    sign_ins.devices.iter().map(|device| device.id.0).collect()
}

async fn devices_of(store: &dyn Store, user: UserId) -> (u64, Vec<u64>) {
    let sign_ins = store.sign_ins(user).await.unwrap();
    (sign_ins.generation, ids(&sign_ins))
}

async fn a_guest_has_no_devices_and_no_recovery_code(store: Arc<dyn Store>) {
    record(&*store, ANN, 1, 0).await;
    assert_eq!(store.sign_out(ANN, SignOut::Everywhere).await.unwrap(), 0);
    assert!(!store.set_recovery_code(ANN, [1; 32]).await.unwrap());
    assert_eq!(store.sign_ins(ANN).await.unwrap(), SignIns::default());
    assert_eq!(store.recovery_code(ANN).await.unwrap(), None);
    assert_eq!(store.redeem_recovery_code([1; 32]).await.unwrap(), None);
    store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    record(&*store, ANN, 1, 0).await;
    assert!(store.sign_ins(ANN).await.unwrap().is_user);
    assert_eq!(devices_of(&*store, ANN).await, (0, vec![1]));
}

async fn a_device_is_listed_once_and_the_ones_seen_last_stand_first(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for id in [1, u64::MAX, 3] {
        record(&*store, ANN, id, 0).await;
        advance_clock().await;
    }
    assert_eq!(devices_of(&*store, ANN).await, (0, vec![3, u64::MAX, 1]));
    let first = store.sign_ins(ANN).await.unwrap().devices.pop().unwrap();
    store.record_device(ANN, sign_in(1, 0), label("Chrome")).await.unwrap();
    advance_clock().await;
    let again = store.sign_ins(ANN).await.unwrap().devices.remove(0);
    assert_eq!((again.id, again.added_at, &*again.label.browser), (device(1), first.added_at, "Chrome"));
    assert!(again.seen_at > first.seen_at);
    for id in [1, 9] {
        store.record_device(ANN, sign_in(id, 0), None).await.unwrap();
    }
    let listed = store.sign_ins(ANN).await.unwrap();
    assert_eq!(ids(&listed), [1, 3, u64::MAX], "without a label no device is added");
    assert_eq!(&*listed.devices[0].label.browser, "Chrome", "and none is changed");
}

async fn signed_out_device_is_neither_admitted_nor_listed_again(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for id in [1, 2] {
        record(&*store, ANN, id, 0).await;
    }
    store.create_device_link([7; 32], ANN, Duration::from_secs(60)).await.unwrap().unwrap();
    let mut notifications = store.subscribe();
    assert_eq!(store.signed_out_users(&[ANN, BOB]).await.unwrap(), []);
    assert_eq!(store.sign_out(ANN, SignOut::Device(device(9))).await.unwrap(), 0, "not her device");
    assert_eq!(store.device_link([7; 32]).await.unwrap(), Ok(ANN));
    assert_eq!(store.sign_out(ANN, SignOut::Device(device(1))).await.unwrap(), 1);
    loop {
        if let Notification::SignedOut(user) = notifications.next().await.unwrap() {
            break assert_eq!(user, ANN);
        }
    }
    assert_eq!(store.device_link([7; 32]).await.unwrap(), Err(LinkError::Expired), "her open link has ended");
    let sign_ins = store.sign_ins(ANN).await.unwrap();
    for (cookie, is_admitted) in
        [(sign_in(1, 0), false), (sign_in(2, 0), true), (sign_in(3, 0), false), (sign_in(4, 1), true)]
    {
        assert_eq!(sign_ins.admits(cookie), is_admitted, "{cookie:?}");
    }
    for (id, generation) in [(1, 0), (3, 0), (4, 1)] {
        record(&*store, ANN, id, generation).await;
    }
    let (generation, mut listed) = devices_of(&*store, ANN).await;
    listed.sort_unstable();
    assert_eq!((generation, listed), (1, vec![2, 4]));
    assert_eq!(store.signed_out_users(&[BOB, ANN]).await.unwrap(), [ANN]);
}

async fn signing_out_others_keeps_one_device_and_everywhere_none(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for id in [1, 2, 3] {
        record(&*store, ANN, id, 0).await;
    }
    assert_eq!(store.sign_out(ANN, SignOut::Others(device(2))).await.unwrap(), 1);
    assert_eq!(devices_of(&*store, ANN).await, (1, vec![2]));
    assert_eq!(store.sign_out(ANN, SignOut::Everywhere).await.unwrap(), 2);
    let sign_ins = store.sign_ins(ANN).await.unwrap();
    assert_eq!((ids(&sign_ins), sign_ins.admits(sign_in(2, 1))), (vec![], false));
}

async fn a_device_of_another_user_stays(store: Arc<dyn Store>) {
    for (user, id) in [(ANN, 1), (BOB, 2)] {
        store.set_display_name(user, format!("User {id}").parse().unwrap()).await.unwrap();
        record(&*store, user, id, 0).await;
    }
    assert_eq!(store.sign_out(ANN, SignOut::Device(device(2))).await.unwrap(), 0);
    record(&*store, ANN, 2, 0).await;
    assert_eq!(store.sign_out(ANN, SignOut::Everywhere).await.unwrap(), 1);
    assert_eq!(devices_of(&*store, BOB).await, (0, vec![2]));
}

async fn device_seen_least_recently_is_signed_out_past_the_bound(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for id in 0..u64::from(MAX_DEVICES) {
        record(&*store, ANN, id, 0).await;
        if id < 2 {
            advance_clock().await;
        }
    }
    advance_clock().await;
    record(&*store, ANN, 0, 0).await;
    let (generation, listed) = devices_of(&*store, ANN).await;
    assert_eq!((generation, listed.len()), (0, MAX_DEVICES as usize));
    record(&*store, ANN, 1_000, 0).await;
    let sign_ins = store.sign_ins(ANN).await.unwrap();
    assert_eq!((sign_ins.generation, sign_ins.devices.len()), (1, MAX_DEVICES as usize));
    let admitted = [0, 1, 2, 1_000].map(|id| sign_ins.admits(sign_in(id, 0)));
    assert_eq!(admitted, [true, false, true, true]);
}

async fn a_recovery_code_works_once_and_a_new_one_replaces_it(store: Arc<dyn Store>) {
    for user in [ANN, BOB] {
        store.set_display_name(user, format!("User {}", user.0).parse().unwrap()).await.unwrap();
    }
    for (user, hash) in [(ANN, [1; 32]), (ANN, [2; 32]), (BOB, [3; 32])] {
        assert!(store.set_recovery_code(user, hash).await.unwrap());
    }
    assert!(store.recovery_code(ANN).await.unwrap().is_some_and(|at| at > 1_600_000_000_000));
    assert_eq!(store.redeem_recovery_code([1; 32]).await.unwrap(), None, "it was replaced");
    let both = join_all((0..2).map(|_| store.redeem_recovery_code([2; 32]))).await;
    let mut both: Vec<_> = both.into_iter().map(Result::unwrap).collect();
    both.sort_unstable();
    assert_eq!(both, [None, Some(ANN)], "it works once");
    assert_eq!(store.recovery_code(ANN).await.unwrap(), None);
    store.revoke_recovery_code(ANN).await.unwrap();
    store.revoke_recovery_code(BOB).await.unwrap();
    assert_eq!(store.redeem_recovery_code([3; 32]).await.unwrap(), None, "it was revoked");
}
