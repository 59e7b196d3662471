//! Reactions over the wire, by forms, and their bounds.

use crate::support::{TestServer, V1, room, sent, visitor, within_timeout};
use app::wire::{
    ClientFrame, DisplayName, ErrorCode, MAX_REACTIONS, Message, Messages, Operation, Seq, ServerFrame,
    UserId, limits::MAX_PAGE_BYTES,
};
use futures_util::future::join_all;
use reqwest::{StatusCode, header};
use server::store::NewEvent;
use uuid::Uuid;

fn react(target: Seq, emoji: &str, on: bool) -> ClientFrame {
    ClientFrame::React { id: Uuid::now_v7(), room: "tea".into(), target, emoji: emoji.into(), on }
}

async fn messages(server: &TestServer) -> Vec<Message> {
    let answer =
        within_timeout(reqwest::get(server.http("/api/rooms/tea/messages?limit=500"))).await.unwrap();
    answer.json::<Messages>().await.unwrap().messages
}

#[tokio::test]
async fn reaction_is_acknowledged_as_a_repeat_if_it_changes_nothing() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "hello").await;
    ann.expect_reply().await;
    for (frame, seq, dup) in [
        (react(1, "❤", true), 2, false),
        // The same emoji, fully qualified.
        (react(1, "❤\u{fe0f}", true), 2, true),
        (react(1, "👍", false), 1, true),
        (react(1, "❤\u{fe0f}", false), 3, false),
    ] {
        ann.send(&frame).await;
        match ann.expect_reply().await {
            ServerFrame::Ack { seq: acknowledged, dup: repeated, .. } => {
                assert_eq!((acknowledged, repeated), (Some(seq), dup), "{frame:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(messages(&server).await[0].reactions.list, []);
}

#[tokio::test]
async fn a_text_that_is_no_emoji_is_refused_and_the_connection_stays() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "hello").await;
    ann.expect_reply().await;
    let long = "👍".repeat(2_000);
    for bad in ["", " ", "a", "ok 👍", "👍👍", "👍\n", "\u{200d}", "🇩", "<b>", "👍\u{202e}", &long]
    {
        ann.send(&react(1, bad, true)).await;
        match ann.expect_reply().await {
            ServerFrame::Error { code, id, .. } => {
                assert_eq!((code, id.is_some()), (ErrorCode::BadRequest, true), "{bad:?}");
            }
            other => panic!("{bad:?}: {other:?}"),
        }
    }
    for (target, emoji) in [(1, "👩🏽‍🚀"), (1, "🏴󠁧󠁢󠁳󠁣󠁴󠁿"), (1, "🇩🇪"), (1, "1️⃣")]
    {
        ann.send(&react(target, emoji, true)).await;
        assert!(matches!(ann.expect_reply().await, ServerFrame::Ack { .. }), "{emoji}");
    }
    ann.send(&react(9, "👍", true)).await;
    match ann.expect_reply().await {
        ServerFrame::Error { code, .. } => assert_eq!(code, ErrorCode::NoSuchMessage),
        other => panic!("{other:?}"),
    }
    assert_eq!(messages(&server).await[0].reactions.list.len(), 4);
}

#[tokio::test]
async fn forms_give_a_reaction_and_take_it_back() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    bob.post("tea", "hello").await;
    bob.expect_reply().await;
    let ann = visitor(&server).await;
    let post = async |field: &str, value: &str, target: &str| {
        let path = server.http(&format!("/r/tea/{target}/react"));
        sent(ann.post(path).form(&[(field, value)])).await.status()
    };
    let pressed = async || {
        let page = sent(ann.get(server.http("/r/tea"))).await.text().await.unwrap();
        let page = scraper::Html::parse_document(&page);
        let pill = scraper::Selector::parse(".reaction").unwrap();
        let pills = page.select(&pill).map(|pill| {
            let value = pill.value();
            (value.attr("name").unwrap().to_owned(), value.attr("aria-pressed").unwrap() == "true")
        });
        pills.collect::<Vec<_>>()
    };
    assert_eq!(post("give", "👍", "1").await, StatusCode::SEE_OTHER);
    assert_eq!(pressed().await, [("take_back".to_owned(), true)]);
    assert_eq!(post("take_back", "👍", "1").await, StatusCode::SEE_OTHER);
    assert_eq!(pressed().await, []);
    assert_eq!(post("give", "<script>", "1").await, StatusCode::BAD_REQUEST);
    assert_eq!(post("other", "👍", "1").await, StatusCode::BAD_REQUEST);
    assert_eq!(post("give", "👍", "9").await, StatusCode::NOT_FOUND);
    let foreign = ann.post(server.http("/r/tea/1/react")).header(header::ORIGIN, "https://evil.example");
    assert_eq!(sent(foreign.form(&[("give", "👍")])).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(pressed().await, []);
}

#[tokio::test]
async fn a_reader_is_told_of_their_own_reaction_among_many() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "hello").await;
    ann.expect_reply().await;
    append_reactions(&server, 1, (0..30).map(UserId), &["👍"]).await;
    ann.send(&react(1, "👍", true)).await;
    // The ack of a message may come before the event or after it, so a count of events proves nothing.
    while ann.events_at_least(1).await.last().is_none_or(|event| event.seq < 32) {}
    ann.frames_until_pong().await;
    let joined = ann.join("tea", None).await;
    let ServerFrame::Joined { messages: Some(messages), .. } = joined else { panic!("{joined:?}") };
    let reaction = &messages[0].reactions.list[0];
    assert_eq!((reaction.count, reaction.is_by(ann.you().id), reaction.names.len()), (31, true, 11));
    let others = messages_of_stranger(&server).await;
    assert_eq!((others.list[0].count, others.list[0].by.len()), (31, 10));
}

async fn messages_of_stranger(server: &TestServer) -> app::wire::Reactions {
    messages(server).await.remove(0).reactions
}

async fn append_reactions(
    server: &TestServer,
    target: Seq,
    users: impl Iterator<Item = UserId>,
    emoji: &[&str],
) {
    let event = |(author, emoji): (UserId, &&str)| {
        let operation = Operation::React { target, emoji: (*emoji).into(), on: true };
        server.store().append(NewEvent::new(Uuid::now_v7(), room("tea"), author, operation))
    };
    let pairs = users.flat_map(|user| emoji.iter().map(move |emoji| (user, emoji)));
    let appended = join_all(pairs.map(event)).await;
    assert!(appended.iter().all(Result::is_ok), "{:?}", appended.iter().find(|it| it.is_err()));
}

/// The longest emoji, as many as a message may have.
fn emoji() -> Vec<&'static str> {
    let mut all: Vec<&str> = emojis::iter().map(emojis::Emoji::as_str).collect();
    all.sort_by_key(|emoji| std::cmp::Reverse(emoji.len()));
    all.truncate(MAX_REACTIONS);
    all
}

#[tokio::test]
async fn ten_thousand_reactions_of_500_users_stay_within_the_bounds() {
    let server = TestServer::start().await;
    let author = UserId(7);
    for _ in 0..100 {
        server.store().append(NewEvent::message(Uuid::now_v7(), room("tea"), author, "hello")).await.unwrap();
    }
    // Names that HTML and JSON escape.
    let users: Vec<UserId> = (1_000..1_500).map(UserId).collect();
    for user in &users[..12] {
        let name: DisplayName = format!("<\"&'\\{:>25}", user.0).parse().unwrap();
        server.store().set_display_name(*user, name).await.unwrap();
    }
    append_reactions(&server, 100, users.iter().copied(), &emoji()).await;
    for target in 1..100 {
        append_reactions(&server, target, users.iter().copied().take(12), &emoji()).await;
    }
    let found = messages(&server).await;
    let newest = found.last().unwrap();
    assert_eq!((newest.seq, newest.reactions.list.len()), (100, MAX_REACTIONS));
    assert!(newest.reactions.list.iter().all(|it| it.count == 500 && it.by.len() == 10));
    for path in ["/r/tea", "/r/tea?around=50", "/api/rooms/tea/messages?limit=500"] {
        let page = within_timeout(reqwest::get(server.http(path))).await.unwrap().bytes().await.unwrap();
        assert!(page.len() <= MAX_PAGE_BYTES, "{path}: {} bytes", page.len());
    }
    let mut ann = V1::connect(&server).await;
    let joined = ann.join("tea", None).await.to_json();
    assert!(joined.len() <= MAX_PAGE_BYTES, "{} bytes", joined.len());
    let refused = Operation::React { target: 100, emoji: "🐸".into(), on: true };
    let refused = NewEvent::new(Uuid::now_v7(), room("tea"), author, refused);
    assert!(server.store().append(refused).await.is_err());
}
