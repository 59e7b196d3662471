//! The data that the server hands to a room's page, and that the browser hydrates from.

use crate::{
    i18n::Lang,
    wire::{ErrorCode, InvalidName, Message, RoomName, Seq, User},
};
use serde::{Deserialize, Serialize};

/// Everything that the server knows about a room when it renders the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The language of the page.
    pub lang: Lang,
    /// The current user.
    pub you: User,
    /// The identity of the log.
    pub log: String,
    /// The room.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// Its topic; empty if it has none.
    pub topic: String,
    /// The current user owns the room and may delete any message in it.
    pub is_owner: bool,
    /// Its newest `seq` when the page was rendered.
    pub head: Seq,
    /// The last event that the current user has read; `None` if they have never visited the room.
    pub read: Option<Seq>,
    /// Unread messages before those of the page.
    pub older_unread: u32,
    /// The kind of the page.
    pub kind: PageKind,
    /// The message that the address points to.
    pub highlighted: Option<Seq>,
    /// The page's messages, oldest first.
    pub messages: Vec<Message>,
    /// There are older messages.
    pub more: bool,
    /// The users present, at most [`MAX_LISTED_MEMBERS`](crate::wire::limits::MAX_LISTED_MEMBERS).
    pub members: Vec<User>,
    /// The number of all users present.
    pub member_count: u32,
    /// The rooms of the current user, then other public rooms.
    pub rooms: Vec<RoomSummary>,
    /// The input of a plain form that the server rejected.
    pub rejected: Option<RejectedInput>,
    /// If the room does not exist: the titles and paths of rooms with a similar address or title, the closest
    /// first.
    pub suggestions: Option<Vec<(String, String)>>,
}

/// A room in the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSummary {
    /// Its name.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// Its newest `seq` when the page was rendered.
    pub head: Seq,
    /// Messages that the current user has not read, at most 100.
    pub unread: u32,
    /// The current user has visited the room.
    pub is_joined: bool,
    /// The room is in the lists of its visitors only.
    pub private: bool,
    /// The room was created, or it has a message. Until then no list shows it, not even on its own page.
    pub exists: bool,
    /// The last event that the current user has read in it.
    pub read: Seq,
    /// Unread messages that have come since the page was rendered.
    #[serde(skip)]
    pub fresh: Vec<Seq>,
    /// `unread` covers the events up to this `seq`; 0 before the first event has come.
    #[serde(skip)]
    pub counted: Seq,
}

impl RoomSummary {
    /// Returns whether a list shows the room: it was created, or it has a message.
    pub fn is_listed(&self) -> bool {
        self.exists || self.head > 0
    }
}

/// The input of a plain form that the server rejected. The page shows it in its field again, so that it is not lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectedInput {
    /// The text of a message.
    Message {
        /// The text.
        text: String,
        /// The reason.
        why: ErrorCode,
    },
    /// A display name.
    Name {
        /// The name.
        name: String,
        /// The reason.
        why: NameError,
    },
}

/// The reason why a display name was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameError {
    /// The name is invalid.
    Invalid(InvalidName),
    /// The browser stores no cookies, so that the name would be lost at once.
    CookiesDisabled,
    /// The server rejected the command for another reason.
    Command(ErrorCode),
}

/// The kind of a room's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageKind {
    /// The newest messages, with live updates.
    Latest,
    /// The messages before or around a `seq`.
    History,
}
