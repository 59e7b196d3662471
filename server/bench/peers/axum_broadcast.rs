//! axum's chat example without names and pages: one `tokio::sync::broadcast` channel for the
//! room, and two tasks for each connection.
//! Each message goes to every connection as plain text, with one frame and one write; nothing is stored.
//!
//! The channel holds 100 messages, as in the example. A connection that falls further behind gets
//! `Lagged` from its receiver, which ends the connection.
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

/// Messages that the channel keeps for slow receivers.
const CAPACITY: usize = 100;

/// The only room.
type Room = broadcast::Sender<Utf8Bytes>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let room: Room = broadcast::channel(CAPACITY).0;
    let router = Router::new().route("/ws", get(upgrade)).with_state(room);
    axum::serve(TcpListener::bind(address).await?, router).await
}

async fn upgrade(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(|socket| serve_connection(socket, room))
}

/// Serves one connection until it ends or lags.
async fn serve_connection(socket: WebSocket, room: Room) {
    let (mut sender, mut receiver) = socket.split();
    let mut messages = room.subscribe();
    let mut send = tokio::spawn(async move {
        while let Ok(text) = messages.recv().await {
            if sender.send(Message::Text(text)).await.is_err() {
                break;
            }
        }
    });
    let mut receive = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = receiver.next().await {
            // There is at least one receiver: this connection.
            let _ = room.send(text);
        }
    });
    tokio::select! {
        _ = &mut send => receive.abort(),
        _ = &mut receive => send.abort(),
    }
}
