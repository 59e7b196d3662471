//! A store that was restored from an older copy has a new log id: a client with later events starts with the newest page.

use crate::support::room;
use app::wire::{CommandId, Seq, UserId};
use server::store::{EventStore, NewEvent, SqliteStore, Store, StreamPosition};
use std::{fs, path::Path};
use tempfile::TempDir;
use uuid::Uuid;

async fn post(store: &SqliteStore, count: usize) -> Vec<CommandId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let message = NewEvent::message(Uuid::now_v7(), room("tea"), UserId(0xa), "hello");
        ids.push(message.id);
        store.append(message).await.unwrap();
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

async fn continues(store: &SqliteStore, after: Seq, after_id: Option<CommandId>, id: &str) -> bool {
    store.continues(&room("tea"), StreamPosition { after, after_id, log: Some(id.into()) }).await.unwrap()
}

#[tokio::test]
async fn a_restart_continues_every_position_under_the_same_log_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (id, ids) = (store.log_id().to_owned(), post(&store, 5).await);
    store.close().await;
    for _ in 0..3 {
        let store = open(folder.path());
        assert_eq!(store.log_id(), id);
        assert!(continues(&store, 5, None, &id).await && continues(&store, 5, Some(ids[4]), &id).await);
        store.close().await;
    }
}

#[tokio::test]
async fn restored_folder_continues_its_own_positions_not_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let shared = post(&store, 5).await;
    store.close().await;
    let backup = copy(folder.path());

    let store = open(folder.path());
    let (id, lost) = (store.log_id().to_owned(), post(&store, 5).await);
    store.close().await;

    let store = open(backup.path());
    assert_ne!(store.log_id(), id, "a new epoch");
    let new = post(&store, 7).await;
    assert!(continues(&store, 5, None, &id).await, "a shared position continues");
    assert!(continues(&store, 5, Some(shared[4]), &id).await);
    assert!(!continues(&store, 10, None, &id).await, "another event is at this position");
    assert!(!continues(&store, 10, Some(lost[4]), &id).await);
    let current_id = store.log_id().to_owned();
    assert!(
        continues(&store, 10, Some(new[4]), &current_id).await
            && continues(&store, 10, None, &current_id).await
    );
    assert!(!continues(&store, 10, None, &format!("{id}.unheard")).await, "an unknown epoch");
    store.close().await;
    let store = open(backup.path());
    assert_eq!(store.log_id(), current_id, "a later restart keeps the id");
    assert!(!continues(&store, 10, None, &id).await);
}

#[tokio::test]
async fn an_older_file_copied_over_the_current_one_has_a_new_log_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    post(&store, 5).await;
    store.close().await;
    let backup = copy(folder.path());
    let store = open(folder.path());
    post(&store, 5).await;
    let id = store.log_id().to_owned();
    store.close().await;
    // The same file with another content: what `cp` does.
    fs::write(folder.path().join("hubbub.db"), fs::read(backup.path().join("hubbub.db")).unwrap()).unwrap();
    let store = open(folder.path());
    assert_ne!(store.log_id(), id);
    post(&store, 7).await;
    assert!(!continues(&store, 10, None, &id).await);
}
