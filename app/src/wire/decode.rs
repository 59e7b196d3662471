//! The browser's decoder of frames, events and messages, and its encoder of the frames of a client.

use super::{
    ClientFrame, ErrorCode, Event, EventBody, Limits, Message, Messages, Reaction, Reactions, ServerFrame,
    User,
    json::{FromJson, Json, ObjectWriter, ToJson, fields, record},
};
use std::{fmt, sync::Arc};

/// A text is not a frame of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidFrame;

impl fmt::Display for InvalidFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not a frame of the server")
    }
}

impl std::error::Error for InvalidFrame {}

impl ServerFrame {
    /// Parses a frame like its `Deserialize`.
    ///
    /// # Errors
    /// [`InvalidFrame`] if `json` is not an object with a type, or if a field that the type needs is missing or invalid.
    ///
    /// # Examples
    /// ```
    /// use app::wire::ServerFrame;
    ///
    /// // A type that a later version adds is no error.
    /// assert_eq!(ServerFrame::parse(r#"{"type":"from_the_future","n":7}"#), Ok(ServerFrame::Unknown));
    /// assert!(ServerFrame::parse(r#"{"type":"pong"}"#).is_err());
    /// ```
    pub fn parse(json: &str) -> Result<Self, InvalidFrame> {
        Json::parse(json).and_then(|json| Self::from_json(&json)).ok_or(InvalidFrame)
    }
}

impl FromJson for ServerFrame {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.field("type")??.text()? {
            "welcome" => fields!(json Self::Welcome { protocol, server, log, you, limits, heartbeat_ms }),
            "joined" => fields!(json Self::Joined {
                room, title, topic: default, kept_hours, posting: flattened, head, reset, members, member_count: default, read, messages, more
            }),
            "events" => fields!(json Self::Events { room, events }),
            "ack" => fields!(json Self::Ack { id, room, seq, dup }),
            "error" => fields!(json Self::Error { id, code, message, retry_ms }),
            "removed" => fields!(json Self::Removed { room, code, message }),
            "posting_changed" => fields!(json Self::PostingChanged { room, posting: flattened }),
            "renamed" => fields!(json Self::Renamed { id, name, ambiguous: default, tag }),
            "presence" => fields!(json Self::Presence { room, here, gone, count: default }),
            "typing" => fields!(json Self::Typing { room, user }),
            "read" => fields!(json Self::Read { room, seq, head, unread, mentions, marked: default }),
            "room_updated" => fields!(json Self::RoomUpdated { room, title, topic, kept_hours }),
            "pong" => fields!(json Self::Pong { n, heads }),
            _ => Some(Self::Unknown),
        }
    }
}

record!(Limits { message_bytes, name_chars, catch_up });
record!(User { id, name, ambiguous: default, tag });
record!(Message {
    seq,
    at,
    id,
    author,
    text: default,
    reply_to,
    edited_at,
    mentions: default,
    files: default,
    deleted: default,
    reactions: flattened,
});
record!(Reaction { emoji, count, by, names: default });
record!(Messages { log, head, messages, more });
record!(Event { seq, at, id, author, body: flattened });

impl FromJson for Reactions {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let (list, seq): (Vec<Reaction>, _) =
            (json.read_or_default("reactions")?, json.read("reactions_seq")?);
        Some(Self { list, seq })
    }
}

impl FromJson for Arc<Event> {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        Event::from_json(json).map(Self::new)
    }
}

impl FromJson for EventBody {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.field("kind")??.text()? {
            "message" => fields!(json Self::Message { text, reply_to, mentions: default, files: default }),
            "edit" => fields!(json Self::Edit { target, text, mentions: default }),
            "delete" => fields!(json Self::Delete { target }),
            "react" => fields!(json Self::React { target, emoji, on }),
            "expire" => fields!(json Self::Expire { up_to }),
            "expired" => Some(Self::Expired),
            // A later kind may use the same fields for other values.
            _ => Some(Self::Unknown),
        }
    }
}

impl FromJson for ErrorCode {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let name = json.text()?;
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        Some(known.map_or(Self::Unknown, |(_, code)| *code))
    }
}

impl ToJson for ErrorCode {
    fn write_json(&self, json: &mut String) {
        let known = Self::NAMES.iter().find(|(_, code)| code == self);
        known.map_or("unknown", |(name, _)| name).write_json(json);
    }
}

impl ClientFrame {
    /// Returns the frame as JSON, like its `Serialize`.
    pub fn to_json(&self) -> String {
        let object = |name: &str| ObjectWriter::new("type", name);
        match self {
            Self::Join { room, after, after_id, log, limit, presence } => {
                let limit = limit.map(u64::from);
                let object = object("join").field("room", &**room).optional("after", after.as_ref());
                let object = object.optional("after_id", after_id.as_ref()).optional("log", log.as_deref());
                let object = object.optional("limit", limit.as_ref());
                if *presence { object } else { object.field("presence", presence) }
            }
            Self::Leave { room } => object("leave").field("room", &**room),
            Self::Post { id, room, text, reply_to, mentions, files } => object("post")
                .field("id", id)
                .field("room", &**room)
                .field("text", &**text)
                .optional("reply_to", reply_to.as_ref())
                .optional("mentions", unless_empty(mentions))
                .optional("files", unless_empty(files)),
            Self::Edit { id, room, target, text, mentions } => object("edit")
                .field("id", id)
                .field("room", &**room)
                .field("target", target)
                .field("text", &**text)
                .optional("mentions", unless_empty(mentions)),
            Self::Delete { id, room, target } => {
                object("delete").field("id", id).field("room", &**room).field("target", target)
            }
            Self::React { id, room, target, emoji, on } => object("react")
                .field("id", id)
                .field("room", &**room)
                .field("target", target)
                .field("emoji", &**emoji)
                .field("on", on),
            Self::Typing { room } => object("typing").field("room", &**room),
            Self::Read { room, seq } => object("read").field("room", &**room).field("seq", seq),
            Self::Unread { room, seq } => object("unread").field("room", &**room).field("seq", seq),
            Self::Rename { id, name } => object("rename").field("id", id).field("name", &**name),
            Self::Ping { n } => object("ping").field("n", n),
        }
        .end()
    }
}

fn unless_empty<T>(items: &[T]) -> Option<&[T]> {
    (!items.is_empty()).then_some(items)
}
