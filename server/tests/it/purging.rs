//! Deleted and replaced texts are gone from every byte of the data folder, while the server runs.

use crate::support::{TEST_TIMEOUT, room};
use app::wire::{Operation, UserId};
use server::{
    store::{
        ErasureStore, EventStore, NewEvent, RetentionStore, SearchStore, ServerRetention, SqliteStore, Sweep,
        UserStore,
    },
    upkeep::erase_step,
};
use std::{fs, path::Path, time::Duration};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const ANN: UserId = UserId(0xa);

fn command(operation: Operation) -> NewEvent {
    NewEvent { operation, ..NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "") }
}

/// Counts how often `word` is in the files of a folder.
fn count(folder: &Path, word: &str) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten().map(|entry| fs::read(entry.path()).unwrap());
    files.map(|bytes| bytes.windows(word.len()).filter(|part| *part == word.as_bytes()).count()).sum()
}

/// Adds everything to the index of the search.
async fn index(log: &SqliteStore) {
    while log.index(&[]).await.unwrap().more {}
}

async fn wait_until_gone(folder: &Path, word: &str) {
    let gone = async {
        while count(folder, word) > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    // A checkpoint follows a purge within seconds, and another one if a reader blocked it.
    let found = timeout(2 * TEST_TIMEOUT, gone).await;
    assert!(found.is_ok(), "{word} is still there {} times", count(folder, word));
}

/// Returns texts of all lengths, so that rows are in pages, in overflow pages, and move when pages are split.
fn text(n: usize, word: &str) -> String {
    let length = [10, 300, 2_000, 4_100, 8_000][n % 5] * (n % 7 + 1) / 7;
    format!("{word}-{}", "x".repeat(length))
}

#[tokio::test]
async fn deleted_and_replaced_texts_leave_the_file_and_its_wal() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
    let mut targets = Vec::new();
    for n in 0..400 {
        let word = if n % 2 == 0 { "secret" } else { "public" };
        let post = Operation::Post { text: text(n, word).into(), reply_to: None };
        targets.push((log.append(command(post)).await.unwrap().seq, word));
    }
    index(&log).await;
    for (n, (target, word)) in targets.into_iter().enumerate() {
        if word == "secret" {
            let edited = Operation::Edit { target, text: text(n + 1, "secret-too").into() };
            log.append(command(edited)).await.unwrap();
            let last = if n % 4 == 0 {
                Operation::Delete { target }
            } else {
                Operation::Edit { target, text: "harmless".into() }
            };
            log.append(command(last)).await.unwrap();
        }
    }
    assert!(count(folder.path(), "public") >= 200);
    wait_until_gone(folder.path(), "secret").await;
    assert!(count(folder.path(), "public") >= 200, "everything else is there");
}

#[tokio::test]
async fn a_reader_of_an_older_state_delays_the_purge_and_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    let log = SqliteStore::open(&file).unwrap();
    let post = |text: &str| command(Operation::Post { text: text.into(), reply_to: None });
    let target = log.append(post("secret")).await.unwrap().seq;
    let reader = rusqlite::Connection::open(&file).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
    log.append(command(Operation::Delete { target })).await.unwrap();
    for _ in 0..70 {
        timeout(Duration::from_secs(1), log.append(post("on"))).await.expect("no commit waits long").unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert!(count(folder.path(), "secret") > 0, "the reader may still read it");
    reader.execute_batch("COMMIT").unwrap();
    wait_until_gone(folder.path(), "secret").await;
}

#[tokio::test]
async fn start_after_a_crash_removes_purged_texts_from_the_wal() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
    let post = command(Operation::Post { text: "secret".into(), reply_to: None });
    let target = log.append(post).await.unwrap().seq;
    log.append(command(Operation::Delete { target })).await.unwrap();
    let left = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    assert!(count(left.path(), "secret") > 0);
    let _again = SqliteStore::open(&left.path().join("hubbub.db")).unwrap();
    assert_eq!(count(left.path(), "secret"), 0);
}

/// Expires everything in the room, on a server that keeps messages for an hour.
async fn expire_all(log: &SqliteStore) {
    let server = ServerRetention { default: 1.try_into().unwrap(), is_limit: false };
    let sweep = Sweep { now: log.clock().await.unwrap() + 2 * 3_600_000, server };
    while log.expire(room("tea"), sweep).await.unwrap() > 0 {}
}

#[tokio::test]
async fn expired_texts_leave_the_file_and_its_write_ahead_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
    for n in 0..300 {
        let post = Operation::Post { text: text(n, "secret").into(), reply_to: None };
        let target = log.append(command(post)).await.unwrap().seq;
        if n % 3 == 0 {
            let edited = Operation::Edit { target, text: text(n + 1, "secret-too").into() };
            log.append(command(edited)).await.unwrap();
        }
        if n % 5 == 0 {
            let react = Operation::React { target, emoji: "🤫".into(), on: true };
            log.append(command(react)).await.unwrap();
        }
        let mut other = command(Operation::Post { text: text(n, "public").into(), reply_to: None });
        other.room = room("jam");
        log.append(other).await.unwrap();
    }
    index(&log).await;
    assert!(count(folder.path(), "secret") >= 300 && count(folder.path(), "🤫") > 0);
    expire_all(&log).await;
    wait_until_gone(folder.path(), "secret").await;
    wait_until_gone(folder.path(), "🤫").await;
    assert!(count(folder.path(), "public") >= 300, "everything else is there");
}

#[tokio::test]
async fn data_of_an_erased_user_leaves_the_file_even_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
    log.set_display_name(ANN, "Mystery Ann".parse().unwrap()).await.unwrap();
    for n in 0..250 {
        let post = Operation::Post { text: text(n, "secret").into(), reply_to: None };
        log.append(command(post)).await.unwrap();
        let other = NewEvent {
            author: UserId(0xb),
            ..command(Operation::Post { text: "public".into(), reply_to: None })
        };
        log.append(other).await.unwrap();
    }
    index(&log).await;
    log.begin_erasure(ANN).await.unwrap();
    assert!(!erase_step(&log, ANN).await.unwrap(), "there is more to do");
    let left = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    let again = SqliteStore::open(&left.path().join("hubbub.db")).unwrap();
    assert_eq!(again.unfinished_erasures().await.unwrap(), [ANN]);
    while !erase_step(&again, ANN).await.unwrap() {}
    wait_until_gone(left.path(), "secret").await;
    wait_until_gone(left.path(), "Mystery Ann").await;
    assert!(count(left.path(), "public") >= 250, "everything else is there");
}

#[tokio::test]
async fn words_of_deleted_and_expired_texts_leave_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
    let mut targets = Vec::new();
    for n in 0..400 {
        // Many words of its own, so that they are in pages of the index of all kinds; and the same one everywhere.
        let words: String = (0..n % 40).map(|k| format!(" secret{n}x{k} public")).collect();
        let post =
            Operation::Post { text: format!("secretive common{words} 秘密{n}").into(), reply_to: None };
        targets.push(log.append(command(post)).await.unwrap().seq);
        let other = Operation::Post { text: format!("common public{n}").into(), reply_to: None };
        log.append(command(other)).await.unwrap();
        if n % 150 == 0 {
            index(&log).await;
        }
    }
    index(&log).await;
    for (n, target) in targets.iter().enumerate() {
        let operation = match n % 3 {
            0 => Operation::Delete { target: *target },
            _ => Operation::Edit { target: *target, text: "common harmless".into() },
        };
        log.append(command(operation)).await.unwrap();
    }
    for word in ["secret", "秘密"] {
        wait_until_gone(folder.path(), word).await;
    }
    let database = rusqlite::Connection::open(folder.path().join("hubbub.db")).unwrap();
    let check = "INSERT INTO message_index (message_index, rank) VALUES ('integrity-check', 0)";
    database.execute(check, []).expect("the index is sound");
    assert!(count(folder.path(), "public") >= 400, "everything else is there");
}
