//! Bad input: names, pictures, and an object store that fails.

use super::{Uploader, png, sent};
use crate::support::TestServer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::fs;

#[tokio::test]
async fn damaged_pictures_are_refused_and_leave_nothing() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let picture = png(300, 300);
    let mut bomb = picture.clone();
    // One pixel wide, two billion high; the checksum is wrong then too.
    bomb[16..24].copy_from_slice(&[0, 0, 0, 1, 0x77, 0x35, 0x94, 0]);
    for (name, bytes) in [
        ("truncated.png", picture[..picture.len() / 2].to_vec()),
        ("bomb.png", bomb),
        ("text.jpg", b"\xff\xd8\xff and then text".to_vec()),
        ("gif.gif", b"GIF89a\xff\xff\xff\xff".to_vec()),
    ] {
        let refused = ann.try_upload("tea", name, &bytes).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let refused: Value = refused.json().await.unwrap();
        assert!(refused["detail"].as_str().unwrap().contains("picture"), "{refused}");
    }
    assert_eq!(server.store().file_bytes().await.unwrap(), 0);
}

#[tokio::test]
async fn names_are_no_paths_and_descriptions_are_one_line() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let file = ann.upload("tea", "..\\..\\etc/pass\r\nwd\u{202e}gpj.exe", b"x").await;
    assert_eq!(&*file.name, "passwdgpj.exe");
    let body = json!({"alt": " two\ncups "}).to_string();
    let path = format!("/api/files/{}", file.id);
    assert_eq!(sent(ann.request("PUT", &path).body(body)).await.status(), StatusCode::NO_CONTENT);
    ann.post("tea", "", &[file.id]).await;
    let shown = ann.messages("tea").await.messages[0].files.iter().next().unwrap().clone();
    assert_eq!(&*shown.alt, "two cups");
    // The text after the id is only for those who read the address.
    assert_eq!(ann.get(&format!("/f/{}/..%2F..%2Fetc%2Fpasswd", file.id)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn upload_fails_on_an_unwritable_folder_and_continues_later() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Uploader::new(&server).await;
    let bytes = png(60, 60);
    let begun: Value = ann.begin("tea", "a.png", bytes.len()).await.json().await.unwrap();
    let id = super::id(&begun);
    let files = folder.path().join("files");
    // In the way of the folder of the parts.
    fs::write(files.join("parts"), "").unwrap();
    assert_eq!(ann.part(id, 0, &bytes).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    fs::remove_file(files.join("parts")).unwrap();
    assert_eq!(ann.part(id, 0, &bytes).await.status(), StatusCode::OK);
}
