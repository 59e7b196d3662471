//! Somebody who talks in lines, as the Go demo's page does.

use super::{Stream, TestServer, closed, soon};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

pub struct Lines {
    pub socket: Stream,
    waiting: VecDeque<String>,
}

impl Lines {
    /// Comes into `room`.
    pub async fn enter(server: &TestServer, room: &str) -> Self {
        let (socket, _) = server.open(&format!("/ws?room={room}"), &[]).await.expect("lines are welcome");
        Self { socket, waiting: VecDeque::new() }
    }

    /// Comes into `room`, through a proxy that names `network`.
    pub async fn enter_from(server: &TestServer, room: &str, network: &str) -> Self {
        let path = format!("/ws?room={room}");
        let (socket, _) =
            server.open(&path, &[("x-forwarded-for", network)]).await.expect("lines are welcome");
        Self { socket, waiting: VecDeque::new() }
    }

    pub async fn say(&mut self, line: &str) {
        self.send(Message::text(line)).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon(self.socket.send(message)).await.expect("the socket is open");
    }

    /// The next line; several may come in one WebSocket message.
    pub async fn hear(&mut self) -> String {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return line;
            }
            match soon(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => self.waiting.extend(text.split('\n').map(str::to_owned)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("instead of a line came {other:?}"),
            }
        }
    }

    /// Waits until the server closes, and gives its code and reason.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        closed(&mut self.socket).await
    }
}
