//! The responses that serve files.

use super::{Uploader, header, noise, png, sent};
use crate::support::TestServer;
use reqwest::StatusCode;

#[tokio::test]
async fn only_safe_types_are_shown_and_everything_else_is_downloaded() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let html = b"<html><script>alert(1)</script></html>".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    for (name, bytes, media_type, place) in [
        ("a.png", png(8, 8), "image/png", "inline"),
        ("picture.png", html, "application/octet-stream", "attachment"),
        ("a.svg", svg, "application/octet-stream", "attachment"),
        ("a.mp4", b"\0\0\0\x18ftypisom....".to_vec(), "video/mp4", "inline"),
        ("é \"q\".txt", b"text".to_vec(), "application/octet-stream", "attachment"),
    ] {
        let file = ann.upload("tea", name, &bytes).await;
        let answer = ann.get(&file.path()).await;
        assert_eq!(header(&answer, "content-type"), media_type, "{name}");
        let disposition = header(&answer, "content-disposition").to_owned();
        assert!(disposition.starts_with(place) && !disposition.contains('"'), "{disposition}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(header(&answer, "cache-control"), "private, no-cache");
        assert_eq!(header(&answer, "set-cookie"), "");
    }
}

#[tokio::test]
async fn ranges_and_tags_save_bytes() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let bytes = noise(500 * 1_024);
    let file = ann.upload("tea", "a.bin", &bytes).await;
    let range = async |range: &str| sent(ann.request("GET", &file.path()).header("range", range)).await;
    let part = range("bytes=1000-300999").await;
    assert_eq!((part.status(), header(&part, "content-length")), (StatusCode::PARTIAL_CONTENT, "300000"));
    assert_eq!(header(&part, "content-range"), format!("bytes 1000-300999/{}", bytes.len()));
    assert_eq!(part.bytes().await.unwrap(), bytes[1_000..301_000]);
    assert_eq!(range("bytes=-5").await.bytes().await.unwrap(), bytes[bytes.len() - 5..]);
    assert_eq!(range("bytes=600000-").await.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let whole = ann.get(&file.path()).await;
    assert_eq!((header(&whole, "accept-ranges"), header(&whole, "content-length")), ("bytes", "512000"));
    let tag = header(&whole, "etag").to_owned();
    let again = sent(ann.request("GET", &file.path()).header("if-none-match", &tag)).await;
    assert_eq!((again.status(), again.bytes().await.unwrap().len()), (StatusCode::NOT_MODIFIED, 0));
    let head = sent(ann.request("HEAD", &file.path())).await;
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "512000"));
}

#[tokio::test]
async fn a_thumbnail_is_small_and_only_pictures_have_one() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let picture = ann.upload("tea", "a.png", &png(1_600, 1_200)).await;
    let thumbnail = ann.get(&picture.thumbnail_path()).await;
    assert_eq!(header(&thumbnail, "content-type"), "image/jpeg");
    let thumbnail = image::load_from_memory(&thumbnail.bytes().await.unwrap()).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (640, 480));
    let other = ann.upload("tea", "a.txt", b"text").await;
    assert_eq!(ann.get(&other.thumbnail_path()).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_name_opens_its_file() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let picture = png(1_600, 1_200);
    for name in ["thumb", "_thumb", "Thumb", "thumb.png", "a", "..", "%74humb"] {
        let file = ann.upload("tea", name, &picture).await;
        let answer = ann.get(&file.path()).await;
        assert_eq!(header(&answer, "content-type"), "image/png", "{name}");
        let disposition = format!("inline; filename*=UTF-8''{}", file.name.replace('%', "%25"));
        assert_eq!(header(&answer, "content-disposition"), disposition);
        assert_eq!(header(&ann.get(&file.thumbnail_path()).await, "content-type"), "image/jpeg");
        let text = ann.upload("tea", name, b"text").await;
        assert_eq!(ann.get(&text.path()).await.bytes().await.unwrap(), "text", "{name}");
    }
}

#[tokio::test]
async fn a_response_without_bytes_says_nothing_of_them() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let picture = ann.upload("tea", "a.png", &png(1_600, 1_200)).await;
    for path in [picture.path(), picture.thumbnail_path()] {
        let whole = ann.get(&path).await;
        let again = sent(ann.request("GET", &path).header("if-none-match", header(&whole, "etag"))).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        // RFC 9110, section 15.4.5: what a cache would update must be what the whole response has.
        for name in again.headers().keys().filter(|name| *name != "date") {
            assert_eq!(again.headers()[name], whole.headers()[name], "{path}: {name}");
        }
        for name in ["content-type", "content-disposition", "content-length"] {
            assert_eq!(header(&again, name), "", "{path}: {name}");
        }
        for name in ["etag", "cache-control", "content-security-policy"] {
            assert_ne!(header(&again, name), "", "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_posted_is_its_owners_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (Uploader::new(&server).await, Uploader::new(&server).await);
    let file = ann.upload("tea", "a.png", &png(8, 8)).await;
    assert_eq!(ann.get(&file.path()).await.status(), StatusCode::OK);
    let missing = bob.get(&format!("/f/{}/a.png", uuid::Uuid::new_v4())).await;
    let hidden = bob.get(&file.path()).await;
    assert_eq!((missing.status(), hidden.status()), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(missing.text().await.unwrap(), hidden.text().await.unwrap(), "one answer for both");
    let anonymous = sent(reqwest::Client::new().get(server.http(&file.path()))).await;
    assert_eq!(anonymous.status(), StatusCode::NOT_FOUND);
    assert_eq!(bob.post("tea", "look", &[file.id]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ann.post("work", "look", &[file.id]).await.status(), StatusCode::NOT_FOUND, "another room");
    assert_eq!(ann.post("tea", "look", &[file.id]).await.status(), StatusCode::CREATED);
    assert_eq!(bob.get(&file.path()).await.status(), StatusCode::OK);
}
