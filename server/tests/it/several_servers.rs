//! Several servers on one store: what happens on one of them reaches the clients of the others.

use crate::support::{TestDatabase, TestServer, V1, browser, room, sent, within_timeout};
use app::wire::{ClientFrame, RoomName, ServerFrame, User, UserId};
use axum_extra::extract::cookie::Key;
use reqwest::StatusCode;
use server::store::{
    Action, MarkerUpdate, Moderation, PresenceStore, RoomPresence, Setting, SqliteStore, Store,
};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// Declares each test once for every kind of store that two servers may share.
macro_rules! on_every_store {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                let (one, two) = super::on_one_sqlite_store().await;
                super::$test(one, two).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some(database) = super::TestDatabase::create().await else { return };
                let (one, two) = (super::TestServer::on_database(&database).await, super::TestServer::on_database(&database).await);
                super::$test(one, two).await;
            })*
        }
    };
}

on_every_store! {
    messages_reach_the_clients_of_both_servers_in_one_order
    names_titles_and_typing_reach_clients_of_the_other_server
    read_marker_reaches_the_user_on_the_other_server
    a_retention_of_the_server_reaches_the_rooms_of_the_other_one
}

/// Starts two servers with the same store and the same key of cookies.
async fn on_one_sqlite_store() -> (TestServer, TestServer) {
    let (store, key) = (Arc::new(SqliteStore::ephemeral().unwrap()), Key::generate());
    let other: Arc<dyn Store> = store.clone();
    (
        TestServer::with_store_and_key(store, key.clone()).await,
        TestServer::with_store_and_key(other, key).await,
    )
}

async fn a_retention_of_the_server_reaches_the_rooms_of_the_other_one(one: TestServer, two: TestServer) {
    let mut ann = V1::connect_and_join(&two, "tea").await;
    ann.post("tea", "hello").await;
    ann.events(1).await;
    let admin = UserId(1);
    one.store().set(Setting::AdminLink, Some("07".repeat(32).into())).await.unwrap();
    assert!(one.store().redeem_admin_link([7; 32], admin).await.unwrap());
    let action = Action::Change(Setting::Retention, Some("168".into()));
    let change = Moderation { actor: admin, room: None, action, reason: String::new() };
    one.store().moderate(change).await.unwrap();
    let updated = wait_for(&mut ann, |frame| matches!(frame, ServerFrame::RoomUpdated { .. })).await;
    assert!(matches!(updated, ServerFrame::RoomUpdated { kept_hours: Some(168), .. }), "{updated:?}");
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

async fn messages_reach_the_clients_of_both_servers_in_one_order(one: TestServer, two: TestServer) {
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

async fn names_titles_and_typing_reach_clients_of_the_other_server(one: TestServer, two: TestServer) {
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

async fn read_marker_reaches_the_user_on_the_other_server(one: TestServer, two: TestServer) {
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
    assert_eq!(
        read,
        ServerFrame::Read {
            room: tea.clone(),
            seq: 1,
            head: Some(1),
            unread: Some(0),
            mentions: None,
            marked: false
        }
    );
    let again = within_timeout(one.store().set_read_marker(phone.you().id, tea, 1)).await.unwrap();
    assert_eq!(again, MarkerUpdate::Unchanged);
    assert_eq!(phone.frames_until_pong().await, [], "the connection that sent the marker gets no frame");
    phone.send(&ClientFrame::Unread { room: "tea".into(), seq: 1 }).await;
    for client in [&mut laptop, &mut phone] {
        let read = wait_for(client, |frame| matches!(frame, ServerFrame::Read { .. })).await;
        assert!(matches!(read, ServerFrame::Read { seq: 0, unread: Some(1), marked: true, .. }), "{read:?}");
    }
}

/// Waits for the frame by which users have joined or left, and returns its count.
async fn count_after(client: &mut V1, joined: &[UserId], left: &[UserId]) -> u32 {
    within_timeout(async {
        loop {
            if let ServerFrame::Presence { here, gone, count, .. } = client.next_frame().await
                && joined.iter().all(|user| ids(&here).contains(user))
                && gone == left
            {
                return count;
            }
        }
    })
    .await
}

fn ids(users: &[User]) -> Vec<UserId> {
    users.iter().map(|user| user.id).collect()
}

#[tokio::test]
async fn postgres_remote_users_stay_until_they_leave_or_server_stops() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let (mut ann, mut bob) = (V1::connect_and_join(&one, "tea").await, V1::connect(&two).await);
    let (ann_id, bob_id) = (ann.you().id, bob.you().id);
    within_timeout(async {
        while ids(&two.state.hub.members(&room("tea"), bob_id).await.list) != [ann_id] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let joined = bob.join("tea", None).await;
    let ServerFrame::Joined { members, member_count: 2, .. } = &joined else { panic!("{joined:?}") };
    assert!(ids(members).contains(&ann_id), "{joined:?}");
    assert_eq!(count_after(&mut ann, &[bob_id], &[]).await, 2);

    let mut carol = V1::connect_and_join(&two, "tea").await;
    let carol_id = carol.you().id;
    assert_eq!(count_after(&mut ann, &[carol_id], &[]).await, 3);
    carol.send(&ClientFrame::Leave { room: "tea".into() }).await;
    assert_eq!(count_after(&mut ann, &[], &[carol_id]).await, 2);

    two.stop().await;
    assert_eq!(count_after(&mut ann, &[], &[bob_id]).await, 1);
}

#[tokio::test]
async fn postgres_new_name_reaches_the_lists_of_another_server() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let mut ann = V1::connect_and_join(&one, "tea").await;
    let mut bob = V1::connect_and_join(&two, "tea").await;
    let bob_id = bob.you().id;
    assert_eq!(count_after(&mut ann, &[bob_id], &[]).await, 2);
    bob.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: "Bob".into() }).await;
    let renamed = wait_for(&mut ann, |frame| matches!(frame, ServerFrame::Renamed { .. })).await;
    assert!(
        matches!(&renamed, ServerFrame::Renamed { id, name, .. } if *id == bob_id && name.as_str() == "Bob")
    );
    let listed = one.state.hub.members(&room("tea"), ann.you().id).await.list;
    assert!(listed.iter().any(|user| user.name.as_str() == "Bob"), "{listed:?}");
}

#[tokio::test]
async fn postgres_closing_store_announces_that_its_users_are_gone() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, database.open().await);
    let change = RoomPresence { room: room("tea"), joined: vec![UserId(77)], left: Vec::new() };
    two.record_presence(&[change]).await.unwrap();
    let mut ann = V1::connect_and_join(&one, "tea").await;
    // No connection of its own leaves first.
    two.close().await;
    assert_eq!(count_after(&mut ann, &[], &[UserId(77)]).await, 1);
}

#[tokio::test]
async fn postgres_users_of_a_killed_server_leave_with_its_lease() {
    let Some(database) = TestDatabase::create().await else { return };
    let one = TestServer::on_database(&database).await;
    let killed = "INSERT INTO node VALUES ('killed', 9000000000000);
        INSERT INTO presence VALUES ('tea', 77, 'killed'), ('tea', 78, 'killed')";
    database.execute(killed).await;
    let (mut ann, bob, carol) = (V1::connect_and_join(&one, "tea").await, UserId(77), UserId(78));
    let listed = ids(&one.state.hub.members(&room("tea"), bob).await.list);
    assert!(listed.contains(&bob) && listed.contains(&carol));
    // The killed server had removed one of its users without a notification.
    database.execute("DELETE FROM presence WHERE user_id = 78").await;
    database.execute("UPDATE node SET expires_at = 0 WHERE name = 'killed'").await;
    let gone = within_timeout(async {
        let mut gone = HashSet::new();
        while gone.len() < 2 {
            if let ServerFrame::Presence { gone: left, .. } = ann.next_frame().await {
                gone.extend(left);
            }
        }
        gone
    });
    assert_eq!(gone.await, HashSet::from([bob, carol]));
}
