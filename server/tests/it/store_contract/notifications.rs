//! The notifications of a store to its subscribers.

use super::{ANN, BOB, every_store, message, next_appended, post, room_info};
use crate::support::room;
use futures_util::{FutureExt, future::join_all, stream::StreamExt};
use server::store::Store;
use std::sync::Arc;

every_store! {
    notified_subscribers_can_read_the_committed_events
    notifications_carry_every_event_in_order
    changes_of_names_titles_and_read_markers_are_notified
}

async fn notified_subscribers_can_read_the_committed_events(store: Arc<dyn Store>) {
    let mut notifications = store.subscribe();
    let posting = tokio::spawn({
        let store = store.clone();
        async move { join_all((0..100).map(|n| store.append(message("tea", ANN, &n.to_string())))).await }
    });
    let mut notified = 0;
    while notified < 100 {
        let (room, events) = next_appended(&mut notifications).await;
        let last = events.last().unwrap();
        assert!(store.head(&room).await.unwrap() >= last.seq, "heads are raised before the notification");
        let found = store.events_after(&room, last.seq - 1, 1).await.unwrap();
        assert_eq!(&found[0], last, "a notified event is committed");
        notified = last.seq;
    }
    posting.await.unwrap();
}

async fn notifications_carry_every_event_in_order(store: Arc<dyn Store>) {
    let mut notifications = store.subscribe();
    let commands = (0..300).map(|n| store.append(message(["tea", "jam"][n % 2], ANN, &n.to_string())));
    join_all(commands).await;
    let mut received = Vec::new();
    while let Some((room, events)) = next_appended(&mut notifications).now_or_never() {
        assert!(!events.is_empty(), "a notification is never empty");
        received.extend(events.iter().map(|event| (room.clone(), event.clone())));
    }
    for name in ["tea", "jam"] {
        let of_room = received.iter().filter(|(of, _)| *of == room(name)).map(|(_, event)| event.clone());
        assert_eq!(of_room.collect::<Vec<_>>(), store.events_after(&room(name), 0, 1_000).await.unwrap());
    }
}

async fn changes_of_names_titles_and_read_markers_are_notified(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    post(&*store, "tea", "hello").await;
    let mut notifications = store.subscribe();
    let generation = store.names_generation();
    store.set_display_name(BOB, "Bob".parse().unwrap()).await.unwrap();
    assert_ne!(store.names_generation(), generation, "before the change is acknowledged");
    store.update_room(room("tea"), ANN, "Tea time".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    store.set_read_marker(BOB, room("tea"), 9).await.unwrap();
    store.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    store.mark_unread(BOB, room("tea"), 1).await.unwrap();
    store.mark_unread(BOB, room("tea"), 1).await.unwrap();
    let rejected = store.update_room(room("tea"), BOB, "Mine".parse().unwrap(), "".parse().unwrap()).await;
    assert!(rejected.is_err());
    let notifications: Vec<_> = std::iter::from_fn(|| notifications.next().now_or_never()?)
        .map(|notification| format!("{notification:?}"))
        .collect();
    assert_eq!(notifications.len(), 5, "{notifications:?}");
    assert!(
        notifications[0].starts_with("UsersChanged") && notifications[1].starts_with("RoomChanged"),
        "{notifications:?}"
    );
    assert!(
        notifications[2].starts_with("ReadMarkerMoved") && notifications[2].contains("seq: 1"),
        "{notifications:?}"
    );
    assert!(notifications[3..].iter().all(|notification| notification.starts_with("MarkedUnread")));
}
