//! Events on their way into the event log, and out of it.

use app::wire::{CommandId, Event, Millis, Operation, RoomName, Seq, User, UserId};
use std::sync::Arc;

/// An operation to append to a room.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id that the author's client created; a repeat of it changes nothing.
    pub id: CommandId,
    /// The room of the operation.
    pub room: RoomName,
    /// The user who does it.
    pub author: UserId,
    /// What the user does.
    pub operation: Operation,
}

impl NewEvent {
    /// Returns a message that replies to no other one.
    pub fn message(id: CommandId, room: RoomName, author: UserId, text: &str) -> Self {
        Self { id, room, author, operation: Operation::Post { text: text.into(), reply_to: None } }
    }
}

/// The position of an event that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The room of the event; for a repeat, the room of the first one.
    pub room: RoomName,
    /// Its position in the room.
    pub seq: Seq,
    /// When it was committed.
    pub at: Millis,
    /// The user had used this id before; nothing was added.
    pub is_duplicate: bool,
}

/// A hint that a room has new events. It may be lost, repeated or late: a subscriber fills gaps with
/// [`Store::events_after`](super::Store::events_after).
#[derive(Debug, Clone)]
pub struct Wake {
    /// The room.
    pub room: RoomName,
    /// The events that one commit added to it, in order and never empty.
    pub events: Arc<[Arc<Event>]>,
    /// Users who became ambiguous because this commit introduced a user with a confusable name. Usually empty.
    pub ambiguous: Vec<User>,
}
