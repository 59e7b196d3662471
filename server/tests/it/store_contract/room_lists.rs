//! Lists of rooms: public ones in each order, and those that a user has joined.

use super::{ANN, BOB, advance_clock, every_store, not_joined, post, room_info};
use crate::support::room;
use app::wire::RoomName;
use server::store::{JoinedRoom, JoinedRooms, RoomInfo, RoomOrder, RoomQuery, Store};
use std::sync::Arc;

every_store! {
    public_rooms_are_listed_by_name_after_any_room
    rooms_are_listed_by_recent_activity
    rooms_are_listed_by_title_after_any_room
    joined_rooms_are_paged_and_include_the_requested_rooms
}

async fn public_rooms_are_listed_by_name_after_any_room(store: Arc<dyn Store>) {
    for name in ["tea", "jam", "lobby"] {
        post(&*store, name, "hello").await;
    }
    post(&*store, &format!("p-{}", "0".repeat(32)), "psst").await;
    store.create_room(room("ink"), room_info("Ink", ANN)).await.unwrap();
    store.create_room(room("p-1"), RoomInfo { private: true, ..room_info("Secret", ANN) }).await.unwrap();
    let names = async |after: Option<&str>, limit| -> Vec<String> {
        let query = RoomQuery { after: after.map(room), ..RoomQuery::new(RoomOrder::Name, limit) };
        let rooms = store.list_rooms(query).await.unwrap();
        rooms.iter().map(|found| format!("{} {} {}", found.room, found.head, found.title())).collect()
    };
    assert_eq!(names(None, 9).await, ["ink 0 Ink", "jam 1 Jam", "lobby 1 Lobby", "tea 1 Tea"]);
    assert_eq!(names(None, 2).await, ["ink 0 Ink", "jam 1 Jam"]);
    assert_eq!(names(Some("jam"), 1).await, ["lobby 1 Lobby"]);
    assert_eq!(names(Some("never-created"), 9).await, ["tea 1 Tea"]);
    assert_eq!(names(Some("tea"), 9).await, [""; 0]);
}

async fn rooms_are_listed_by_recent_activity(store: Arc<dyn Store>) {
    for name in ["tea", "jam", "lobby", "ink"] {
        post(&*store, name, "first").await;
        advance_clock().await;
    }
    store.create_room(room("p-1"), RoomInfo { private: true, ..room_info("Secret", ANN) }).await.unwrap();
    post(&*store, "p-1", "psst").await;
    let by_activity = async |after: Option<&str>, limit| {
        not_joined(&*store, RoomOrder::Activity, after.map(room).as_ref(), limit).await
    };
    assert_eq!(by_activity(None, 9).await, [room("ink"), room("jam"), room("tea")]);
    assert_eq!(by_activity(Some("ink"), 1).await, [room("jam")]);
    assert_eq!(by_activity(Some("tea"), 9).await, []);
    advance_clock().await;
    post(&*store, "tea", "again").await;
    assert_eq!(by_activity(None, 2).await, [room("tea"), room("ink")]);
    store.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    assert_eq!(by_activity(None, 1).await, [room("ink")]);
    store.remove_read_marker(BOB, room("tea")).await.unwrap();
    advance_clock().await;
    store.create_room(room("new"), room_info("New", ANN)).await.unwrap();
    store.update_room(room("new"), ANN, "Quite new".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    assert_eq!(by_activity(None, 2).await, [room("new"), room("tea")]);
}

async fn rooms_are_listed_by_title_after_any_room(store: Arc<dyn Store>) {
    let names: Vec<RoomName> = (0..250).map(|n| room(&format!("room-{n:03}"))).collect();
    for (n, name) in names.iter().enumerate() {
        // In reverse order, and alternately in upper and lower case.
        let title = if n % 2 == 0 { format!("A{:03}", 999 - n) } else { format!("a{:03}", 999 - n) };
        store.create_room(name.clone(), room_info(&title, ANN)).await.unwrap();
    }
    store.create_room(room("p-1"), RoomInfo { private: true, ..room_info("A500", ANN) }).await.unwrap();
    post(&*store, "lobby", "hello").await;
    store.set_read_marker(BOB, names[7].clone(), 0).await.unwrap();
    let by_title =
        async |after: Option<&RoomName>, limit| not_joined(&*store, RoomOrder::Title, after, limit).await;
    let (mut listed, mut after): (Vec<RoomName>, Option<RoomName>) = (Vec::new(), None);
    loop {
        let page = by_title(after.as_ref(), 100).await;
        listed.extend(page.iter().cloned());
        after = page.last().cloned();
        if page.len() < 100 {
            break;
        }
    }
    let expected = names.iter().rev().filter(|room| **room != names[7]);
    assert!(listed.iter().eq(expected), "each once, in order: {listed:?}");
    store.update_room(names[0].clone(), ANN, "A000".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    assert_eq!(by_title(None, 2).await, [names[0].clone(), names[249].clone()]);
    assert_eq!(by_title(Some(&names[1]), 2).await, [], "it was the last one");
    assert_eq!(by_title(Some(&room("never-created")), 2).await, [], "N comes after A");
}

async fn joined_rooms_are_paged_and_include_the_requested_rooms(store: Arc<dyn Store>) {
    for name in ["tea", "jam", "new"] {
        for _ in 0..3 {
            post(&*store, name, "hello").await;
        }
    }
    for (name, seq) in [("tea", 1), ("jam", 3)] {
        store.set_read_marker(BOB, room(name), seq).await.unwrap();
        advance_clock().await;
    }
    let list = async |skip, limit, also: &[&str]| {
        let also: Vec<RoomName> = also.iter().map(|name| room(name)).collect();
        let JoinedRooms { rooms, more } = store.joined_rooms(BOB, skip, limit, &also).await.unwrap();
        let rooms = rooms.into_iter().map(|JoinedRoom { record, read, unread, .. }| {
            (record.room.to_string(), record.head, read, unread)
        });
        (rooms.collect::<Vec<_>>(), more)
    };
    let entry = |name: &str, head, read, unread| (name.to_owned(), head, read, unread);
    let (tea, jam) = (entry("tea", 3, 1, 2), entry("jam", 3, 3, 0));
    assert_eq!(list(0, 9, &[]).await, (vec![jam.clone(), tea.clone()], false));
    assert_eq!(list(0, 1, &[]).await, (vec![jam.clone()], true));
    assert_eq!(list(1, 1, &[]).await, (vec![tea.clone()], false));
    let (new, empty) = (entry("new", 3, 3, 0), entry("empty", 0, 0, 0));
    let expected = vec![jam, tea, new, empty];
    assert_eq!(list(0, 1, &["jam", "tea", "new", "empty"]).await, (expected, true), "each once");
}
