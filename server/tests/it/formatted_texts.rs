//! The markup of messages as pages have it, and a corpus of texts that try to get out of it.

use crate::support::{Lines, TestServer, V1, sent, text as text_of, visitor, within_timeout};
use app::wire::{ClientFrame, Messages, RoomName, trim_message, trim_single_line};
use reqwest::{Client, StatusCode};
use scraper::{ElementRef, Html, Selector};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// A text of the corpus, which the browser tests read too.
#[derive(Deserialize)]
#[serde(untagged)]
enum HostileText {
    Whole(String),
    Repeated {
        #[serde(default)]
        begin: String,
        repeat: String,
        times: usize,
        end: String,
    },
}

fn corpus() -> Vec<String> {
    let texts: Vec<HostileText> = serde_json::from_str(include_str!("hostile-texts.json")).unwrap();
    let text = |text| match text {
        HostileText::Whole(text) => text,
        HostileText::Repeated { begin, repeat, times, end } => begin + &repeat.repeat(times) + &end,
    };
    texts.into_iter().map(text).collect()
}

async fn unlimited_server() -> TestServer {
    TestServer::with(|config| (config.post_rate, config.per_network) = (0, 0)).await
}

async fn page(browser: &Client, server: &TestServer, path: &str) -> Html {
    Html::parse_document(&sent(browser.get(server.http(path))).await.text().await.unwrap())
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

/// The elements within the text of a message, each with its attributes.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("p", &["dir", "class"]),
    ("div", &["class", "dir"]),
    ("span", &["class"]),
    ("code", &["class"]),
    ("a", &["class", "href", "rel", "target", "title"]),
    ("blockquote", &["class"]),
    ("ul", &[]),
    ("li", &["class", "dir"]),
    ("pre", &["aria-label", "role", "tabindex"]),
    ("details", &["class"]),
    ("summary", &[]),
    ("small", &["class"]),
    ("button", &["class", "data-copied", "data-copy-code", "type"]),
];

fn assert_allowed(element: ElementRef<'_>) {
    let (name, value) = (element.value().name(), element.value());
    let allowed = ALLOWED.iter().find(|(allowed, _)| *allowed == name);
    let Some((_, attributes)) = allowed else { panic!("{name} in {}", element.html()) };
    for (attribute, _) in value.attrs() {
        assert!(attributes.contains(&attribute), "{attribute} in {}", element.html());
    }
    if name == "a" && value.attr("class") == Some("room-link") {
        let room = value.attr("href").unwrap().strip_prefix("/r/").unwrap();
        assert!(room.parse::<RoomName>().is_ok(), "{room}");
    } else if name == "a" {
        let href = value.attr("href").unwrap().to_ascii_lowercase();
        assert!(["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme)), "{href}");
        assert_eq!(value.attr("rel"), Some("noopener noreferrer nofollow ugc"));
        assert_eq!(value.attr("target"), Some("_blank"));
    }
}

/// Returns the names of the elements of all messages, without those within their texts.
fn structure_around_texts(page: &Html) -> Vec<&str> {
    let is_text = |element: ElementRef<'_>| element.value().classes().any(|name| name == "text");
    let mut names = Vec::new();
    for element in page.select(&selector(".line .message-body *")) {
        if element.ancestors().filter_map(ElementRef::wrap).any(is_text) {
            continue;
        }
        names.push(if is_text(element) { "text" } else { element.value().name() });
    }
    names
}

#[tokio::test]
async fn no_text_of_the_corpus_gets_out_of_its_message() {
    let server = unlimited_server().await;
    let author = visitor(&server).await;
    let post = async |room: &str, text: &str| {
        let path = format!("/r/{room}");
        let answer = sent(author.post(server.http(&path)).form(&[("text", text)])).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{text:?}");
        page(&author, &server, &path).await
    };
    let plain = post("plain", "plain").await;
    let expected = structure_around_texts(&plain);
    assert!(expected.contains(&"text"));
    for (n, text) in corpus().iter().enumerate() {
        let page = post(&format!("room-{n}"), text).await;
        assert_eq!(structure_around_texts(&page), expected, "{text:?}");
        for element in page.select(&selector(".line .text *")) {
            assert_allowed(element);
        }
    }
}

#[tokio::test]
async fn every_way_in_stores_a_hostile_text_as_it_was_written() {
    let server = unlimited_server().await;
    let author = visitor(&server).await;
    let mut socket = V1::connect_and_join(&server, "socket").await;
    let mut lines = Lines::join(&server, "lines").await;
    for text in corpus() {
        let stored = trim_message(&text).unwrap().into_owned();
        sent(author.post(server.http("/r/form")).form(&[("text", &text)])).await;
        sent(author.post(server.http("/api/rooms/api/messages")).json(&json!({ "text": text }))).await;
        let (id, room) = (Uuid::now_v7(), "socket".into());
        socket
            .send(&ClientFrame::Post {
                id,
                room,
                text: text.clone(),
                reply_to: None,
                mentions: Vec::new(),
                files: Vec::new(),
            })
            .await;
        assert_eq!(text_of(&socket.events(1).await[0]), stored);
        for room in ["form", "api"] {
            let path = format!("/api/rooms/{room}/messages?limit=1");
            let newest: Messages = sent(author.get(server.http(&path))).await.json().await.unwrap();
            assert_eq!(&*newest.messages[0].text, stored, "{room}");
        }
        lines.send_line(&text).await;
        assert_eq!(within_timeout(lines.expect_line()).await, trim_single_line(&text).unwrap());
    }
}
