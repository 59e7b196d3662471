//! Replies through the forms of the page, and what pages show of the messages that they reply to.

use crate::support::{TestServer, V1, sent, visitor, within_timeout};
use app::wire::{ClientFrame, EventBody, Messages, Seq};
use reqwest::{Client, StatusCode};
use scraper::{Html, Selector};
use uuid::Uuid;

async fn page(browser: &Client, server: &TestServer, path: &str) -> Html {
    Html::parse_document(&sent(browser.get(server.http(path))).await.text().await.unwrap())
}

fn texts(page: &Html, css: &str) -> Vec<String> {
    let selector = Selector::parse(css).unwrap();
    page.select(&selector).map(|found| found.text().collect::<Vec<_>>().join("")).collect()
}

async fn post(browser: &Client, server: &TestServer, text: &str, reply_to: &str) -> StatusCode {
    let form = [("text", text), ("reply_to", reply_to)];
    sent(browser.post(server.http("/r/tea")).form(&form)).await.status()
}

async fn reply_to(server: &TestServer) -> Vec<Option<Seq>> {
    let answer = within_timeout(reqwest::get(server.http("/api/rooms/tea/messages"))).await.unwrap();
    let page: Messages = answer.json().await.unwrap();
    page.messages.iter().map(|message| message.reply_to).collect()
}

#[tokio::test]
async fn a_form_posts_a_reply_and_a_reply_to_nothing_keeps_its_text() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    bob.post("tea", "**who** brings cake?").await;
    bob.expect_reply().await;
    let ann = visitor(&server).await;
    let form = page(&ann, &server, "/r/tea?reply=1").await;
    assert!(texts(&form, ".reply-notice")[0].contains("who brings cake?"));
    let hidden = Selector::parse("input[name=reply_to]").unwrap();
    assert_eq!(form.select(&hidden).next().unwrap().value().attr("value"), Some("1"));
    assert_eq!(post(&ann, &server, "I do", "1").await, StatusCode::SEE_OTHER);
    assert_eq!(reply_to(&server).await, [None, Some(1)]);
    let quotes = texts(&page(&ann, &server, "/r/tea").await, ".quote");
    assert!(quotes.len() == 1 && quotes[0].ends_with("who brings cake?"), "{quotes:?}");
    for (target, status) in [("9", StatusCode::NOT_FOUND), ("x", StatusCode::UNPROCESSABLE_ENTITY)] {
        assert_eq!(post(&ann, &server, "lost?", target).await, status);
    }
    let rejected = sent(ann.post(server.http("/r/tea")).form(&[("text", "kept"), ("reply_to", "9")])).await;
    let rejected = Html::parse_document(&rejected.text().await.unwrap());
    assert_eq!(texts(&rejected, "textarea#text"), ["kept"]);
    assert_eq!(reply_to(&server).await.len(), 2);
    // No message has such a number, and a deleted one cannot be answered.
    for path in ["/r/tea?reply=3", "/r/tea?reply=0", "/r/tea?reply=18446744073709551615"] {
        assert_eq!(texts(&page(&ann, &server, path).await, ".reply-notice"), Vec::<String>::new(), "{path}");
    }
    bob.send(&ClientFrame::Delete { id: Uuid::now_v7(), room: "tea".into(), target: 1 }).await;
    bob.expect_reply().await;
    let shown = page(&ann, &server, "/r/tea?reply=1").await;
    assert_eq!(texts(&shown, ".reply-notice"), Vec::<String>::new());
    assert!(texts(&shown, ".quote")[0].ends_with("Deleted"));
}

#[tokio::test]
async fn a_page_shows_quotes_of_older_messages_up_to_its_bound() {
    let server = TestServer::with(|config| config.post_rate = 0).await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    for n in 1..=60 {
        bob.post("tea", &format!("question {n}")).await;
        bob.expect_reply().await;
    }
    for n in 1..=50 {
        let (id, room, text) = (Uuid::now_v7(), "tea".into(), format!("answer {n}"));
        bob.send(&ClientFrame::Post {
            id,
            room,
            text,
            reply_to: Some(n),
            mentions: Vec::new(),
            files: Vec::new(),
        })
        .await;
        bob.expect_reply().await;
    }
    let quotes = texts(&page(&visitor(&server).await, &server, "/r/tea").await, ".quote");
    let known = quotes.iter().filter(|quote| quote.contains("question")).count();
    assert_eq!((quotes.len(), known), (50, 20), "{quotes:?}");
    assert!(quotes[49].ends_with("question 50") && quotes[0].ends_with("an earlier message"));
    // Everyone receives the number of the message.
    let mut carol = V1::connect(&server).await;
    carol.join("tea", Some(109)).await;
    assert!(matches!(carol.events(1).await[0].body, EventBody::Message { reply_to: Some(50), .. }));
}
