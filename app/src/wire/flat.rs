//! Reading what the server says. serde reads a tagged enum by way of a tree of everything that could be in
//! it, which is a quarter of the page's weight; here every field that there is stands in one struct, and
//! the tag says which of them must be there.

use super::{
    Author, CommandId, ErrorCode, Event, EventBody, Limits, Message, Millis, PersonName, RoomName, Seq,
    ServerFrame,
};
use serde::Deserialize;
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

/// What a frame or an event lacks.
pub(super) type Lacking = &'static str;

/// Any frame.
#[derive(Deserialize)]
pub(super) struct Frame {
    r#type: String,
    protocol: Option<u32>,
    server: Option<String>,
    log: Option<String>,
    you: Option<Author>,
    limits: Option<Limits>,
    heartbeat_ms: Option<u64>,
    room: Option<RoomName>,
    title: Option<String>,
    head: Option<Seq>,
    reset: Option<bool>,
    members: Option<Vec<Author>>,
    read: Option<Seq>,
    messages: Option<Vec<Message>>,
    more: Option<bool>,
    events: Option<Vec<Arc<Event>>>,
    id: Option<String>,
    seq: Option<Seq>,
    dup: Option<bool>,
    code: Option<ErrorCode>,
    message: Option<String>,
    retry_ms: Option<u64>,
    name: Option<PersonName>,
    n: Option<u64>,
    heads: Option<BTreeMap<RoomName, Seq>>,
}

impl TryFrom<Frame> for ServerFrame {
    type Error = Lacking;

    fn try_from(frame: Frame) -> Result<Self, Lacking> {
        Ok(match &*frame.r#type {
            "welcome" => Self::Welcome {
                protocol: frame.protocol.ok_or("protocol")?,
                server: frame.server.ok_or("server")?,
                log: frame.log.ok_or("log")?,
                you: frame.you.ok_or("you")?,
                limits: frame.limits.ok_or("limits")?,
                heartbeat_ms: frame.heartbeat_ms.ok_or("heartbeat_ms")?,
            },
            "joined" => Self::Joined {
                room: frame.room.ok_or("room")?,
                title: frame.title.ok_or("title")?,
                head: frame.head.ok_or("head")?,
                reset: frame.reset.ok_or("reset")?,
                members: frame.members.ok_or("members")?,
                read: frame.read.ok_or("read")?,
                messages: frame.messages,
                more: frame.more,
            },
            "events" => {
                Self::Events { room: frame.room.ok_or("room")?, events: frame.events.ok_or("events")? }
            }
            "ack" => Self::Ack {
                id: parsed(frame.id)?,
                room: frame.room,
                seq: frame.seq,
                dup: frame.dup.ok_or("dup")?,
            },
            "error" => Self::Error {
                id: frame.id,
                code: frame.code.ok_or("code")?,
                message: frame.message.ok_or("message")?,
                retry_ms: frame.retry_ms,
            },
            "renamed" => Self::Renamed { id: parsed(frame.id)?, name: frame.name.ok_or("name")? },
            "pong" => Self::Pong { n: frame.n.ok_or("n")?, heads: frame.heads.ok_or("heads")? },
            _ => Self::Unknown,
        })
    }
}

/// Any event.
#[derive(Deserialize)]
pub(super) struct AnyEvent {
    seq: Seq,
    at: Millis,
    id: CommandId,
    author: Author,
    kind: String,
    text: Option<Arc<str>>,
    reply_to: Option<Seq>,
    target: Option<Seq>,
}

impl TryFrom<AnyEvent> for Event {
    type Error = Lacking;

    fn try_from(event: AnyEvent) -> Result<Self, Lacking> {
        let AnyEvent { seq, at, id, author, kind, text, reply_to, target } = event;
        let (text, target) = (text.ok_or("text"), target.ok_or("target"));
        let body = match &*kind {
            "message" => EventBody::Message { text: text?, reply_to },
            "edit" => EventBody::Edit { target: target?, text: text? },
            "delete" => EventBody::Delete { target: target? },
            _ => EventBody::Unknown,
        };
        Ok(Self { seq, at, id, author, body })
    }
}

/// An id, which is text on the wire.
fn parsed<T: FromStr>(id: Option<String>) -> Result<T, Lacking> {
    id.and_then(|id| id.parse().ok()).ok_or("id")
}
