//! A bot: it joins a room and answers every message `!ping` with `pong`.
//!
//! ```sh
//! cargo run --package server --example bot -- ws://127.0.0.1:8080/ws tea
//! ```
//!
//! PROTOCOL.md describes the frames. A bot that must miss nothing while it is away joins with `after` and `log`, and
//! sends a `post` without `ack` again after it has reconnected.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{env, error::Error};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:8080/ws".into());
    let room = arguments.next().unwrap_or_else(|| "lobby".into());
    run(&url, &room).await
}

/// Answers in `room` until the server closes the connection.
///
/// # Errors
/// The address is invalid, or the connection fails.
pub async fn run(url: &str, room: &str) -> Result<(), Box<dyn Error>> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("hubbub.v1"));
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(json!({"type": "join", "room": room}).to_string())).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let frame: Value = serde_json::from_str(&text)?;
        for event in frame["events"].as_array().into_iter().flatten() {
            if event["kind"] == "message" && event["text"] == "!ping" {
                // The id makes a repeated post harmless.
                let post = json!({"type": "post", "id": Uuid::now_v7(), "room": room, "text": "pong"});
                socket.send(Message::text(post.to_string())).await?;
            }
        }
    }
    Ok(())
}
