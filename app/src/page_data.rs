//! What the server hands a room's page to hydrate from.

use crate::{
    i18n::Lang,
    wire::{ErrorCode, InvalidName, Message, RoomName, Seq, User},
};
use serde::{Deserialize, Serialize};

/// Everything that the server knows of a room when it renders it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The language of the page.
    pub lang: Lang,
    /// Who looks.
    pub you: User,
    /// The identity of the log.
    pub log: String,
    /// The room.
    pub room: RoomName,
    /// Its heading.
    pub title: String,
    /// What it is about; empty where nobody said so.
    pub topic: String,
    /// Whoever looks made it, and may delete what others say in it.
    pub owned: bool,
    /// Its newest `seq` when the page was made.
    pub head: Seq,
    /// The last event that whoever looks has seen here before; nothing where they have never been here.
    pub read: Option<Seq>,
    /// Unread messages before those of the page.
    pub older_unread: u32,
    /// Which page this is.
    pub place: Place,
    /// The message that the page was opened for.
    pub marked: Option<Seq>,
    /// The page's messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
    /// The first of the users present, as far as they fit.
    pub members: Vec<User>,
    /// All users present.
    pub member_count: u32,
    /// The rooms of whoever looks, and others that can be found.
    pub rooms: Vec<RoomEntry>,
    /// What a plain form asked for and did not get.
    pub refused: Option<Refused>,
    /// If the room does not exist: the titles and paths of rooms whose address or title is much the same, the
    /// closest first.
    pub unknown: Option<Vec<(String, String)>>,
}

/// A room in the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomEntry {
    /// Its name.
    pub room: RoomName,
    /// Its heading.
    pub title: String,
    /// Its newest `seq` when the page was made.
    pub head: Seq,
    /// Messages that whoever looks has not seen, up to 100.
    pub unread: u32,
    /// Whoever looks has been there.
    pub yours: bool,
    /// It is on nobody else's list.
    pub private: bool,
    /// Something was said in it, or it was made. Until then it is on no list, this page's own room neither.
    pub exists: bool,
    /// The last event that the visitor has read in it.
    pub read: Seq,
    /// Unread messages that have come since the page was made.
    #[serde(skip)]
    pub fresh: Vec<Seq>,
    /// What the server has counted up to here is part of `unread`; 0 before anything has come.
    #[serde(skip)]
    pub counted: Seq,
}

impl RoomEntry {
    /// Returns whether a list shows the room: it was made, or something was said in it.
    pub fn is_listed(&self) -> bool {
        self.exists || self.head > 0
    }
}

/// What a plain form asked for and did not get. It stays in its field, so that it is not lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// A message.
    Text {
        /// What was written.
        text: String,
        /// Why.
        why: ErrorCode,
    },
    /// Another name.
    Name {
        /// What was written.
        name: String,
        /// Why.
        why: NameTrouble,
    },
}

/// Why a name was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameTrouble {
    /// It breaks the rule.
    Bad(InvalidName),
    /// The browser keeps no cookies: nobody would be called so.
    NoCookies,
    /// Something else.
    Refused(ErrorCode),
}

/// Which page of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// The newest messages, and live.
    Newest,
    /// The messages before a `seq`, or around one.
    Past,
}
