//! The HTTP API: rooms, messages, events, posting, health.

mod caching;
mod health;
mod methods;
mod posting;
mod reading;
mod server_sent_events;

use crate::support::{TestServer, within_timeout};
use app::wire::Seq;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

async fn get(server: &TestServer, path: &str) -> Response {
    sent(Client::new().get(server.http(path))).await
}

async fn sent(request: RequestBuilder) -> Response {
    within_timeout(request.send()).await.expect("the server answers")
}

fn post_request(server: &TestServer, room: &str) -> RequestBuilder {
    Client::new().post(server.http(&format!("/api/rooms/{room}/messages")))
}

/// Checks that a response is a problem; returns its status and, if it has one, its code.
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

/// Returns the id of an event, as the API writes it.
async fn event_id(server: &TestServer, seq: Seq) -> String {
    let path = format!("/api/rooms/tea/events?after={}&limit=1", seq - 1);
    let page: Value = get(server, &path).await.json().await.unwrap();
    page["events"][0]["id"].as_str().unwrap().to_owned()
}
