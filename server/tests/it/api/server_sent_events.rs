//! Events of a room as a stream of Server-Sent Events.

use super::{event_id, post_request, problem, sent};
use crate::{
    joining::fill,
    support::{TestServer, within_timeout},
};
use app::wire::Seq;
use reqwest::{Client, Response};
use serde_json::{Value, json};

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

    /// Returns the value of the next field with this name.
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
            let chunk = within_timeout(self.answer.chunk()).await.unwrap().expect("the stream does not end");
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
async fn a_stream_sends_past_events_and_then_new_ones() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut stream = Stream::open(&server, "", None).await;
    assert_eq!(stream.ids(3).await, [1, 2, 3]);
    sent(post_request(&server, "tea").body("two\nlines")).await;
    assert_eq!(stream.ids(1).await, [4]);
    let event: Value = serde_json::from_str(&stream.field("data").await).unwrap();
    assert_eq!(
        (&event["seq"], &event["text"], &event["kind"]),
        (&json!(4), &json!("two\nlines"), &json!("message"))
    );
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_id_without_a_gap() {
    let server = TestServer::start().await;
    fill(&server, "tea", 12_000).await;
    let mut stream = Stream::open(&server, "?after=1", Some("2")).await;
    assert_eq!(stream.ids(11_998).await, (3..=12_000).collect::<Vec<_>>(), "any number of missed events");
    let mut stream = Stream::open(&server, "?after=11999", None).await;
    assert_eq!(stream.ids(1).await, [12_000]);
}

#[tokio::test]
async fn a_stream_from_beyond_the_head_starts_with_a_reset() {
    let server = TestServer::start().await;
    fill(&server, "tea", 2).await;
    let mut stream = Stream::open(&server, "", Some("9")).await;
    assert_eq!(stream.field("event").await, "reset");
    assert_eq!(stream.ids(2).await, [1, 2]);
}

#[tokio::test]
async fn an_invalid_last_event_id_is_a_problem() {
    let server = TestServer::start().await;
    let request = Client::new().get(server.http("/api/rooms/tea/events"));
    let answer = sent(request.header("accept", "text/event-stream").header("last-event-id", "x")).await;
    assert_eq!(problem(answer).await, (400, Some("bad_request".into())));
}

#[tokio::test]
async fn a_stream_counts_against_the_connection_limit() {
    let server = TestServer::with(|config| config.max_connections = 1).await;
    let _first = Stream::open(&server, "", None).await;
    let request = Client::new().get(server.http("/api/rooms/tea/events"));
    let second = sent(request.header("accept", "text/event-stream")).await;
    assert_eq!(second.headers()["retry-after"], "5");
    assert_eq!(problem(second).await.0, 503);
}

#[tokio::test]
async fn event_stream_continues_only_after_the_event_of_the_given_id() {
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
