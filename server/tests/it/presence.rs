//! Who is here, who is typing. Time is moved.

use crate::{
    heartbeat::{pass, settle},
    support::{TestServer, V1, room, sent, visitor},
};
use app::wire::{
    ClientFrame, ServerFrame, User, UserId,
    limits::{MAX_MESSAGE_BYTES, MAX_PAGE_BYTES},
};
use server::{
    hub::{
        subscriber::Subscriber,
        subscription::{JoinFrom, SubscriberSession},
    },
    store::NewEvent,
};
use uuid::Uuid;

/// What `person` is told of others who came and who went, until now.
async fn told(person: &mut V1) -> (Vec<UserId>, Vec<UserId>) {
    settle().await;
    person.say(&ClientFrame::Ping { n: 1 }).await;
    let you = person.you().id;
    let (mut came, mut went) = (Vec::new(), Vec::new());
    loop {
        match person.hear_any().await {
            ServerFrame::Presence { here, gone, .. } => {
                came.extend(here.into_iter().map(|person| person.id).filter(|id| *id != you));
                went.extend(gone);
            }
            ServerFrame::Pong { .. } => return (came, went),
            _ => {}
        }
    }
}

async fn follow(server: &TestServer, cookie: &str, presence: bool) -> (V1, ServerFrame) {
    let mut person = V1::connect_as(server, cookie).await;
    person
        .say(&ClientFrame::Join {
            room: "tea".into(),
            after: None,
            after_id: None,
            log: None,
            limit: None,
            presence,
        })
        .await;
    let joined = person.hear().await;
    (person, joined)
}

fn members(joined: &ServerFrame) -> Vec<UserId> {
    let ServerFrame::Joined { members, .. } = joined else { panic!("{joined:?}") };
    members.iter().map(|member| member.id).collect()
}

#[tokio::test]
async fn who_comes_is_told_to_the_others_and_who_goes_ten_seconds_later() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    let bob = V1::enter(&server, "tea").await;
    let id = bob.you().id;
    pass(1).await;
    assert_eq!(told(&mut ann).await, (vec![id], vec![]));
    pass(5).await;
    drop(bob);
    settle().await;
    pass(8).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![]), "not yet");
    pass(3).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![id]));
    assert_eq!(server.state.hub.members(&room("tea"), UserId(0)).count, 1);
}

#[tokio::test]
async fn bob_who_reloads_within_ten_seconds_has_never_left() {
    let server = TestServer::start().await;
    let (mut ann, cookie) = (V1::enter(&server, "tea").await, server.somebody().await);
    let (bob, _) = follow(&server, &cookie, true).await;
    pass(1).await;
    assert_eq!(told(&mut ann).await.0, [bob.you().id]);
    pass(5).await;
    drop(bob);
    settle().await;
    pass(9).await;
    let (_bob, _) = follow(&server, &cookie, true).await;
    pass(20).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![]));
}

#[tokio::test]
async fn two_tabs_of_bob_are_one_person() {
    let server = TestServer::start().await;
    let (mut ann, cookie) = (V1::enter(&server, "tea").await, server.somebody().await);
    let (first, _) = follow(&server, &cookie, true).await;
    let (second, joined) = follow(&server, &cookie, true).await;
    assert_eq!(members(&joined).len(), 2);
    pass(1).await;
    assert_eq!(told(&mut ann).await.0, [first.you().id]);
    drop(first);
    pass(15).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![]), "the other tab is still open");
    drop(second);
}

#[tokio::test]
async fn who_follows_quietly_hears_everything_and_is_not_here() {
    let server = TestServer::start().await;
    let (mut ann, cookie) = (V1::enter(&server, "tea").await, server.somebody().await);
    let (mut bob, joined) = follow(&server, &cookie, false).await;
    assert_eq!(members(&joined), [ann.you().id]);
    pass(1).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![]));
    ann.say(&ClientFrame::Typing { room: "tea".into() }).await;
    ann.post("tea", "hello").await;
    assert_eq!(bob.events(1).await.len(), 1);
    assert_eq!(bob.until_pong().await, []);
    // Looking at the room after all, he is here.
    bob.join("tea", Some(1)).await;
    pass(1).await;
    assert_eq!(told(&mut ann).await.0, [bob.you().id]);
}

#[tokio::test]
async fn typing_is_told_to_the_others_and_not_to_ones_own_tabs_and_not_all_the_time() {
    let server = TestServer::start().await;
    let cookie = server.somebody().await;
    let (mut ann, _) = follow(&server, &cookie, true).await;
    let (mut tab, _) = follow(&server, &cookie, true).await;
    let mut bob = V1::enter(&server, "tea").await;
    for _ in 0..5 {
        ann.say(&ClientFrame::Typing { room: "tea".into() }).await;
    }
    ann.until_pong().await;
    let typing = ServerFrame::Typing { room: room("tea"), user: ann.you().clone() };
    assert_eq!(bob.until_pong().await, std::slice::from_ref(&typing));
    assert_eq!(tab.until_pong().await, []);
    pass(3).await;
    ann.say(&ClientFrame::Typing { room: "tea".into() }).await;
    ann.until_pong().await;
    assert_eq!(bob.until_pong().await, [typing]);
    assert!(server.store().list_rooms(None, 1).is_empty(), "nothing of it is stored");
    ann.say(&ClientFrame::Typing { room: "coffee".into() }).await;
    let refused = ann.until_pong().await;
    assert!(matches!(&refused[..], [ServerFrame::Error { .. }]), "{refused:?}");
}

/// Users with these names join tea, without sockets.
async fn crowd(server: &TestServer, users: u64, name: impl Fn(u64) -> String) -> Vec<SubscriberSession> {
    let mut readers = Vec::new();
    for id in 1..=users {
        let link = Subscriber::new(User::new(UserId(id), name(id).parse().expect("a good name")));
        let mut reader = SubscriberSession::new(server.state.hub.clone(), server.state.store.clone(), link);
        reader.join(&room("tea"), JoinFrom::LatestPage(1), 1, false).await.expect("the log can be read");
        readers.push(reader);
    }
    readers
}

async fn next_presence(person: &mut V1) -> (Vec<UserId>, Vec<UserId>, u32) {
    loop {
        if let ServerFrame::Presence { here, gone, count, .. } = person.hear_any().await {
            return (here.into_iter().map(|user| user.id).collect(), gone, count);
        }
    }
}

#[tokio::test]
async fn a_list_of_260_users_has_200_of_them_with_the_reader_and_counts_all() {
    let server = TestServer::start().await;
    let mut others = crowd(&server, 260, |id| format!("A {id:03}")).await;
    pass(1).await;
    settle().await;
    let cookie = server.somebody().await;
    let (mut ann, joined) = follow(&server, &cookie, true).await;
    let you = ann.you().id;
    let listed: Vec<UserId> = (1..200).map(UserId).chain([you]).collect();
    assert_eq!(members(&joined), listed, "the reader stands behind them all");
    assert!(matches!(joined, ServerFrame::Joined { member_count: 261, .. }), "{joined:?}");
    pass(1).await;
    assert_eq!(next_presence(&mut ann).await, (vec![UserId(200)], vec![], 261), "the reader had its place");
    pass(6).await;
    // Of the listed users the first leaves, and of the others the last.
    drop(others.remove(0));
    drop(others.pop());
    settle().await;
    pass(11).await;
    assert_eq!(next_presence(&mut ann).await, (vec![UserId(201)], vec![UserId(1)], 259));
    drop(others.pop());
    settle().await;
    pass(11).await;
    assert_eq!(next_presence(&mut ann).await, (vec![], vec![], 258), "a user whom no list has");
    let page = sent(visitor(&server).await.get(server.http("/r/tea"))).await.text().await.unwrap();
    assert!(page.contains("259 people here") || page.contains(">259<"), "the page counts its reader too");
}

#[tokio::test]
async fn pages_and_frames_with_260_users_of_long_names_end_at_256_kib() {
    for name in ["<", "&", "\"", "\u{5b57}", "\u{1d49c}"] {
        let server = TestServer::start().await;
        let _others = crowd(&server, 260, |id| format!("{}{id:03}", name.repeat(29))).await;
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
        assert!(page.contains("id=\"m40\""), "the newest message is on it");
        let mut ann = V1::connect(&server).await;
        let joined = ann.join("tea", None).await;
        let bytes = joined.to_json().len();
        assert!(bytes <= MAX_PAGE_BYTES, "a frame of {bytes} bytes with {name}");
        assert_eq!(members(&joined).len(), 200);
    }
}
