//! A small decoder of server frames for the browser: it parses the tag first, then the fields of that frame.
//!
//! serde decodes a tagged enum through a buffer of any value, which costs 9 KB of the page. A property test checks
//! that both decoders agree.

use super::{
    CommandId, DisplayName, ErrorCode, Event, EventBody, Limits, Message, Millis, RoomName, Seq, ServerFrame,
    User, UserId,
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{collections::BTreeMap, fmt, sync::Arc};

impl ServerFrame {
    /// Parses a frame like its `Deserialize`.
    ///
    /// # Errors
    /// An error if `json` is not an object with a type, or if a field that the type needs is missing or invalid.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        let Tag { r#type } = serde_json::from_str(json)?;
        Ok(match &*r#type {
            "welcome" => serde_json::from_str::<Welcome>(json)?.into(),
            "joined" => serde_json::from_str::<Joined>(json)?.into(),
            "events" => serde_json::from_str::<Events>(json)?.into(),
            "ack" => serde_json::from_str::<Ack>(json)?.into(),
            "error" => serde_json::from_str::<Error>(json)?.into(),
            "renamed" => serde_json::from_str::<Renamed>(json)?.into(),
            "presence" => serde_json::from_str::<Presence>(json)?.into(),
            "typing" => serde_json::from_str::<Typing>(json)?.into(),
            "read" => serde_json::from_str::<Read>(json)?.into(),
            "room_updated" => serde_json::from_str::<RoomUpdated>(json)?.into(),
            "pong" => serde_json::from_str::<Pong>(json)?.into(),
            _ => Self::Unknown,
        })
    }
}

#[derive(Deserialize)]
struct Tag {
    r#type: String,
}

/// Defines a struct with the fields of the variant of the same name.
macro_rules! frame {
    ($name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize)]
        struct $name { $($(#[$attribute])* $field: $type),* }

        impl From<$name> for ServerFrame {
            fn from($name { $($field),* }: $name) -> Self {
                Self::$name { $($field),* }
            }
        }
    };
}

frame!(Welcome { protocol: u32, server: String, log: String, you: User, limits: Limits, heartbeat_ms: u64 });
frame!(Joined {
    room: RoomName,
    title: String,
    #[serde(default)]
    topic: String,
    head: Seq,
    reset: bool,
    members: Vec<User>,
    #[serde(default)]
    member_count: u32,
    read: Seq,
    messages: Option<Vec<Message>>,
    more: Option<bool>,
});
frame!(Ack { id: CommandId, room: Option<RoomName>, seq: Option<Seq>, dup: bool });
frame!(Error { id: Option<String>, code: ErrorCode, message: String, retry_ms: Option<u64> });
frame!(Renamed {
    id: UserId,
    name: DisplayName,
    #[serde(default)]
    ambiguous: bool,
    tag: Option<Arc<str>>,
});
frame!(Presence {
    room: RoomName,
    here: Vec<User>,
    gone: Vec<UserId>,
    #[serde(default)]
    count: u32,
});
frame!(Typing { room: RoomName, user: User });
frame!(Read { room: RoomName, seq: Seq, head: Option<Seq>, unread: Option<u32> });
frame!(RoomUpdated { room: RoomName, title: String, topic: String });
frame!(Pong { n: u64, heads: BTreeMap<RoomName, Seq> });

#[derive(Deserialize)]
struct Events {
    room: RoomName,
    events: Vec<DecodedEvent>,
}

impl From<Events> for ServerFrame {
    fn from(Events { room, events }: Events) -> Self {
        Self::Events { room, events: events.into_iter().map(|DecodedEvent(event)| event).collect() }
    }
}

/// An event of any kind.
#[derive(Deserialize)]
#[serde(try_from = "RawEvent")]
struct DecodedEvent(Arc<Event>);

/// The fields of all known kinds of events. A later kind may use the same names for other values.
#[derive(Deserialize)]
struct RawEvent {
    seq: Seq,
    at: Millis,
    id: CommandId,
    author: User,
    kind: String,
    #[serde(default)]
    text: Scalar,
    #[serde(default)]
    reply_to: Scalar,
    #[serde(default)]
    target: Scalar,
}

impl TryFrom<RawEvent> for DecodedEvent {
    type Error = &'static str;

    fn try_from(event: RawEvent) -> Result<Self, Self::Error> {
        let RawEvent { seq, at, id, author, kind, text, reply_to, target } = event;
        let body = match &*kind {
            "message" => EventBody::Message { text: text.text()?, reply_to: reply_to.number_if_any()? },
            "edit" => EventBody::Edit { target: target.number()?, text: text.text()? },
            "delete" => EventBody::Delete { target: target.number()? },
            _ => EventBody::Unknown,
        };
        Ok(Self(Arc::new(Event { seq, at, id, author, body })))
    }
}

/// The value of a field whose type depends on another field.
#[derive(Debug, Default, PartialEq, Eq)]
enum Scalar {
    /// The field is missing or `null`.
    #[default]
    Absent,
    /// A string.
    Text(Arc<str>),
    /// An unsigned integer.
    Number(u64),
    /// Another value.
    Other,
}

impl Scalar {
    fn text(self) -> Result<Arc<str>, &'static str> {
        if let Self::Text(text) = self { Ok(text) } else { Err("a text is missing") }
    }

    fn number(self) -> Result<u64, &'static str> {
        if let Self::Number(number) = self { Ok(number) } else { Err("a number is missing") }
    }

    fn number_if_any(self) -> Result<Option<u64>, &'static str> {
        if self == Self::Absent { Ok(None) } else { self.number().map(Some) }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Scalar, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
