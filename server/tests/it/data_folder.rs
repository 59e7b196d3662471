//! The data folder in the operator's hands: who may read it, and what becomes of copies, links and leftovers.

use crate::support::{Process, room, soon};
use app::wire::UserId;
use server::{
    config::Config,
    startup::{Startup, start},
    store::{NewEvent, OpenError, SqliteStore, Store},
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

/// Posts a message to a server that has just started, then ends it cleanly.
async fn use_once(data: &Path) {
    let Startup { state, lock: _lock } = start(config(data)).unwrap();
    state.store.append(message("hello")).await.unwrap();
    state.store.close().await;
}

fn message(text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room("tea"), UserId(0xa), text)
}

async fn count(log: &SqliteStore) -> usize {
    log.read_after(&room("tea"), 0, u32::MAX).await.unwrap().len()
}

#[tokio::test]
async fn a_new_folder_and_every_file_in_it_are_for_their_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("deep").join("data");
    let Startup { state, lock: _lock } = start(config(&data)).unwrap();
    state.store.append(message("hello")).await.unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&data).unwrap().flatten() {
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(
        names,
        ["cookie.key", "hubbub.db", "hubbub.db-record", "hubbub.db-shm", "hubbub.db-wal", "lock"]
    );
}

#[tokio::test]
async fn a_folder_of_an_older_version_becomes_private_and_one_with_other_things_keeps_its_mode() {
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
async fn a_key_that_was_cut_off_is_refused_and_stays_as_it_was() {
    for cut in [0, 1, 63] {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("cookie.key");
        fs::write(&key, "k".repeat(cut)).unwrap();
        let refused = start(config(data.path())).map(drop).unwrap_err();
        assert!(refused.contains("cookie.key") && refused.contains("truncated"), "{refused}");
        assert_eq!(fs::read(&key).unwrap().len(), cut, "it stays as it was");
    }
}

/// Runs a server on a new folder and gives the copy that `copy` makes of it while it runs.
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
async fn a_copy_of_the_bare_file_of_a_running_server_is_refused_and_stays_as_it_was() {
    let (folder, file) = copied(|from, to| assert!(fs::copy(from, to).is_ok())).await;
    let before = fs::read(&file).unwrap();
    let refused = SqliteStore::open(&file).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::WithoutWal), "{refused:?}");
    assert!(refused.to_string().contains("hubbub backup"), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
}

#[tokio::test]
async fn copies_that_sqlite_makes_of_a_running_log_are_complete() {
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
async fn a_copy_with_its_write_ahead_log_is_complete() {
    let (_folder, file) = copied(|from, to| {
        fs::copy(from, to).unwrap();
        fs::copy(from.with_file_name("hubbub.db-wal"), to.with_file_name("hubbub.db-wal")).unwrap();
    })
    .await;
    assert_eq!(count(&SqliteStore::open(&file).unwrap()).await, 100);
}

#[tokio::test]
async fn a_log_that_was_closed_is_one_file_and_its_copy_is_complete() {
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
        let posted = soon(reqwest::Client::new().post(&url).body(n.to_string()).send()).await.unwrap();
        assert_eq!(posted.status(), 201);
    }
    server.end("-KILL").await.unwrap();
    server
}

#[tokio::test]
async fn a_killed_log_that_another_program_has_opened_and_folded_in_starts() {
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
async fn a_killed_log_whose_write_ahead_log_was_removed_is_refused() {
    let server = killed().await;
    fs::remove_file(server.folder.path().join("hubbub.db-wal")).unwrap();
    let refused = SqliteStore::open(&server.folder.path().join("hubbub.db")).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::WithoutWal), "{refused:?}");
}

#[tokio::test]
async fn a_closed_log_beside_a_write_ahead_log_that_is_not_its_own_is_refused_and_both_stay() {
    let server = killed().await;
    let file = server.folder.path().join("hubbub.db");
    let (folder, closed) = (tempfile::tempdir().unwrap(), "hubbub.db");
    use_once(folder.path()).await;
    fs::copy(folder.path().join(closed), &file).unwrap();
    let wal = fs::read(server.folder.path().join("hubbub.db-wal")).unwrap();
    let refused = SqliteStore::open(&file).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::ForeignWal), "{refused:?}");
    assert_eq!(fs::read(server.folder.path().join("hubbub.db-wal")).unwrap(), wal);
}

#[tokio::test]
async fn a_log_behind_a_symbolic_link_is_kept_where_the_link_leads() {
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
    let refused = SqliteStore::open(&lost).map(drop).unwrap_err();
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
}

#[tokio::test]
async fn a_folder_that_is_moved_while_its_server_runs_starts_where_it_is_with_everything() {
    let parent = tempfile::tempdir().unwrap();
    let (here, there) = (parent.path().join("here"), parent.path().join("there"));
    let Startup { state, lock: _lock } = start(config(&here)).unwrap();
    state.store.append(message("before")).await.unwrap();
    fs::rename(&here, &there).unwrap();
    let after = state.store.append(message("after")).await;
    state.store.close().await;
    let stored = 1 + usize::from(after.is_ok());
    assert_eq!(count(&SqliteStore::open(&there.join("hubbub.db")).unwrap()).await, stored);
    assert!(!here.exists(), "nothing is made in the old place");
}
