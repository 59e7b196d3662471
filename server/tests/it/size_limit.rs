//! The size limit of the data folder: beyond it users can read and delete, but not post.

use crate::support::{Lines, TestServer, V1, browser, room, sent, within_timeout};
use app::wire::{ClientFrame, ErrorCode, ServerFrame};
use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

const QUOTA: u64 = 3 << 20;

fn post(text: &str) -> ClientFrame {
    ClientFrame::Post {
        id: Uuid::now_v7(),
        room: "tea".into(),
        text: text.into(),
        reply_to: None,
        mentions: Vec::new(),
        files: Vec::new(),
    }
}

/// Posts until the server rejects a message. Near the limit it accepts some more, since a checkpoint once a second frees
/// what the write-ahead log holds.
async fn fill(client: &mut V1, stored: &mut Vec<u64>) {
    loop {
        client.send(&post(&"x".repeat(8_000))).await;
        match client.expect_reply().await {
            ServerFrame::Ack { seq: Some(seq), .. } => stored.push(seq),
            ServerFrame::Error { code: ErrorCode::ReadOnly, .. } => return,
            other => panic!("{other:?}"),
        }
        assert!(stored.len() < 1_000, "the store must become full");
    }
}

/// Repeats a request until the server rejects it, at most as often as the quota has room for its text: the index of the search
/// frees what it has written to the write-ahead log.
async fn rejected(request: impl Fn() -> reqwest::RequestBuilder) -> reqwest::Response {
    for _ in 0..QUOTA / 8_000 {
        let response = sent(request()).await;
        if response.status() == 507 {
            return response;
        }
        assert!(response.status().is_success() || response.status().is_redirection(), "{response:?}");
    }
    panic!("the store must become full");
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
    fill(&mut ann, &mut stored).await;
    (server, ann, stored)
}

#[tokio::test]
async fn posts_past_size_limit_are_rejected_until_deletes_make_space() {
    let folder = tempfile::tempdir().unwrap();
    let (server, mut ann, stored) = full(folder.path()).await;
    let bytes: u64 = ["hubbub.db", "hubbub.db-wal"]
        .iter()
        .map(|name| folder.path().join(name).metadata().map_or(0, |found| found.len()))
        .sum();
    assert!(bytes < QUOTA + QUOTA / 4 && stored.len() > 50, "{bytes} bytes, {} messages", stored.len());

    let url = server.http("/api/rooms/tea/messages");
    let api = reqwest::Client::new();
    let answer = rejected(|| api.post(&url).body("y".repeat(8_000))).await;
    assert!(answer.text().await.unwrap().contains("read_only"));
    let visitor = browser();
    let path = server.http("/r/tea");
    let page = rejected(|| visitor.post(&path).form(&[("text", "z".repeat(8_000))])).await;
    assert!(page.text().await.unwrap().contains(&"z".repeat(8_000)), "the page returns the text");
    let mut lines = Lines::join(&server, "tea").await;
    let close = loop {
        lines.send_line(&"w".repeat(8_000)).await;
        match within_timeout(lines.socket.next()).await {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(Message::Close(close))) => break close,
            other => panic!("instead of a line came {other:?}"),
        }
    };
    assert!(close.is_some_and(|frame| frame.reason.contains("no room")));

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
