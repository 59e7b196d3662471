//! Paths, queries and redirects.

use super::page;
use crate::support::{TestServer, browser, sent, within_timeout};
use reqwest::StatusCode;

#[tokio::test]
async fn settings_redirect_to_the_position_and_drop_other_parameters() {
    let server = TestServer::start().await;
    for (asked, back) in [("/r/tea?around=3&x=y", "/r/tea?around=3"), ("/?x=%22", "/")] {
        let body = page(&browser(), &server, asked).await;
        assert!(body.contains(&format!("name=\"back\" value=\"{back}\"")), "{asked}: {body}");
    }
}

#[tokio::test]
async fn other_spellings_of_a_path_redirect_with_their_query() {
    let server = TestServer::start().await;
    for (asked, path) in [
        ("/r/Tea", "/r/tea"),
        ("/r/tea/?utm_source=x&around=3", "/r/tea?utm_source=x&around=3"),
        ("/r/tea.", "/r/tea"),
        ("/r/%EF%BC%B4ea%E3%80%82", "/r/tea"),
        ("/rooms/", "/rooms"),
        ("/api/rooms/Tea/messages?limit=1", "/api/rooms/tea/messages?limit=1"),
    ] {
        let answer = sent(browser().get(server.http(asked))).await;
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT, "{asked}");
        assert_eq!(answer.headers()["location"], path, "{asked}");
    }
    let answer = sent(browser().get(server.http("/r/tea?utm_source=mail&fbclid=1"))).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

/// The Go demo answers in plain text.
#[tokio::test]
async fn an_unknown_path_is_a_page_with_status_404() {
    let server = TestServer::start().await;
    for path in ["/foo", "/index.html", "/r/", "/r/No%20Room", "/r/tea/x", "/pkg/nothing.js", "/.env"] {
        let answer = sent(browser().get(server.http(path))).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/\""), "{path} shows the way home");
    }
    assert_eq!(sent(browser().post(server.http("/foo"))).await.status(), StatusCode::NOT_FOUND);
    let program = within_timeout(reqwest::get(server.http("/foo"))).await.unwrap();
    assert_eq!(program.headers()["content-type"], "application/problem+json", "a program gets a problem");
}

#[tokio::test]
async fn an_invalid_position_is_a_page_with_status_400() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/r/tea?before=x"))).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
}
