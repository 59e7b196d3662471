//! The pages as the server renders them: what is in them before any script runs.

mod addresses;
mod content;
mod cookies;
mod message_forms;
mod names;
mod sharing;

use crate::support::{TestServer, sent};
use reqwest::{Client, StatusCode};

async fn page(browser: &Client, server: &TestServer, path: &str) -> String {
    let answer = sent(browser.get(server.http(path))).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}
