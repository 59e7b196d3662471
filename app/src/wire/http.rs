//! The answers of the HTTP API.

use super::{Event, Message, RoomName, Seq};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `GET /api/rooms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// Public rooms, by name.
    pub rooms: Vec<RoomHead>,
    /// Whether there are more: ask again with `after` and the name of the last one.
    #[serde(default)]
    pub more: bool,
}

/// A room and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    /// Its name.
    pub room: RoomName,
    /// Its heading.
    pub title: String,
    /// What it is about; empty where nobody said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// Its newest `seq`; 0 where nothing happened yet.
    pub head: Seq,
}

/// `GET /api/rooms/{room}/messages`: a page of messages in their present state, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// The identity of the log.
    pub log: String,
    /// The room's newest `seq` when the page was read.
    pub head: Seq,
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
}

/// `GET /api/rooms/{room}/events`: what came after a `seq`, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The identity of the log.
    pub log: String,
    /// The room's newest `seq` when the page was read.
    pub head: Seq,
    /// The client's events are not those before `after` in this log, or `after` is beyond the room's end. `events` is
    /// empty then.
    pub reset: bool,
    /// The events from `after + 1` on.
    pub events: Vec<Arc<Event>>,
    /// Whether more of them follow the last one here.
    #[serde(default)]
    pub more: bool,
}
