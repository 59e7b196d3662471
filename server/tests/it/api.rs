//! The HTTP API: rooms, messages, events, posting, health.

use crate::{
    joining::fill,
    support::{TestServer, V1, room, text, within_timeout},
};
use app::wire::{ClientFrame, Events, Messages, RoomName, Rooms, Seq, limits::MAX_MESSAGE_BYTES};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::store::RoomInfo;
use std::collections::HashSet;
use tower::ServiceExt;
use uuid::Uuid;

async fn get(server: &TestServer, path: &str) -> Response {
    sent(Client::new().get(server.http(path))).await
}

async fn sent(request: RequestBuilder) -> Response {
    within_timeout(request.send()).await.expect("the server answers")
}

fn posting(server: &TestServer, room: &str) -> RequestBuilder {
    Client::new().post(server.http(&format!("/api/rooms/{room}/messages")))
}

/// The problem that answers: its status and, where it has one, its code.
async fn problem(answer: Response) -> (u16, Option<String>) {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let body: Value = within_timeout(answer.json()).await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], "about:blank");
    assert!(
        body["title"].is_string() && body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')),
        "{body}"
    );
    (status, body["code"].as_str().map(Into::into))
}

#[tokio::test]
async fn rooms_are_those_in_which_something_was_said() {
    let server = TestServer::start().await;
    let rooms: Rooms = get(&server, "/api/rooms").await.json().await.unwrap();
    assert!(rooms.rooms.is_empty());
    fill(&server, "team-tea", 3).await;
    fill(&server, "jam", 1).await;
    let rooms: Value = get(&server, "/api/rooms").await.json().await.unwrap();
    assert_eq!(
        rooms,
        json!({"rooms": [{"room": "jam", "title": "Jam", "head": 1}, {"room": "team-tea", "title": "Team tea", "head": 3}],
            "more": false})
    );
}

#[tokio::test]
async fn rooms_come_in_pages_of_200_each_once() {
    let server = TestServer::start().await;
    let names: Vec<RoomName> = (0..450).map(|n| room(&format!("room-{n:03}"))).collect();
    for name in &names {
        server.store().create_room(name.clone(), RoomInfo::default()).await.unwrap();
    }
    let (mut listed, mut sizes, mut path) = (Vec::new(), Vec::new(), "/api/rooms".to_owned());
    loop {
        let page: Rooms = get(&server, &path).await.json().await.unwrap();
        sizes.push(page.rooms.len());
        listed.extend(page.rooms.into_iter().map(|listed| listed.room));
        path = format!("/api/rooms?after={}", listed.last().unwrap());
        if !page.more {
            break;
        }
    }
    assert_eq!((listed, sizes), (names, vec![200, 200, 50]));
    let page: Rooms = get(&server, "/api/rooms?after=room-100&limit=2").await.json().await.unwrap();
    let listed: Vec<&str> = page.rooms.iter().map(|listed| listed.room.as_str()).collect();
    assert_eq!((listed, page.more), (vec!["room-101", "room-102"], true));
    for limit in ["0", "201"] {
        let refused = get(&server, &format!("/api/rooms?limit={limit}")).await;
        assert_eq!(problem(refused).await, (400, Some("bad_request".into())), "{limit}");
    }
    let refused = get(&server, "/api/rooms?after=No_Room").await;
    assert_eq!(problem(refused).await, (400, Some("bad_request".into())));
}

#[tokio::test]
async fn messages_come_in_pages_in_order() {
    let server = TestServer::start().await;
    fill(&server, "tea", 120).await;
    let page = async |query: &str| -> (Vec<Seq>, bool) {
        let path = format!("/api/rooms/tea/messages{query}");
        let page: Messages = get(&server, &path).await.json().await.unwrap();
        assert_eq!((page.log.as_str(), page.head), (server.store().log_id(), 120));
        (page.messages.iter().map(|message| message.seq).collect(), page.more)
    };
    assert_eq!(page("").await, ((71..=120).collect(), true));
    assert_eq!(page("?before=71&limit=500").await, ((1..=70).collect(), false));
    assert_eq!(page("?limit=2").await, (vec![119, 120], true));
    let (around, _) = page("?around=60&limit=11").await;
    assert!(around.contains(&60) && around.len() == 11, "{around:?}");
    assert!(around[0] < 60 && around[10] > 60, "with what stands on both sides: {around:?}");
    assert!(page("?before=18446744073709551615").await.0.ends_with(&[120]));
}

#[tokio::test]
async fn events_come_after_any_place_in_order() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1_200).await;
    let events = async |query: &str| -> Events {
        let path = format!("/api/rooms/tea/events{query}");
        get(&server, &path).await.json().await.unwrap()
    };
    let seqs = |page: &Events| page.events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let first = events("").await;
    assert_eq!(seqs(&first), (1..=1_000).collect::<Vec<_>>());
    assert_eq!((first.log.as_str(), first.head, first.reset), (server.store().log_id(), 1_200, false));
    assert_eq!(seqs(&events("?after=1000").await), (1_001..=1_200).collect::<Vec<_>>());
    assert_eq!(seqs(&events("?after=7&limit=2").await), [8, 9]);
    let beyond = events("?after=1201").await;
    assert!(beyond.reset && beyond.events.is_empty(), "what the asker has is of another log");
    let at_the_end = events("?after=1200").await;
    assert!(!at_the_end.reset && at_the_end.events.is_empty());
}

#[tokio::test]
async fn an_event_has_the_fields_of_the_protocol() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let page: Value = get(&server, "/api/rooms/tea/events").await.json().await.unwrap();
    let fields: HashSet<&str> = page["events"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, HashSet::from(["seq", "at", "id", "kind", "author", "text"]));
    assert_eq!(page["events"][0]["kind"], "message");
    let page: Value = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let fields: HashSet<&str> = page["messages"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, HashSet::from(["seq", "at", "id", "author", "text"]));
}

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
                ann.send(&ClientFrame::Edit { id: Uuid::now_v7(), room: "tea".into(), target: 1, text })
                    .await;
                ann.events(1).await;
            }
        }
        let asked = Client::new().get(server.http(path)).header("if-none-match", tag.clone());
        let answer = sent(asked).await;
        assert_eq!(answer.status(), StatusCode::OK, "after the {change}");
        tag = answer.headers()["etag"].clone();
    }
    let other = get(&server, "/api/rooms/tea/messages?limit=1").await.headers()["etag"].clone();
    assert_ne!(other, tag, "another question has another tag");
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_refused() {
    let server = TestServer::start().await;
    for (kind, body) in [
        ("application/x-www-form-urlencoded", &b"text=a%FFb"[..]),
        ("application/x-www-form-urlencoded", b"text=a\xffb"),
        ("application/json", b"{\"text\":\"a\xffb\"}"),
        ("application/json", b"{\"text\":\"a\\ud800b\"}"),
        ("text/plain", b"a\xffb"),
    ] {
        let answer = sent(posting(&server, "tea").header("content-type", kind).body(body.to_vec())).await;
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
        posting(&server, "tea").body("  plain\n"),
        posting(&server, "tea").header("content-type", "text/plain; charset=utf-8").body("小明"),
        posting(&server, "tea").form(&[("text", "a form & more")]),
        posting(&server, "tea").json(&json!({"text": "json", "id": id})),
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
    let said: Messages = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let texts: Vec<&str> = said.messages.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["plain", "小明", "a form & more", "json"]);
    assert_eq!(said.messages[3].id, id);
}

#[tokio::test]
async fn a_post_that_is_sent_again_has_the_place_of_the_first_and_is_heard_once() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    let cookie = server.new_user_cookie().await;
    let body = json!({"text": "hello", "id": Uuid::now_v7()});
    for _ in 0..3 {
        let answer = sent(posting(&server, "tea").header("cookie", &cookie).json(&body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.json::<Value>().await.unwrap()["seq"], 1);
    }
    sent(posting(&server, "tea").body("next")).await;
    let heard = bob.events(2).await;
    assert_eq!(heard.iter().map(|event| text(event)).collect::<Vec<_>>(), ["hello", "next"]);
    let stolen = sent(posting(&server, "tea").json(&body)).await;
    assert_eq!(
        problem(stolen).await,
        (400, Some("bad_request".into())),
        "without the cookie it is somebody else"
    );
}

#[tokio::test]
async fn a_program_that_keeps_its_cookie_stays_one_person() {
    let server = TestServer::start().await;
    let program = Client::builder().cookie_store(true).build().unwrap();
    for _ in 0..2 {
        sent(program.post(server.http("/api/rooms/tea/messages")).body("hello")).await;
    }
    sent(posting(&server, "tea").body("hello")).await;
    let said: Messages = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let authors: Vec<_> = said.messages.iter().map(|message| message.author.id).collect();
    assert_eq!(authors[0], authors[1]);
    assert_ne!(authors[1], authors[2]);
}

#[tokio::test]
async fn a_rejected_post_is_a_problem_with_a_code() {
    let server = TestServer::start().await;
    let tea = || posting(&server, "tea");
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
        (posting(&server, "No%20Room").body("x"), 404, Some("no_such_room")),
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
    let mut refused = None;
    for _ in 0..10 {
        let answer = sent(posting(&server, "tea").header("cookie", &cookie).body("again")).await;
        if answer.status() != StatusCode::CREATED {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("ten at once are too fast");
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(problem(refused).await, (429, Some("rate_limited".into())));
}

#[tokio::test]
async fn an_invalid_read_is_a_problem() {
    let server = TestServer::start().await;
    for path in [
        "/api/rooms/tea/messages?limit=0",
        "/api/rooms/tea/messages?limit=501",
        "/api/rooms/tea/messages?before=x",
        "/api/rooms/tea/events?limit=1001",
        "/api/rooms/tea/events?after=-1",
    ] {
        assert_eq!(problem(get(&server, path).await).await, (400, Some("bad_request".into())), "{path}");
    }
    for path in ["/api/rooms/No%20Room/messages", "/api/rooms/-/events"] {
        assert_eq!(problem(get(&server, path).await).await, (404, Some("no_such_room".into())), "{path}");
    }
    for path in ["/api", "/api/", "/api/nothing", "/api/rooms/tea", "/api/rooms/tea/messages/"] {
        assert_eq!(problem(get(&server, path).await).await.0, 404, "{path}");
    }
}

/// H07 and H08 of the Go demo, put right.
#[tokio::test]
async fn head_is_answered_as_get_without_a_body_and_other_methods_with_what_would_do() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let paths = [
        ("/", "GET,HEAD"),
        ("/r/tea", "GET,HEAD,POST"),
        ("/healthz", "GET,HEAD"),
        ("/readyz", "GET,HEAD"),
        ("/api/rooms", "GET,HEAD"),
        ("/api/rooms/tea/messages", "GET,HEAD,POST"),
        ("/api/rooms/tea/events", "GET,HEAD"),
    ];
    for (path, allowed) in paths {
        let get = get(&server, path).await;
        let head = sent(Client::new().head(server.http(path))).await;
        assert_eq!((get.status(), head.status()), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(head.headers().get("content-type"), get.headers().get("content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        let wrong = sent(Client::new().request(Method::DELETE, server.http(path))).await;
        assert_eq!(
            (wrong.headers()["allow"].to_str().unwrap(), wrong.status()),
            (allowed, StatusCode::METHOD_NOT_ALLOWED),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_server_says_that_it_lives_and_can_serve_until_it_goes() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(get(&server, "/readyz").await.text().await.unwrap(), "ready\n");
    server.store().close().await;
    assert_eq!(get(&server, "/healthz").await.status(), StatusCode::OK);
}

/// A stream of Server-Sent Events, read line by line.
struct Stream {
    answer: Response,
    read: String,
}

impl Stream {
    async fn open(server: &TestServer, query: &str, last_event_id: Option<&str>) -> Self {
        let request = Client::new().get(server.http(&format!("/api/rooms/tea/events{query}")));
        let request = request.header("accept", "text/event-stream");
        let request =
            last_event_id.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let answer = sent(request).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        Self { answer, read: String::new() }
    }

    /// The next field that is called `name`.
    async fn field(&mut self, name: &str) -> String {
        loop {
            while let Some((line, rest)) = self.read.split_once('\n') {
                let value =
                    line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).map(str::to_owned);
                self.read = rest.to_owned();
                if let Some(value) = value {
                    return value;
                }
            }
            let chunk =
                within_timeout(self.answer.chunk()).await.unwrap().expect("the stream is without end");
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<Seq> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.field("id").await.parse().unwrap());
        }
        ids
    }
}

#[tokio::test]
async fn a_stream_tells_what_was_and_then_what_happens() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut stream = Stream::open(&server, "", None).await;
    assert_eq!(stream.ids(3).await, [1, 2, 3]);
    sent(posting(&server, "tea").body("two\nlines")).await;
    assert_eq!(stream.ids(1).await, [4]);
    let event: Value = serde_json::from_str(&stream.field("data").await).unwrap();
    assert_eq!(
        (&event["seq"], &event["text"], &event["kind"]),
        (&json!(4), &json!("two\nlines"), &json!("message"))
    );
}

#[tokio::test]
async fn a_stream_resumes_where_the_browser_says_and_misses_nothing() {
    let server = TestServer::start().await;
    fill(&server, "tea", 12_000).await;
    let mut stream = Stream::open(&server, "?after=1", Some("2")).await;
    assert_eq!(stream.ids(11_998).await, (3..=12_000).collect::<Vec<_>>(), "however much was missed");
    let mut stream = Stream::open(&server, "?after=11999", None).await;
    assert_eq!(stream.ids(1).await, [12_000]);
}

#[tokio::test]
async fn a_stream_from_beyond_the_end_begins_afresh() {
    let server = TestServer::start().await;
    fill(&server, "tea", 2).await;
    let mut stream = Stream::open(&server, "", Some("9")).await;
    assert_eq!(stream.field("event").await, "reset");
    assert_eq!(stream.ids(2).await, [1, 2]);
}

#[tokio::test]
async fn a_stream_cannot_resume_from_what_is_no_place() {
    let server = TestServer::start().await;
    let request = Client::new().get(server.http("/api/rooms/tea/events"));
    let answer = sent(request.header("accept", "text/event-stream").header("last-event-id", "x")).await;
    assert_eq!(problem(answer).await, (400, Some("bad_request".into())));
}

#[tokio::test]
async fn a_stream_takes_a_place_like_a_socket() {
    let server = TestServer::with(|config| config.max_connections = 1).await;
    let _first = Stream::open(&server, "", None).await;
    let request = Client::new().get(server.http("/api/rooms/tea/events"));
    let second = sent(request.header("accept", "text/event-stream")).await;
    assert_eq!(second.headers()["retry-after"], "5");
    assert_eq!(problem(second).await.0, 503);
}

/// The id of an event, as the API writes it.
async fn event_id(server: &TestServer, seq: Seq) -> String {
    let path = format!("/api/rooms/tea/events?after={}&limit=1", seq - 1);
    let page: Value = get(server, &path).await.json().await.unwrap();
    page["events"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_of_events_continues_only_the_event_with_the_given_id() {
    let server = TestServer::start().await;
    fill(&server, "tea", 4).await;
    let (second, third) = (event_id(&server, 2).await, event_id(&server, 3).await);
    let mut tags = HashSet::new();
    for (after_id, reset) in [(&second, false), (&third, true)] {
        let answer = get(&server, &format!("/api/rooms/tea/events?after=2&after_id={after_id}")).await;
        tags.insert(answer.headers()["etag"].clone());
        let page: Events = answer.json().await.unwrap();
        let seqs: Vec<Seq> = page.events.iter().map(|event| event.seq).collect();
        assert_eq!((page.reset, seqs), (reset, if reset { vec![] } else { vec![3, 4] }), "{after_id}");
    }
    assert_eq!(tags.len(), 2, "the responses have different tags");
    let refused = get(&server, "/api/rooms/tea/events?after=2&after_id=x").await;
    assert_eq!(problem(refused).await, (400, Some("bad_request".into())));
}

#[tokio::test]
async fn a_stream_of_events_continues_only_the_event_with_the_given_id() {
    let server = TestServer::start().await;
    fill(&server, "tea", 4).await;
    let (second, third) = (event_id(&server, 2).await, event_id(&server, 3).await);
    let fourth = event_id(&server, 4).await;
    let mut stream = Stream::open(&server, &format!("?after=2&after_id={second}"), None).await;
    let last = format!("4/{fourth}");
    assert_eq!([stream.field("id").await, stream.field("id").await], [format!("3/{third}"), last.clone()]);
    let mut stream = Stream::open(&server, &format!("?after=2&after_id={third}"), None).await;
    assert_eq!(stream.field("event").await, "reset");
    assert!(stream.field("id").await.starts_with("1/"), "the stream starts with the first event");
    fill(&server, "tea", 1).await;
    let mut stream = Stream::open(&server, "", Some(&last)).await;
    assert!(stream.field("id").await.starts_with('5'), "`Last-Event-ID` has the same format");
    let mut stream = Stream::open(&server, "", Some(&format!("4/{third}"))).await;
    assert_eq!(stream.field("event").await, "reset");
}

#[tokio::test]
async fn readyz_fails_while_the_server_drains_and_healthz_does_not() {
    let server = TestServer::start().await;
    // A service of its own, because a server that drains closes its listener.
    let probe = async |path: &str| {
        let request = axum::http::Request::get(path).header("host", "localhost");
        let request = request.body(axum::body::Body::empty()).unwrap();
        server::router::router(server.state.clone()).oneshot(request).await.unwrap()
    };
    assert_eq!(probe("/readyz").await.status(), StatusCode::OK);
    server.state.draining.cancel();
    let refused = probe("/readyz").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert_eq!(probe("/healthz").await.status(), StatusCode::OK);
}
