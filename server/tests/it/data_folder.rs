//! The data folder and its operator: permissions, copies, links and leftovers.

use crate::support::{Process, room, within_timeout};
use app::wire::UserId;
use server::{
    config::Config,
    startup::{Startup, start},
    store::{EventStore, NewEvent, OpenError, SqliteStore, Store},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use uuid::Uuid;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn config(data: &Path) -> Config {
    Config { ephemeral: false, data: data.into(), ..Config::plain() }
}

/// Starts a server, posts a message and stops the server.
async fn use_once(data: &Path) {
    let Startup { state, lock: _lock } = start(config(data)).unwrap();
    state.store.append(message("hello")).await.unwrap();
    state.store.close().await;
}

fn message(text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room("tea"), UserId(0xa), text)
}

async fn count(log: &SqliteStore) -> usize {
    log.events_after(&room("tea"), 0, u32::MAX).await.unwrap().len()
}

#[tokio::test]
async fn a_new_folder_and_its_files_are_private() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("deep").join("data");
    let Startup { state, lock: _lock } = start(config(&data)).unwrap();
    state.store.append(message("hello")).await.unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&data).unwrap().flatten() {
        let expected = if entry.path().is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&entry.path()), expected, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(
        names,
        ["cookie.key", "files", "hubbub.db", "hubbub.db-record", "hubbub.db-shm", "hubbub.db-wal", "lock"]
    );
}

#[tokio::test]
async fn a_folder_becomes_private_unless_it_has_other_files() {
    for other in [false, true] {
        let data = tempfile::tempdir().unwrap();
        use_once(data.path()).await;
        set_mode(data.path(), 0o755);
        for name in ["hubbub.db", "cookie.key", "lock"] {
            set_mode(&data.path().join(name), 0o644);
        }
        if other {
            fs::write(data.path().join("diary.txt"), "").unwrap();
        }
        use_once(data.path()).await;
        assert_eq!(mode(data.path()), if other { 0o755 } else { 0o700 });
        for name in ["hubbub.db", "cookie.key", "lock"] {
            assert_eq!(mode(&data.path().join(name)), 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn a_truncated_key_is_rejected_and_unchanged() {
    for cut in [0, 1, 63] {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("cookie.key");
        fs::write(&key, "k".repeat(cut)).unwrap();
        let error = start(config(data.path())).map(drop).unwrap_err();
        assert!(error.contains("cookie.key") && error.contains("truncated"), "{error}");
        assert_eq!(fs::read(&key).unwrap().len(), cut, "the file is unchanged");
    }
}

/// Runs a server on a new folder, and returns the copy that `copy` makes of it meanwhile.
async fn copied(copy: impl FnOnce(&Path, &Path)) -> (TempDir, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let log = SqliteStore::open(&data.path().join("hubbub.db")).unwrap();
    for n in 0..100 {
        log.append(message(&n.to_string())).await.unwrap();
    }
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("hubbub.db");
    copy(&data.path().join("hubbub.db"), &file);
    (copies, file)
}

#[tokio::test]
async fn live_copy_without_its_wal_is_rejected_and_left_unchanged() {
    let (folder, file) = copied(|from, to| assert!(fs::copy(from, to).is_ok())).await;
    let before = fs::read(&file).unwrap();
    let error = SqliteStore::open(&file).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::MissingWal), "{error:?}");
    assert!(error.to_string().contains("hubbub backup"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "there is no other file");
}

#[tokio::test]
async fn copies_that_sqlite_makes_of_a_running_store_are_complete() {
    let by_backup = |from: &Path, to: &Path| {
        let mut to = rusqlite::Connection::open(to).unwrap();
        let from = rusqlite::Connection::open(from).unwrap();
        let backup = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
        backup.run_to_completion(100, std::time::Duration::ZERO, None).unwrap();
    };
    let by_vacuum = |from: &Path, to: &Path| {
        rusqlite::Connection::open(from).unwrap().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    };
    for (_folder, file) in [copied(by_backup).await, copied(by_vacuum).await] {
        assert_eq!(count(&SqliteStore::open(&file).unwrap()).await, 100);
    }
}

#[tokio::test]
async fn a_copy_with_its_wal_is_complete() {
    let (_folder, file) = copied(|from, to| {
        fs::copy(from, to).unwrap();
        fs::copy(from.with_file_name("hubbub.db-wal"), to.with_file_name("hubbub.db-wal")).unwrap();
    })
    .await;
    assert_eq!(count(&SqliteStore::open(&file).unwrap()).await, 100);
}

#[tokio::test]
async fn a_closed_store_is_one_file_and_its_copy_is_complete() {
    let data = tempfile::tempdir().unwrap();
    use_once(data.path()).await;
    assert!(!data.path().join("hubbub.db-wal").exists());
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("hubbub.db");
    fs::copy(data.path().join("hubbub.db"), &file).unwrap();
    assert_eq!(count(&SqliteStore::open(&file).unwrap()).await, 1);
}

async fn killed() -> Process {
    let mut server = Process::start(env!("CARGO_BIN_EXE_hubbub").into()).await.unwrap();
    let url = format!("http://{}/api/rooms/tea/messages", server.address);
    for n in 0..10 {
        let posted =
            within_timeout(reqwest::Client::new().post(&url).body(n.to_string()).send()).await.unwrap();
        assert_eq!(posted.status(), 201);
    }
    server.stop("-KILL").await.unwrap();
    server
}

#[tokio::test]
async fn store_opens_after_a_kill_and_a_checkpoint_by_another_program() {
    let server = killed().await;
    let file = server.folder.path().join("hubbub.db");
    let other = rusqlite::Connection::open(&file).unwrap();
    let events: i64 = other.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    other.close().unwrap();
    assert_eq!(events, 10);
    assert!(!server.folder.path().join("hubbub.db-wal").exists(), "SQLite has folded it in");
    assert_eq!(count(&SqliteStore::open(&file).unwrap()).await, 10);
}

#[tokio::test]
async fn a_killed_store_without_its_wal_is_rejected() {
    let server = killed().await;
    fs::remove_file(server.folder.path().join("hubbub.db-wal")).unwrap();
    let error = SqliteStore::open(&server.folder.path().join("hubbub.db")).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::MissingWal), "{error:?}");
}

#[tokio::test]
async fn a_closed_store_with_a_foreign_wal_is_rejected_and_unchanged() {
    let server = killed().await;
    let file = server.folder.path().join("hubbub.db");
    let (folder, closed) = (tempfile::tempdir().unwrap(), "hubbub.db");
    use_once(folder.path()).await;
    fs::copy(folder.path().join(closed), &file).unwrap();
    let wal = fs::read(server.folder.path().join("hubbub.db-wal")).unwrap();
    let error = SqliteStore::open(&file).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::ForeignWal), "{error:?}");
    assert_eq!(fs::read(server.folder.path().join("hubbub.db-wal")).unwrap(), wal);
}

#[tokio::test]
async fn a_store_behind_a_symbolic_link_stays_at_its_target() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    use_once(elsewhere.path()).await;
    let link = folder.path().join("hubbub.db");
    symlink(elsewhere.path().join("hubbub.db"), &link).unwrap();
    let log = SqliteStore::open(&link).unwrap();
    log.append(message("again")).await.unwrap();
    log.close().await;
    assert!(link.is_symlink());
    assert_eq!(count(&SqliteStore::open(&elsewhere.path().join("hubbub.db")).unwrap()).await, 2);
    let lost = folder.path().join("lost.db");
    symlink("nowhere", &lost).unwrap();
    let error = SqliteStore::open(&lost).map(drop).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
}

#[tokio::test]
async fn folder_moved_under_a_running_server_keeps_everything() {
    let parent = tempfile::tempdir().unwrap();
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    let Startup { state, lock: _lock } = start(config(&here)).unwrap();
    state.store.append(message("before")).await.unwrap();
    fs::rename(&here, &there).unwrap();
    let after = state.store.append(message("after")).await;
    state.store.close().await;
    let stored = 1 + usize::from(after.is_ok());
    assert_eq!(count(&SqliteStore::open(&there.join("hubbub.db")).unwrap()).await, stored);
    assert!(!here.exists(), "no file is created at the old path");
}
