//! Posting messages.

use super::{get, post_request, problem, sent};
use crate::support::{TestServer, V1, text};
use app::wire::{Messages, Rooms, limits::MAX_MESSAGE_BYTES};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_body_that_is_not_utf8_is_rejected() {
    let server = TestServer::start().await;
    for (kind, body) in [
        ("application/x-www-form-urlencoded", &b"text=a%FFb"[..]),
        ("application/x-www-form-urlencoded", b"text=a\xffb"),
        ("application/json", b"{\"text\":\"a\xffb\"}"),
        ("application/json", b"{\"text\":\"a\\ud800b\"}"),
        ("text/plain", b"a\xffb"),
    ] {
        let answer =
            sent(post_request(&server, "tea").header("content-type", kind).body(body.to_vec())).await;
        assert_eq!(problem(answer).await, (400, Some("bad_request".into())), "{kind}");
    }
    let form = Client::new().post(server.http("/r/tea")).header("accept", "text/html");
    let form = form.header("content-type", "application/x-www-form-urlencoded").body(&b"text=a%FFb"[..]);
    assert_eq!(sent(form).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(server.store().head(&"tea".parse().unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_message_is_posted_as_text_as_a_form_and_as_json() {
    let server = TestServer::start().await;
    let id = Uuid::now_v7();
    let requests = [
        post_request(&server, "tea").body("  plain\n"),
        post_request(&server, "tea").header("content-type", "text/plain; charset=utf-8").body("小明"),
        post_request(&server, "tea").form(&[("text", "a form & more")]),
        post_request(&server, "tea").json(&json!({"text": "json", "id": id})),
    ];
    for (seq, request) in (1..).zip(requests) {
        let answer = sent(request).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["location"], format!("/r/tea?around={seq}"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["seq"], seq);
        assert!(body["id"].as_str().unwrap().parse::<Uuid>().is_ok());
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    }
    let page: Messages = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let texts: Vec<&str> = page.messages.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["plain", "小明", "a form & more", "json"]);
    assert_eq!(page.messages[3].id, id);
}

#[tokio::test]
async fn a_repeated_post_returns_the_first_seq_and_is_broadcast_once() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    let cookie = server.new_user_cookie().await;
    let body = json!({"text": "hello", "id": Uuid::now_v7()});
    for _ in 0..3 {
        let answer = sent(post_request(&server, "tea").header("cookie", &cookie).json(&body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.json::<Value>().await.unwrap()["seq"], 1);
    }
    sent(post_request(&server, "tea").body("next")).await;
    let received = bob.events(2).await;
    assert_eq!(received.iter().map(|event| text(event)).collect::<Vec<_>>(), ["hello", "next"]);
    let of_another_user = sent(post_request(&server, "tea").json(&body)).await;
    assert_eq!(
        problem(of_another_user).await,
        (400, Some("bad_request".into())),
        "without the cookie it is another user"
    );
}

#[tokio::test]
async fn a_client_that_keeps_its_cookie_stays_the_same_user() {
    let server = TestServer::start().await;
    let program = Client::builder().cookie_store(true).build().unwrap();
    for _ in 0..2 {
        sent(program.post(server.http("/api/rooms/tea/messages")).body("hello")).await;
    }
    sent(post_request(&server, "tea").body("hello")).await;
    let page: Messages = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let authors: Vec<_> = page.messages.iter().map(|message| message.author.id).collect();
    assert_eq!(authors[0], authors[1]);
    assert_ne!(authors[1], authors[2]);
}

#[tokio::test]
async fn a_rejected_post_is_a_problem_with_a_code() {
    let server = TestServer::start().await;
    let tea = || post_request(&server, "tea");
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    let wrong = [
        (tea().body(" \n"), 400, Some("blank")),
        (tea().body(long), 413, Some("too_long")),
        (tea().body(vec![0xff, 0xfe]), 400, Some("bad_request")),
        (tea().header("content-type", "application/json").body("{"), 400, Some("bad_request")),
        (tea().json(&json!({"words": "x"})), 400, Some("bad_request")),
        (tea().json(&json!({"text": "x", "id": "mine"})), 400, Some("bad_request")),
        (tea().form(&[("words", "x")]), 400, Some("bad_request")),
        (tea().header("content-type", "image/png").body("x"), 415, None),
        (post_request(&server, "No%20Room").body("x"), 404, Some("no_such_room")),
        (tea().header("origin", "http://evil.example").body("x"), 403, Some("not_allowed")),
    ];
    for (request, status, code) in wrong {
        assert_eq!(problem(sent(request).await).await, (status, code.map(Into::into)));
    }
    assert_eq!(sent(tea().body("x".repeat(1_000_000))).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let rooms: Rooms = get(&server, "/api/rooms").await.json().await.unwrap();
    assert!(rooms.rooms.is_empty(), "nothing of it was stored");
}

#[tokio::test]
async fn a_rate_limited_post_returns_when_to_retry() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    let cookie = server.new_user_cookie().await;
    let mut rejected = None;
    for _ in 0..10 {
        let answer = sent(post_request(&server, "tea").header("cookie", &cookie).body("again")).await;
        if answer.status() != StatusCode::CREATED {
            rejected = Some(answer);
        }
    }
    let rejected = rejected.expect("ten at once are too fast");
    assert!(rejected.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(problem(rejected).await, (429, Some("rate_limited".into())));
}
