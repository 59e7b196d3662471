//! `hubbub migrate`: a data folder moves into a PostgreSQL database.

mod clients;
mod interrupted;
mod refusals;
mod rows;

use crate::support::{TestDatabase, within_timeout};
use server::{
    config::{Config, SecretUrl},
    startup,
    store::{SqliteStore, Store},
};
use std::{fs, path::Path, process::Output};
use tempfile::TempDir;
use tokio::process::Command;

/// The command, ready to be run.
fn command(data: &Path, url: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.args(["migrate", "--to", url, "--data"]).arg(data).args(more).env_clear().kill_on_drop(true);
    command
}

async fn migrate(data: &Path, url: &str, more: &[&str]) -> Output {
    within_timeout(command(data, url, more).output()).await.unwrap()
}

/// Returns what a successful migration has printed.
async fn succeeds(data: &Path, url: &str, more: &[&str]) -> String {
    let output = migrate(data, url, more).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the last line on stderr of a migration that fails after its start.
async fn fails(data: &Path, url: &str, more: &[&str]) -> String {
    let output = migrate(data, url, more).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
    let last = errors.lines().last().expect("a line on stderr").to_owned();
    assert!(last.starts_with("hubbub: ") && !last.contains("secret"), "{errors}");
    last
}

/// Returns the only line on stderr of a migration that is refused.
async fn refused(data: &Path, url: &str, more: &[&str]) -> String {
    let output = migrate(data, url, more).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
    assert!(errors.lines().count() == 1 && !errors.contains("secret"), "{errors}");
    errors
}

/// Returns a data folder with a key, whose messages are those of `statements`.
async fn folder_with(statements: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cookie.key"), [9; 64]).unwrap();
    SqliteStore::open(&folder.path().join("hubbub.db")).unwrap().close().await;
    alter(folder.path(), statements);
    folder
}

/// Executes statements on the messages of a folder.
fn alter(data: &Path, statements: &str) {
    rusqlite::Connection::open(data.join("hubbub.db")).unwrap().execute_batch(statements).unwrap();
}

/// Returns statements for a room with messages of seven users.
fn messages(room: &str, count: u32) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO event (room, seq, at, id, author, kind, text)
         SELECT '{room}', i, 1000 + i, randomblob(16), 10 + i % 7, 0, 'message ' || i FROM n;
         INSERT INTO room (name, head, active_at) VALUES ('{room}', {count}, {count} + 1000);
         INSERT INTO reading (person, room, seq, at) VALUES (10, '{room}', 1, 1000);
         INSERT INTO visitor VALUES (10, 1);"
    )
}

/// Returns why no server starts with these settings.
async fn start_error(change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config { ephemeral: false, ..Config::plain() };
    change(&mut config);
    startup::open(config).await.map(drop).expect_err("no server may start")
}

async fn start_error_on(database: &TestDatabase) -> String {
    start_error(|config| config.database = Some(SecretUrl(database.url.clone()))).await
}

async fn start_error_in(data: &Path) -> String {
    start_error(|config| config.data = data.into()).await
}
