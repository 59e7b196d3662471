//! The forms that post, edit and delete a message.

use super::page;
use crate::support::{TestServer, V1, browser, sent, text, visitor};
use app::wire::limits::MAX_MESSAGE_BYTES;
use reqwest::{Client, StatusCode};
use server::store::{RoomOrder, RoomQuery};

#[tokio::test]
async fn the_form_posts_and_redirects_to_the_room() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    let browser = browser();
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", "one\r\ntwo  ")])).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/r/tea".parse().unwrap())
    );
    assert_eq!(text(&bob.events(1).await[0]), "one\ntwo");
    let answer = sent(browser.post(server.http("/r/lobby")).form(&[("text", "hello")])).await;
    assert_eq!(answer.headers()["location"], "/");
}

#[tokio::test]
async fn a_rejected_form_shows_the_reason_and_keeps_the_text() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    for (posted, status, expected) in
        [(" ", 400, "enter a message"), (long.as_str(), 413, "at most 8192 bytes")]
    {
        let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", posted)])).await;
        assert_eq!(answer.status().as_u16(), status);
        let body = answer.text().await.unwrap();
        assert!(body.contains("<form") && body.contains(expected), "{body}");
        assert!(body.contains(posted.trim()), "the text is not lost");
    }
    let answer =
        sent(browser.post(server.http("/name")).form(&[("name", "\u{202e}"), ("room", "tea")])).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("Please enter a name"));
}

#[tokio::test]
async fn only_the_author_can_use_the_forms_of_a_message() {
    let server = TestServer::start().await;
    let (ann, bob) = (browser(), browser());
    sent(ann.post(server.http("/r/tea")).form(&[("text", "helo")])).await;
    let edit = |user: &Client, text: &str| user.post(server.http("/r/tea/1/edit")).form(&[("text", text)]);
    assert!(page(&ann, &server, "/r/tea").await.contains("action=\"/r/tea/1/edit\""));
    assert!(!page(&bob, &server, "/r/tea").await.contains("/r/tea/1/edit"), "bob has no form for it");
    assert_eq!(sent(edit(&bob, "his")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sent(edit(&ann, " ")).await.status(), StatusCode::BAD_REQUEST);
    let rejected = sent(edit(&ann, &format!("\nnot lost {}", "x".repeat(MAX_MESSAGE_BYTES)))).await;
    assert_eq!(rejected.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let body = rejected.text().await.unwrap();
    assert!(body.contains("action=\"/r/tea/1/edit\"") && body.contains("not lost xxx"), "{body}");
    let answer = sent(edit(&ann, "hello\r\nyou")).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/r/tea#m1".parse().unwrap())
    );
    assert!(page(&bob, &server, "/r/tea").await.contains("hello\nyou"));
    assert_eq!(sent(bob.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sent(ann.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(sent(ann.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::NOT_FOUND);
    assert!(!page(&ann, &server, "/r/tea").await.contains("hello"));
    for path in ["/r/tea/x/edit", "/r/No%20Room/1/delete"] {
        assert_eq!(
            sent(ann.post(server.http(path)).form(&[("text", "x")])).await.status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_text_that_is_far_too_long_is_returned_in_the_form() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    let long = "字".repeat(30_000);
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", &long)])).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains(&long));
    let longer = "字".repeat(200_000);
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", &longer)])).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains("at most 8192 bytes"));
}

#[tokio::test]
async fn reloading_the_page_of_a_rejected_form_shows_an_error_page() {
    let server = TestServer::start().await;
    for path in ["/name", "/settings", "/device"] {
        let answer = sent(browser().get(server.http(path))).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers()["allow"], "POST", "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/\""), "{path} shows the way home");
    }
    let ann = visitor(&server).await;
    let rejected = sent(ann.post(server.http("/name")).form(&[("name", " "), ("room", "tea")])).await;
    let body = rejected.text().await.unwrap();
    assert!(body.contains("name=\"back\" value=\"/r/tea\""), "the settings lead back to the room: {body}");
}

#[tokio::test]
async fn a_form_from_another_origin_is_rejected() {
    let server = TestServer::start().await;
    for (path, form) in [("/r/tea", ("text", "hello")), ("/name", ("name", "Mallory"))] {
        let request = browser().post(server.http(path)).header("origin", "http://evil.example").form(&[form]);
        assert_eq!(sent(request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert!(server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 1)).await.unwrap().is_empty());
}
