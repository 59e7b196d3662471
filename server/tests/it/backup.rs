//! `hubbub backup` and `hubbub restore`, as an operator uses them.

use crate::support::{Process, events, within_timeout};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};
use tempfile::TempDir;
use tokio::process::Command;

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_hubbub").into()
}

async fn hubbub(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(args).arg("--data").arg(data).env_clear();
    within_timeout(command.output()).await.unwrap()
}

async fn succeed(data: &Path, args: &[&str]) -> String {
    let output = hubbub(data, args).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that fails. Returns its one line on stderr.
async fn fail(data: &Path, args: &[&str]) -> String {
    let output = hubbub(data, args).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{args:?}: {error}");
    error
}

/// Posts as the user of `cookie`, or as a new one. Returns the cookie.
async fn post(server: &Process, text: &str, cookie: Option<&str>) -> String {
    let url = format!("http://{}/api/rooms/tea/messages", server.address);
    let mut request = reqwest::Client::new().post(url).body(text.to_owned());
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let answer = within_timeout(request.send()).await.unwrap();
    assert_eq!(answer.status(), 201);
    let set = answer.headers().get("set-cookie").and_then(|set| set.to_str().ok());
    let new_cookie = set.and_then(|set| set.split(';').next()).map(str::to_owned);
    new_cookie.or_else(|| cookie.map(str::to_owned)).expect("an identity")
}

async fn log_id(server: &Process) -> String {
    let url = format!("http://{}/api/rooms/tea/messages", server.address);
    let page: serde_json::Value = within_timeout(reqwest::get(url)).await.unwrap().json().await.unwrap();
    page["log"].as_str().unwrap().to_owned()
}

fn temporary_file() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nightly.hubbub").to_str().unwrap().to_owned();
    (folder, file)
}

#[tokio::test]
async fn live_backup_restores_messages_and_users_under_a_new_log_id() {
    let server = Process::start(binary()).await.unwrap();
    let ann = post(&server, "0", None).await;
    for n in 1..50 {
        post(&server, &n.to_string(), Some(&ann)).await;
    }
    let (_folder, file) = temporary_file();
    let output = succeed(server.folder.path(), &["backup", &file]).await;
    assert!(output.contains("50 events in 1 room"), "{output}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (before, author) = (log_id(&server).await, events(server.address, "tea").await.unwrap()[0].author.id);

    let data = tempfile::tempdir().unwrap();
    succeed(data.path(), &["restore", &file]).await;
    let restored = Process::start_in(data, binary()).await.unwrap();
    assert_ne!(log_id(&restored).await, before, "clients start with the newest page");
    post(&restored, "after", Some(&ann)).await;
    let events = events(restored.address, "tea").await.unwrap();
    assert_eq!((events.len(), events[50].author.id), (51, author), "the cookie is still Ann's");
}

#[tokio::test]
async fn backup_replaces_files_only_with_force_and_never_server_files() {
    let server = Process::start(binary()).await.unwrap();
    post(&server, "hello", None).await;
    let data = server.folder.path();
    let (folder, file) = temporary_file();
    fs::write(&file, "something else").unwrap();
    assert!(fail(data, &["backup", &file]).await.contains("--force"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "something else");
    for own in ["hubbub.db", "hubbub.db-wal", "cookie.key", "lock"] {
        let own = data.join(own);
        let error = fail(data, &["backup", own.to_str().unwrap(), "--force"]).await;
        assert!(error.contains("another name"), "{error}");
    }
    assert!(fail(data, &["backup", folder.path().to_str().unwrap()]).await.contains("folder"));
    succeed(data, &["backup", &file, "--force"]).await;
    assert!(fs::read(&file).unwrap().starts_with(b"SQLite format 3"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_folder_without_messages_is_neither_backed_up_nor_created() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, file) = temporary_file();
    let missing = parent.path().join("typo");
    assert!(fail(&missing, &["backup", &file]).await.contains("no messages"));
    assert!(!missing.exists() && fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn restore_needs_a_stopped_server_and_force_and_keeps_old_data() {
    let mut server = Process::start(binary()).await.unwrap();
    post(&server, "old", None).await;
    let (_folder, file) = temporary_file();
    succeed(server.folder.path(), &["backup", &file]).await;
    post(&server, "new", None).await;
    let error = fail(server.folder.path(), &["restore", &file, "--force"]).await;
    assert!(error.contains("another hubbub"), "{error}");
    server.stop("-KILL").await.unwrap();
    let error = fail(server.folder.path(), &["restore", &file]).await;
    assert!(error.contains("--force"), "{error}");

    let output = succeed(server.folder.path(), &["restore", &file, "--force"]).await;
    server.restart().await.unwrap();
    assert_eq!(events(server.address, "tea").await.unwrap().len(), 1);
    let kept = output.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap();
    let former = rusqlite::Connection::open(kept).unwrap();
    let count: i64 = former.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2, "with what lay in its write-ahead log");
}

#[tokio::test]
async fn restore_rejects_an_incomplete_backup() {
    let server = Process::start(binary()).await.unwrap();
    for n in 0..100 {
        post(&server, &format!("{n} {}", "x".repeat(500)), None).await;
    }
    let (_folder, file) = temporary_file();
    succeed(server.folder.path(), &["backup", &file]).await;
    let mut damaged = fs::read(&file).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8_000].fill(0x5a);
    let bare = fs::read(server.folder.path().join("hubbub.db")).unwrap();
    let data = tempfile::tempdir().unwrap();
    for (content, why) in [
        (damaged, "malformed|damaged"),
        (bare, "write-ahead log"),
        (b"a diary ".repeat(99), "not a Hubbub database"),
    ] {
        fs::write(&file, content).unwrap();
        let error = fail(data.path(), &["restore", &file]).await;
        assert!(why.split('|').any(|why| error.contains(why)), "{error}");
        assert!(!data.path().join("hubbub.db").exists());
    }
    assert!(fail(data.path(), &["restore", "/nowhere/file"]).await.contains("/nowhere/file"));
}

#[tokio::test]
async fn a_backup_that_is_copied_into_an_empty_folder_is_a_restore() {
    let server = Process::start(binary()).await.unwrap();
    let ann = post(&server, "hello", None).await;
    let (before, data) = (log_id(&server).await, tempfile::tempdir().unwrap());
    let file = data.path().join("nightly.hubbub");
    succeed(server.folder.path(), &["backup", file.to_str().unwrap()]).await;
    fs::rename(&file, data.path().join("hubbub.db")).unwrap();
    let mut restored = Process::start_in(data, binary()).await.unwrap();
    let log = log_id(&restored).await;
    assert_ne!(log, before);
    post(&restored, "after", Some(&ann)).await;
    let events = events(restored.address, "tea").await.unwrap();
    assert_eq!(events[0].author.id, events[1].author.id);
    restored.stop("-TERM").await.unwrap();
    restored.restart().await.unwrap();
    assert_eq!(log_id(&restored).await, log, "a restart is no restore");
}
