//! A client of `hubbub.v1`.

use super::{Stream, TestServer, closed, within_timeout};
use app::wire::{ClientFrame, CommandId, Event, EventBody, PROTOCOL, Seq, ServerFrame, User, UserId};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use uuid::Uuid;

pub struct V1 {
    pub socket: Stream,
    /// The `welcome` that this connection got.
    pub welcome: ServerFrame,
}

impl V1 {
    /// Connects as a new user.
    pub async fn connect(server: &TestServer) -> Self {
        Self::connect_with(server, &[]).await
    }

    /// Connects as the user of `cookie`.
    pub async fn connect_as(server: &TestServer, cookie: &str) -> Self {
        Self::connect_with(server, &[("cookie", cookie)]).await
    }

    /// Connects as a new user, through a proxy that names `network`.
    pub async fn connect_from(server: &TestServer, network: &str) -> Self {
        Self::connect_with(server, &[("x-forwarded-for", network)]).await
    }

    async fn connect_with(server: &TestServer, headers: &[(&'static str, &str)]) -> Self {
        let headers = [&[("sec-websocket-protocol", PROTOCOL)], headers].concat();
        let (mut socket, _) = server.open("/ws", &headers).await.expect("the server accepts v1");
        let welcome = next(&mut socket).await;
        Self { socket, welcome }
    }

    /// Returns the user of this connection.
    pub fn you(&self) -> &User {
        match &self.welcome {
            ServerFrame::Welcome { you, .. } => you,
            other => panic!("instead of a welcome came {other:?}"),
        }
    }

    /// Connects as a new user and joins `room` with its newest page.
    pub async fn connect_and_join(server: &TestServer, room: &str) -> Self {
        let mut client = Self::connect(server).await;
        client.join(room, None).await;
        client
    }

    /// Connects two new users who are in each other's list of `room`. Where each has a server of their own, this waits for the
    /// notifications between the servers.
    pub async fn connect_two_and_join(server: &TestServer, room: &str) -> (Self, Self) {
        let (mut one, mut two) = (Self::connect(server).await, Self::connect(server).await);
        let joined_first = one.join(room, None).await;
        let joined_second = two.join(room, None).await;
        one.wait_for_member(&joined_first, two.you().id).await;
        two.wait_for_member(&joined_second, one.you().id).await;
        (one, two)
    }

    /// Waits until a user is in this client's list of the only room that it has joined.
    pub async fn wait_for_member(&mut self, joined: &ServerFrame, user: UserId) {
        let is_listed = |list: &[User]| list.iter().any(|member| member.id == user);
        let mut is_member = matches!(joined, ServerFrame::Joined { members, .. } if is_listed(members));
        while !is_member {
            let frame = self.next_frame().await;
            is_member = matches!(&frame, ServerFrame::Presence { here, .. } if is_listed(here));
        }
    }

    /// Joins `room` and returns the `joined` frame. What comes before it may say that rights have changed meanwhile.
    pub async fn join(&mut self, room: &str, after: Option<Seq>) -> ServerFrame {
        self.send(&join_frame(room, after)).await;
        loop {
            match self.expect_frame().await {
                ServerFrame::PostingChanged { .. } => {}
                joined @ ServerFrame::Joined { .. } => return joined,
                other => panic!("instead of joined came {other:?}"),
            }
        }
    }

    pub async fn send(&mut self, frame: &ClientFrame) {
        self.send_text(&serde_json::to_string(frame).expect("a frame is JSON")).await;
    }

    pub async fn send_text(&mut self, json: &str) {
        self.send_message(Message::text(json)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        within_timeout(self.socket.send(message)).await.expect("the socket is open");
    }

    /// Posts under a new id, without waiting for anything.
    pub async fn post(&mut self, room: &str, text: &str) -> CommandId {
        let id = Uuid::now_v7();
        self.send(&ClientFrame::Post {
            id,
            room: room.into(),
            text: text.into(),
            reply_to: None,
            mentions: Vec::new(),
            files: Vec::new(),
        })
        .await;
        id
    }

    /// Returns the next frame that is not about presence.
    pub async fn expect_frame(&mut self) -> ServerFrame {
        loop {
            match self.next_frame().await {
                ServerFrame::Presence { .. } => {}
                frame => return frame,
            }
        }
    }

    /// Returns the next frame.
    pub async fn next_frame(&mut self) -> ServerFrame {
        next(&mut self.socket).await
    }

    /// Sets the user's name and waits for the reply.
    pub async fn set_name(&mut self, name: &str) {
        let own = Uuid::now_v7();
        self.send(&ClientFrame::Rename { id: own, name: name.into() }).await;
        while !matches!(self.expect_frame().await, ServerFrame::Ack { id, .. } if id == own) {}
    }

    /// Returns the frames before the answer to a ping, except those about presence.
    pub async fn frames_until_pong(&mut self) -> Vec<ServerFrame> {
        self.send(&ClientFrame::Ping { n: 77 }).await;
        let mut frames = Vec::new();
        loop {
            match self.expect_frame().await {
                ServerFrame::Pong { n: 77, .. } => return frames,
                frame => frames.push(frame),
            }
        }
    }

    /// Returns the next frame that is neither `events` nor about presence.
    pub async fn expect_reply(&mut self) -> ServerFrame {
        loop {
            match self.expect_frame().await {
                ServerFrame::Events { .. } => {}
                answer => return answer,
            }
        }
    }

    /// Returns the next `count` events of any room; skips all other frames.
    pub async fn events(&mut self, count: usize) -> Vec<Arc<Event>> {
        let frames = self.events_at_least(count).await;
        assert_eq!(frames.len(), count, "no further event");
        frames
    }

    /// Returns the next events of any room, at least `count`.
    pub async fn events_at_least(&mut self, count: usize) -> Vec<Arc<Event>> {
        let mut frames = Vec::new();
        while frames.len() < count {
            if let ServerFrame::Events { events, .. } = self.expect_frame().await {
                frames.extend(events);
            }
        }
        frames
    }

    /// Waits until the server closes. Returns its code and reason.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        closed(&mut self.socket).await
    }
}

/// Returns the frame that joins `room` with presence.
pub fn join_frame(room: &str, after: Option<Seq>) -> ClientFrame {
    ClientFrame::Join { room: room.into(), after, after_id: None, log: None, limit: None, presence: true }
}

/// Returns the text of an event that is a message.
pub fn text(event: &Event) -> &str {
    match &event.body {
        EventBody::Message { text, .. } => text,
        _ => panic!("not a message: {event:?}"),
    }
}

async fn next(socket: &mut Stream) -> ServerFrame {
    loop {
        match within_timeout(socket.next()).await {
            Some(Ok(Message::Text(json))) => {
                return serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("instead of a frame came {other:?}"),
        }
    }
}
