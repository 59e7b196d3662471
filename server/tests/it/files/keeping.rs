//! The lifetime of files, and their place.

use super::{Uploader, noise, png, sent};
use crate::support::{Process, TestServer, room, within_timeout};
use app::wire::{Operation, UserId};
use reqwest::StatusCode;
use server::store::NewEvent;
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};
use tokio::process::Command;
use uuid::Uuid;

/// Returns the names in the folder of files, with those in folders.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => found.extend(names(&entry.path())),
            false => found.push(entry.file_name().into_string().unwrap()),
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_bytes_go_with_the_last_message_that_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let (ann, bob) = (Uploader::new(&server).await, Uploader::new(&server).await);
    let picture = png(900, 700);
    let (one, other) =
        (ann.upload("tea", "a.png", &picture).await, bob.upload("tea", "b.png", &picture).await);
    ann.post("tea", "one", &[one.id]).await;
    bob.post("tea", "two", &[other.id]).await;
    let files = folder.path().join("files");
    assert_eq!(names(&files).len(), 2, "the picture and its thumbnail");
    let delete = async |who: &Uploader, seq: u64| {
        sent(who.request("POST", &format!("/r/tea/{seq}/delete")).header("accept", "text/html")).await;
        assert!(!server.state.files.sweep().await.unwrap());
    };
    delete(&ann, 1).await;
    assert_eq!(ann.get(&one.path()).await.status(), StatusCode::NOT_FOUND);
    assert_eq!((ann.get(&other.path()).await.status(), names(&files).len()), (StatusCode::OK, 2));
    delete(&bob, 2).await;
    assert_eq!(ann.get(&other.path()).await.status(), StatusCode::NOT_FOUND);
    assert_eq!((names(&files), server.store().file_bytes().await.unwrap()), (Vec::new(), 0));
}

#[tokio::test]
async fn an_upload_that_no_message_shows_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Uploader::new(&server).await;
    let ready = ann.upload("tea", "a.png", &png(30, 30)).await;
    ann.post("tea", "hello", &[]).await;
    let begun = ann.begin("tea", "b.bin", 200 * 1_024).await.json().await.unwrap();
    ann.part(super::id(&begun), 0, &noise(100 * 1_024)).await;
    assert!(!server.state.files.sweep().await.unwrap());
    assert_eq!(names(&folder.path().join("files")).len(), 3, "both are young");
    let author = ann.messages("tea").await.messages[0].author.id;
    // An erasure gives them up; otherwise an hour does.
    server.store().begin_erasure(author).await.unwrap();
    assert!(!server.state.files.sweep().await.unwrap());
    assert_eq!(names(&folder.path().join("files")), [] as [&str; 0]);
    assert_eq!(server.store().file(ready.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_killed_server_has_staged_is_removed_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    let (hash, upload) = ("0f".repeat(32), format!("parts/{}", "ab".repeat(16)));
    let other = format!("parts/{}", "cd".repeat(16));
    for parts in [&upload, &other] {
        fs::create_dir_all(files.join(parts)).unwrap();
    }
    let write = |name: &str, age: u64| {
        let file = fs::File::create(files.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age * 60)).unwrap();
    };
    let staged =
        [format!("{hash}#1"), format!("{hash}.thumbnail#23"), format!("{upload}/0000000000065536#1")];
    for name in &staged {
        write(name, 61);
    }
    let young = format!("{hash}#2");
    write(&young, 1);
    let foreign = [hash.clone(), "notes#1".into(), format!("{hash}#a"), format!("{other}/0000000000000000")];
    for name in &foreign {
        write(name, 61);
    }
    // More than one step looks at.
    for n in 0..1_500 {
        write(&format!("{n:064x}"), 61);
    }
    let server = TestServer::on_disk(folder.path()).await;
    for _ in 0..3 {
        server.state.files.sweep().await.unwrap();
    }
    for name in staged {
        assert!(!files.join(&name).exists(), "{name}");
    }
    assert!(!files.join(&upload).exists(), "nothing is in it any more");
    for name in foreign.iter().chain([&young]) {
        assert!(files.join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn files_survive_a_restart_and_unfinished_uploads_continue() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Uploader::new(&server).await;
    let cookie = ann.cookie.clone();
    let file = ann.upload("tea", "a.png", &png(30, 30)).await;
    ann.post("tea", "", &[file.id]).await;
    let bytes = noise(150 * 1_024);
    let begun = ann.begin("tea", "b.bin", bytes.len()).await.json().await.unwrap();
    let id = super::id(&begun);
    ann.part(id, 0, &bytes[..100 * 1_024]).await;
    server.stop().await;
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Uploader { address: server.address, cookie };
    assert_eq!(ann.get(&file.path()).await.status(), StatusCode::OK);
    assert_eq!(ann.part(id, 100 * 1_024, &bytes[100 * 1_024..]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_file_of_a_moderated_message_goes_too() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let file = ann.upload("tea", "a.png", &png(30, 30)).await;
    ann.post("tea", "look", &[file.id]).await;
    let owner = UserId(7);
    // The author of the message deletes it on another server: only the store knows of it.
    let author = ann.messages("tea").await.messages[0].author.id;
    let delete = |user| NewEvent::new(Uuid::now_v7(), room("tea"), user, Operation::Delete { target: 1 });
    assert!(server.store().append(delete(owner)).await.is_err());
    assert_eq!(ann.get(&file.path()).await.status(), StatusCode::OK);
    server.store().append(delete(author)).await.unwrap();
    assert_eq!(ann.get(&file.path()).await.status(), StatusCode::NOT_FOUND);
    assert!(ann.messages("tea").await.messages[0].files.is_empty());
}

#[tokio::test]
async fn a_backup_has_the_files_and_a_restore_brings_them_back() {
    let binary = || env!("CARGO_BIN_EXE_hubbub").into();
    let server = Process::start(binary()).await.unwrap();
    let ann = Uploader::at(server.address).await;
    let (picture, bytes) = (ann.upload("tea", "a.png", &png(30, 30)).await, noise(300 * 1_024));
    let other = ann.upload("tea", "b.bin", &bytes).await;
    ann.post("tea", "look", &[picture.id, other.id]).await;
    let not_posted = ann.upload("tea", "c.bin", &noise(70 * 1_024)).await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("nightly");
    let run = async |data: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.args(arguments).arg(&file).arg("--data").arg(data).env_clear();
        let output = within_timeout(command.output()).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (is_done, text) = run(server.folder.path(), &["backup"]).await;
    assert!(is_done && text.contains("has 2 files"), "{text}");
    assert_eq!(names(&place.path().join("nightly.files")).len(), 3, "what no message shows is not in it");
    let data = tempfile::tempdir().unwrap();
    let (is_done, text) = run(data.path(), &["restore"]).await;
    assert!(is_done && text.contains("has 2 files"), "{text}");
    let restored = Process::start_in(data, binary()).await.unwrap();
    let ann = Uploader { address: restored.address, cookie: ann.cookie };
    assert_eq!(ann.get(&other.path()).await.bytes().await.unwrap(), bytes);
    assert_eq!(ann.get(&picture.thumbnail_path()).await.status(), StatusCode::OK);
    assert_ne!(ann.get(&not_posted.path()).await.status(), StatusCode::OK);
    // Without the folder of files only with force.
    fs::remove_dir_all(place.path().join("nightly.files")).unwrap();
    let data = tempfile::tempdir().unwrap();
    let (is_done, text) = run(data.path(), &["restore"]).await;
    assert!(!is_done && text.contains("nightly.files"), "{text}");
    assert!(run(data.path(), &["restore", "--force"]).await.0);
}
