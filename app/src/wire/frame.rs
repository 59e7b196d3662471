//! One unit on the wire: [`ClientFrame`] up, [`ServerFrame`] down.

use super::{CommandId, DisplayName, Event, Message, RoomName, Seq, User, UserId, event::is_false};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// What a client says.
///
/// Rooms and names are text here: whether they obey their rule is the command's to answer, with the
/// command's `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Receive a room: with `after` everything since, without it the newest page; then live.
    Join {
        /// The room's name.
        room: String,
        /// The last `seq` that the client has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
        /// The `id` of the event at `after`: another one there means another past.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_id: Option<CommandId>,
        /// The log that `after` belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<String>,
        /// Messages on the newest page: 1 to 500, 50 without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
        /// With `false` the client receives events only: it is not listed as present, and it receives no presence
        /// and no typing.
        #[serde(default = "present", skip_serializing_if = "is_true")]
        presence: bool,
    },
    /// Stop receiving a room.
    Leave {
        /// The room's name.
        room: String,
    },
    /// Say something in a joined room.
    Post {
        /// Made by the client, kept for every repeat.
        id: CommandId,
        /// The room's name.
        room: String,
        /// What to say; trimmed by the server.
        text: String,
        /// The `seq` of the message that this one answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
    },
    /// Change the text of one's own message.
    Edit {
        /// Made by the client, kept for every repeat.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The message's `seq`.
        target: Seq,
        /// What it is to say; trimmed by the server.
        text: String,
    },
    /// Take one's own message back.
    Delete {
        /// Made by the client, kept for every repeat.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The message's `seq`.
        target: Seq,
    },
    /// Somebody is writing: at most once every 3 s, good for 6 s.
    Typing {
        /// The room's name.
        room: String,
    },
    /// The last event that this person has seen in a room.
    Read {
        /// The room's name.
        room: String,
        /// Its place.
        seq: Seq,
    },
    /// Change one's display name.
    Rename {
        /// Made by the client, kept for every repeat.
        id: CommandId,
        /// The new name.
        name: String,
    },
    /// Is the connection alive, and is anything missing?
    Ping {
        /// Comes back in `pong`.
        n: u64,
    },
}

/// The default of `presence` in `join`.
fn present() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

/// A WebSocket message that is no [`ClientFrame`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// `unknown_type` or `bad_request`.
    pub code: ErrorCode,
    /// What is wrong, for a person.
    pub message: String,
    /// The command's id, where one could be read.
    pub id: Option<String>,
}

impl ClientFrame {
    const TYPES: [&'static str; 9] =
        ["join", "leave", "post", "edit", "delete", "typing", "read", "rename", "ping"];

    /// Longest id that is sent back with an error about a malformed command.
    const ID_BYTES: usize = 64;

    /// Reads one frame.
    ///
    /// # Errors
    /// [`Malformed`], ready to be answered.
    pub fn parse(json: &str) -> Result<Self, Malformed> {
        serde_json::from_str(json).map_err(|error| Self::why_malformed(json, &error))
    }

    fn why_malformed(json: &str, error: &serde_json::Error) -> Malformed {
        let bad = |message: String, id| Malformed { code: ErrorCode::BadRequest, message, id };
        let Ok(value) = serde_json::from_str::<Value>(json) else {
            return bad("That is not JSON.".into(), None);
        };
        let id = value["id"].as_str().filter(|id| id.len() <= Self::ID_BYTES).map(Into::into);
        match value["type"].as_str() {
            None => bad("A frame is a JSON object with a type.".into(), id),
            Some(kind) if Self::TYPES.contains(&kind) => bad(format!("This {kind} is wrong: {error}."), id),
            Some(_) => Malformed {
                code: ErrorCode::UnknownType,
                message: format!("The types are {}.", Self::TYPES.join(", ")),
                id,
            },
        }
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Always the first.
    Welcome {
        /// The protocol's version.
        protocol: u32,
        /// The server's version.
        server: String,
        /// The identity of the log; a client that has another starts afresh.
        log: String,
        /// Who the server takes this connection for.
        you: User,
        /// What the server accepts.
        limits: Limits,
        /// Silence in milliseconds after which the client sends `ping`.
        heartbeat_ms: u64,
    },
    /// The answer to `join`.
    Joined {
        /// The room.
        room: RoomName,
        /// Its heading.
        title: String,
        /// What it is about; empty where nobody said so.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        topic: String,
        /// Its newest `seq`.
        head: Seq,
        /// Forget what you had: `messages` is the newest page.
        reset: bool,
        /// The first [`MAX_LISTED_MEMBERS`](super::limits::MAX_LISTED_MEMBERS) users present; the reader is among them if it
        /// is present.
        members: Vec<User>,
        /// All users present; 0 from a server that does not count them.
        #[serde(default)]
        member_count: u32,
        /// The last event that this person has read; 0 where none is known.
        read: Seq,
        /// With `reset: true`: the newest messages in order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        messages: Option<Vec<Message>>,
        /// With `reset: true`: whether there are older ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<bool>,
    },
    /// What happened, in order.
    Events {
        /// Where.
        room: RoomName,
        /// What.
        events: Vec<Arc<Event>>,
    },
    /// The command is durable.
    Ack {
        /// Which command.
        id: CommandId,
        /// The room of its event; none for `rename`, which is no event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        /// The place of its event; none for `rename`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<Seq>,
        /// It was there already.
        dup: bool,
    },
    /// Something was not done. The connection goes on.
    Error {
        /// Which command, where it is known.
        id: Option<String>,
        /// What kind of error.
        code: ErrorCode,
        /// One sentence for a person.
        message: String,
        /// When to try again, in milliseconds from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
    },
    /// Somebody here is called something else now.
    Renamed {
        /// Who.
        id: UserId,
        /// Their new name.
        name: DisplayName,
        /// Another user has the same name, or one that is confusable with it.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
        /// With `alike`: the mark that distinguishes them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<Arc<str>>,
    },
    /// The list of the users present in a room has changed, or their number.
    Presence {
        /// Where.
        room: RoomName,
        /// The users who are listed now.
        here: Vec<User>,
        /// The users who are no longer listed.
        gone: Vec<UserId>,
        /// All users present now; 0 from a server that does not count them.
        #[serde(default)]
        count: u32,
    },
    /// Somebody else is writing in a room; good for 6 s.
    Typing {
        /// Where.
        room: RoomName,
        /// Who.
        user: User,
    },
    /// This person has read up to here on another device.
    Read {
        /// Where.
        room: RoomName,
        /// The last event that they have seen.
        seq: Seq,
        /// The room's newest `seq` when `unread` was counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<Seq>,
        /// Messages of others after `seq` up to `head`, 100 at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<u32>,
    },
    /// A room is called something else now.
    RoomUpdated {
        /// Which.
        room: RoomName,
        /// Its heading.
        title: String,
        /// What it is about; empty where nobody said so.
        topic: String,
    },
    /// The answer to `ping`.
    Pong {
        /// The ping's number.
        n: u64,
        /// The newest `seq` of each joined room whose head has changed since the connection's last `pong`, and of each
        /// room that was joined since.
        heads: BTreeMap<RoomName, Seq>,
    },
    /// A frame that this program does not know.
    #[serde(other)]
    Unknown,
}

impl ServerFrame {
    /// The frame as it goes over the wire.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a frame of strings and numbers is always JSON")
    }
}

/// What the server accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// UTF-8 bytes of a message after trimming.
    pub message_bytes: usize,
    /// Characters of a name.
    pub name_chars: usize,
    /// Missed events that a join sends one by one.
    pub catch_up: u64,
}

impl Limits {
    /// The limits of this version.
    pub const CURRENT: Self = Self {
        message_bytes: super::limits::MAX_MESSAGE_BYTES,
        name_chars: super::limits::MAX_NAME_CHARS,
        catch_up: super::limits::MAX_CATCH_UP_EVENTS,
    };
}

/// What kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The frame or one of its fields is wrong.
    BadRequest,
    /// The frame's type is not known.
    UnknownType,
    /// Nothing is left of the text after trimming.
    Blank,
    /// The text is over the limit.
    TooLong,
    /// Too many posts; `retry_ms` says when to go on.
    RateLimited,
    /// No room can have this name.
    NoSuchRoom,
    /// The room must be joined first.
    NotJoined,
    /// There is no message at that place.
    NoSuchMessage,
    /// It is somebody else's.
    NotAllowed,
    /// The name breaks the rule.
    #[serde(rename = "bad_name")]
    InvalidName,
    /// Nothing can be posted now.
    ReadOnly,
    /// The server failed; the command may be sent again.
    Internal,
    /// A code that this program does not know.
    #[serde(other)]
    Unknown,
}
