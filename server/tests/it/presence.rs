//! Who is here, who is typing. Time is moved.

use crate::{
    liveness::{pass, settle},
    support::{TestServer, V1, room},
};
use app::wire::{ClientFrame, PersonId, ServerFrame};

/// What `person` is told of others who came and who went, until now.
async fn told(person: &mut V1) -> (Vec<PersonId>, Vec<PersonId>) {
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

async fn follow(server: &TestServer, cookie: &str, quiet: bool) -> (V1, ServerFrame) {
    let mut person = V1::connect_as(server, cookie).await;
    person
        .say(&ClientFrame::Join {
            room: "tea".into(),
            after: None,
            after_id: None,
            log: None,
            limit: None,
            quiet,
        })
        .await;
    let joined = person.hear().await;
    (person, joined)
}

fn members(joined: &ServerFrame) -> Vec<PersonId> {
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
    assert_eq!(server.state.hub.members(&room("tea")).len(), 1);
}

#[tokio::test]
async fn bob_who_reloads_within_ten_seconds_has_never_left() {
    let server = TestServer::start().await;
    let (mut ann, cookie) = (V1::enter(&server, "tea").await, server.somebody().await);
    let (bob, _) = follow(&server, &cookie, false).await;
    pass(1).await;
    assert_eq!(told(&mut ann).await.0, [bob.you().id]);
    pass(5).await;
    drop(bob);
    settle().await;
    pass(9).await;
    let (_bob, _) = follow(&server, &cookie, false).await;
    pass(20).await;
    assert_eq!(told(&mut ann).await, (vec![], vec![]));
}

#[tokio::test]
async fn two_tabs_of_bob_are_one_person() {
    let server = TestServer::start().await;
    let (mut ann, cookie) = (V1::enter(&server, "tea").await, server.somebody().await);
    let (first, _) = follow(&server, &cookie, false).await;
    let (second, joined) = follow(&server, &cookie, false).await;
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
    let (mut bob, joined) = follow(&server, &cookie, true).await;
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
    let (mut ann, _) = follow(&server, &cookie, false).await;
    let (mut tab, _) = follow(&server, &cookie, false).await;
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
    assert!(server.log().list_rooms(None, 1).is_empty(), "nothing of it is stored");
    ann.say(&ClientFrame::Typing { room: "coffee".into() }).await;
    let refused = ann.until_pong().await;
    assert!(matches!(&refused[..], [ServerFrame::Error { .. }]), "{refused:?}");
}
