//! The positions up to which users have read in rooms.

use super::{PendingCommit, RoomRecord, StoreResult};
use app::wire::{RoomName, Seq, UserId};
use async_trait::async_trait;

/// Events of a room among which unread messages are counted.
pub const UNREAD_SCAN_EVENTS: Seq = 1_000;

/// Read markers that are kept for each user. A new one evicts the one that moved least recently.
pub const MAX_READ_MARKERS: u32 = 1_000;

/// The result of an update of a read marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerUpdate {
    /// It has moved to this `seq`, or it is the user's first one in the room.
    Moved(Seq),
    /// It was at the position already, or, if it only moves forward, further on; nothing is stored.
    Unchanged,
}

/// A room in the list of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedRoom {
    /// The room.
    pub record: RoomRecord,
    /// The user's read marker, or the room's head if they have none there.
    pub read: Seq,
    /// The unread messages, as [`ReadMarkerStore::unread_counts`] counts them.
    pub unread: u32,
    /// Those that address the user, as [`ReadMarkerStore::mention_counts`] counts them.
    pub mentions: u32,
}

/// A page of the list of a user's rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinedRooms {
    /// The rooms, most recently used first.
    pub rooms: Vec<JoinedRoom>,
    /// The user has joined more rooms.
    pub more: bool,
}

/// The read markers of users.
#[async_trait]
pub trait ReadMarkerStore: Send + Sync + 'static {
    /// Moves the read marker of `user` in `room` forward to `seq`, or to the end of the room if that is before. A
    /// marker at 0 is stored only in a room that was created and is still empty. At most [`MAX_READ_MARKERS`] markers
    /// of a user are kept.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`](super::StoreError::RoomNotFound);
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn set_read_marker(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate>;

    /// Marks the message `seq` and all later ones as unread: moves the read marker of `user` in `room` to the event before
    /// it, also back, or to the end of the room if that is before. The subscribers are notified even if the marker was
    /// there already.
    ///
    /// # Errors
    /// As [`set_read_marker`](Self::set_read_marker).
    fn mark_unread(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate>;

    /// Removes the read marker of `user` in `room`: the room leaves the user's list until they read or post there
    /// again.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn remove_read_marker(&self, user: UserId, room: RoomName) -> PendingCommit<()>;

    /// Returns at most `limit` read markers of `user`, most recently used first, without the first `skip`. The marker
    /// of a room in which the user has only posted stands at their first event.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn read_markers(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<(RoomName, Seq)>>;

    /// Returns at most `limit` rooms in which `user` has a read marker, most recently used first, without the first
    /// `skip`. Then follow those of `also` that are not among them. Takes at most
    /// [`MAX_ROOMS_PER_READ`](super::MAX_ROOMS_PER_READ) for both, and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn joined_rooms(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
        also: &[RoomName],
    ) -> StoreResult<JoinedRooms>;

    /// Counts the messages of other users than `user` after a `seq` in each of `rooms`, without deleted ones and those of users
    /// whom `user` has blocked. Counts
    /// at most [`MAX_UNREAD_COUNT`](app::wire::limits::MAX_UNREAD_COUNT), among the last [`UNREAD_SCAN_EVENTS`]
    /// events. Takes at most [`MAX_ROOMS_PER_READ`](super::MAX_ROOMS_PER_READ) rooms and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn unread_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>>;

    /// Counts the messages of other users after a `seq` in each of `rooms` that address `user`, without deleted ones.
    /// Counts at most [`MAX_UNREAD_COUNT`](app::wire::limits::MAX_UNREAD_COUNT). Takes as many rooms as
    /// [`unread_counts`](Self::unread_counts).
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn mention_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>>;
}
