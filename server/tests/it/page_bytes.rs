//! Pages, frames and responses have at most 256 KiB, for texts of any length and content.

use crate::support::{TestServer, V1, room, sent, visitor, within_timeout};
use app::wire::{
    ClientFrame, Events, Messages, Seq, ServerFrame, UserId,
    limits::{MAX_MESSAGE_BYTES, MAX_PAGE_BYTES},
};
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use server::store::{NewEvent, SqliteStore};
use std::sync::Arc;
use uuid::Uuid;

/// The longest texts: plain, of characters that HTML, JSON and scripts escape, and of markup.
fn longest() -> [String; 11] {
    ["x", "<", "&", "\"", "\\", "\u{200b}", "字", "*a* ", "- a\n", "www.a.b ", "```\n```\n"]
        .map(|text| text.repeat((MAX_MESSAGE_BYTES - 1) / text.len()) + ".")
}

/// Gives each text a room.
fn in_rooms(texts: impl IntoIterator<Item = String>) -> impl Iterator<Item = (String, String)> {
    texts.into_iter().enumerate().map(|(n, text)| (format!("tea-{n}"), text))
}

async fn fill(server: &TestServer, name: &str, text: &str, count: usize) {
    let post = |_| server.store().append(NewEvent::message(Uuid::now_v7(), room(name), UserId(7), text));
    assert!(join_all((0..count).map(post)).await.iter().all(Result::is_ok));
}

async fn get(server: &TestServer, path: &str) -> String {
    let answer = within_timeout(reqwest::get(server.http(path))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn api_response_has_at_most_256_kib_and_says_if_more_follows() {
    let server = TestServer::start().await;
    for (name, text) in in_rooms(longest()) {
        fill(&server, &name, &text, 100).await;
        let mut seqs: Vec<Seq> = Vec::new();
        loop {
            let after = seqs.last().copied().unwrap_or(0);
            let body = get(&server, &format!("/api/rooms/{name}/events?after={after}")).await;
            assert!(body.len() <= MAX_PAGE_BYTES, "{} bytes of {:.1}", body.len(), text);
            let page: Events = serde_json::from_str(&body).unwrap();
            seqs.extend(page.events.iter().map(|event| event.seq));
            if !page.more {
                break;
            }
        }
        assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
        let body = get(&server, &format!("/api/rooms/{name}/messages?limit=500")).await;
        let page: Messages = serde_json::from_str(&body).unwrap();
        assert!(body.len() <= MAX_PAGE_BYTES && page.more, "{} bytes of {:.1}", body.len(), text);
        assert_eq!(page.messages.last().unwrap().seq, 100);
        let body = get(&server, &format!("/api/rooms/{name}/messages?around=50&limit=500")).await;
        let page: Messages = serde_json::from_str(&body).unwrap();
        assert!(body.len() <= MAX_PAGE_BYTES && page.messages.iter().any(|message| message.seq == 50));
    }
}

#[tokio::test]
async fn a_joined_frame_and_each_frame_after_it_have_at_most_256_kib() {
    let server = TestServer::start().await;
    for (name, text) in in_rooms(longest()) {
        fill(&server, &name, &text, 100).await;
        let mut ann = V1::connect(&server).await;
        let join = ClientFrame::Join {
            room: name.as_str().into(),
            after: None,
            after_id: None,
            log: None,
            limit: Some(500),
            presence: true,
        };
        ann.send(&join).await;
        let joined = ann.expect_frame().await;
        assert!(joined.to_json().len() <= MAX_PAGE_BYTES, "{} bytes", joined.to_json().len());
        match joined {
            ServerFrame::Joined { messages: Some(messages), more, .. } => {
                assert_eq!((messages.last().unwrap().seq, more), (100, Some(true)));
            }
            other => panic!("{other:?}"),
        }
        let mut bob = V1::connect(&server).await;
        bob.join(&name, Some(0)).await;
        let mut last = 0;
        while last < 100 {
            let frame = bob.expect_frame().await;
            assert!(frame.to_json().len() <= MAX_PAGE_BYTES);
            let ServerFrame::Events { events, .. } = frame else { continue };
            assert_eq!(events[0].seq, last + 1, "nothing is left out");
            last = events[events.len() - 1].seq;
        }
    }
}

#[tokio::test]
async fn a_room_page_has_at_most_256_kib_for_its_owner_too() {
    let server = TestServer::start().await;
    for (name, text) in in_rooms(longest().into_iter().chain(["short".into()])) {
        let owner = visitor(&server).await;
        sent(owner.post(server.http("/rooms")).form(&[("title", &name)])).await;
        fill(&server, &name, &text, 400).await;
        sent(owner.get(server.http(&format!("/r/{name}/seen?seq=1")))).await;
        let reader = visitor(&server).await;
        sent(reader.get(server.http(&format!("/r/{name}/seen?seq=1")))).await;
        for (browser, path, shown) in [
            (&owner, "", 400),
            (&reader, "", 400),
            (&owner, "?around=200", 200),
            (&owner, "?around=390", 390),
            (&reader, "?before=200", 199),
        ] {
            let page =
                sent(browser.get(server.http(&format!("/r/{name}{path}")))).await.text().await.unwrap();
            assert!(page.len() <= MAX_PAGE_BYTES, "{path} of {text:.1} has {} bytes", page.len());
            assert!(page.contains(&format!("id=\"m{shown}\"")), "{path} of {text:.1} lacks {shown}");
        }
    }
}

#[tokio::test]
async fn page_shows_all_of_291_unread_messages_of_usual_length() {
    let server = TestServer::start().await;
    fill(&server, "tea", "A sentence of a usual length, as people write it.", 291).await;
    let reader = visitor(&server).await;
    sent(reader.get(server.http("/r/tea/seen?seq=1"))).await;
    let page = sent(reader.get(server.http("/r/tea"))).await.text().await.unwrap();
    assert!(page.len() <= MAX_PAGE_BYTES, "{} bytes", page.len());
    assert_eq!(page.matches("class=\"text\"").count(), 291, "in {} bytes", page.len());
}

/// As versions before the rule stored them.
#[tokio::test]
async fn stored_control_characters_are_replaced_in_every_response() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(SqliteStore::open(&folder.path().join("hubbub.db")).unwrap());
    let server = TestServer::with_store(log).await;
    fill(&server, "tea", &format!("a{}b", "\u{1b}".repeat(MAX_MESSAGE_BYTES - 2)), 100).await;
    for path in ["/api/rooms/tea/events", "/api/rooms/tea/messages?limit=500"] {
        let body = get(&server, path).await;
        assert!(body.len() <= MAX_PAGE_BYTES && !body.contains("\\u001b"), "{path}: {} bytes", body.len());
        assert!(body.contains("a\u{fffd}\u{fffd}"), "{path}");
    }
    let mut ann = V1::connect(&server).await;
    let joined = ann.join("tea", None).await.to_json();
    assert!(joined.len() <= MAX_PAGE_BYTES && !joined.contains("\\u001b"), "{} bytes", joined.len());
    let stream =
        Client::new().get(server.http("/api/rooms/tea/events")).header("accept", "text/event-stream");
    let mut stream = within_timeout(stream.send()).await.unwrap();
    let mut received = Vec::new();
    while received.len() < MAX_PAGE_BYTES {
        received.extend_from_slice(&within_timeout(stream.chunk()).await.unwrap().unwrap());
    }
    let received = String::from_utf8_lossy(&received);
    assert!(!received.contains("\\u001b") && received.contains("a\u{fffd}\u{fffd}"));
}
