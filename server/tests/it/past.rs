//! A log that was put back from an older copy is another past: a client that had seen more begins with the newest page.

use crate::support::room;
use app::wire::{CommandId, Seq, UserId};
use server::store::{EventStore, NewEvent, SqliteStore, Store, StreamPosition};
use std::{fs, path::Path};
use tempfile::TempDir;
use uuid::Uuid;

async fn post(log: &SqliteStore, count: usize) -> Vec<CommandId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let message = NewEvent::message(Uuid::now_v7(), room("tea"), UserId(0xa), "hello");
        ids.push(message.id);
        log.append(message).await.unwrap();
    }
    ids
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("hubbub.db")).unwrap()
}

/// Copies a whole data folder, as an operator does.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

async fn continues(log: &SqliteStore, after: Seq, after_id: Option<CommandId>, id: &str) -> bool {
    log.continues(&room("tea"), StreamPosition { after, after_id, log: Some(id.into()) }).await.unwrap()
}

#[tokio::test]
async fn a_restart_continues_every_past_under_the_same_identity() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let (id, ids) = (log.log_id().to_owned(), post(&log, 5).await);
    log.close().await;
    for _ in 0..3 {
        let log = open(folder.path());
        assert_eq!(log.log_id(), id);
        assert!(continues(&log, 5, None, &id).await && continues(&log, 5, Some(ids[4]), &id).await);
        log.close().await;
    }
}

#[tokio::test]
async fn a_folder_that_was_put_back_continues_what_it_has_and_nothing_that_came_later() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let shared = post(&log, 5).await;
    log.close().await;
    let backup = copy(folder.path());

    let log = open(folder.path());
    let (id, lost) = (log.log_id().to_owned(), post(&log, 5).await);
    log.close().await;

    let log = open(backup.path());
    assert_ne!(log.log_id(), id, "another epoch");
    let new = post(&log, 7).await;
    assert!(continues(&log, 5, None, &id).await, "what is shared continues");
    assert!(continues(&log, 5, Some(shared[4]), &id).await);
    assert!(!continues(&log, 10, None, &id).await, "another event stands there");
    assert!(!continues(&log, 10, Some(lost[4]), &id).await);
    let present = log.log_id().to_owned();
    assert!(continues(&log, 10, Some(new[4]), &present).await && continues(&log, 10, None, &present).await);
    assert!(!continues(&log, 10, None, &format!("{id}.unheard")).await, "an epoch that is not known");
    log.close().await;
    let log = open(backup.path());
    assert_eq!(log.log_id(), present, "and from then on a restart is a restart");
    assert!(!continues(&log, 10, None, &id).await);
}

#[tokio::test]
async fn an_older_file_that_was_copied_over_the_present_one_is_another_past() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    post(&log, 5).await;
    log.close().await;
    let backup = copy(folder.path());
    let log = open(folder.path());
    post(&log, 5).await;
    let id = log.log_id().to_owned();
    log.close().await;
    // The same file with another content: what `cp` does.
    fs::write(folder.path().join("hubbub.db"), fs::read(backup.path().join("hubbub.db")).unwrap()).unwrap();
    let log = open(folder.path());
    assert_ne!(log.log_id(), id);
    post(&log, 7).await;
    assert!(!continues(&log, 10, None, &id).await);
}
