//! Folders and databases that are refused, in one line each and without a change.

use super::{alter, folder_with, messages, refused, succeeds};
use crate::support::{TestDatabase, TestServer};
use std::{fs, path::Path};
use uuid::Uuid;

#[tokio::test]
async fn postgres_databases_that_cannot_take_a_folder_are_refused() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = folder_with(&messages("tea", 3)).await;
    let (data, url) = (folder.path(), database.url.as_str());
    let server = url.split('?').next().unwrap();
    let (_, place) = server.split_once('@').unwrap();
    let (address, _) = place.split_once('/').unwrap();
    for (url, expected) in [
        ("mysql://localhost/chat", "cannot use --to: it is no URL such as"),
        (&format!("postgres://hubbub:wrong@{place}"), "the server refuses the name or the password"),
        (&format!("postgres://hubbub:secret@{address}/nowhere"), "database \"nowhere\" does not exist"),
        ("postgres://hubbub:secret@127.0.0.1:1/chat", "cannot connect: "),
        (&format!("{url}%20-cdefault_transaction_read_only%3Don"), "it is read-only; name the primary"),
    ] {
        let error = refused(data, url, &[]).await;
        assert!(error.contains(expected), "{error}");
    }
    let role = format!("role_{}", Uuid::new_v4().simple());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await;
    let error = refused(data, &url.replacen("hubbub:", &format!("{role}:"), 1), &[]).await;
    assert!(error.contains("may not create tables"), "{error}");
    database.execute("CREATE TABLE room (number int)").await;
    assert!(refused(data, url, &[]).await.contains("it belongs to another program"));
    database.execute("DROP TABLE room").await;

    // A server has used it.
    drop(database.open().await);
    for more in [&[][..], &["--force"]] {
        let error = refused(data, url, more).await;
        assert!(error.contains("it already has messages of its own; name an empty database"), "{error}");
    }
    database.execute("UPDATE hubbub_schema SET version = version + 1").await;
    assert!(refused(data, url, &[]).await.contains("a newer version of Hubbub has written it"));
    assert!(!data.join("hubbub.db-moved").exists(), "a server may still use the folder");
    let server = TestServer::on_disk(data).await;
    server.stop().await;
}

#[tokio::test]
async fn postgres_with_the_messages_of_another_folder_is_refused() {
    let Some(database) = TestDatabase::create().await else { return };
    let (first, second) = (folder_with(&messages("tea", 3)).await, folder_with(&messages("tea", 4)).await);
    succeeds(first.path(), &database.url, &[]).await;
    for more in [&[][..], &["--force"]] {
        assert!(
            refused(second.path(), &database.url, more).await.contains("it already has messages of its own")
        );
    }
    let Some(other) = TestDatabase::create().await else { return };
    let error = refused(first.path(), &other.url, &[]).await;
    assert!(error.contains("its messages have moved to postgres://"), "{error}");
}

#[tokio::test]
async fn postgres_gets_nothing_of_a_folder_that_cannot_be_copied() {
    let Some(database) = TestDatabase::create().await else { return };
    let url = database.url.as_str();
    let refuses = async |data: &Path, expected: &str| {
        let error = refused(data, url, &[]).await;
        assert!(error.contains(expected), "{error}");
    };
    let parent = tempfile::tempdir().unwrap();
    refuses(&parent.path().join("typo"), "there are no messages to migrate").await;
    refuses(parent.path(), "there are no messages to migrate").await;
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "nothing was created");

    let folder = folder_with(&messages("tea", 3)).await;
    let data = folder.path();
    let server = TestServer::on_disk(data).await;
    refuses(data, "another hubbub is using this folder").await;
    server.stop().await;

    let key = fs::read(data.join("cookie.key")).unwrap();
    fs::remove_file(data.join("cookie.key")).unwrap();
    refuses(data, "cookie.key: it is missing").await;
    fs::write(data.join("cookie.key"), &key[1..]).unwrap();
    refuses(data, "cookie.key: it is truncated").await;
    fs::write(data.join("cookie.key"), key).unwrap();

    alter(data, "UPDATE room SET head = 4");
    refuses(data, "it is damaged (the newest event of room tea is missing)").await;
    alter(data, "UPDATE room SET head = 3; PRAGMA user_version = 99");
    refuses(data, "a newer version of Hubbub has written it (schema 99").await;
    let large = folder_with(&messages("tea", 30_000)).await;
    let mut damaged = fs::read(large.path().join("hubbub.db")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8_000].fill(0x5a);
    fs::write(large.path().join("hubbub.db"), damaged).unwrap();
    refuses(large.path(), "damaged").await;
    succeeds(folder_with(&messages("jam", 1)).await.path(), url, &[]).await;
}
