//! Texts that look like HTML, scripts or entities: each page and form shows exactly the text, to the owner of the
//! room, to the author and to other readers.

use crate::support::{TestServer, sent, visitor};
use app::wire::{limits::MAX_MESSAGE_BYTES, sanitize_for_display};
use reqwest::{Client, StatusCode};
use scraper::{Html, Selector};

const TEXTS: [&str; 16] = [
    "</textarea><h1>elsewhere</h1>",
    "</TEXTAREA\n><meta http-equiv=refresh content='0;url=//evil.example'>",
    "</textarea><!--",
    "<!--<script>",
    "</script><script>alert(1)</script>",
    "</title></style></noscript></iframe></xmp><plaintext>",
    "&lt;b&gt; &amp;amp; &#60;i&#62; &notit; &NewLine;",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)> '><b>",
    "]]><x> --!> <?php ?> <![CDATA[",
    "\\u003c/script\\u003e \"'`${1} {{7*7}}",
    "a\u{2028}b\u{2029}c",
    "two\n\n</textarea>\nlines",
    "tab\tand a\u{a0}no-break space",
    "\u{feff}byte order mark \u{fffd}",
    "& < > \" ' &",
];

/// Returns the elements of a page in order, each with the names of its attributes.
fn structure(html: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let everything = Selector::parse("*").unwrap();
    let describe = |element: scraper::ElementRef<'_>| {
        let mut names: Vec<_> = element.value().attrs().map(|(name, _)| name.to_owned()).collect();
        names.sort();
        format!("{} {}", element.value().name(), names.join(" "))
    };
    page.select(&everything).map(describe).collect()
}

/// Returns the text of each element that `selector` matches, as a browser has it.
fn texts(html: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    page.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
}

fn values(html: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let value =
        |element: scraper::ElementRef<'_>| element.value().attr("value").unwrap_or_default().to_owned();
    page.select(&Selector::parse(selector).unwrap()).map(value).collect()
}

async fn page(browser: &Client, server: &TestServer, path: &str) -> String {
    sent(browser.get(server.http(path))).await.text().await.unwrap()
}

async fn form(browser: &Client, server: &TestServer, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = sent(browser.post(server.http(path)).form(fields)).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect::<String>().trim().replace(char::is_control, " ")
}

/// A room with a message of `text` by its author and one by the room's owner, named after it as far as that goes.
struct Stage {
    server: TestServer,
    owner: Client,
    author: Client,
    reader: Client,
}

impl Stage {
    async fn set(text: &str) -> Self {
        let server = TestServer::start().await;
        let owner = visitor(&server).await;
        let (author, reader) = (visitor(&server).await, visitor(&server).await);
        let (status, _) = form(&owner, &server, "/rooms", &[("title", "Stage"), ("topic", "plain")]).await;
        assert_eq!(status, 303);
        for browser in [&author, &owner] {
            assert_eq!(form(browser, &server, "/r/stage", &[("text", text)]).await.0, 303, "{text}");
        }
        let renamed = form(&author, &server, "/name", &[("name", &cut(text, 32)), ("room", "stage")]).await;
        if renamed.0 == 400 {
            form(&author, &server, "/name", &[("name", "Plain"), ("room", "stage")]).await;
        }
        let about = [("title", cut(text, 48)), ("topic", cut(text, 200))];
        let about: Vec<_> = about.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if form(&owner, &server, "/r/stage/about", &about).await.0 != 303 {
            form(&owner, &server, "/r/stage/about", &[("title", "Other"), ("topic", "other")]).await;
        }
        Self { server, owner, author, reader }
    }

    /// Returns every page that shows a part of the text, with its reader and path.
    async fn pages(&self) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for (name, browser) in [("owner", &self.owner), ("author", &self.author), ("reader", &self.reader)] {
            for path in ["/r/stage", "/r/stage?before=2", "/r/stage?around=1", "/", "/rooms", "/nothing"] {
                pages.push((format!("{name} at {path}"), page(browser, &self.server, path).await));
            }
        }
        pages
    }

    /// Returns every page that repeats a rejected text in its form.
    async fn rejected_forms(&self, text: &str) -> Vec<(String, String)> {
        let long = format!("{text}{}", "x".repeat(MAX_MESSAGE_BYTES));
        let mut pages = Vec::new();
        for (path, fields) in [
            ("/r/stage", vec![("text", &*long)]),
            ("/r/stage/1/edit", vec![("text", &*long)]),
            ("/name", vec![("name", &*long), ("room", "stage")]),
            ("/rooms", vec![("title", &*long), ("topic", text)]),
            ("/r/stage/about", vec![("title", &*long), ("topic", text)]),
            ("/settings", vec![("theme", text), ("lang", text), ("back", text)]),
        ] {
            let (status, page) = form(&self.author, &self.server, path, &fields).await;
            assert!((300..500).contains(&status), "{path} answered {status}");
            pages.push((format!("rejected form of {path}"), page));
        }
        pages
    }
}

#[tokio::test]
async fn hostile_text_changes_no_pages_structure() {
    let plain = Stage::set("plain").await;
    let pages = plain.pages().await.into_iter().chain(plain.rejected_forms("plain").await);
    let expected: Vec<_> = pages.map(|(_, page)| structure(&page)).collect();
    for text in TEXTS {
        let stage = Stage::set(text).await;
        let pages = stage.pages().await.into_iter().chain(stage.rejected_forms(text).await);
        for ((name, page), expected) in pages.zip(&expected) {
            assert_eq!(&structure(&page), expected, "{name} with {text:?}");
        }
    }
}

#[tokio::test]
async fn edit_fields_hold_exactly_the_text_of_the_message() {
    for text in TEXTS {
        let stage = Stage::set(text).await;
        for (name, browser, fields) in
            [("owner", &stage.owner, 2), ("author", &stage.author, 1), ("reader", &stage.reader, 0)]
        {
            let page = page(browser, &stage.server, "/r/stage").await;
            assert_eq!(texts(&page, "form.editor textarea"), vec![text; fields], "{name}");
            assert_eq!(texts(&page, ".line .text"), [text, text], "{name}");
        }
    }
}

#[tokio::test]
async fn rejected_text_is_returned_unchanged_in_the_form() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    form(&browser, &server, "/r/tea", &[("text", "first")]).await;
    for text in TEXTS.into_iter().chain(["\n\nleading line feeds", "carriage\r\nreturns", "\0\u{1b}[2J"]) {
        let long = format!("{text}{}", "x".repeat(MAX_MESSAGE_BYTES));
        let (status, page) = form(&browser, &server, "/r/tea/1/edit", &[("text", &long)]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(texts(&page, "textarea"), [sanitize_for_display(&long)], "{text:?}");
        let (_, page) = form(&browser, &server, "/r/tea", &[("text", &long)]).await;
        let composer = texts(&page, ".composer textarea");
        assert_eq!(composer, [sanitize_for_display(&long)], "{text:?}");
        let (_, page) = form(&browser, &server, "/name", &[("name", &long), ("room", "tea")]).await;
        let names: Vec<_> =
            values(&page, "#name").iter().map(|name| sanitize_for_display(name).into_owned()).collect();
        assert_eq!(names, [sanitize_for_display(&long)], "{text:?}");
    }
}

#[tokio::test]
async fn empty_composer_is_empty() {
    let server = TestServer::start().await;
    let page = page(&visitor(&server).await, &server, "/r/tea").await;
    assert_eq!(texts(&page, ".composer textarea"), [""]);
}
