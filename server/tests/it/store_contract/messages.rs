//! Pages of messages, replies, and snapshots of a room.

use super::{ANN, BOB, edit, every_store, message, post, reply, room_info};
use crate::support::room;
use app::wire::{
    Seq,
    limits::{MAX_CATCH_UP_EVENTS, MAX_MESSAGE_BYTES, MAX_PAGE_BYTES},
};
use futures_util::future::join_all;
use server::store::{MessagePage, NewEvent, Store, StoreError, StreamPosition, read_around};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    messages_are_paged_backwards_from_any_seq
    page_limits_count_messages_and_not_edits
    pages_have_at_most_256_kib_of_json
    a_reply_needs_a_message_of_its_room
    a_snapshot_has_the_room_the_read_marker_and_the_newest_page
    a_snapshot_has_no_page_if_few_events_follow_the_position
}

async fn messages_are_paged_backwards_from_any_seq(store: Arc<dyn Store>) {
    join_all((1..=9).map(|n| store.append(message("tea", ANN, &n.to_string())))).await;
    let before = async |before, limit| -> (Vec<Seq>, bool) {
        let page = store.messages_before(&room("tea"), before, limit).await.unwrap();
        (page.messages.iter().map(|message| message.seq).collect(), page.more)
    };
    assert_eq!(before(10, 4).await, (vec![6, 7, 8, 9], true));
    assert_eq!(before(Seq::MAX, 9).await, ((1..=9).collect(), false));
    assert_eq!(before(6, 4).await, (vec![2, 3, 4, 5], true));
    assert_eq!(before(3, 4).await, (vec![1, 2], false));
    for none in [0, 1] {
        assert_eq!(before(none, 4).await, (vec![], false), "nothing is before {none}");
    }
}

async fn page_limits_count_messages_and_not_edits(store: Arc<dyn Store>) {
    for n in 1..=5 {
        post(&*store, "tea", &n.to_string()).await;
    }
    for n in 0..20 {
        store.append(edit(ANN, 5, &format!("five {n}"))).await.unwrap();
    }
    let newest = store.messages_before(&room("tea"), Seq::MAX, 3).await.unwrap();
    let seqs: Vec<Seq> = newest.messages.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, newest.more), (vec![3, 4, 5], true));
}

async fn pages_have_at_most_256_kib_of_json(store: Arc<dyn Store>) {
    let longest = "\"".repeat(MAX_MESSAGE_BYTES);
    let post = |text: &str| store.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, text));
    for _ in 0..40 {
        post(&longest).await.unwrap();
    }
    for n in 1..=1_000 {
        post(&n.to_string()).await.unwrap();
    }
    let events = store.events_after(&room("tea"), 0, 1_000).await.unwrap();
    let bytes = serde_json::to_string(&events).unwrap().len();
    assert!(
        bytes <= MAX_PAGE_BYTES && bytes > MAX_PAGE_BYTES / 2,
        "{} events of {bytes} bytes",
        events.len()
    );
    let page = store.messages_before(&room("tea"), 41, 50).await.unwrap();
    let bytes = serde_json::to_string(&page.messages).unwrap().len();
    assert!(page.more && bytes <= MAX_PAGE_BYTES && bytes > MAX_PAGE_BYTES / 2, "{bytes} bytes");
    assert_eq!(page.messages.last().unwrap().seq, 40, "the newest stay");
    assert_eq!(store.events_after(&room("tea"), 40, 1_000).await.unwrap().len(), 1_000, "short ones all fit");
    let page = read_around(&*store, &room("tea"), 20, 50).await.unwrap();
    let seqs: Vec<_> = page.messages.iter().map(|message| message.seq).collect();
    assert!(page.more && seqs.contains(&20) && seqs.contains(&21), "{seqs:?}");
}

async fn a_reply_needs_a_message_of_its_room(store: Arc<dyn Store>) {
    post(&*store, "jam", "elsewhere").await;
    let reply_to = |target| store.append(reply(BOB, target));
    for nothing in [0, 1, Seq::MAX] {
        let rejected = reply_to(nothing).await;
        assert!(matches!(rejected, Err(StoreError::MessageNotFound)), "{nothing}: {rejected:?}");
    }
    post(&*store, "tea", "shall we?").await;
    let appended = reply_to(1).await.unwrap();
    let page = store.messages_before(&room("tea"), appended.seq + 1, 1).await.unwrap();
    assert_eq!(page.messages[0].reply_to, Some(1));
}

async fn a_snapshot_has_the_room_the_read_marker_and_the_newest_page(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    for n in 1..=4 {
        post(&*store, "tea", &n.to_string()).await;
    }
    store.set_read_marker(BOB, room("tea"), 2).await.unwrap();
    let snapshot = store.snapshot(&room("tea"), BOB, None, 3).await.unwrap();
    assert_eq!(snapshot.record, store.room(&room("tea")).await.unwrap());
    assert_eq!((snapshot.record.head, snapshot.read), (4, Some(2)));
    assert_eq!(snapshot.page, Some(store.messages_before(&room("tea"), 5, 3).await.unwrap()));
    let empty = store.snapshot(&room("new"), BOB, None, 3).await.unwrap();
    assert_eq!((empty.record.head, empty.read, empty.page), (0, None, Some(MessagePage::default())));
}

async fn a_snapshot_has_no_page_if_few_events_follow_the_position(store: Arc<dyn Store>) {
    let id = store.log_id().to_owned();
    let events = join_all((0..=MAX_CATCH_UP_EVENTS).map(|_| store.append(message("tea", ANN, "x")))).await;
    assert!(events.iter().all(Result::is_ok));
    let position = |after, log: &str| StreamPosition { after, after_id: None, log: Some(log.into()) };
    for (position, has_page) in [
        (position(1, &id), false),
        (position(MAX_CATCH_UP_EVENTS + 1, &id), false),
        (position(0, &id), true),
        (position(MAX_CATCH_UP_EVENTS + 2, &id), true),
        (position(5, "another"), true),
    ] {
        let snapshot = store.snapshot(&room("tea"), BOB, Some(position.clone()), 1).await.unwrap();
        assert_eq!(snapshot.page.is_some(), has_page, "{position:?}");
    }
}
