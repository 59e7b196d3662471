//! Ambiguous display names and renames.

use crate::{
    notifications::FaultyNotifications,
    support::{TestServer, V1, sent, visitor},
};
use app::wire::{ClientFrame, ServerFrame, UserId};
use futures_util::future::join_all;
use reqwest::StatusCode;
use std::collections::BTreeMap;

/// Returns the users that `frames` rename, with their marks.
fn renamed(frames: &[ServerFrame]) -> Vec<(UserId, bool)> {
    let renamed = |frame: &ServerFrame| match frame {
        ServerFrame::Renamed { id, ambiguous, .. } => Some((*id, *ambiguous)),
        _ => None,
    };
    let mut renamed: Vec<_> = frames.iter().filter_map(renamed).collect();
    renamed.sort();
    renamed
}

/// Waits until frames to `client` have renamed just these users, with these marks at last. With several servers a frame may come
/// once more.
async fn wait_for_renamed(client: &mut V1, expected: Vec<(UserId, bool)>) {
    let mut renames = BTreeMap::new();
    while renames.iter().map(|(id, mark)| (*id, *mark)).ne(expected.iter().copied()) {
        renames.extend(renamed(&[client.next_frame().await]));
    }
}

fn both(one: &V1, other: &V1, ambiguous: bool) -> Vec<(UserId, bool)> {
    let mut both = vec![(one.you().id, ambiguous), (other.you().id, ambiguous)];
    both.sort();
    both
}

#[tokio::test]
async fn a_confusable_name_marks_both_users_as_ambiguous() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = V1::connect_two_and_join(&server, "tea").await;
    ann.set_name("Ann").await;
    wait_for_renamed(&mut bob, vec![(ann.you().id, false)]).await;
    ann.frames_until_pong().await;
    // The first letter is Cyrillic.
    bob.set_name("\u{410}nn").await;
    let marked = both(&ann, &bob, true);
    wait_for_renamed(&mut ann, marked).await;
    ann.post("tea", "it is me").await;
    assert!(ann.events(1).await[0].author.ambiguous);
    bob.frames_until_pong().await;
    bob.set_name("Bob").await;
    let unmarked = both(&ann, &bob, false);
    wait_for_renamed(&mut ann, unmarked).await;
    ann.post("tea", "only me").await;
    assert!(!ann.events(1).await[0].author.ambiguous);
}

#[tokio::test]
async fn default_name_taken_by_another_user_is_marked_after_a_post() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = V1::connect_two_and_join(&server, "tea").await;
    ann.set_name(bob.you().name.as_str()).await;
    wait_for_renamed(&mut bob, vec![(ann.you().id, false)]).await;
    ann.frames_until_pong().await;
    bob.post("tea", "that is my name").await;
    let (mut renames, mut is_marked) = (BTreeMap::new(), false);
    while !is_marked || renames.iter().map(|(id, mark)| (*id, *mark)).ne(both(&ann, &bob, true)) {
        let frame = ann.next_frame().await;
        is_marked |= matches!(&frame, ServerFrame::Events { events, .. } if events[0].author.ambiguous);
        renames.extend(renamed(&[frame]));
    }
}

#[tokio::test]
async fn a_rename_reaches_every_room_that_the_user_has_visited() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "coffee").await;
    ann.post("coffee", "I was here").await;
    ann.send(&ClientFrame::Read { room: "coffee".into(), seq: 1 }).await;
    ann.send(&ClientFrame::Leave { room: "coffee".into() }).await;
    ann.frames_until_pong().await;
    let (mut bob, mut carol) =
        (V1::connect_and_join(&server, "coffee").await, V1::connect_and_join(&server, "elsewhere").await);
    ann.set_name("Ann").await;
    wait_for_renamed(&mut bob, vec![(ann.you().id, false)]).await;
    assert_eq!(renamed(&carol.frames_until_pong().await), []);
}

#[tokio::test]
async fn of_two_renames_in_a_row_the_second_is_announced_last() {
    let server = TestServer::with_store(FaultyNotifications::new(|_, notification| vec![notification])).await;
    let (ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    for n in 0..3 {
        let names = ["Ann", "Anna"].map(|name| format!("{name} {n}").parse().unwrap());
        let both = names.map(|name| server.store().set_display_name(ann.you().id, name));
        join_all(both).await.into_iter().for_each(|renamed| drop(renamed.unwrap()));
        let second = format!("Anna {n}");
        while !matches!(bob.next_frame().await, ServerFrame::Renamed { name, .. } if name.as_str() == second)
        {
        }
        // An announcement reads the name at the moment, so both may say the second.
        for frame in bob.frames_until_pong().await {
            if let ServerFrame::Renamed { name, .. } = frame {
                assert_eq!(name.as_str(), second);
            }
        }
    }
}

#[tokio::test]
async fn a_rename_is_announced_although_its_request_is_dropped() {
    let server = TestServer::start().await;
    let (ann, mut bob) = V1::connect_two_and_join(&server, "tea").await;
    drop(server.store().set_display_name(ann.you().id, "Ann".parse().unwrap()));
    match bob.expect_frame().await {
        ServerFrame::Renamed { name, .. } => assert_eq!(name.as_str(), "Ann"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rename_reaches_rooms_that_the_user_has_only_posted_in() {
    let server = TestServer::start().await;
    let (mut ann, bob) = (V1::connect_and_join(&server, "tea").await, visitor(&server).await);
    let posted = sent(bob.post(server.http("/api/rooms/tea/messages")).body("from a script")).await;
    assert_eq!(posted.status(), StatusCode::CREATED);
    let author = ann.events(1).await[0].author.id;
    sent(bob.post(server.http("/name")).form(&[("name", "Bob"), ("room", "lobby")])).await;
    match ann.expect_frame().await {
        ServerFrame::Renamed { id, name, .. } => assert_eq!((id, name.as_str()), (author, "Bob")),
        other => panic!("{other:?}"),
    }
}
