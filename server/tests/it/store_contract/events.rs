//! Appending events and reading them.

use super::{ANN, BOB, every_store, message, numbered, post, reply, rooms_by_name, texts};
use crate::support::room;
use app::wire::{CommandId, Seq, UserId};
use futures_util::{FutureExt, future::join_all};
use server::store::{Appended, NewEvent, SqliteStore, Store, StoreError, StreamPosition};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    seqs_of_each_room_are_1_2_3_without_gaps
    a_repeated_command_appends_nothing_and_returns_its_first_seq
    concurrent_repeats_of_a_command_are_stored_once
    a_command_id_of_another_user_is_a_conflict
    a_rejected_command_leaves_no_gap
    concurrent_appends_get_distinct_seqs
    append_reserves_the_seq_when_called
    append_stores_the_event_if_its_future_is_dropped
    events_are_read_in_order_after_any_seq
    a_position_continues_only_with_the_expected_event_id_and_log
    each_store_has_its_own_log_id
    dropped_reads_release_their_connections
}

async fn seqs_of_each_room_are_1_2_3_without_gaps(store: Arc<dyn Store>) {
    for (room, text, seq) in
        [("tea", "a", 1), ("jam", "b", 1), ("tea", "c", 2), ("jam", "d", 2), ("tea", "e", 3)]
    {
        let appended = post(&*store, room, text).await;
        assert_eq!((appended.room.as_str(), appended.seq, appended.is_duplicate), (room, seq, false));
    }
    assert_eq!(texts(&*store, "tea").await, numbered(&["a", "c", "e"]));
    assert_eq!(store.heads(&[room("tea"), room("empty"), room("jam")]).await.unwrap(), [3, 0, 2]);
    assert_eq!(rooms_by_name(&*store).await, [(room("jam"), 2), (room("tea"), 3)]);
}

async fn a_repeated_command_appends_nothing_and_returns_its_first_seq(store: Arc<dyn Store>) {
    let first = message("tea", ANN, "hello");
    let stored = store.append(first.clone()).await.unwrap();
    post(&*store, "tea", "more").await;
    let again = store.append(first.clone()).await.unwrap();
    assert_eq!(again, Appended { is_duplicate: true, ..stored.clone() });
    let in_other_room = store.append(NewEvent { room: room("jam"), ..first }).await.unwrap();
    assert_eq!(in_other_room, Appended { is_duplicate: true, ..stored }, "an id is one command, in one room");
    assert_eq!(texts(&*store, "tea").await, numbered(&["hello", "more"]));
    assert_eq!(store.head(&room("jam")).await.unwrap(), 0);
}

async fn concurrent_repeats_of_a_command_are_stored_once(store: Arc<dyn Store>) {
    let command = message("tea", ANN, "hello");
    let all = join_all((0..8).map(|_| store.append(command.clone()))).await;
    let appended: Vec<Appended> = all.into_iter().map(Result::unwrap).collect();
    assert!(appended.iter().all(|one| one.seq == 1), "{appended:?}");
    assert_eq!(appended.iter().filter(|one| !one.is_duplicate).count(), 1, "{appended:?}");
    assert_eq!(texts(&*store, "tea").await, numbered(&["hello"]));
}

async fn a_command_id_of_another_user_is_a_conflict(store: Arc<dyn Store>) {
    let anns = message("tea", ANN, "mine");
    store.append(anns.clone()).await.unwrap();
    let rejected = store.append(NewEvent { author: BOB, ..anns }).await;
    assert!(matches!(rejected, Err(StoreError::IdConflict)), "{rejected:?}");
    assert_eq!(texts(&*store, "tea").await, numbered(&["mine"]));
}

async fn a_rejected_command_leaves_no_gap(store: Arc<dyn Store>) {
    let first = message("tea", ANN, "one");
    let commands =
        [first.clone(), NewEvent { author: BOB, ..first }, reply(BOB, 9), message("tea", BOB, "two")];
    let outcomes = join_all(commands.map(|command| store.append(command))).await;
    assert!(outcomes[1].is_err() && outcomes[2].is_err(), "{outcomes:?}");
    assert_eq!(outcomes[3].as_ref().unwrap().seq, 2);
    assert_eq!(texts(&*store, "tea").await, numbered(&["one", "two"]));
}

async fn concurrent_appends_get_distinct_seqs(store: Arc<dyn Store>) {
    let author = |n: u64| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for k in 0..50 {
                mine.push(store.append(message("tea", UserId(n), &format!("{n}.{k}"))).await.unwrap().seq);
            }
            mine
        })
    };
    let mut all = Vec::new();
    for mine in join_all((0..4).map(author)).await {
        let mine = mine.unwrap();
        assert!(mine.is_sorted(), "one author's messages keep their order: {mine:?}");
        all.extend(mine);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=200).collect::<Vec<_>>());
    assert_eq!(texts(&*store, "tea").await.len(), 200);
}

async fn append_reserves_the_seq_when_called(store: Arc<dyn Store>) {
    let first = store.append(message("tea", ANN, "first"));
    let second = store.append(message("tea", ANN, "second"));
    assert_eq!(second.await.unwrap().seq, 2);
    assert_eq!(first.await.unwrap().seq, 1);
}

async fn append_stores_the_event_if_its_future_is_dropped(store: Arc<dyn Store>) {
    drop(store.append(message("tea", ANN, "gone")));
    post(&*store, "tea", "after").await;
    assert_eq!(texts(&*store, "tea").await, numbered(&["gone", "after"]));
}

async fn events_are_read_in_order_after_any_seq(store: Arc<dyn Store>) {
    join_all((1..=9).map(|n| store.append(message("tea", ANN, &n.to_string())))).await;
    let after = async |after, limit| -> Vec<Seq> {
        let events = store.events_after(&room("tea"), after, limit).await.unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(after(0, 4).await, [1, 2, 3, 4]);
    assert_eq!(after(4, 100).await, [5, 6, 7, 8, 9]);
    for beyond in [9, 10, Seq::MAX] {
        assert!(after(beyond, 100).await.is_empty(), "nothing is after {beyond}");
    }
    assert!(texts(&*store, "empty").await.is_empty());
}

async fn a_position_continues_only_with_the_expected_event_id_and_log(store: Arc<dyn Store>) {
    let first = message("tea", ANN, "one");
    store.append(first.clone()).await.unwrap();
    store.append(message("tea", ANN, "two")).await.unwrap();
    let position =
        |after, after_id, log: Option<&str>| StreamPosition { after, after_id, log: log.map(Into::into) };
    let id = store.log_id();
    for (expected, position) in [
        (true, position(0, None, None)),
        (true, position(1, None, None)),
        (true, position(1, None, Some(id))),
        (true, position(1, Some(first.id), Some(id))),
        (true, position(1, Some(first.id), None)),
        (false, position(2, Some(first.id), Some(id))),
        (false, position(1, Some(Uuid::now_v7()), None)),
        (false, position(3, Some(first.id), None)),
        (false, position(Seq::MAX, Some(first.id), None)),
        (false, position(1, Some(first.id), Some("another"))),
        (false, position(0, None, Some("another"))),
    ] {
        let continues = store.continues(&room("tea"), position.clone()).await.unwrap();
        assert_eq!(continues, expected, "{position:?}");
    }
    assert!(!store.continues(&room("jam"), position(1, Some(first.id), None)).await.unwrap(), "another room");
}

async fn each_store_has_its_own_log_id(store: Arc<dyn Store>) {
    assert!(store.log_id().parse::<CommandId>().is_ok(), "{} is no UUID", store.log_id());
    assert_ne!(store.log_id(), SqliteStore::ephemeral().unwrap().log_id());
}

async fn dropped_reads_release_their_connections(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for _ in 0..100 {
        let tea = room("tea");
        let mut begun = store.head(&tea);
        drop((&mut begun).now_or_never());
        drop(begun);
        assert_eq!(store.head(&tea).await.unwrap(), 1);
    }
}
