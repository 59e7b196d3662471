//! A room as a user finds it.

use super::{MessagePage, RoomRecord};
use app::wire::Seq;

/// A room as a user finds it: what one read returns of it, so that it belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSnapshot {
    /// The room.
    pub record: RoomRecord,
    /// The user's [read marker](super::ReadMarkerStore::read_markers) in the room.
    pub read: Option<Seq>,
    /// The newest messages up to the head; `None` if the user only lacks a few events, which are sent instead.
    pub page: Option<MessagePage>,
}
