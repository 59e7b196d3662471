//! The frames on the wire: a client sends [`ClientFrame`], the server sends [`ServerFrame`].

use super::{
    CommandId, DisplayName, Event, FileId, MentionHint, Message, PostingRules, RoomName, Seq, User, UserId,
    event::is_false,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// A frame that a client sends.
///
/// Room names and display names are plain text here. The server validates them when it handles the command, so
/// that the error can carry the command's `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Subscribes to a room: the server sends every event after `after`, or the newest page without it, then live
    /// events.
    Join {
        /// The room's name.
        room: String,
        /// The last `seq` that the client has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
        /// The `id` of the event at `after`. If the server has another event there, it resets the client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_id: Option<CommandId>,
        /// The log that `after` belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<String>,
        /// The number of messages on the newest page: 1 to 500, by default 50.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
        /// With `false` the client receives events only: it is not listed as present, and it receives no presence
        /// and no typing.
        #[serde(default = "present", skip_serializing_if = "is_true")]
        presence: bool,
    },
    /// Unsubscribes from a room.
    Leave {
        /// The room's name.
        room: String,
    },
    /// Posts a message in a joined room.
    Post {
        /// An id that the client generates once and repeats with every retry.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The text. The server trims it.
        text: String,
        /// The `seq` of the message that this one answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// The users whom names in the text mean, as far as the author has chosen them. The server resolves the others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<MentionHint>,
        /// The files that it shows, which the user has uploaded for this room. The text may be empty then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<FileId>,
    },
    /// Changes the text of the user's own message.
    Edit {
        /// An id that the client generates once and repeats with every retry.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The message's `seq`.
        target: Seq,
        /// The new text. The server trims it.
        text: String,
        /// As in `post`. The server keeps the mentions whose names still stand in the text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<MentionHint>,
    },
    /// Deletes a message of the user, or any message in a room that the user owns.
    Delete {
        /// An id that the client generates once and repeats with every retry.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The message's `seq`.
        target: Seq,
    },
    /// Gives a reaction to a message, or takes it back.
    React {
        /// An id that the client generates once and repeats with every retry.
        id: CommandId,
        /// The room's name.
        room: String,
        /// The message's `seq`.
        target: Seq,
        /// The emoji: one, as Unicode lists them.
        emoji: String,
        /// The user gives it.
        on: bool,
    },
    /// The user is typing. The client sends it at most once every 3 s; it is valid for 6 s.
    Typing {
        /// The room's name.
        room: String,
    },
    /// Moves the read marker of the user in a room.
    Read {
        /// The room's name.
        room: String,
        /// The last event that the user has read.
        seq: Seq,
    },
    /// Marks a message and all later ones as unread: moves the read marker of the user in a room to the event before it,
    /// also back.
    Unread {
        /// The room's name.
        room: String,
        /// The first message that is unread.
        seq: Seq,
    },
    /// Changes the user's display name.
    Rename {
        /// An id that the client generates once and repeats with every retry.
        id: CommandId,
        /// The new name.
        name: String,
    },
    /// Checks that the connection is alive and that no event is missing.
    Ping {
        /// A number that the server returns in `pong`.
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

/// The reason why a WebSocket message is not a [`ClientFrame`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// `unknown_type` or `bad_request`.
    pub code: ErrorCode,
    /// A description for humans.
    pub message: String,
    /// The command's id, if it could be parsed.
    pub id: Option<String>,
}

impl ClientFrame {
    const TYPES: [&'static str; 11] =
        ["join", "leave", "post", "edit", "delete", "react", "typing", "read", "unread", "rename", "ping"];

    /// The longest id, in bytes, that an error about a malformed command repeats.
    const MAX_ID_BYTES: usize = 64;

    /// Parses a frame.
    ///
    /// # Errors
    /// [`Malformed`] if `json` is not a frame; it becomes the `error` frame.
    ///
    /// # Examples
    /// ```
    /// use app::wire::{ClientFrame, ErrorCode};
    ///
    /// assert_eq!(ClientFrame::parse(r#"{"type":"ping","n":7}"#), Ok(ClientFrame::Ping { n: 7 }));
    ///
    /// let error = ClientFrame::parse(r#"{"type":"sing","id":"1"}"#).unwrap_err();
    /// assert_eq!(error.code, ErrorCode::UnknownType);
    /// assert_eq!(error.id.as_deref(), Some("1"));
    /// ```
    pub fn parse(json: &str) -> Result<Self, Malformed> {
        serde_json::from_str(json).map_err(|error| Self::why_malformed(json, &error))
    }

    fn why_malformed(json: &str, error: &serde_json::Error) -> Malformed {
        let bad = |message: String, id| Malformed { code: ErrorCode::BadRequest, message, id };
        let Ok(value) = serde_json::from_str::<Value>(json) else {
            return bad("That is not JSON.".into(), None);
        };
        let id = value["id"].as_str().filter(|id| id.len() <= Self::MAX_ID_BYTES).map(Into::into);
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

/// A frame that the server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame of every connection.
    Welcome {
        /// The protocol's version.
        protocol: u32,
        /// The server's version.
        server: String,
        /// The identity of the log. A client that knows another log discards its data.
        log: String,
        /// The user of this connection.
        you: User,
        /// The limits of the server.
        limits: Limits,
        /// The idle time in milliseconds after which the client sends `ping`.
        heartbeat_ms: u64,
    },
    /// The reply to `join`.
    Joined {
        /// The room.
        room: RoomName,
        /// Its title.
        title: String,
        /// Its topic; empty if it has none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        topic: String,
        /// For how many hours its messages are kept; without limit if missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_hours: Option<u32>,
        /// The rules for the posts of the user.
        #[serde(flatten)]
        posting: PostingRules,
        /// Its newest `seq`.
        head: Seq,
        /// The client must discard the room's data: `messages` is the newest page.
        reset: bool,
        /// The first [`MAX_LISTED_MEMBERS`](super::limits::MAX_LISTED_MEMBERS) users present. The user of the
        /// connection is among them if they are present.
        members: Vec<User>,
        /// The number of users present; 0 from an old server that does not count them.
        #[serde(default)]
        member_count: u32,
        /// The last event that the user has read; 0 if none is known.
        read: Seq,
        /// With `reset: true`: the newest messages, oldest first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        messages: Option<Vec<Message>>,
        /// With `reset: true`: there are older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<bool>,
    },
    /// Events of a room, in order.
    Events {
        /// The room.
        room: RoomName,
        /// The events.
        events: Vec<Arc<Event>>,
    },
    /// A command was committed.
    Ack {
        /// The id of the command.
        id: CommandId,
        /// The room of its event; `None` for `rename`, which has no event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        /// The `seq` of its event; `None` for `rename`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<Seq>,
        /// The command had been committed before.
        dup: bool,
    },
    /// The user may not enter a room any more: its subscription has ended.
    Removed {
        /// The room.
        room: RoomName,
        /// The reason.
        code: ErrorCode,
        /// A sentence for humans.
        message: String,
    },
    /// The rules for the posts of the user in a joined room may have changed.
    PostingChanged {
        /// The room.
        room: RoomName,
        /// The present rules.
        #[serde(flatten)]
        posting: PostingRules,
    },
    /// A command was rejected. The connection stays open.
    Error {
        /// The id of the command, if it is known.
        id: Option<String>,
        /// The kind of the error.
        code: ErrorCode,
        /// A sentence for humans.
        message: String,
        /// The delay before the next attempt, in milliseconds: with `rate_limited` and `internal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
    },
    /// A user of a joined room has a new display name or tag.
    Renamed {
        /// The id of the user.
        id: UserId,
        /// The new name.
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
        /// The room.
        room: RoomName,
        /// The users who were added to the list.
        here: Vec<User>,
        /// The users who were removed from the list.
        gone: Vec<UserId>,
        /// The number of users present; 0 from an old server that does not count them.
        #[serde(default)]
        count: u32,
    },
    /// Another user is typing in a room. The frame is valid for 6 s.
    Typing {
        /// The room.
        room: RoomName,
        /// The user.
        user: User,
    },
    /// The user has moved their read marker on another device, or has marked messages as unread.
    Read {
        /// The room.
        room: RoomName,
        /// The last event that the user has read.
        seq: Seq,
        /// The room's newest `seq` when `unread` was counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<Seq>,
        /// Messages of other users after `seq` up to `head`, at most 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<u32>,
        /// Those of them that address the user, at most 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mentions: Option<u32>,
        /// The user has marked what follows `seq` as unread: the marker may have moved back.
        #[serde(default, skip_serializing_if = "is_false")]
        marked: bool,
    },
    /// A room has a new title or topic, or keeps messages for another time.
    RoomUpdated {
        /// The room.
        room: RoomName,
        /// Its title.
        title: String,
        /// Its topic; empty if it has none.
        topic: String,
        /// For how many hours its messages are kept; without limit if missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_hours: Option<u32>,
    },
    /// The reply to `ping`.
    Pong {
        /// The number of the ping.
        n: u64,
        /// The newest `seq` of each joined room whose head has changed since the connection's last `pong`, and of each
        /// room that was joined since.
        heads: BTreeMap<RoomName, Seq>,
    },
    /// A frame that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ServerFrame {
    /// Returns the frame as JSON.
    ///
    /// # Examples
    /// ```
    /// use app::wire::{RoomName, ServerFrame};
    ///
    /// let pong = ServerFrame::Pong { n: 7, heads: [(RoomName::lobby(), 12)].into() };
    /// assert_eq!(pong.to_json(), r#"{"type":"pong","n":7,"heads":{"lobby":12}}"#);
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "serialization cannot fail")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a frame of strings and numbers is always JSON")
    }
}

/// The limits that `welcome` announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The UTF-8 bytes of a message after trimming.
    pub message_bytes: usize,
    /// The characters of a display name.
    pub name_chars: usize,
    /// The missed events that a join replays.
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

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The frame or one of its fields is invalid.
    BadRequest,
    /// The type of the frame is unknown.
    UnknownType,
    /// The text is empty after trimming.
    Blank,
    /// The text exceeds the limit.
    TooLong,
    /// The rate limit is exceeded; `retry_ms` holds the delay.
    RateLimited,
    /// The room name is invalid.
    NoSuchRoom,
    /// The client has not joined the room.
    NotJoined,
    /// The message does not exist.
    NoSuchMessage,
    /// A file of the message does not exist, or is not the user's.
    NoSuchFile,
    /// The user is not allowed to do this.
    NotAllowed,
    /// The user needs an invitation or the password of the server first.
    NotAdmitted,
    /// A moderator has ended the user's access to the server.
    Banned,
    /// A moderator has removed the user from the room.
    Removed,
    /// A moderator has forbidden the user to write.
    Muted,
    /// Only the owner and the moderators of the room may post, or no user.
    PostsClosed,
    /// The display name is invalid.
    #[serde(rename = "bad_name")]
    InvalidName,
    /// The device of the cookie was signed out.
    SignedOut,
    /// The server does not accept commands now.
    ReadOnly,
    /// The server failed. The client may retry the command.
    Internal,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Returns `true` if the user may not enter the room, or the server: another attempt has the same result.
    pub fn ends_access(self) -> bool {
        matches!(self, Self::NotAdmitted | Self::Banned | Self::Removed | Self::NoSuchRoom)
    }

    /// The names on the wire.
    pub(super) const NAMES: [(&'static str, Self); 19] = [
        ("bad_request", Self::BadRequest),
        ("unknown_type", Self::UnknownType),
        ("blank", Self::Blank),
        ("too_long", Self::TooLong),
        ("rate_limited", Self::RateLimited),
        ("no_such_room", Self::NoSuchRoom),
        ("not_joined", Self::NotJoined),
        ("no_such_message", Self::NoSuchMessage),
        ("no_such_file", Self::NoSuchFile),
        ("not_allowed", Self::NotAllowed),
        ("not_admitted", Self::NotAdmitted),
        ("banned", Self::Banned),
        ("removed", Self::Removed),
        ("muted", Self::Muted),
        ("posts_closed", Self::PostsClosed),
        ("bad_name", Self::InvalidName),
        ("signed_out", Self::SignedOut),
        ("read_only", Self::ReadOnly),
        ("internal", Self::Internal),
    ];
}
