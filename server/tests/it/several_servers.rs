//! Several servers on one store: what happens on one of them reaches the clients of the others.

use crate::support::{TestServer, V1, browser, room, sent, within_timeout};
use app::wire::{ClientFrame, RoomName, ServerFrame};
use axum_extra::extract::cookie::Key;
use reqwest::StatusCode;
use server::store::{MarkerUpdate, SqliteStore, Store};
use std::sync::Arc;
use uuid::Uuid;

/// Starts two servers with the same store and the same key of cookies.
async fn two_servers() -> (TestServer, TestServer) {
    let (store, key) = (Arc::new(SqliteStore::ephemeral().unwrap()), Key::generate());
    let other: Arc<dyn Store> = store.clone();
    (
        TestServer::with_store_and_key(store, key.clone()).await,
        TestServer::with_store_and_key(other, key).await,
    )
}

/// Returns the first frame that `is_expected` accepts.
async fn wait_for(client: &mut V1, is_expected: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
    loop {
        let frame = client.expect_frame().await;
        if is_expected(&frame) {
            return frame;
        }
    }
}

#[tokio::test]
async fn messages_reach_the_clients_of_both_servers_in_one_order() {
    let (one, two) = two_servers().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&one, "tea").await, V1::connect_and_join(&two, "tea").await);
    for n in 0..10 {
        ann.post("tea", &format!("a{n}")).await;
        bob.post("tea", &format!("b{n}")).await;
    }
    let (seen_by_ann, seen_by_bob) = (ann.events(20).await, bob.events(20).await);
    assert_eq!(seen_by_ann, seen_by_bob);
    assert!((1..=20).eq(seen_by_ann.iter().map(|event| event.seq)));
}

#[tokio::test]
async fn names_titles_and_typing_reach_the_clients_of_the_other_server() {
    let (one, two) = two_servers().await;
    let owner = browser();
    let made = sent(owner.post(one.http("/rooms")).form(&[("title", "Tea"), ("topic", "")])).await;
    assert_eq!(made.status(), StatusCode::BAD_REQUEST, "a browser without a cookie owns nothing");
    sent(owner.get(one.http("/"))).await;
    let made = sent(owner.post(one.http("/rooms")).form(&[("title", "Tea"), ("topic", "")])).await;
    assert!(made.status().is_success() || made.status().is_redirection(), "{}", made.status());
    let (mut ann, mut bob) =
        (V1::connect_and_join(&one, "tea").await, V1::connect_and_join(&two, "tea").await);
    ann.post("tea", "so that bob's server shows her").await;
    bob.events(1).await;

    ann.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: "Ann".into() }).await;
    let renamed = wait_for(&mut bob, |frame| matches!(frame, ServerFrame::Renamed { .. })).await;
    assert!(matches!(renamed, ServerFrame::Renamed { id, .. } if id == ann.you().id), "{renamed:?}");

    let form = [("title", "Tea and cake"), ("topic", "at four")];
    sent(owner.post(one.http("/r/tea/about")).form(&form)).await;
    let updated = wait_for(&mut bob, |frame| matches!(frame, ServerFrame::RoomUpdated { .. })).await;
    assert!(matches!(updated, ServerFrame::RoomUpdated { title, .. } if title == "Tea and cake"));

    ann.send(&ClientFrame::Typing { room: "tea".into() }).await;
    let typing = wait_for(&mut bob, |frame| matches!(frame, ServerFrame::Typing { .. })).await;
    assert!(matches!(typing, ServerFrame::Typing { user, .. } if user.id == ann.you().id));
}

#[tokio::test]
async fn a_read_marker_reaches_the_users_connection_to_the_other_server() {
    let (one, two) = two_servers().await;
    let cookie = one.new_user_cookie().await;
    let (mut phone, mut laptop) = (V1::connect_as(&one, &cookie).await, V1::connect_as(&two, &cookie).await);
    let tea: RoomName = room("tea");
    let mut bob = V1::connect_and_join(&one, "tea").await;
    bob.post("tea", "one").await;
    bob.events(1).await;
    phone.join("tea", None).await;
    laptop.join("tea", None).await;
    phone.send(&ClientFrame::Read { room: "tea".into(), seq: 1 }).await;
    let read = wait_for(&mut laptop, |frame| matches!(frame, ServerFrame::Read { .. })).await;
    assert_eq!(read, ServerFrame::Read { room: tea.clone(), seq: 1, head: Some(1), unread: Some(0) });
    let again = within_timeout(one.store().set_read_marker(phone.you().id, tea, 1)).await.unwrap();
    assert_eq!(again, MarkerUpdate::Unchanged);
    assert_eq!(phone.frames_until_pong().await, [], "the connection that sent the marker gets no frame");
}
