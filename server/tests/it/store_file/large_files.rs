//! Bounded reads at the start, and the check for damage.

use super::{listed, message, open, temporary_file, texts};
use crate::support::within_timeout;
use server::store::{EventStore, OpenError, RoomOrder, Store, StoreError};
use std::{fs, path::Path};
use uuid::Uuid;

/// Creates a closed store with so many messages of 1,000 bytes in 100 rooms.
async fn create_filled(file: &Path, messages: u64) {
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

/// Returns how many bytes this process has read. Each test runs in a process of its own.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn opening_reads_a_bounded_part_of_a_large_file() {
    let (_folder, file) = temporary_file();
    create_filled(&file, 20_000).await;
    let bytes = fs::metadata(&file).unwrap().len();
    assert!(bytes > 20_000_000, "{bytes}");
    let before = bytes_read();
    let store = open(&file);
    let read = bytes_read() - before;
    assert!(read < 2_000_000, "{read} of {bytes} bytes");
    assert_eq!(store.append(message(1)).await.unwrap().seq, 1);
}

#[tokio::test]
async fn opening_reads_a_bounded_part_of_many_rooms() {
    let (_folder, file) = temporary_file();
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
async fn background_check_finds_damage_and_stops_writes_not_reads() {
    let (_folder, file) = temporary_file();
    create_filled(&file, 20_000).await;
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
    let rejected = store.append(message(2)).await;
    assert!(matches!(rejected, Err(StoreError::Corrupt)), "{rejected:?}");
    assert_eq!(texts(&store).await, ["1"], "readable events are still read");
    store.close().await;
}

#[tokio::test]
async fn a_check_on_demand_accepts_a_good_file_beside_a_running_store() {
    let (_folder, file) = temporary_file();
    let store = open(&file);
    store.append(message(1)).await.unwrap();
    assert!(server::store::check(&file).unwrap() > 0);
}
