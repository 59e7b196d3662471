//! Opening and closing: a file is read again after a stop, and foreign files stay untouched.

use super::{ANN, listed, message, open, temporary_file, texts};
use crate::support::room;
use futures_util::{FutureExt, StreamExt, future::join_all};
use server::store::{EventStore, NewEvent, OpenError, RoomOrder, SqliteStore, Store, StoreError, UserStore};
use std::{fs, path::Path};

/// Asserts that a file cannot be opened, and that the attempt changes nothing in its folder.
fn assert_rejected(folder: &Path, file: &Path) -> OpenError {
    let before = fs::read(file).unwrap();
    let Err(error) = SqliteStore::open(file) else { panic!("it must be rejected") };
    assert_eq!(fs::read(file).unwrap(), before, "the file is unchanged");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "there is no other file");
    error
}

#[tokio::test]
async fn a_reopened_store_keeps_its_data_and_continues_its_seqs() {
    let (_folder, file) = temporary_file();
    let store = open(&file);
    let id = store.log_id().to_owned();
    let first = message(0);
    store.append(first.clone()).await.unwrap();
    store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    store.close().await;

    let store = open(&file);
    assert_eq!(store.log_id(), id);
    assert_eq!(store.head(&room("tea")).await.unwrap(), 1);
    assert_eq!(store.users(&[ANN]).await.unwrap()[0].name.as_str(), "Ann");
    assert!(store.append(first).await.unwrap().is_duplicate, "ids are remembered");
    assert_eq!(store.append(message(1)).await.unwrap().seq, 2);
    assert_eq!(texts(&store).await, ["0", "1"]);
}

#[tokio::test]
async fn a_reopened_store_lists_rooms_by_recent_activity() {
    let (_folder, file) = temporary_file();
    let store = open(&file);
    for name in ["tea", "jam", "tea"] {
        store.append(NewEvent { room: room(name), ..message(0) }).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    store.close().await;
    let store = open(&file);
    assert_eq!(listed(&store, RoomOrder::Activity).await, [room("tea"), room("jam")]);
    assert_eq!(listed(&store, RoomOrder::Title).await, [room("jam"), room("tea")]);
}

#[tokio::test]
async fn acknowledged_events_survive_a_killed_process() {
    let (folder, file) = temporary_file();
    let store = open(&file);
    join_all((0..100).map(|n| store.append(message(n)))).await;
    // A killed process leaves behind the file and its write-ahead log as they are now.
    let copies = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        fs::copy(entry.path(), copies.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(texts(&open(&copies.path().join("hubbub.db"))).await.len(), 100);
}

#[tokio::test]
async fn queued_commands_share_one_commit() {
    let (_folder, file) = temporary_file();
    let store = open(&file);
    let mut notifications = store.subscribe();
    join_all((0..500).map(|n| store.append(message(n)))).await;
    let mut commits = 0;
    while let Some(Some(_)) = notifications.next().now_or_never() {
        commits += 1;
    }
    assert!((1..100).contains(&commits), "500 messages took {commits} commits");
}

#[tokio::test]
async fn closed_store_has_each_earlier_command_and_accepts_no_more() {
    let (_folder, file) = temporary_file();
    let store = open(&file);
    let posted = store.append(message(0));
    store.close().await;
    assert_eq!(posted.await.unwrap().seq, 1);
    let late = store.append(message(1)).await;
    assert!(matches!(late, Err(StoreError::Backend(_))), "{late:?}");
    assert_eq!(texts(&open(&file)).await, ["0"]);
}

#[test]
fn a_file_of_another_program_is_rejected_and_unchanged() {
    let (folder, file) = temporary_file();
    fs::write(&file, "Dear diary, today I wrote a text file.".repeat(10)).unwrap();
    assert!(matches!(assert_rejected(folder.path(), &file), OpenError::NotAHubbubDatabase));
    fs::write(&file, "short").unwrap();
    assert!(matches!(assert_rejected(folder.path(), &file), OpenError::NotAHubbubDatabase));
}

#[test]
fn a_database_of_another_program_is_rejected_and_unchanged() {
    let (folder, file) = temporary_file();
    let theirs = rusqlite::Connection::open(&file).unwrap();
    theirs.execute_batch("CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('a')").unwrap();
    drop(theirs);
    assert!(matches!(assert_rejected(folder.path(), &file), OpenError::NotAHubbubDatabase));
}

#[test]
fn a_file_of_a_newer_version_is_rejected_and_unchanged() {
    let (folder, file) = temporary_file();
    drop(rusqlite::Connection::open(&file).map(|newer| {
        newer.pragma_update(None, "application_id", 0x4875_6262).unwrap();
        newer.pragma_update(None, "user_version", 999).unwrap();
        newer.execute_batch("CREATE TABLE event (of_the_future TEXT)").unwrap();
    }));
    let rejected = assert_rejected(folder.path(), &file);
    assert!(matches!(rejected, OpenError::SchemaTooNew { found: 999, .. }), "{rejected:?}");
    assert!(rejected.to_string().contains("newer version"), "{rejected}");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let (_folder, file) = temporary_file();
    fs::write(&file, "").unwrap();
    SqliteStore::open(&file).unwrap();
    SqliteStore::open(&file).unwrap();
}
