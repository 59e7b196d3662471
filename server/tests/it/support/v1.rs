//! Somebody who talks `hubbub.v1`.

use super::{Stream, TestServer, closed, soon};
use app::wire::{ClientFrame, CommandId, Event, EventBody, PROTOCOL, Seq, ServerFrame, User};
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
    /// Connects as somebody new.
    pub async fn connect(server: &TestServer) -> Self {
        Self::connect_with(server, &[]).await
    }

    /// Connects as the person of `cookie`.
    pub async fn connect_as(server: &TestServer, cookie: &str) -> Self {
        Self::connect_with(server, &[("cookie", cookie)]).await
    }

    /// Connects as somebody new, through a proxy that names `network`.
    pub async fn connect_from(server: &TestServer, network: &str) -> Self {
        Self::connect_with(server, &[("x-forwarded-for", network)]).await
    }

    async fn connect_with(server: &TestServer, headers: &[(&'static str, &str)]) -> Self {
        let headers = [&[("sec-websocket-protocol", PROTOCOL)], headers].concat();
        let (mut socket, _) = server.open("/ws", &headers).await.expect("v1 is welcome");
        let welcome = next(&mut socket).await;
        Self { socket, welcome }
    }

    /// Who the server takes this connection for.
    pub fn you(&self) -> &User {
        match &self.welcome {
            ServerFrame::Welcome { you, .. } => you,
            other => panic!("instead of a welcome came {other:?}"),
        }
    }

    /// Connects as somebody new and joins `room` with its newest page.
    pub async fn enter(server: &TestServer, room: &str) -> Self {
        let mut person = Self::connect(server).await;
        person.join(room, None).await;
        person
    }

    /// Joins `room`, and gives the `joined` frame.
    pub async fn join(&mut self, room: &str, after: Option<Seq>) -> ServerFrame {
        self.say(&ClientFrame::Join {
            room: room.into(),
            after,
            after_id: None,
            log: None,
            limit: None,
            presence: true,
        })
        .await;
        let joined = self.hear().await;
        assert!(matches!(joined, ServerFrame::Joined { .. }), "instead of joined came {joined:?}");
        joined
    }

    pub async fn say(&mut self, frame: &ClientFrame) {
        self.say_raw(&serde_json::to_string(frame).expect("a frame is JSON")).await;
    }

    pub async fn say_raw(&mut self, json: &str) {
        self.send(Message::text(json)).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon(self.socket.send(message)).await.expect("the socket is open");
    }

    /// Posts under a new id, without waiting for anything.
    pub async fn post(&mut self, room: &str, text: &str) -> CommandId {
        let id = Uuid::now_v7();
        self.say(&ClientFrame::Post { id, room: room.into(), text: text.into(), reply_to: None }).await;
        id
    }

    /// The next frame but for those about who is here.
    pub async fn hear(&mut self) -> ServerFrame {
        loop {
            match self.hear_any().await {
                ServerFrame::Presence { .. } => {}
                frame => return frame,
            }
        }
    }

    /// The next frame.
    pub async fn hear_any(&mut self) -> ServerFrame {
        next(&mut self.socket).await
    }

    /// Changes their name, and waits until that is done.
    pub async fn call(&mut self, name: &str) {
        self.say(&ClientFrame::Rename { id: Uuid::now_v7(), name: name.into() }).await;
        while !matches!(self.hear().await, ServerFrame::Ack { .. }) {}
    }

    /// Everything but who is here that comes before the answer to a ping.
    pub async fn until_pong(&mut self) -> Vec<ServerFrame> {
        self.say(&ClientFrame::Ping { n: 77 }).await;
        let mut heard = Vec::new();
        loop {
            match self.hear().await {
                ServerFrame::Pong { n: 77, .. } => return heard,
                frame => heard.push(frame),
            }
        }
    }

    /// The next frame that is no `events`.
    pub async fn answer(&mut self) -> ServerFrame {
        loop {
            match self.hear().await {
                ServerFrame::Events { .. } => {}
                answer => return answer,
            }
        }
    }

    /// The next `count` events of whatever room, skipping every other frame.
    pub async fn events(&mut self, count: usize) -> Vec<Arc<Event>> {
        let heard = self.events_at_least(count).await;
        assert_eq!(heard.len(), count, "no more came than expected");
        heard
    }

    /// The next events of whatever room until there are `count`, with those that came beside them.
    pub async fn events_at_least(&mut self, count: usize) -> Vec<Arc<Event>> {
        let mut heard = Vec::new();
        while heard.len() < count {
            if let ServerFrame::Events { events, .. } = self.hear().await {
                heard.extend(events);
            }
        }
        heard
    }

    /// Waits until the server closes, and gives its code and reason.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        closed(&mut self.socket).await
    }
}

/// What an event says, if it is a message.
pub fn text(event: &Event) -> &str {
    match &event.body {
        EventBody::Message { text, .. } => text,
        _ => panic!("an event that is no message: {event:?}"),
    }
}

async fn next(socket: &mut Stream) -> ServerFrame {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Text(json))) => {
                return serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("instead of a frame came {other:?}"),
        }
    }
}
