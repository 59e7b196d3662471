//! Entity tags: an unchanged page is not sent again.

use super::{get, sent};
use crate::{
    joining::fill,
    support::{TestServer, V1},
};
use app::wire::ClientFrame;
use reqwest::{Client, StatusCode};
use uuid::Uuid;

#[tokio::test]
async fn polling_an_unchanged_room_returns_304() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    for path in ["/api/rooms/tea/messages", "/api/rooms/tea/events"] {
        let first = get(&server, path).await;
        let tag = first.headers()["etag"].clone();
        let again = || sent(Client::new().get(server.http(path)).header("if-none-match", tag.clone()));
        assert_eq!(again().await.status(), StatusCode::NOT_MODIFIED);
        assert!(again().await.bytes().await.unwrap().is_empty());
    }
    let tag = get(&server, "/api/rooms/tea/events").await.headers()["etag"].clone();
    fill(&server, "tea", 1).await;
    let changed = Client::new().get(server.http("/api/rooms/tea/events")).header("if-none-match", tag);
    assert_eq!(sent(changed).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_tag_changes_with_the_name_of_an_author_and_with_an_edit() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "hello").await;
    ann.events(1).await;
    let path = "/api/rooms/tea/messages";
    let mut tag = get(&server, path).await.headers()["etag"].clone();
    for change in ["rename", "edit"] {
        match change {
            "rename" => ann.set_name("Ann").await,
            _ => {
                let text = "hello you".into();
                ann.send(&ClientFrame::Edit {
                    id: Uuid::now_v7(),
                    room: "tea".into(),
                    target: 1,
                    text,
                    mentions: Vec::new(),
                })
                .await;
                ann.events(1).await;
            }
        }
        let request = Client::new().get(server.http(path)).header("if-none-match", tag.clone());
        let answer = sent(request).await;
        assert_eq!(answer.status(), StatusCode::OK, "after the {change}");
        tag = answer.headers()["etag"].clone();
    }
    let other = get(&server, "/api/rooms/tea/messages?limit=1").await.headers()["etag"].clone();
    assert_ne!(other, tag, "another query has another tag");
}
