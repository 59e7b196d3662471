//! The markup of messages alone: measures how long 1,000 formatted messages take in the server's HTML.
//!
//! ```text
//! cargo run --release -p bench --bin markup
//! ```
//!
//! It prints the time of their texts, of the same number of bytes without markup in the same run, and of whole pages of 250
//! messages. It fails if the pages take longer than [`MAX_PAGES_MS`].

#[path = "../store/quantiles.rs"]
mod quantiles;

use app::{
    App, Base,
    i18n::Lang,
    page_data::{PageKind, RoomPage},
    ui::formatted_bytes,
    wire::{DisplayName, Mentions, Message, PostingRules, Reactions, Seq, User, UserId},
};
use leptos::prelude::*;
use quantiles::Quantiles;
use std::{
    hint::black_box,
    io::{Write, stdout},
    process::ExitCode,
    time::Instant,
};
use uuid::Uuid;

/// Messages in each round.
const MESSAGES: usize = 1_000;

/// Messages of a page: nearly as many as it has at most.
const MESSAGES_PER_PAGE: usize = 250;

/// Rounds of each measurement, after one that warms the caches.
const ROUNDS: usize = 50;

/// The median time in milliseconds that the pages may take.
const MAX_PAGES_MS: f64 = 30.0;

/// Texts as people write them, with every kind of markup.
const TEXTS: [&str; 10] = [
    "**Release 1.4** is out, *at last*: see [the notes](https://example.org/notes) or ~~the old page~~ the wiki",
    "It fails with `EADDRINUSE`, and only if `--listen` comes before __the other flag__ (see https://example.org/issues/1234?page=2#top)",
    "```rust\nfn main() {\n    let names = [\"Ann\", \"Bob\"];\n    for name in names {\n        println!(\"{name} < & > hello\");\n    }\n}\n```",
    "- buy **tea**\n- and `milk`\n  - oat\n  - soy\n1. first\n2. second",
    "> when is the *meeting*?\n>> at ten\nNo, at **eleven**, in [room 4](https://example.org/r/4)",
    "😀🎉",
    "我们明天**下午三点**开会，见 https://example.org/会议 ，别忘了带 `报告`",
    "Thanks! That *really* helped. I had not seen that `a * b * c` is no markup, nor 2 * 3 * 4, nor snake_case_names.",
    "Write to mailto:ann@example.org or www.example.org, and \\*mind\\* the \\`marks\\` <https://example.org/a_b_c>",
    "One paragraph\n\nand another one, **bold over\ntwo lines**, with ~~a mistake~~ and *emphasis **within** emphasis*.",
];

fn main() -> ExitCode {
    let formatted: Vec<&str> = TEXTS.into_iter().cycle().take(MESSAGES).collect();
    let plain: Vec<String> = formatted.iter().map(|text| "x".repeat(text.len())).collect();
    let bytes: usize = formatted.iter().map(|text| text.len()).sum();
    let texts = measure(|| render_texts(formatted.iter().copied()));
    let without = measure(|| render_texts(plain.iter().map(String::as_str)));
    let pages: Vec<RoomPage> = formatted.chunks(MESSAGES_PER_PAGE).map(page).collect();
    let rows = |page: &RoomPage| render_page(page.clone()).matches(" data-standing=").count();
    assert_eq!(pages.iter().map(rows).sum::<usize>(), MESSAGES, "the pages show every message");
    let rendered = measure(|| pages.iter().map(|page| render_page(page.clone()).len()).sum());
    let ratio = texts.at(0.5) / without.at(0.5);
    let _ = writeln!(
        stdout(),
        "{MESSAGES} formatted texts, {bytes} bytes: {texts}\n\
         as many bytes without markup: {without}; with markup {ratio:.1} times as long\n\
         {} pages of {MESSAGES_PER_PAGE} formatted messages: {rendered}",
        pages.len()
    );
    if rendered.at(0.5) <= MAX_PAGES_MS {
        return ExitCode::SUCCESS;
    }
    let _ = writeln!(stdout(), "too slow: the pages may take {MAX_PAGES_MS} ms");
    ExitCode::FAILURE
}

/// Measures `render`, which returns the bytes of what it has rendered.
fn measure(render: impl Fn() -> usize) -> Quantiles {
    black_box(render());
    let mut times = Quantiles::default();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        black_box(render());
        times.add(began.elapsed());
    }
    times.sorted()
}

/// Renders texts as the page of a room does.
fn render_texts<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts
        .map(|text| formatted_bytes(black_box(text), &Mentions::default(), UserId(99), Lang::En.strings()))
        .sum()
}

/// Returns the HTML of a page.
fn render_page(page: RoomPage) -> String {
    Owner::new().with(|| {
        provide_context(Base(String::new()));
        provide_context(Box::new(page));
        App().to_html()
    })
}

/// Returns the page of a room with these messages, of ten authors.
fn page(texts: &[&str]) -> RoomPage {
    let user = |id| User::new(UserId(id), DisplayName::generated(UserId(id)));
    let messages = texts.iter().zip(1..).map(|(text, seq): (_, Seq)| Message {
        seq,
        at: 1_795_651_200_000 + seq * 60_000,
        id: Uuid::from_u128(seq.into()),
        author: user(seq / 3 % 10),
        text: (*text).into(),
        reply_to: None,
        edited_at: None,
        mentions: Mentions::default(),
        files: app::wire::Files::default(),
        deleted: false,
        reactions: Reactions::default(),
    });
    RoomPage {
        kept_hours: None,
        posting: PostingRules::default(),
        lang: Lang::En,
        you: user(99),
        log: "log".into(),
        room: "tea".parse().expect("a valid name"),
        title: "Tea".into(),
        topic: String::new(),
        is_owner: false,
        moderates: false,
        blocked: Vec::new(),
        head: texts.len() as Seq,
        read: Some(texts.len() as Seq),
        older_unread: 0,
        kind: PageKind::Latest,
        highlighted: None,
        messages: messages.collect(),
        more: false,
        sources: Vec::new(),
        replying_to: None,
        members: Vec::new(),
        member_count: 0,
        rooms: Vec::new(),
        rejected: None,
        suggestions: None,
    }
}
