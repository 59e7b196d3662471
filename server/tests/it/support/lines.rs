//! A client of the lines protocol, like the Go demo's page.

use super::{Stream, TestServer, closed, within_timeout};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

pub struct Lines {
    pub socket: Stream,
    waiting: VecDeque<String>,
}

impl Lines {
    /// Connects to `room`.
    pub async fn join(server: &TestServer, room: &str) -> Self {
        let (socket, _) =
            server.open(&format!("/ws?room={room}"), &[]).await.expect("the server accepts lines");
        Self { socket, waiting: VecDeque::new() }
    }

    /// Continues over a socket that is open.
    pub fn over(socket: Stream) -> Self {
        Self { socket, waiting: VecDeque::new() }
    }

    /// Connects to `room`, through a proxy that names `network`.
    pub async fn join_from(server: &TestServer, room: &str, network: &str) -> Self {
        let path = format!("/ws?room={room}");
        let (socket, _) =
            server.open(&path, &[("x-forwarded-for", network)]).await.expect("the server accepts lines");
        Self { socket, waiting: VecDeque::new() }
    }

    pub async fn send_line(&mut self, line: &str) {
        self.send_message(Message::text(line)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        within_timeout(self.socket.send(message)).await.expect("the socket is open");
    }

    /// Returns the next line; several may share one WebSocket message.
    pub async fn expect_line(&mut self) -> String {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return line;
            }
            match within_timeout(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => self.waiting.extend(text.split('\n').map(str::to_owned)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("instead of a line came {other:?}"),
            }
        }
    }

    /// Waits until the server closes. Returns its code and reason.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        closed(&mut self.socket).await
    }
}
