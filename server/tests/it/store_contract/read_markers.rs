//! Read markers and unread counts.

use super::{ANN, BOB, advance_clock, every_store, message, post, room_info};
use crate::support::room;
use app::wire::{Operation, RoomName, Seq, UserId};
use futures_util::future::join_all;
use server::store::{MAX_READ_MARKERS, MarkerUpdate, NewEvent, Store, StoreError};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

every_store! {
    a_read_marker_moves_forward_up_to_the_head
    a_read_marker_needs_a_room_and_is_0_only_in_an_empty_one
    read_markers_are_listed_by_last_use_and_oldest_is_evicted
    a_post_creates_a_read_marker_and_never_moves_it_back
    a_removed_read_marker_returns_with_the_next_post_or_read
    unread_counts_exclude_own_and_deleted_messages
    marking_as_unread_moves_marker_back_and_later_reads_forward
    marking_as_unread_needs_a_room_and_creates_a_read_marker
}

async fn read_markers(store: &dyn Store, user: UserId) -> Vec<(RoomName, Seq)> {
    store.read_markers(user, 0, MAX_READ_MARKERS + 9).await.unwrap()
}

async fn read_marker(store: &dyn Store, user: UserId, name: &str) -> Option<Seq> {
    store.snapshot(&room(name), user, None, 0).await.unwrap().read
}

async fn a_read_marker_moves_forward_up_to_the_head(store: Arc<dyn Store>) {
    post(&*store, "tea", "one").await;
    post(&*store, "tea", "two").await;
    assert_eq!(read_markers(&*store, BOB).await, []);
    assert_eq!(read_marker(&*store, BOB, "tea").await, None);
    for (seq, read, marker) in [
        (1, 1, MarkerUpdate::Moved(1)),
        (9, 2, MarkerUpdate::Moved(2)),
        (1, 2, MarkerUpdate::Unchanged),
        (2, 2, MarkerUpdate::Unchanged),
    ] {
        assert_eq!(store.set_read_marker(BOB, room("tea"), seq).await.unwrap(), marker);
        assert_eq!(read_markers(&*store, BOB).await, [(room("tea"), read)]);
        assert_eq!(read_marker(&*store, BOB, "tea").await, Some(read));
    }
    assert_eq!(read_markers(&*store, ANN).await, [(room("tea"), 1)]);
    assert_eq!(read_marker(&*store, BOB, "jam").await, None);
}

async fn a_read_marker_needs_a_room_and_is_0_only_in_an_empty_one(store: Arc<dyn Store>) {
    for seq in [0, 1] {
        let rejected = store.set_read_marker(BOB, room("nowhere"), seq).await;
        assert!(matches!(rejected, Err(StoreError::RoomNotFound)), "{rejected:?}");
    }
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    post(&*store, "jam", "one").await;
    for (name, seq) in [("jam", 0), ("lobby", 0), ("lobby", 1)] {
        assert_eq!(
            store.set_read_marker(BOB, room(name), seq).await.unwrap(),
            MarkerUpdate::Unchanged,
            "{name} {seq}"
        );
    }
    assert_eq!(read_markers(&*store, BOB).await, []);
    assert_eq!(
        store.set_read_marker(BOB, room("tea"), 7).await.unwrap(),
        MarkerUpdate::Moved(0),
        "the room exists and is empty"
    );
    assert_eq!(store.set_read_marker(BOB, room("tea"), 0).await.unwrap(), MarkerUpdate::Unchanged);
    assert_eq!(read_markers(&*store, BOB).await, [(room("tea"), 0)]);
    assert_eq!(read_markers(&*store, ANN).await.len(), 2, "the owner of a new room has a read marker");
}

async fn read_markers_are_listed_by_last_use_and_oldest_is_evicted(store: Arc<dyn Store>) {
    let all: Vec<RoomName> = (0..=MAX_READ_MARKERS + 1).map(|n| room(&format!("room-{n:04}"))).collect();
    join_all(all.iter().map(|name| store.append(message(name.as_str(), ANN, "hello")))).await;
    let read = async |n: usize| {
        assert_eq!(store.set_read_marker(BOB, all[n].clone(), 1).await.unwrap(), MarkerUpdate::Moved(1));
    };
    read(0).await;
    advance_clock().await;
    for n in 1..MAX_READ_MARKERS as usize {
        read(n).await;
    }
    advance_clock().await;
    store.append(message("room-0000", ANN, "news")).await.unwrap();
    store.set_read_marker(BOB, all[0].clone(), 2).await.unwrap();
    let first = store.read_markers(BOB, 0, 2).await.unwrap();
    assert_eq!(first[0], (all[0].clone(), 2), "the room that was read last comes first");
    assert_eq!(store.read_markers(BOB, 1, 1).await.unwrap(), first[1..]);
    assert_eq!(read_markers(&*store, BOB).await.len(), MAX_READ_MARKERS as usize);
    let oldest = read_markers(&*store, BOB).await.pop().unwrap().0;
    read(MAX_READ_MARKERS as usize).await;
    let kept = read_markers(&*store, BOB).await;
    assert_eq!(kept.len(), MAX_READ_MARKERS as usize);
    assert!(kept.iter().all(|(room, _)| *room != oldest), "{oldest} was not used for longest");
    store.append(message(oldest.as_str(), BOB, "back again")).await.unwrap();
    assert!(read_markers(&*store, BOB).await.contains(&(oldest, 2)), "an evicted room can come back");
    assert_eq!(
        read_markers(&*store, ANN).await.len(),
        MAX_READ_MARKERS as usize,
        "posts have the same bound"
    );
}

async fn a_post_creates_a_read_marker_and_never_moves_it_back(store: Arc<dyn Store>) {
    post(&*store, "tea", "one").await;
    post(&*store, "tea", "two").await;
    let first = message("tea", BOB, "three");
    store.append(first.clone()).await.unwrap();
    assert_eq!(read_markers(&*store, BOB).await, [(room("tea"), 3)], "at his message");
    post(&*store, "tea", "four").await;
    store.append(message("tea", BOB, "five")).await.unwrap();
    store.append(NewEvent { room: room("jam"), ..first }).await.unwrap();
    assert_eq!(
        read_markers(&*store, BOB).await,
        [(room("tea"), 3)],
        "event 4 may be unread, and a repeated command sets no marker"
    );
    post(&*store, "jam", "one").await;
    advance_clock().await;
    store.set_read_marker(BOB, room("jam"), 1).await.unwrap();
    store.append(message("jam", BOB, "two")).await.unwrap();
    assert_eq!(read_markers(&*store, BOB).await, [(room("jam"), 1), (room("tea"), 3)]);
}

async fn a_removed_read_marker_returns_with_the_next_post_or_read(store: Arc<dyn Store>) {
    for name in ["tea", "jam"] {
        store.append(message(name, ANN, "one")).await.unwrap();
        store.append(message(name, BOB, "two")).await.unwrap();
    }
    store.remove_read_marker(BOB, room("tea")).await.unwrap();
    store.remove_read_marker(BOB, room("never-seen")).await.unwrap();
    assert_eq!(read_markers(&*store, BOB).await, [(room("jam"), 2)]);
    assert_eq!(read_marker(&*store, BOB, "tea").await, None);
    assert_eq!(read_markers(&*store, ANN).await.len(), 2, "other users keep theirs");
    store.append(message("tea", BOB, "three")).await.unwrap();
    store.remove_read_marker(BOB, room("jam")).await.unwrap();
    store.set_read_marker(BOB, room("jam"), 1).await.unwrap();
    let back: HashSet<_> = read_markers(&*store, BOB).await.into_iter().collect();
    assert_eq!(back, HashSet::from([(room("tea"), 3), (room("jam"), 1)]));
}

async fn marking_as_unread_moves_marker_back_and_later_reads_forward(store: Arc<dyn Store>) {
    for text in ["one", "two", "three", "four"] {
        post(&*store, "tea", text).await;
    }
    store.set_read_marker(BOB, room("tea"), 4).await.unwrap();
    let mark = async |seq| store.mark_unread(BOB, room("tea"), seq).await.unwrap();
    for (seq, read, marker) in [
        (3, 2, MarkerUpdate::Moved(2)),
        (3, 2, MarkerUpdate::Unchanged),
        (4, 3, MarkerUpdate::Moved(3)),
        (1, 0, MarkerUpdate::Moved(0)),
        (0, 0, MarkerUpdate::Unchanged),
        (9, 4, MarkerUpdate::Moved(4)),
        (Seq::MAX, 4, MarkerUpdate::Unchanged),
        (2, 1, MarkerUpdate::Moved(1)),
    ] {
        assert_eq!(mark(seq).await, marker, "from {seq} on");
        assert_eq!(read_marker(&*store, BOB, "tea").await, Some(read));
    }
    let joined = store.joined_rooms(BOB, 0, 9, &[]).await.unwrap().rooms;
    assert_eq!(joined.iter().map(|joined| (joined.read, joined.unread)).collect::<Vec<_>>(), [(1, 3)]);
    assert_eq!(read_marker(&*store, ANN, "tea").await, Some(1), "other users keep theirs");
    let read = async |seq| store.set_read_marker(BOB, room("tea"), seq).await.unwrap();
    assert_eq!((read(1).await, read(3).await), (MarkerUpdate::Unchanged, MarkerUpdate::Moved(3)));
}

async fn marking_as_unread_needs_a_room_and_creates_a_read_marker(store: Arc<dyn Store>) {
    let rejected = store.mark_unread(BOB, room("nowhere"), 1).await;
    assert!(matches!(rejected, Err(StoreError::RoomNotFound)), "{rejected:?}");
    assert_eq!(store.mark_unread(BOB, room("lobby"), 1).await.unwrap(), MarkerUpdate::Unchanged);
    assert_eq!(read_markers(&*store, BOB).await, []);
    post(&*store, "tea", "one").await;
    assert_eq!(store.mark_unread(BOB, room("tea"), 1).await.unwrap(), MarkerUpdate::Moved(0));
    assert_eq!(read_markers(&*store, BOB).await, [(room("tea"), 0)]);
}

async fn unread_counts_exclude_own_and_deleted_messages(store: Arc<dyn Store>) {
    for n in 0..3 {
        store.append(message("tea", ANN, &n.to_string())).await.unwrap();
    }
    store.append(message("tea", BOB, "my own")).await.unwrap();
    let operation = Operation::Delete { target: 2 };
    store.append(NewEvent::new(Uuid::now_v7(), room("tea"), ANN, operation)).await.unwrap();
    let unread =
        store.unread_counts(BOB, &[(room("tea"), 0), (room("tea"), 1), (room("empty"), 0)]).await.unwrap();
    assert_eq!(unread, [2, 1, 0]);
    for n in 0..150 {
        store.append(message("tea", ANN, &n.to_string())).await.unwrap();
    }
    assert_eq!(store.unread_counts(BOB, &[(room("tea"), 0)]).await.unwrap(), [100]);
}
