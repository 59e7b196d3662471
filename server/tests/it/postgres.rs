//! Several servers on one PostgreSQL database, and databases that cannot be used.

use crate::support::{TestDatabase, TestServer, V1, room, within_timeout};
use app::wire::{ClientFrame, ServerFrame, User, UserId};
use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use futures_util::{StreamExt, future::join_all, stream::BoxStream};
use server::{
    config::{Config, SecretUrl},
    startup,
    store::{
        Appended, EphemeralEvent, EventStore, NewEvent, Notification, PostgresStore, ReadMarkerStore,
        RoomInfo, RoomStore, Store, UserStore,
    },
};
use std::{fs, path::Path, time::Duration};
use tokio::time::sleep;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);

fn message(name: &str, author: UserId, text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room(name), author, text)
}

/// Returns the first notification that `is_wanted`.
async fn notified(
    notifications: &mut BoxStream<'static, Notification>,
    is_wanted: impl Fn(&Notification) -> bool,
) -> Notification {
    within_timeout(async {
        loop {
            let next = notifications.next().await.expect("the store is open");
            if is_wanted(&next) {
                return next;
            }
        }
    })
    .await
}

/// Returns the first frame that `is_wanted`.
async fn wait_for(client: &mut V1, is_wanted: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
    loop {
        let frame = client.expect_frame().await;
        if is_wanted(&frame) {
            return frame;
        }
    }
}

#[tokio::test]
async fn postgres_servers_that_start_together_share_a_log_and_a_key() {
    let Some(database) = TestDatabase::create().await else { return };
    let stores = join_all((0..4).map(|_| database.open())).await;
    for store in &stores[1..] {
        assert_eq!((store.log_id(), store.cookie_key()), (stores[0].log_id(), stores[0].cookie_key()));
    }
}

#[tokio::test]
async fn postgres_clients_of_two_servers_see_one_room() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let mut ann = V1::connect_and_join(&one, "tea").await;
    let mut bob = V1::connect_and_join(&two, "tea").await;
    for n in 0..10 {
        ann.post("tea", &format!("a{n}")).await;
        bob.post("tea", &format!("b{n}")).await;
    }
    let (seen_by_ann, seen_by_bob) = (ann.events(20).await, bob.events(20).await);
    assert_eq!(seen_by_ann, seen_by_bob);
    assert!((1..=20).eq(seen_by_ann.iter().map(|event| event.seq)));
    ann.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: "Ann".into() }).await;
    wait_for(&mut bob, |frame| matches!(frame, ServerFrame::Renamed { name, .. } if name.as_str() == "Ann"))
        .await;
}

#[tokio::test]
async fn postgres_servers_give_each_command_one_event_and_one_seq() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    let commands: Vec<_> = (0..400_u64)
        .map(|n| message(["tea", "jam"][n as usize % 2], UserId(n % 7), &n.to_string()))
        .collect();
    // Both servers get every command, so that each is repeated on the other one.
    let send = |store: &PostgresStore, commands: Vec<NewEvent>| {
        join_all(commands.into_iter().map(|command| store.append(command)).collect::<Vec<_>>())
    };
    let reversed = commands.iter().rev().cloned().collect();
    let (ones, twos) = tokio::join!(send(&one, commands.clone()), send(&two, reversed));
    let places = |results: Vec<Result<Appended, _>>| -> Vec<Appended> {
        results.into_iter().map(|result: Result<_, server::store::StoreError>| result.unwrap()).collect()
    };
    let (ones, mut twos) = (places(ones), places(twos));
    twos.reverse();
    for (one, two) in ones.iter().zip(&twos) {
        assert_eq!((&one.room, one.seq, one.at), (&two.room, two.seq, two.at));
        assert_ne!(one.is_duplicate, two.is_duplicate, "{one:?}");
    }
    for name in ["tea", "jam"] {
        let events = one.events_after(&room(name), 0, 1_000).await.unwrap();
        assert!((1..=200).eq(events.iter().map(|event| event.seq)), "{name}");
    }
}

#[tokio::test]
async fn postgres_changes_are_notified_to_the_other_server() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    let mut notifications = two.subscribe();
    let info = RoomInfo { owner: Some(ANN), title: Some("Tea".parse().unwrap()), ..RoomInfo::default() };
    one.create_room(room("tea"), info).await.unwrap();
    one.append(message("tea", ANN, "hello")).await.unwrap();
    let is_head = |next: &Notification| matches!(next, Notification::Appended { room, head: 1, events: None } if room.as_str() == "tea");
    notified(&mut notifications, is_head).await;
    one.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    let is_marker =
        |next: &Notification| matches!(next, Notification::ReadMarkerMoved { user: BOB, seq: 1, .. });
    notified(&mut notifications, is_marker).await;
    one.update_room(room("tea"), ANN, "Tea time".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    let is_room =
        |next: &Notification| matches!(next, Notification::RoomChanged(room) if room.as_str() == "tea");
    notified(&mut notifications, is_room).await;
    let generation = two.names_generation();
    one.set_display_name(BOB, "Bob".parse().unwrap()).await.unwrap();
    let is_name =
        |next: &Notification| matches!(next, Notification::UsersChanged(users) if users.contains(&BOB));
    notified(&mut notifications, is_name).await;
    assert_ne!(two.names_generation(), generation);
    let user = User::new(BOB, "Bob".parse().unwrap());
    one.publish(EphemeralEvent::Typing { room: room("tea"), user });
    let is_typing = |next: &Notification| matches!(next, Notification::Ephemeral(_));
    notified(&mut notifications, is_typing).await;
}

#[tokio::test]
async fn postgres_what_a_server_knows_is_never_out_of_date() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    one.append(message("tea", ANN, "so that the server knows her and her read marker")).await.unwrap();
    two.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    two.remove_read_marker(ANN, room("tea")).await.unwrap();
    let mut notifications = one.subscribe();
    one.append(message("tea", ANN, "again")).await.unwrap();
    let appended = notified(&mut notifications, |next| matches!(next, Notification::Appended { .. })).await;
    let Notification::Appended { events: Some(events), .. } = appended else { panic!("{appended:?}") };
    assert_eq!(events[0].author.name.as_str(), "Ann");
    assert_eq!(one.read_markers(ANN, 0, 9).await.unwrap(), [(room("tea"), 2)]);
}

#[tokio::test]
async fn postgres_lost_notifications_are_healed_by_polls() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let mut bob = V1::connect_and_join(&two, "tea").await;
    let mut ann = V1::connect_and_join(&one, "tea").await;
    for n in 0..5 {
        for pattern in ["%pg_notify(%", "LISTEN%", "%names_generation FROM log%"] {
            database.cut_connections(pattern).await;
        }
        ann.post("tea", &n.to_string()).await;
    }
    let seen = bob.events(5).await;
    assert!((1..=5).eq(seen.iter().map(|event| event.seq)));
}

#[tokio::test]
async fn postgres_writes_survive_the_loss_of_every_connection() {
    let Some(database) = TestDatabase::create().await else { return };
    let store = database.open().await;
    let mut appends = Vec::new();
    for n in 0..200 {
        if n % 40 == 20 {
            database.cut_connections("%").await;
        }
        appends.push(store.append(message("tea", ANN, &n.to_string())));
        sleep(Duration::from_millis(1)).await;
    }
    let places: Vec<_> = join_all(appends).await.into_iter().map(|result| result.unwrap().seq).collect();
    assert!((1..=200).eq(places), "each is stored once, in the order of the calls");
    within_timeout(async {
        while store.ready().await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn postgres_refuses_databases_that_cannot_be_used_in_one_line() {
    let Some(database) = TestDatabase::create().await else { return };
    let error = async |url: &str| -> String {
        let config = Config { database: Some(SecretUrl(url.into())), ephemeral: false, ..Config::plain() };
        let error = startup::open(config).await.map(drop).expect_err("the database cannot be used");
        assert!(!error.contains('\n') && !error.contains("secret"), "{error}");
        error
    };
    let url = database.url.as_str();
    let server = url.split('?').next().unwrap();
    let (_, place) = server.split_once('@').unwrap();
    let (address, _) = place.split_once('/').unwrap();
    for (url, expected) in [
        ("mysql://localhost/chat", "cannot use --database: it is no URL such as"),
        (&format!("postgres://hubbub:wrong@{place}"), "the server refuses the name or the password"),
        (&format!("postgres://hubbub:secret@{address}/nowhere"), "database \"nowhere\" does not exist"),
        ("postgres://hubbub:secret@127.0.0.1:1/chat", "cannot connect: "),
        (
            &format!("{url}%20-cdefault_transaction_isolation%3Dserializable"),
            "transactions are 'serializable'",
        ),
        (&format!("{url}%20-csynchronous_commit%3Doff"), "synchronous_commit is 'off'"),
        (
            &format!("{url}%20-cdefault_transaction_read_only%3Don"),
            "it is read-only; name the primary, or all hosts",
        ),
        (&format!("{url}&sslmode=verify-full&sslrootcert=/nowhere"), "cannot read sslrootcert /nowhere"),
    ] {
        let found = error(url).await;
        assert!(found.contains(expected), "{found}");
    }
    // The schema comes before the functions of the system.
    database
        .execute("CREATE FUNCTION current_setting(name text) RETURNS text LANGUAGE sql AS $$ SELECT CASE name WHEN 'server_version_num' THEN '140019' ELSE pg_catalog.current_setting(name) END $$")
        .await;
    let found = error(&format!("{url}%2Cpg_catalog")).await;
    assert!(found.contains("PostgreSQL 14 is too old; 15 is the oldest supported version"), "{found}");
    let role = format!("role_{}", Uuid::new_v4().simple());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;
    let found = error(&url.replacen("hubbub:", &format!("{role}:"), 1)).await;
    assert!(found.contains("may not create tables"), "{found}");
    database.execute("CREATE TABLE room (number int)").await;
    let found = error(url).await;
    assert!(found.contains("it belongs to another program"), "{found}");
    database.execute("DROP TABLE room").await;
    drop(database.open().await);
    database.execute("UPDATE hubbub_schema SET version = 1000").await;
    let found = error(url).await;
    assert!(found.contains("a newer version of Hubbub has written it (schema 1000, this version"), "{found}");
}

#[tokio::test]
async fn postgres_servers_sign_cookies_with_the_key_of_a_file() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let config = |file: Option<&Path>| Config {
        database: Some(SecretUrl(database.url.clone())),
        cookie_key_file: file.map(Path::to_owned),
        ephemeral: false,
        ..Config::plain()
    };
    let error = async |file| startup::open(config(file)).await.map(drop).expect_err("there is no key");
    assert!(error(Some(&file)).await.contains("cannot use"), "a file that does not exist");
    fs::write(&file, [7; 63]).unwrap();
    assert!(error(Some(&file)).await.contains("truncated (63 of 64 bytes)"));
    fs::write(&file, [7; 64]).unwrap();
    let opened = startup::open(config(Some(&file))).await.unwrap();
    assert_eq!(Key::from_ref(&opened.state).master(), [7; 64]);
    assert!(error(None).await.contains("--cookie-key-file"), "the database has no key");
}
