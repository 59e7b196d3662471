//! The content of a page, and its headers.

use super::page;
use crate::{
    joining::fill,
    support::{TestServer, V1, browser, sent, visitor},
};
use app::wire::{Messages, Millis, Seq};
use reqwest::Client;

#[tokio::test]
async fn the_lobby_is_html_that_is_never_stored() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/"))).await;
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    let body = answer.text().await.unwrap();
    assert!(body.starts_with("<!DOCTYPE html>"), "{body}");
    assert!(body.contains("<h1") && body.contains("Lobby"), "{body}");
}

#[tokio::test]
async fn the_content_security_policy_allows_own_scripts_only() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/"))).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let body = answer.text().await.unwrap();
    for script in body.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "<script{tag}> has no nonce");
    }
    assert!(!body.contains("style=\""), "no inline style");
}

#[tokio::test]
async fn a_page_has_the_newest_50_messages_and_a_link_to_older_ones() {
    let server = TestServer::start().await;
    fill(&server, "tea", 120).await;
    let browser = browser();
    let shown = async |path: &str| -> Vec<usize> {
        let page = page(&browser, &server, path).await;
        (1..=120)
            .filter(|n| page.contains(&format!(">{n}</p>")) || page.contains(&format!(">{n}<!")))
            .collect()
    };
    assert_eq!(shown("/r/tea").await, (71..=120).collect::<Vec<_>>());
    assert_eq!(shown("/r/tea?before=71").await, (21..=70).collect::<Vec<_>>());
    assert!(shown("/r/tea?around=30").await.contains(&30));
    assert!(page(&browser, &server, "/r/tea").await.contains("?before=71"));
}

#[tokio::test]
async fn a_page_by_time_has_the_first_message_at_that_time_or_later() {
    let server = TestServer::start().await;
    fill(&server, "tea", 120).await;
    let all: Messages =
        sent(browser().get(server.http("/api/rooms/tea/messages?limit=500"))).await.json().await.unwrap();
    let marked = async |at: Millis| {
        let page = page(&browser(), &server, &format!("/r/tea?at={at}")).await;
        let line = page.split("<li ").find(|item| item.split('>').next().unwrap().contains("marked"));
        line.and_then(|line| line.split("id=\"m").nth(1)?.split('"').next()?.parse::<Seq>().ok())
    };
    for index in [0, 1, 40, 118, 119] {
        let at = all.messages[index].at;
        let first = all.messages.iter().find(|message| message.at >= at).unwrap();
        assert_eq!(marked(at).await, Some(first.seq), "message {index} at {at}");
    }
    assert_eq!((marked(0).await, marked(Millis::MAX).await), (Some(1), Some(120)));
    // A room without messages has no such one.
    assert!(page(&browser(), &server, "/r/empty?at=5").await.contains("id=\"text\""));
}

#[tokio::test]
async fn room_without_messages_has_a_page_and_the_lobby_two_paths() {
    let server = TestServer::start().await;
    let browser = browser();
    assert!(page(&browser, &server, "/r/team-tea").await.contains("Team tea"));
    fill(&server, "lobby", 1).await;
    for path in ["/", "/r/lobby"] {
        assert!(page(&browser, &server, path).await.contains("id=\"m1\""), "{path}");
    }
}

#[tokio::test]
async fn markup_in_a_message_is_text() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for evil in ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!-- & \" ' -->"] {
        ann.post("tea", evil).await;
    }
    ann.events(3).await;
    let page = page(&browser(), &server, "/r/tea").await;
    assert!(
        !page.contains("<img src=x") && !page.contains("<script>alert") && !page.contains("<!-- &"),
        "{page}"
    );
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
}

#[tokio::test]
async fn a_page_has_the_selectors_that_programs_use() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    sent(ann.post(server.http("/name")).form(&[("name", "Ann of Tea"), ("room", "tea")])).await;
    sent(ann.post(server.http("/r/tea")).form(&[("text", "hello")])).await;
    sent(browser().post(server.http("/r/tea")).form(&[("text", "hello @Ann of Tea")])).await;
    let body = page(&ann, &server, "/r/tea?around=2").await;
    let line =
        body.split("<li ").find(|item| item.contains("id=\"m2\"")).expect("the message is a list item");
    let classes = line.split("class=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for name in ["line", "opens", "to-you", "marked"] {
        assert!(classes.split(' ').any(|class| class == name), "{name} in {classes}");
    }
    for part in ["data-standing=\"confirmed\"", "class=\"head\"", "<b", "<time", "class=\"text\""] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let body = page(&ann, &server, "/r/tea").await;
    for part in ["id=\"text\"", "class=\"composer\"", "data-connection=\"", "class=\"me\"", "id=\"name\""] {
        assert!(body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_page_is_compressed_as_the_client_accepts() {
    let server = TestServer::start().await;
    for (accepts, coding) in [("gzip, deflate, br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
        let answer = sent(browser().get(server.http("/")).header("accept-encoding", accepts)).await;
        assert_eq!(answer.headers().get("content-encoding").map(|coding| coding.to_str().unwrap()), coding);
        assert_eq!(answer.headers()["vary"], "accept-encoding");
    }
}

#[tokio::test]
async fn the_manifest_has_the_language_of_the_page() {
    let server = TestServer::start().await;
    for (accepted, lang, expected) in [("zh-CN", "zh-Hans", "群聊"), ("en", "en", "Group chat")] {
        let body = sent(Client::new().get(server.http("/")).header("accept-language", accepted))
            .await
            .text()
            .await
            .unwrap();
        let path = body.split("rel=\"manifest\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let manifest = sent(Client::new().get(server.http(path))).await;
        assert_eq!(manifest.headers()["content-type"], "application/manifest+json");
        let manifest: serde_json::Value = manifest.json().await.unwrap();
        assert_eq!(manifest["lang"], lang);
        assert!(manifest["description"].as_str().unwrap().contains(expected), "{manifest}");
    }
}
