//! A PostgreSQL database that is away, full, or has another past.

use crate::support::{
    PrivatePostgres, Proxy, TestDatabase, TestServer, V1, open_postgres, room, within_timeout,
};
use app::wire::{ClientFrame, ErrorCode, ServerFrame, User, UserId};
use futures_util::{StreamExt, future::join_all};
use reqwest::StatusCode;
use server::{
    config::SecretUrl,
    serve::ShutdownOutcome,
    store::{
        Appended, EventStore, NewEvent, Notification, PostgresStore, RoomOrder, RoomQuery, Store, StoreError,
        StreamPosition,
    },
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::sleep;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);

/// A trigger that makes every event fail like a disk without space.
const FILL_DISK: &str = "
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION fail()";

async fn server_at(url: &str) -> TestServer {
    let url = url.to_owned();
    TestServer::with(|config| {
        config.ephemeral = false;
        config.database = Some(SecretUrl(url));
    })
    .await
}

/// Returns a proxy in front of the database, and the URL that leads through it.
async fn behind_proxy(database: &TestDatabase) -> (Proxy, String) {
    let (_, rest) = database.url.split_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(address.parse::<SocketAddr>().unwrap()).await;
    let url = database.url.replacen(address, &proxy.address.to_string(), 1);
    (proxy, url)
}

async fn is_ready(server: &TestServer) -> bool {
    within_timeout(reqwest::get(server.http("/readyz"))).await.unwrap().status() == StatusCode::OK
}

async fn wait_until_ready(server: &TestServer) {
    within_timeout(async { while !is_ready(server).await {} }).await;
}

/// Returns the reply to a post, and skips everything else.
async fn reply_to(client: &mut V1, text: &str, id: Uuid) -> ServerFrame {
    let (room, text) = ("tea".to_owned(), text.to_owned());
    client
        .send(&ClientFrame::Post { id, room, text, reply_to: None, mentions: Vec::new(), files: Vec::new() })
        .await;
    within_timeout(async {
        loop {
            let frame = client.next_frame().await;
            if matches!(frame, ServerFrame::Ack { .. } | ServerFrame::Error { .. }) {
                return frame;
            }
        }
    })
    .await
}

fn is_refused_for_now(reply: &ServerFrame) -> bool {
    matches!(reply, ServerFrame::Error { code: ErrorCode::Internal, retry_ms: Some(1..), .. })
}

#[tokio::test]
async fn postgres_server_keeps_its_sockets_while_the_database_is_away() {
    let Some(database) = TestDatabase::create().await else { return };
    let (proxy, url) = behind_proxy(&database).await;
    let server = server_at(&url).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    assert!(matches!(reply_to(&mut ann, "one", Uuid::now_v7()).await, ServerFrame::Ack { seq: Some(1), .. }));
    proxy.block(true);
    let id = Uuid::now_v7();
    let refused = reply_to(&mut ann, "two", id).await;
    assert!(is_refused_for_now(&refused), "{refused:?}");
    assert!(!is_ready(&server).await);
    proxy.block(false);
    wait_until_ready(&server).await;
    let stored = reply_to(&mut ann, "two", id).await;
    assert!(matches!(stored, ServerFrame::Ack { seq: Some(2), .. }), "{stored:?}");
}

#[tokio::test]
async fn postgres_posts_to_full_disk_are_refused_until_there_is_space() {
    let Some(database) = TestDatabase::create().await else { return };
    let server = server_at(&database.url).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    database.execute(FILL_DISK).await;
    let id = Uuid::now_v7();
    let refused = reply_to(&mut ann, "one", id).await;
    assert!(is_refused_for_now(&refused), "{refused:?}");
    let listed = server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 9)).await.unwrap();
    assert_eq!(listed, [], "a room without its first message");
    database.execute("DROP TRIGGER full_disk ON event").await;
    let stored = reply_to(&mut ann, "one", id).await;
    assert!(matches!(stored, ServerFrame::Ack { seq: Some(1), dup: false, .. }), "{stored:?}");
    wait_until_ready(&server).await;
}

#[tokio::test]
async fn postgres_repeated_append_is_notified_again_to_all_servers() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    let event = NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "one");
    let is_head = |next: &Notification| matches!(next, Notification::Appended { head: 1, events: None, .. });
    let mut of_two = two.subscribe();
    one.append(event.clone()).await.unwrap();
    within_timeout(async { while !is_head(&of_two.next().await.unwrap()) {} }).await;
    let mut of_one = one.subscribe();
    assert!(one.append(event).await.unwrap().is_duplicate);
    within_timeout(async { while !is_head(&of_one.next().await.unwrap()) {} }).await;
    within_timeout(async { while !is_head(&of_two.next().await.unwrap()) {} }).await;
}

/// Gives the table another identity, as a dump that is restored does.
async fn restore_dump(database: &TestDatabase) {
    database.execute("CREATE TABLE copy (LIKE log INCLUDING ALL); INSERT INTO copy SELECT * FROM log").await;
    database.execute("DROP TABLE log; ALTER TABLE copy RENAME TO log").await;
}

#[tokio::test]
async fn postgres_dump_restore_changes_the_log_id_and_resets_clients() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (server_at(&database.url).await, server_at(&database.url).await);
    let mut ann = V1::connect_and_join(&one, "tea").await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(ann.post("tea", &n.to_string()).await);
    }
    ann.events(3).await;
    let former = one.store().log_id().to_owned();
    database.execute("DELETE FROM event WHERE seq = 3").await;
    restore_dump(&database).await;
    assert_eq!(ann.closed().await.map(|frame| frame.code.into()), Some(1012_u16));
    assert_eq!(one.stopped().await, ShutdownOutcome::Superseded);
    assert_eq!(two.stopped().await, ShutdownOutcome::Superseded);

    let (one, two) = (database.open().await, database.open().await);
    assert_eq!(one.log_id(), two.log_id());
    assert_ne!(one.log_id(), former);
    let position =
        |after, id: Option<Uuid>| StreamPosition { after, after_id: id, log: Some(former.clone()) };
    assert!(
        one.continues(&room("tea"), position(2, Some(ids[1]))).await.unwrap(),
        "that event is still there"
    );
    assert!(!one.continues(&room("tea"), position(2, None)).await.unwrap());
    one.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "another third message")).await.unwrap();
    assert!(!one.continues(&room("tea"), position(3, Some(ids[2]))).await.unwrap(), "that event is lost");
}

#[tokio::test]
async fn postgres_a_store_reads_and_writes_nothing_of_another_past() {
    let Some(database) = TestDatabase::create().await else { return };
    let store = database.open().await;
    store.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "one")).await.unwrap();
    restore_dump(&database).await;
    // The connections that existed before are those of a primary that is gone.
    database.cut_connections("%").await;
    let event = NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "two");
    assert!(matches!(within_timeout(store.append(event)).await, Err(StoreError::Away(_))));
    within_timeout(store.superseded()).await;
    assert!(matches!(store.heads(&[room("tea")]).await, Err(StoreError::Away(_))));
    assert!(store.ready().await.is_err());
}

#[tokio::test]
async fn postgres_remote_users_are_hidden_while_presence_is_unknown() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (server_at(&database.url).await, server_at(&database.url).await);
    let mut ann = V1::connect_and_join(&one, "tea").await;
    let bob = V1::connect_and_join(&two, "tea").await;
    let ids = |users: &[User]| users.iter().map(|user| user.id).collect::<Vec<_>>();
    wait_for_presence(&mut ann, |here, _| ids(here) == [bob.you().id]).await;
    one.state.hub.deliver(Notification::PresenceUnknown).await;
    wait_for_presence(&mut ann, |_, gone| gone == [bob.you().id]).await;
    one.state.hub.deliver(Notification::Missed).await;
    wait_for_presence(&mut ann, |here, _| ids(here) == [bob.you().id]).await;
}

/// Waits for changes of who is present: users who have come, and users who have gone.
async fn wait_for_presence(client: &mut V1, is_expected: impl Fn(&[User], &[UserId]) -> bool) {
    within_timeout(async {
        loop {
            if let ServerFrame::Presence { here, gone, .. } = client.next_frame().await
                && is_expected(&here, &gone)
            {
                return;
            }
        }
    })
    .await;
}

/// Appends an event until it is stored, as a client does.
async fn append_until_stored(store: &PostgresStore, event: NewEvent) -> Appended {
    within_timeout(async {
        loop {
            match store.append(event.clone()).await {
                Ok(appended) => return appended,
                Err(StoreError::Away(_) | StoreError::Backend(_)) => sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await
}

async fn wait_until(store: &PostgresStore, is_ready: bool) {
    within_timeout(async {
        while store.ready().await.is_ok() != is_ready {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn postgres_servers_continue_after_their_database_was_killed() {
    let Some(server) = PrivatePostgres::start().await else { return };
    let (one, two) = (open_postgres(&server.url).await, open_postgres(&server.url).await);
    let message = |text: &str| NewEvent::message(Uuid::now_v7(), room("tea"), ANN, text);
    let mut expected = 0;
    for _ in 0..2 {
        let events: Vec<NewEvent> = (0..50).map(|n| message(&n.to_string())).collect();
        let writing: Vec<_> = events.iter().map(|event| one.append(event.clone())).collect();
        server.kill().await;
        wait_until(&one, false).await;
        server.start_again().await;
        join_all(writing).await;
        for event in events {
            append_until_stored(&one, event).await;
        }
        append_until_stored(&two, message("back")).await;
        expected += 51;
        let stored = two.events_after(&room("tea"), 0, 1_000).await.unwrap();
        assert!((1..=expected).eq(stored.iter().map(|event| event.seq)), "each is stored once");
        wait_until(&one, true).await;
        wait_until(&two, true).await;
    }
}
