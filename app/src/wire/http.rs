//! The response bodies of the HTTP API.

use super::{Event, Message, RoomName, Seq};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The response of `GET /api/rooms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// Public rooms, sorted by name.
    pub rooms: Vec<RoomHead>,
    /// There are more rooms: the client requests them with `after` and the name of the last one.
    #[serde(default)]
    pub more: bool,
}

/// A room and its newest `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    /// Its name.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// Its topic; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// Its newest `seq`; 0 if it has no events.
    pub head: Seq,
}

/// The response of `GET /api/rooms/{room}/messages`: a page of messages in their current state, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// The identity of the log.
    pub log: String,
    /// The room's newest `seq` when the page was read.
    pub head: Seq,
    /// The messages.
    pub messages: Vec<Message>,
    /// There are older messages.
    pub more: bool,
}

/// The response of `GET /api/rooms/{room}/events`: the events after a `seq`, in order.
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
    /// More events follow the last one.
    #[serde(default)]
    pub more: bool,
}
