//! The log's file: kept, found again, and never somebody else's.

use crate::support::{room, text, within_timeout};
use app::wire::{Operation, UserId};
use futures_util::{FutureExt, StreamExt, future::join_all};
use server::store::{
    EventStore, NewEvent, OpenError, ReadMarkerStore, RoomInfo, RoomOrder, RoomQuery, RoomStore, SqliteStore,
    Store, StoreError, UserStore,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    (folder, file)
}

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(file).unwrap()
}

fn message(n: usize) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room("tea"), ANN, &n.to_string())
}

async fn listed(log: &SqliteStore, order: RoomOrder) -> Vec<app::wire::RoomName> {
    let rooms = log.list_rooms(RoomQuery::new(order, 9)).await.unwrap();
    rooms.into_iter().map(|room| room.room).collect()
}

async fn said(log: &SqliteStore) -> Vec<String> {
    let events = log.events_after(&room("tea"), 0, u32::MAX).await.unwrap();
    events.iter().map(|event| text(event).to_owned()).collect()
}

/// The file cannot be opened, and nothing has become of it or beside it.
fn assert_refused(folder: &Path, file: &Path) -> OpenError {
    let before = fs::read(file).unwrap();
    let Err(error) = SqliteStore::open(file) else { panic!("it must be refused") };
    assert_eq!(fs::read(file).unwrap(), before, "the file is as it was");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing lies beside it");
    error
}

#[tokio::test]
async fn a_log_that_is_opened_again_is_the_same_and_goes_on_where_it_ended() {
    let (_folder, file) = place();
    let log = open(&file);
    let id = log.log_id().to_owned();
    let first = message(0);
    log.append(first.clone()).await.unwrap();
    log.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    log.close().await;

    let log = open(&file);
    assert_eq!(log.log_id(), id);
    assert_eq!(log.head(&room("tea")).await.unwrap(), 1);
    assert_eq!(log.users(&[ANN]).await.unwrap()[0].name.as_str(), "Ann");
    assert!(log.append(first).await.unwrap().is_duplicate, "ids are remembered");
    assert_eq!(log.append(message(1)).await.unwrap().seq, 2);
    assert_eq!(said(&log).await, ["0", "1"]);
}

#[tokio::test]
async fn a_log_that_is_opened_again_knows_where_something_happened_last() {
    let (_folder, file) = place();
    let log = open(&file);
    for name in ["tea", "jam", "tea"] {
        log.append(NewEvent { room: room(name), ..message(0) }).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    log.close().await;
    let log = open(&file);
    assert_eq!(listed(&log, RoomOrder::Activity).await, [room("tea"), room("jam")]);
    assert_eq!(listed(&log, RoomOrder::Title).await, [room("jam"), room("tea")]);
}

#[tokio::test]
async fn acknowledged_events_are_in_the_file_of_a_killed_process() {
    let (folder, file) = place();
    let log = open(&file);
    join_all((0..100).map(|n| log.append(message(n)))).await;
    // What a killed process leaves behind: the file and its write-ahead log as they are now.
    let copies = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        fs::copy(entry.path(), copies.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(said(&open(&copies.path().join("hubbub.db"))).await.len(), 100);
}

#[tokio::test]
async fn queued_commands_share_one_commit() {
    let (_folder, file) = place();
    let log = open(&file);
    let mut wakes = log.subscribe();
    join_all((0..500).map(|n| log.append(message(n)))).await;
    let mut commits = 0;
    while let Some(Some(_)) = wakes.next().now_or_never() {
        commits += 1;
    }
    assert!((1..100).contains(&commits), "500 messages took {commits} commits");
}

#[tokio::test]
async fn a_closed_log_has_everything_that_came_before_and_takes_no_more() {
    let (_folder, file) = place();
    let log = open(&file);
    let posted = log.append(message(0));
    log.close().await;
    assert_eq!(posted.await.unwrap().seq, 1);
    let late = log.append(message(1)).await;
    assert!(matches!(late, Err(StoreError::Backend(_))), "{late:?}");
    assert_eq!(said(&open(&file)).await, ["0"]);
}

#[test]
fn a_file_of_another_program_is_refused_and_stays_as_it_was() {
    let (folder, file) = place();
    fs::write(&file, "Dear diary, today I wrote a text file.".repeat(10)).unwrap();
    assert!(matches!(assert_refused(folder.path(), &file), OpenError::NotAHubbubDatabase));
    fs::write(&file, "short").unwrap();
    assert!(matches!(assert_refused(folder.path(), &file), OpenError::NotAHubbubDatabase));
}

#[test]
fn a_database_of_another_program_is_refused_and_stays_as_it_was() {
    let (folder, file) = place();
    let theirs = rusqlite::Connection::open(&file).unwrap();
    theirs.execute_batch("CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('a')").unwrap();
    drop(theirs);
    assert!(matches!(assert_refused(folder.path(), &file), OpenError::NotAHubbubDatabase));
}

#[test]
fn a_log_of_a_newer_version_is_refused_and_stays_as_it_was() {
    let (folder, file) = place();
    drop(rusqlite::Connection::open(&file).map(|newer| {
        newer.pragma_update(None, "application_id", 0x4875_6262).unwrap();
        newer.pragma_update(None, "user_version", 999).unwrap();
        newer.execute_batch("CREATE TABLE event (of_the_future TEXT)").unwrap();
    }));
    let refused = assert_refused(folder.path(), &file);
    assert!(matches!(refused, OpenError::SchemaTooNew { found: 999, .. }), "{refused:?}");
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[test]
fn an_empty_file_becomes_a_log() {
    let (_folder, file) = place();
    fs::write(&file, "").unwrap();
    SqliteStore::open(&file).unwrap();
    SqliteStore::open(&file).unwrap();
}

#[tokio::test]
async fn a_log_of_the_first_version_is_brought_up_to_date() {
    let (_folder, file) = place();
    let first = rusqlite::Connection::open(&file).unwrap();
    first.execute_batch(include_str!("../../migrations/1-events.sql")).unwrap();
    first
        .execute_batch(
            "INSERT INTO event (room, seq, at, id, author, kind, text)
             VALUES ('tea', 1, 5, x'01939d3e000070008000000000000001', 10, 0, 'of old');
             INSERT INTO room VALUES ('tea', 1); INSERT INTO log VALUES ('the-same')",
        )
        .unwrap();
    first.pragma_update(None, "application_id", 0x4875_6262).unwrap();
    first.pragma_update(None, "user_version", 1).unwrap();
    drop(first);
    let log = open(&file);
    assert_eq!((log.log_id(), said(&log).await), ("the-same", vec!["of old".to_owned()]));
    let operation = Operation::Edit { target: 1, text: "of now".into() };
    assert_eq!(log.append(NewEvent { operation, ..message(0) }).await.unwrap().seq, 2);
}

#[tokio::test]
async fn a_room_from_before_rooms_had_owners_belongs_to_whoever_spoke_there_first() {
    let (_folder, file) = place();
    let older = rusqlite::Connection::open(&file).unwrap();
    for step in [
        include_str!("../../migrations/1-events.sql"),
        include_str!("../../migrations/2-changes.sql"),
        include_str!("../../migrations/3-people-and-rooms.sql"),
        "INSERT INTO event (room, seq, at, id, author, kind, text) VALUES
             ('tea', 1, 5, x'01939d3e000070008000000000000001', 10, 0, 'first'),
             ('tea', 2, 6, x'01939d3e000070008000000000000002', 11, 0, 'second'),
             ('jam', 1, 7, x'01939d3e000070008000000000000003', 11, 0, 'first'),
             ('lobby', 1, 8, x'01939d3e000070008000000000000004', 11, 0, 'hello');
         INSERT INTO room (name, head, owner) VALUES
             ('tea', 2, NULL), ('jam', 1, 12), ('lobby', 1, NULL), ('quiet', 0, NULL);
         INSERT INTO log VALUES ('the-same')",
    ] {
        older.execute_batch(step).unwrap();
    }
    older.pragma_update(None, "application_id", 0x4875_6262).unwrap();
    older.pragma_update(None, "user_version", 3).unwrap();
    drop(older);
    let log = open(&file);
    let rooms = log.rooms(&["tea", "jam", "lobby", "quiet"].map(room)).await.unwrap();
    let owners: Vec<_> = rooms.iter().map(|room| room.info.owner).collect();
    assert_eq!(owners, [Some(ANN), Some(UserId(12)), None, None]);
    log.update_room(room("tea"), ANN, "Ann's tea".parse().unwrap(), "".parse().unwrap()).await.unwrap();
}

/// A file with all migrations up to the schema `version`, and `rows` in it.
fn older_file(file: &Path, version: usize, rows: &str) {
    const STEPS: [&str; 6] = [
        include_str!("../../migrations/1-events.sql"),
        include_str!("../../migrations/2-changes.sql"),
        include_str!("../../migrations/3-people-and-rooms.sql"),
        include_str!("../../migrations/4-owners-and-keys.sql"),
        include_str!("../../migrations/5-visits.sql"),
        include_str!("../../migrations/6-private-names.sql"),
    ];
    let older = rusqlite::Connection::open(file).unwrap();
    STEPS[..version].iter().for_each(|step| older.execute_batch(step).unwrap());
    older.execute_batch(rows).unwrap();
    older.execute_batch("INSERT INTO log VALUES ('the-same')").unwrap();
    older.pragma_update(None, "application_id", 0x4875_6262).unwrap();
    older.pragma_update(None, "user_version", version).unwrap();
}

#[tokio::test]
async fn users_of_an_older_file_are_numbered_by_their_first_words() {
    let (_folder, file) = place();
    older_file(
        &file,
        4,
        "INSERT INTO person (id, name, key, alike) VALUES
             (10, 'Ann', 'ann', 0), (11, 'Ann.', 'ann.', 0), (12, 'ANN ✓', 'x', 0), (13, 'Bob', 'bob', 1);
         INSERT INTO event (room, seq, at, id, author, kind, text) VALUES
             ('tea', 1, 5, x'01939d3e000070008000000000000001', 12, 0, 'first'),
             ('tea', 2, 6, x'01939d3e000070008000000000000002', 11, 0, 'second');
         INSERT INTO room (name, head) VALUES ('tea', 2)",
    );
    for _ in 0..2 {
        let log = open(&file);
        let users = log.users(&[10, 11, 12, 13].map(UserId)).await.unwrap();
        let tags: Vec<_> = users.iter().map(|user| (user.ambiguous, user.tag())).collect();
        let tag = |number| (true, Some(format!("#{number}")));
        assert_eq!(tags, [tag(3), tag(2), (true, None), (false, None)]);
        log.close().await;
    }
}

#[tokio::test]
async fn visits_of_an_older_file_are_ordered_by_what_was_read_and_bounded() {
    let (_folder, file) = place();
    older_file(
        &file,
        4,
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
             INSERT INTO event (room, seq, at, id, author, kind, text)
             SELECT 'room-' || n, 1, n, CAST(printf('%016d', n) AS BLOB), 11, 0, 'x' FROM n;
         INSERT INTO room (name, head) SELECT room, 1 FROM event;
         INSERT INTO reading (person, room, seq) SELECT 10, room, 1 FROM event;
         INSERT INTO reading (person, room, seq) VALUES (10, 'never-made', 0)",
    );
    let log = open(&file);
    let visits = log.read_markers(ANN, 0, 9_999).await.unwrap();
    assert_eq!(visits.len(), 1_000);
    assert_eq!((&visits[0].0, &visits[999].0), (&room("room-1200"), &room("room-201")));
    log.append(message(0)).await.unwrap();
    assert_eq!(log.read_markers(ANN, 0, 9_999).await.unwrap().len(), 1_000, "the count was taken over");
}

#[tokio::test]
async fn a_room_of_an_older_file_with_a_private_name_is_on_no_list() {
    let (_folder, file) = place();
    let name = format!("p-{}", "0123456789abcdef".repeat(2));
    older_file(
        &file,
        5,
        &format!("INSERT INTO room (name, head) VALUES ('{name}', 0), ('p-{name}', 0), ('p-1', 0)"),
    );
    let log = open(&file);
    assert!(log.room(&room(&name)).await.unwrap().info.private);
    assert_eq!(listed(&log, RoomOrder::Title).await, [room("p-1"), room(&format!("p-{name}"))]);
    log.close().await;
    let private = "SELECT group_concat(name) FROM room WHERE private = 1";
    let stored: String =
        rusqlite::Connection::open(&file).unwrap().query_row(private, [], |row| row.get(0)).unwrap();
    assert_eq!(stored, name);
}

#[tokio::test]
async fn rooms_of_an_older_file_that_share_a_title_keep_it_and_no_other_room_gets_it() {
    let (_folder, file) = place();
    older_file(
        &file,
        6,
        "INSERT INTO room (name, head, title, owner) VALUES
             ('one', 0, 'Tea', 10), ('two', 0, 'TEA', 10), ('tea', 0, NULL, NULL), ('lobby', 0, NULL, NULL)",
    );
    for _ in 0..2 {
        let log = open(&file);
        let rooms = log.rooms(&["one", "two", "tea", "lobby"].map(room)).await.unwrap();
        let titles: Vec<String> = rooms.iter().map(server::store::RoomRecord::title).collect();
        assert_eq!(titles, ["Tea", "TEA", "Tea (/r/tea)", "Lobby"]);
        let tea = RoomInfo { title: Some("tea".parse().unwrap()), ..RoomInfo::default() };
        let taken = log.create_room(room("new"), tea).await;
        assert!(matches!(&taken, Err(StoreError::TitleTaken(taken)) if *taken == room("one")), "{taken:?}");
        for name in ["one", "two"] {
            let title = rooms.iter().find(|found| found.room == room(name)).unwrap().title();
            let kept = log.update_room(room(name), ANN, title.parse().unwrap(), "leaves".parse().unwrap());
            kept.await.unwrap();
        }
        log.close().await;
    }
}

/// Creates a closed store with so many messages of 1,000 bytes in 100 rooms.
async fn filled(file: &Path, messages: u64) {
    open(file).close().await;
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute_batch("BEGIN").unwrap();
    for n in 0..messages {
        db.execute(
            "INSERT INTO event (room, seq, at, id, author, kind, text) VALUES (?1, ?2, 5, ?3, 7, 0, ?4)",
            (
                format!("room-{}", n % 100),
                n / 100 + 1,
                Uuid::from_u128(n.into()).as_bytes(),
                "x".repeat(1_000),
            ),
        )
        .unwrap();
    }
    db.execute_batch(
        "INSERT INTO room (name, head, title_key) SELECT room, max(seq), room FROM event GROUP BY room; COMMIT",
    )
    .unwrap();
}

/// Bytes that this process has read. Each test runs in a process of its own.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_start_reads_a_bounded_part_of_a_large_file() {
    let (_folder, file) = place();
    filled(&file, 20_000).await;
    let bytes = fs::metadata(&file).unwrap().len();
    assert!(bytes > 20_000_000, "{bytes}");
    let before = bytes_read();
    let store = open(&file);
    let read = bytes_read() - before;
    assert!(read < 2_000_000, "{read} of {bytes} bytes");
    assert_eq!(store.append(message(1)).await.unwrap().seq, 1);
}

#[tokio::test]
async fn a_start_reads_a_bounded_part_of_many_rooms() {
    let (_folder, file) = place();
    open(&file).close().await;
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 40000)
         INSERT INTO room (name, head, topic, title_key, title_sort)
             SELECT 'room-' || n, 0, hex(zeroblob(300)), 'room ' || n, 'room ' || n FROM n",
    )
    .unwrap();
    drop(db);
    let bytes = fs::metadata(&file).unwrap().len();
    assert!(bytes > 20_000_000, "{bytes}");
    let before = bytes_read();
    let store = open(&file);
    let read = bytes_read() - before;
    assert!(read < 2_000_000, "{read} of {bytes} bytes");
    assert_eq!(listed(&store, RoomOrder::Name).await.len(), 9);
}

#[tokio::test]
async fn damage_in_a_large_file_is_found_in_the_background_and_stops_writes_but_no_reads() {
    let (_folder, file) = place();
    filled(&file, 20_000).await;
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(server::store::check(&file), Err(OpenError::Corrupt(_))));

    let store = open(&file);
    assert!(store.append(message(1)).await.is_ok(), "the check has not run yet");
    within_timeout(async {
        while store.ready().await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(matches!(store.ready().await, Err(StoreError::Corrupt)));
    let refused = store.append(message(2)).await;
    assert!(matches!(refused, Err(StoreError::Corrupt)), "{refused:?}");
    assert_eq!(said(&store).await, ["1"], "what can be read is still read");
    store.close().await;
}

#[tokio::test]
async fn a_check_on_demand_accepts_a_good_file_beside_a_running_store() {
    let (_folder, file) = place();
    let store = open(&file);
    store.append(message(1)).await.unwrap();
    assert!(server::store::check(&file).unwrap() > 0);
}
