//! Reconnecting: after a dropped connection, after a restart, and with a repeated command.

use crate::{
    joining::fill,
    support::{TestServer, V1, text, within_timeout},
};
use app::wire::{ClientFrame, ServerFrame};
use server::serve::ShutdownOutcome;
use uuid::Uuid;

fn log_id(client: &V1) -> String {
    match &client.welcome {
        ServerFrame::Welcome { log, .. } => log.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_posted_while_bob_reconnects_reaches_bob_once() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    ann.post("tea", "one").await;
    let last = bob.events(1).await[0].seq;
    drop(bob);
    ann.post("tea", "two").await;
    ann.expect_reply().await;
    ann.expect_reply().await;
    let mut bob = V1::connect(&server).await;
    bob.join("tea", Some(last)).await;
    ann.post("tea", "three").await;
    let received = bob.events(2).await;
    assert_eq!(received.iter().map(|event| text(event)).collect::<Vec<_>>(), ["two", "three"]);
}

#[tokio::test]
async fn a_repeated_post_is_stored_once() {
    let server = TestServer::start().await;
    let cookie = server.new_user_cookie().await;
    let command = ClientFrame::Post {
        id: Uuid::now_v7(),
        room: "tea".into(),
        text: "hello".into(),
        reply_to: None,
        mentions: Vec::new(),
        files: Vec::new(),
    };
    for dup in [false, true, true] {
        let mut ann = V1::connect_as(&server, &cookie).await;
        ann.join("tea", None).await;
        ann.send(&command).await;
        let ack = ann.expect_reply().await;
        assert!(matches!(ack, ServerFrame::Ack { seq: Some(1), dup: again, .. } if again == dup), "{ack:?}");
    }
}

#[tokio::test]
async fn a_restart_keeps_the_messages_the_log_and_the_users() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let cookie = server.new_user_cookie().await;
    let mut ann = V1::connect_as(&server, &cookie).await;
    ann.join("tea", None).await;
    ann.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: "Ann".into() }).await;
    ann.post("tea", "before").await;
    ann.events(1).await;
    let before = log_id(&ann);
    drop(ann);
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);

    let server = TestServer::on_disk(folder.path()).await;
    let mut ann = V1::connect_as(&server, &cookie).await;
    let ServerFrame::Welcome { you, .. } = &ann.welcome else { unreachable!() };
    assert_eq!(you.name.as_str(), "Ann", "the cookie is still valid");
    assert_eq!(log_id(&ann), before);
    let ServerFrame::Joined { head: 1, reset: false, .. } = ann.join("tea", Some(0)).await else {
        panic!("the join must continue the room")
    };
    ann.post("tea", "after").await;
    let received = ann.events(2).await;
    assert_eq!(
        received.iter().map(|event| (event.seq, text(event))).collect::<Vec<_>>(),
        [(1, "before"), (2, "after")]
    );
}

#[tokio::test]
async fn a_folder_is_used_by_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = TestServer::on_disk(folder.path()).await;
    let mut config = (*first.state.config).clone();
    config.data = folder.path().into();
    let second = server::startup::start(config).map(drop);
    assert!(second.unwrap_err().ends_with("another hubbub is using this folder"));
}

#[tokio::test]
async fn a_lost_notification_costs_a_second_and_no_message() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    // More commits at once than the notification channel holds: the hub lags and reads from the store.
    fill(&server, "tea", 5_000).await;
    let received = within_timeout(ann.events(5_000)).await;
    assert!((1..=5_000).eq(received.iter().map(|event| event.seq)), "every event, in order, once");
}
