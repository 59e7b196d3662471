//! The size limit of the data folder: beyond it users can read and delete, but not post.

use crate::support::{Lines, TestServer, V1, browser, room, sent, within_timeout};
use app::wire::{ClientFrame, ErrorCode, ServerFrame};
use uuid::Uuid;

const QUOTA: u64 = 2 << 20;

fn post(text: &str) -> ClientFrame {
    ClientFrame::Post { id: Uuid::now_v7(), room: "tea".into(), text: text.into(), reply_to: None }
}

async fn full(folder: &std::path::Path) -> (TestServer, V1, Vec<u64>) {
    let server = TestServer::with(|config| {
        config.ephemeral = false;
        config.data = folder.into();
        config.max_bytes = QUOTA;
    })
    .await;
    let mut ann = V1::connect(&server).await;
    ann.join("tea", None).await;
    let mut stored = Vec::new();
    loop {
        ann.send(&post(&"x".repeat(8_000))).await;
        match ann.expect_reply().await {
            ServerFrame::Ack { seq: Some(seq), .. } => stored.push(seq),
            ServerFrame::Error { code: ErrorCode::ReadOnly, .. } => return (server, ann, stored),
            other => panic!("{other:?}"),
        }
        assert!(stored.len() < 1_000, "the store must become full");
    }
}

#[tokio::test]
async fn posts_beyond_the_size_limit_are_rejected_until_deletes_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let (server, mut ann, stored) = full(folder.path()).await;
    let bytes: u64 = ["hubbub.db", "hubbub.db-wal"]
        .iter()
        .map(|name| folder.path().join(name).metadata().map_or(0, |found| found.len()))
        .sum();
    assert!(bytes < QUOTA + QUOTA / 4 && stored.len() > 50, "{bytes} bytes, {} messages", stored.len());

    let url = server.http("/api/rooms/tea/messages");
    let answer =
        within_timeout(reqwest::Client::new().post(&url).body("y".repeat(8_000)).send()).await.unwrap();
    assert_eq!(answer.status(), 507);
    assert!(answer.text().await.unwrap().contains("read_only"));
    let form = browser().post(server.http("/r/tea")).form(&[("text", "z".repeat(8_000))]);
    let page = sent(form).await;
    assert_eq!(page.status(), 507);
    assert!(page.text().await.unwrap().contains(&"z".repeat(8_000)), "the page returns the text");
    let mut lines = Lines::join(&server, "tea").await;
    lines.send_line(&"w".repeat(8_000)).await;
    assert!(lines.closed().await.is_some_and(|frame| frame.reason.contains("no room")));

    assert_eq!(within_timeout(reqwest::get(server.http("/readyz"))).await.unwrap().status(), 200);
    assert_eq!(within_timeout(reqwest::get(server.http("/r/tea"))).await.unwrap().status(), 200);
    for target in &stored[..40] {
        let delete =
            ClientFrame::Delete { id: Uuid::now_v7(), room: room("tea").to_string(), target: *target };
        ann.send(&delete).await;
        let deleted = ann.expect_reply().await;
        assert!(matches!(deleted, ServerFrame::Ack { .. }), "{deleted:?}");
    }
    ann.send(&post("room again")).await;
    let answer = ann.expect_reply().await;
    assert!(matches!(answer, ServerFrame::Ack { dup: false, .. }), "{answer:?}");
}
