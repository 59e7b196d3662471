//! The import of an archive elsewhere.

use super::{ANN, BOB, Installation, entries, events, export, objects};
use crate::{
    command::{ends, folder, hubbub, run},
    files::{
        bucket::{environment, keys, start_bucket},
        noise,
    },
    support::TestDatabase,
};
use app::wire::FileInfo;
use server::files::objects::FilePlace;
use std::{fs, path::Path, sync::Arc, time::Duration};

#[tokio::test]
async fn import_brings_the_files_once_and_they_go_with_their_messages() {
    let folder = folder();
    let (expected, shown) = export(folder.path()).await;
    let args = ["import", "tea.zip", "--data", "to"];
    let imported = run(folder.path(), &args).await.unwrap();
    assert_eq!(imported, "The room tea has 5 events and 4 files more.\n");
    let place = folder.path().join("to/files");
    let all = objects(&place);
    assert_eq!(all, objects(&folder.path().join("from/files")), "thumbnails too, and no parts of uploads");
    let again = run(folder.path(), &args).await.unwrap();
    assert_eq!(again, "The room tea has 0 events more. 5 events were there already.\n");
    assert_eq!(objects(&place), all);
    run(folder.path(), &["export", "tea", "--data", "to", "--out", "again.zip"]).await.unwrap();
    let read = |name| entries(&fs::read(folder.path().join(name)).unwrap());
    let (mut first, mut second) = (read("tea.zip"), read("again.zip"));
    for entry in ["room.json", "messages.md"] {
        first.remove(entry);
        second.remove(entry);
    }
    assert_eq!(first, second);
    let to = Installation::open(&folder.path().join("to"));
    assert_eq!((events(&*to.store, "tea").await, to.shown("tea").await), (expected, shown.clone()));
    to.delete(ANN, 1).await;
    to.sweep().await;
    assert_eq!(objects(&place).len(), 3, "another message shows the picture");
    to.delete(BOB, 2).await;
    to.delete(BOB, 5).await;
    to.sweep().await;
    assert_eq!((objects(&place), to.store.file_bytes().await.unwrap()), (Vec::new(), 0));
}

#[tokio::test]
async fn an_import_to_postgres_and_back_has_the_files() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = folder();
    let (expected, shown) = export(folder.path()).await;
    let url = database.url.as_str();
    let no_place = run(folder.path(), &["import", "tea.zip", "--database", url]).await.unwrap_err();
    assert!(no_place.contains("it has files") && no_place.contains("--files"), "{no_place}");
    let to =
        Installation::new(Arc::new(database.open().await), &FilePlace::Folder(folder.path().join("shared")));
    assert!(events(&*to.store, "tea").await.is_empty());
    let args = ["import", "tea.zip", "--database", url, "--files", "shared"];
    assert_eq!(run(folder.path(), &args).await.unwrap(), "The room tea has 5 events and 4 files more.\n");
    assert!(run(folder.path(), &args).await.unwrap().contains("5 events were there already"));
    assert_eq!((events(&*to.store, "tea").await, to.shown("tea").await), (expected.clone(), shown.clone()));
    let no_place =
        run(folder.path(), &["export", "tea", "--database", url, "--out", "x.zip"]).await.unwrap_err();
    assert!(no_place.contains("the room has files") && no_place.contains("--files"), "{no_place}");
    assert!(!folder.path().join("x.zip").exists() && !folder.path().join("x.zip.part").exists());
    run(folder.path(), &["export", "tea", "--database", url, "--files", "shared", "--out", "back.zip"])
        .await
        .unwrap();
    run(folder.path(), &["import", "back.zip", "--data", "back"]).await.unwrap();
    let back = Installation::open(&folder.path().join("back"));
    assert_eq!((events(&*back.store, "tea").await, back.shown("tea").await), (expected, shown));
    for (user, message) in [(ANN, 1), (BOB, 2), (BOB, 5)] {
        to.delete(user, message).await;
    }
    to.sweep().await;
    assert_eq!(objects(&folder.path().join("shared")), [] as [&str; 0]);
}

#[tokio::test]
async fn an_import_into_a_bucket_and_back_has_the_files() {
    let Some((_bucket, address)) = start_bucket().await else { return };
    let folder = folder();
    let (expected, shown) = export(folder.path()).await;
    let run_there = async |args: &[&str]| {
        let mut command = hubbub(folder.path(), args);
        command.envs(environment(address));
        let output = ends(command).await;
        assert!(output.status.success(), "{output:?}");
    };
    for _ in 0..2 {
        run_there(&["import", "tea.zip", "--data", "to"]).await;
        assert_eq!(keys(address).await.len(), 4, "three contents and a thumbnail");
    }
    assert!(!folder.path().join("to/files").exists());
    run_there(&["export", "tea", "--data", "to", "--out", "back.zip"]).await;
    run(folder.path(), &["import", "back.zip", "--data", "back"]).await.unwrap();
    let back = Installation::open(&folder.path().join("back"));
    assert_eq!((events(&*back.store, "tea").await, back.shown("tea").await), (expected, shown));
}

#[tokio::test]
async fn an_import_of_files_that_was_killed_continues() {
    let folder = folder();
    let expected = export_many(folder.path()).await;
    let args = ["import", "tea.zip", "--data", "to"];
    let place = folder.path().join("to/files");
    for kills in 1..=3 {
        kill_when(folder.path(), &args, || place.exists() && objects(&place).len() >= 8 * kills).await;
    }
    let rest = run(folder.path(), &args).await.unwrap();
    assert!(rest.contains("60 events and 60 files more"), "they are one step: {rest}");
    let to = Installation::open(&folder.path().join("to"));
    assert_eq!(to.shown("tea").await, expected);
    assert_eq!(to.store.file_bytes().await.unwrap(), 60 * 200_000, "nothing is counted twice");
    assert_eq!(objects(&place).len(), 60);
}

/// Exports a room with 60 files, whose import is one step of some seconds. Returns the files.
async fn export_many(folder: &Path) -> Vec<(FileInfo, Vec<u8>)> {
    let from = Installation::open(&folder.join("from"));
    for n in 0..60 {
        let mut bytes = noise(200_000);
        bytes[0] = n;
        from.post(ANN, "look", &[("a.bin", "", &bytes)]).await;
    }
    let shown = from.shown("tea").await;
    from.store.close().await;
    run(folder, &["export", "tea", "--data", "from"]).await.unwrap();
    shown
}

/// Runs a command and kills it at whatever point it has reached when something is there.
async fn kill_when(folder: &Path, args: &[&str], is_there: impl Fn() -> bool) {
    let mut child = hubbub(folder, args).spawn().unwrap();
    while !is_there() && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().await.unwrap();
}

#[tokio::test]
async fn killed_import_leaves_nothing_after_an_hour_if_not_resumed() {
    let folder = folder();
    export_many(folder.path()).await;
    let place = folder.path().join("to/files");
    let has_begun = || place.exists() && !objects(&place).is_empty();
    kill_when(folder.path(), &["import", "tea.zip", "--data", "to"], has_begun).await;
    let to = Installation::open(&folder.path().join("to"));
    assert!(events(&*to.store, "tea").await.is_empty(), "it was killed before its only step was stored");
    to.sweep().await;
    assert!(!objects(&place).is_empty(), "the same command may continue");
    let hour_ago = "UPDATE file SET touched_at = touched_at - 3601000";
    let db = rusqlite::Connection::open(folder.path().join("to/hubbub.db")).unwrap();
    assert!(db.execute(hour_ago, []).unwrap() > 0);
    to.sweep().await;
    assert_eq!((objects(&place), to.store.file_bytes().await.unwrap()), (Vec::new(), 0));
}
