//! The chat that one writes first with axum, to compare with: a broadcast channel of tokio for the one
//! room, and two tasks for each connection. It follows axum's example of a chat, but for names and pages:
//! what somebody says goes to everybody as bare text, one frame and one write each, and nothing is kept.
//!
//! The channel holds 100 messages, as in the example. A connection that falls further behind has
//! `Lagged` from its receiver, which ends its loop, and so the connection, without a word.
//!
//! ```text
//! cargo run --release -p bench --bin axum_broadcast -- 127.0.0.1:8080
//! ```

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use std::{env, io};
use tokio::{net::TcpListener, sync::broadcast};

/// Messages that the room keeps for those who are behind.
const CAPACITY: usize = 100;

/// The one room.
type Room = broadcast::Sender<Utf8Bytes>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let room: Room = broadcast::channel(CAPACITY).0;
    let router = Router::new().route("/ws", get(upgrade)).with_state(room);
    axum::serve(TcpListener::bind(address).await?, router).await
}

async fn upgrade(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(|socket| talk(socket, room))
}

/// Serves one connection, until it ends or falls behind.
async fn talk(socket: WebSocket, room: Room) {
    let (mut sender, mut receiver) = socket.split();
    let mut said = room.subscribe();
    let mut tell = tokio::spawn(async move {
        while let Ok(text) = said.recv().await {
            if sender.send(Message::Text(text)).await.is_err() {
                break;
            }
        }
    });
    let mut hear = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = receiver.next().await {
            // Somebody listens: this connection.
            let _ = room.send(text);
        }
    });
    tokio::select! {
        _ = &mut tell => hear.abort(),
        _ = &mut hear => tell.abort(),
    }
}
