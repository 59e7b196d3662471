//! Files of older versions.

use super::{ANN, listed, message, open, temporary_file, texts};
use crate::support::room;
use app::wire::{Operation, UserId};
use server::store::{
    EventStore, FileStore, NewEvent, ReadMarkerStore, RoomInfo, RoomOrder, RoomStore, Store, StoreError,
    UserStore,
};
use std::{fs, path::Path};

#[tokio::test]
async fn a_file_of_the_first_version_is_migrated() {
    let (_folder, file) = temporary_file();
    let first = rusqlite::Connection::open(&file).unwrap();
    first.execute_batch(include_str!("../../../migrations/1-events.sql")).unwrap();
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
    let store = open(&file);
    assert_eq!((store.log_id(), texts(&store).await), ("the-same", vec!["of old".to_owned()]));
    let operation = Operation::Edit { target: 1, text: "of now".into() };
    assert_eq!(store.append(NewEvent { operation, ..message(0) }).await.unwrap().seq, 2);
}

#[tokio::test]
async fn the_author_of_the_first_message_owns_a_room_of_an_older_file() {
    let (_folder, file) = temporary_file();
    let older = rusqlite::Connection::open(&file).unwrap();
    for step in [
        include_str!("../../../migrations/1-events.sql"),
        include_str!("../../../migrations/2-changes.sql"),
        include_str!("../../../migrations/3-people-and-rooms.sql"),
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
    let store = open(&file);
    let rooms = store.rooms(&["tea", "jam", "lobby", "quiet"].map(room)).await.unwrap();
    let owners: Vec<_> = rooms.iter().map(|room| room.info.owner).collect();
    assert_eq!(owners, [Some(ANN), Some(UserId(12)), None, None]);
    store.update_room(room("tea"), ANN, "Ann's tea".parse().unwrap(), "".parse().unwrap()).await.unwrap();
}

/// Creates a file with all migrations up to the schema `version`, and `rows` in it.
fn older_file(file: &Path, version: usize, rows: &str) {
    const STEPS: [&str; 6] = [
        include_str!("../../../migrations/1-events.sql"),
        include_str!("../../../migrations/2-changes.sql"),
        include_str!("../../../migrations/3-people-and-rooms.sql"),
        include_str!("../../../migrations/4-owners-and-keys.sql"),
        include_str!("../../../migrations/5-visits.sql"),
        include_str!("../../../migrations/6-private-names.sql"),
    ];
    let older = rusqlite::Connection::open(file).unwrap();
    STEPS[..version].iter().for_each(|step| older.execute_batch(step).unwrap());
    older.execute_batch(rows).unwrap();
    older.execute_batch("INSERT INTO log VALUES ('the-same')").unwrap();
    older.pragma_update(None, "application_id", 0x4875_6262).unwrap();
    older.pragma_update(None, "user_version", version).unwrap();
}

#[tokio::test]
async fn tags_in_an_older_file_follow_the_order_of_first_messages() {
    let (_folder, file) = temporary_file();
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
        let store = open(&file);
        let users = store.users(&[10, 11, 12, 13].map(UserId)).await.unwrap();
        let tags: Vec<_> = users.iter().map(|user| (user.ambiguous, user.tag())).collect();
        let tag = |number| (true, Some(format!("#{number}")));
        assert_eq!(tags, [tag(3), tag(2), (true, None), (false, None)]);
        store.close().await;
    }
}

#[tokio::test]
async fn read_markers_of_an_older_file_are_bounded_in_event_order() {
    let (_folder, file) = temporary_file();
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
    let store = open(&file);
    let markers = store.read_markers(ANN, 0, 9_999).await.unwrap();
    assert_eq!(markers.len(), 1_000);
    assert_eq!((&markers[0].0, &markers[999].0), (&room("room-1200"), &room("room-201")));
    store.append(message(0)).await.unwrap();
    assert_eq!(
        store.read_markers(ANN, 0, 9_999).await.unwrap().len(),
        1_000,
        "the migration has counted the markers"
    );
}

#[tokio::test]
async fn a_room_of_an_older_file_with_a_private_name_is_not_listed() {
    let (_folder, file) = temporary_file();
    let name = format!("p-{}", "0123456789abcdef".repeat(2));
    older_file(
        &file,
        5,
        &format!("INSERT INTO room (name, head) VALUES ('{name}', 0), ('p-{name}', 0), ('p-1', 0)"),
    );
    let store = open(&file);
    assert!(store.room(&room(&name)).await.unwrap().info.private);
    assert_eq!(listed(&store, RoomOrder::Title).await, [room("p-1"), room(&format!("p-{name}"))]);
    store.close().await;
    let private = "SELECT group_concat(name) FROM room WHERE private = 1";
    let stored: String =
        rusqlite::Connection::open(&file).unwrap().query_row(private, [], |row| row.get(0)).unwrap();
    assert_eq!(stored, name);
}

#[tokio::test]
async fn rooms_of_older_files_keep_a_shared_title_no_other_can_take() {
    let (_folder, file) = temporary_file();
    older_file(
        &file,
        6,
        "INSERT INTO room (name, head, title, owner) VALUES
             ('one', 0, 'Tea', 10), ('two', 0, 'TEA', 10), ('tea', 0, NULL, NULL), ('lobby', 0, NULL, NULL)",
    );
    for _ in 0..2 {
        let store = open(&file);
        let rooms = store.rooms(&["one", "two", "tea", "lobby"].map(room)).await.unwrap();
        let titles: Vec<String> = rooms.iter().map(server::store::RoomRecord::title).collect();
        assert_eq!(titles, ["Tea", "TEA", "Tea (/r/tea)", "Lobby"]);
        let tea = RoomInfo { title: Some("tea".parse().unwrap()), ..RoomInfo::default() };
        let taken = store.create_room(room("new"), tea).await;
        assert!(matches!(&taken, Err(StoreError::TitleTaken(taken)) if *taken == room("one")), "{taken:?}");
        for name in ["one", "two"] {
            let title = rooms.iter().find(|found| found.room == room(name)).unwrap().title();
            let updated =
                store.update_room(room(name), ANN, title.parse().unwrap(), "leaves".parse().unwrap());
            updated.await.unwrap();
        }
        store.close().await;
    }
}

#[tokio::test]
async fn uploads_of_an_older_file_count_with_the_bytes_that_have_come() {
    let (_folder, file) = temporary_file();
    let older = rusqlite::Connection::open(&file).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut steps: Vec<(usize, String)> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let number = path.file_stem()?.to_str()?.split_once('-')?.0.parse().ok()?;
            Some((number, fs::read_to_string(path).unwrap()))
        })
        .filter(|(number, _)| *number <= 18)
        .collect();
    steps.sort();
    for (_, step) in steps {
        older.execute_batch(&step).unwrap();
    }
    older
        .execute_batch(
            "INSERT INTO log (id) VALUES ('the-same');
             INSERT INTO content (hash, bytes) VALUES (x'0101', 90);
             INSERT INTO file (id, owner, room, info, size, received, touched_at, content, ready) VALUES
                 (x'01', 10, 'tea', '', 100, 100, 1, x'0101', 1), (x'02', 10, 'tea', '', 500, 30, 1, NULL, 0),
                 (x'03', 10, 'tea', '', 500, 0, 1, NULL, 0)",
        )
        .unwrap();
    let used = || older.query_row("SELECT bytes FROM file_usage", [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(used(), 1_090);
    older.pragma_update(None, "application_id", 0x4875_6262).unwrap();
    older.pragma_update(None, "user_version", 18).unwrap();
    drop(older);
    assert_eq!(open(&file).file_bytes().await.unwrap(), 120);
}
