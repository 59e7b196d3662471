//! Presence and typing of one process, with the clock advanced. `several_servers.rs` has those of several.

use crate::{
    heartbeat::{advance_time, flush_sockets},
    support::{TestServer, V1, room, sent, visitor},
};
use app::wire::{
    ClientFrame, ServerFrame, User, UserId,
    limits::{MAX_MESSAGE_BYTES, MAX_PAGE_BYTES},
};
use server::{
    hub::{subscriber::Subscriber, subscription::SubscriberSession},
    store::{NewEvent, RoomOrder, RoomQuery},
};
use uuid::Uuid;

/// Returns the joins and leaves that `client` has received until now.
async fn joins_and_leaves(client: &mut V1) -> (Vec<UserId>, Vec<UserId>) {
    flush_sockets().await;
    client.send(&ClientFrame::Ping { n: 1 }).await;
    let you = client.you().id;
    let (mut came, mut went) = (Vec::new(), Vec::new());
    loop {
        match client.next_frame().await {
            ServerFrame::Presence { here, gone, .. } => {
                came.extend(here.into_iter().map(|user| user.id).filter(|id| *id != you));
                went.extend(gone);
            }
            ServerFrame::Pong { .. } => return (came, went),
            _ => {}
        }
    }
}

async fn follow(server: &TestServer, cookie: &str, presence: bool) -> (V1, ServerFrame) {
    let mut client = V1::connect_as(server, cookie).await;
    client
        .send(&ClientFrame::Join {
            room: "tea".into(),
            after: None,
            after_id: None,
            log: None,
            limit: None,
            presence,
        })
        .await;
    let joined = client.expect_frame().await;
    (client, joined)
}

fn members(joined: &ServerFrame) -> Vec<UserId> {
    let ServerFrame::Joined { members, .. } = joined else { panic!("{joined:?}") };
    members.iter().map(|member| member.id).collect()
}

#[tokio::test]
async fn presence_announces_joins_at_once_and_leaves_after_10_seconds() {
    let server = TestServer::alone().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let bob = V1::connect_and_join(&server, "tea").await;
    let id = bob.you().id;
    advance_time(1).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![id], vec![]));
    advance_time(5).await;
    drop(bob);
    flush_sockets().await;
    advance_time(8).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![], vec![]), "not yet");
    advance_time(3).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![], vec![id]));
    assert_eq!(server.state.hub.members(&room("tea"), UserId(0)).await.count, 1);
}

#[tokio::test]
async fn reload_within_grace_period_keeps_bob_present() {
    let server = TestServer::alone().await;
    let (mut ann, cookie) = (V1::connect_and_join(&server, "tea").await, server.new_user_cookie().await);
    let (bob, _) = follow(&server, &cookie, true).await;
    advance_time(1).await;
    assert_eq!(joins_and_leaves(&mut ann).await.0, [bob.you().id]);
    advance_time(5).await;
    drop(bob);
    flush_sockets().await;
    advance_time(9).await;
    let (_bob, _) = follow(&server, &cookie, true).await;
    advance_time(20).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![], vec![]));
}

#[tokio::test]
async fn two_tabs_of_bob_are_one_user() {
    let server = TestServer::alone().await;
    let (mut ann, cookie) = (V1::connect_and_join(&server, "tea").await, server.new_user_cookie().await);
    let (first, _) = follow(&server, &cookie, true).await;
    let (second, joined) = follow(&server, &cookie, true).await;
    assert_eq!(members(&joined).len(), 2);
    advance_time(1).await;
    assert_eq!(joins_and_leaves(&mut ann).await.0, [first.you().id]);
    drop(first);
    advance_time(15).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![], vec![]), "the other tab is still open");
    drop(second);
}

#[tokio::test]
async fn a_passive_subscriber_receives_everything_and_is_not_present() {
    let server = TestServer::alone().await;
    let (mut ann, cookie) = (V1::connect_and_join(&server, "tea").await, server.new_user_cookie().await);
    let (mut bob, joined) = follow(&server, &cookie, false).await;
    assert_eq!(members(&joined), [ann.you().id]);
    advance_time(1).await;
    assert_eq!(joins_and_leaves(&mut ann).await, (vec![], vec![]));
    ann.send(&ClientFrame::Typing { room: "tea".into() }).await;
    ann.post("tea", "hello").await;
    assert_eq!(bob.events(1).await.len(), 1);
    assert_eq!(bob.frames_until_pong().await, []);
    // A second, visible join makes him present.
    bob.join("tea", Some(1)).await;
    advance_time(1).await;
    assert_eq!(joins_and_leaves(&mut ann).await.0, [bob.you().id]);
}

#[tokio::test]
async fn typing_is_sent_to_other_users_at_a_limited_rate() {
    let server = TestServer::alone().await;
    let cookie = server.new_user_cookie().await;
    let (mut ann, _) = follow(&server, &cookie, true).await;
    let (mut tab, _) = follow(&server, &cookie, true).await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    for _ in 0..5 {
        ann.send(&ClientFrame::Typing { room: "tea".into() }).await;
    }
    ann.frames_until_pong().await;
    let typing = ServerFrame::Typing { room: room("tea"), user: ann.you().clone() };
    assert_eq!(bob.frames_until_pong().await, std::slice::from_ref(&typing));
    assert_eq!(tab.frames_until_pong().await, []);
    advance_time(3).await;
    ann.send(&ClientFrame::Typing { room: "tea".into() }).await;
    ann.frames_until_pong().await;
    assert_eq!(bob.frames_until_pong().await, [typing]);
    assert!(
        server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 1)).await.unwrap().is_empty(),
        "typing is not stored"
    );
    ann.send(&ClientFrame::Typing { room: "coffee".into() }).await;
    let errors = ann.frames_until_pong().await;
    assert!(matches!(&errors[..], [ServerFrame::Error { .. }]), "{errors:?}");
}

/// Lets users with these names join tea, without sockets.
async fn join_users(server: &TestServer, users: u64, name: impl Fn(u64) -> String) -> Vec<SubscriberSession> {
    let mut readers = Vec::new();
    for id in 1..=users {
        let subscriber = Subscriber::new(User::new(UserId(id), name(id).parse().expect("a good name")));
        let mut session =
            SubscriberSession::new(server.state.hub.clone(), server.state.store.clone(), subscriber);
        session.join(&room("tea"), None, 1, false).await.expect("the log can be read");
        readers.push(session);
    }
    readers
}

async fn next_presence(client: &mut V1) -> (Vec<UserId>, Vec<UserId>, u32) {
    loop {
        if let ServerFrame::Presence { here, gone, count, .. } = client.next_frame().await {
            return (here.into_iter().map(|user| user.id).collect(), gone, count);
        }
    }
}

#[tokio::test]
async fn list_of_200_users_includes_the_reader_and_counts_all() {
    let server = TestServer::alone().await;
    let mut others = join_users(&server, 260, |id| format!("A {id:03}")).await;
    advance_time(1).await;
    flush_sockets().await;
    let cookie = server.new_user_cookie().await;
    let (mut ann, joined) = follow(&server, &cookie, true).await;
    let you = ann.you().id;
    let listed: Vec<UserId> = (1..200).map(UserId).chain([you]).collect();
    assert_eq!(members(&joined), listed, "the reader sorts behind them all");
    assert!(matches!(joined, ServerFrame::Joined { member_count: 261, .. }), "{joined:?}");
    advance_time(1).await;
    assert_eq!(
        next_presence(&mut ann).await,
        (vec![UserId(200)], vec![], 261),
        "the reader held the last position"
    );
    advance_time(6).await;
    // The first of the listed users leaves, and the last of the others.
    drop(others.remove(0));
    drop(others.pop());
    flush_sockets().await;
    advance_time(11).await;
    assert_eq!(next_presence(&mut ann).await, (vec![UserId(201)], vec![UserId(1)], 259));
    drop(others.pop());
    flush_sockets().await;
    advance_time(11).await;
    assert_eq!(next_presence(&mut ann).await, (vec![], vec![], 258), "no list has this user");
    let page = sent(visitor(&server).await.get(server.http("/r/tea"))).await.text().await.unwrap();
    assert!(page.contains("259 people here") || page.contains(">259<"), "the count includes the reader");
}

#[tokio::test]
async fn pages_and_frames_with_260_long_names_stay_within_256_kib() {
    for name in ["<", "&", "\"", "\u{5b57}", "\u{1d49c}"] {
        let server = TestServer::alone().await;
        let _others = join_users(&server, 260, |id| format!("{}{id:03}", name.repeat(29))).await;
        let owner = visitor(&server).await;
        sent(owner.post(server.http("/rooms")).form(&[("title", "Tea")])).await;
        for _ in 0..40 {
            let text = &"<".repeat(MAX_MESSAGE_BYTES);
            server
                .store()
                .append(NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), text))
                .await
                .unwrap();
        }
        let page = sent(owner.get(server.http("/r/tea"))).await.text().await.unwrap();
        assert!(page.len() <= MAX_PAGE_BYTES, "a page of {} bytes with {name}", page.len());
        assert!(page.contains("id=\"m40\""), "the page has the newest message");
        let mut ann = V1::connect(&server).await;
        let joined = ann.join("tea", None).await;
        let bytes = joined.to_json().len();
        assert!(bytes <= MAX_PAGE_BYTES, "a frame of {bytes} bytes with {name}");
        assert_eq!(members(&joined).len(), 200);
    }
}
