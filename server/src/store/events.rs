//! Events on their way into the event log, and out of it.

use super::{MessagePage, PendingCommit, RoomSnapshot, StoreResult, StreamPosition};
use app::wire::{CommandId, Event, EventBody, Files, Mentions, Millis, Operation, RoomName, Seq, UserId};
use async_trait::async_trait;
use std::{slice, sync::Arc};

/// Rooms whose heads one read returns.
pub const MAX_HEADS_PER_READ: usize = 1_000;

/// The event logs of the rooms.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Appends an event, and sets the author's first
    /// [read marker](super::ReadMarkerStore::read_markers) in the room. Reserves the event's position when it is
    /// called, not when the future is first polled. A reaction that is as it should be already is not appended: the result is
    /// a repeat of the event that made it so, or of the message.
    ///
    /// The callers bound the queue: a connection has a bounded number of posts in flight.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError); nothing is stored then.
    fn append(&self, event: NewEvent) -> PendingCommit<Appended>;

    /// Returns at most `limit` events of `room` after `after`, in order, and at most
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON, but at least one event if there is one.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>>;

    /// Returns events as [`events_after`](Self::events_after) does, but none after `head`: a position that is known to be
    /// durable, as those of notifications and of reads are. This is the cheaper read where servers share a database.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn events_up_to(
        &self,
        room: &RoomName,
        after: Seq,
        head: Seq,
        limit: u32,
    ) -> StoreResult<Vec<Arc<Event>>> {
        let mut events = self.events_after(room, after, limit).await?;
        events.truncate(events.partition_point(|event| event.seq <= head));
        Ok(events)
    }

    /// Returns the newest at most `limit` messages of `room` before `before`, and at most
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON, but at least one message if there is one.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> StoreResult<MessagePage>;

    /// Returns `room` as `user` finds it, in one read. The snapshot has a page of at most `limit` messages, unless the
    /// events after `past` [continue](Self::continues) what the user has and are at most
    /// [`MAX_CATCH_UP_EVENTS`](app::wire::limits::MAX_CATCH_UP_EVENTS).
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn snapshot(
        &self,
        room: &RoomName,
        user: UserId,
        past: Option<StreamPosition>,
        limit: u32,
    ) -> StoreResult<RoomSnapshot>;

    /// Returns for each emoji on a message whether `user` has given it.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn has_reacted(
        &self,
        room: &RoomName,
        user: UserId,
        reactions: &[(Seq, Arc<str>)],
    ) -> StoreResult<Vec<bool>>;

    /// Returns the latest durable `seq` of each of `rooms`, in their order; 0 for a room without events. Takes at most
    /// [`MAX_HEADS_PER_READ`] rooms and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>>;

    /// Returns the latest durable `seq` of `room`; 0 without events.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn head(&self, room: &RoomName) -> StoreResult<Seq> {
        Ok(self.heads(slice::from_ref(room)).await?.first().copied().unwrap_or(0))
    }

    /// Returns `true` if the events after `position` continue what the client has. If it returns `false`, the client
    /// has to start with the newest page. Costs at most one read by key.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn continues(&self, room: &RoomName, position: StreamPosition) -> StoreResult<bool>;
}

/// An operation to append to a room.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id that the author's client created; a repeat of it changes nothing.
    pub id: CommandId,
    /// The room of the operation.
    pub room: RoomName,
    /// The user who does it.
    pub author: UserId,
    /// The operation of the user.
    pub operation: Operation,
    /// The users whom the text addresses.
    pub mentions: Mentions,
    /// The files that a message shows, which were [claimed](super::FileStore::claim_files) for its command.
    pub files: Files,
    /// The [generation of names](super::UserStore::names_generation) before those of `mentions` were read.
    pub names: u64,
}

impl NewEvent {
    /// Returns an operation that addresses no user.
    pub fn new(id: CommandId, room: RoomName, author: UserId, operation: Operation) -> Self {
        Self { id, room, author, operation, mentions: Mentions::default(), files: Files::default(), names: 0 }
    }

    /// Returns the content of the event.
    pub(super) fn body(&self) -> EventBody {
        self.operation.clone().into_body(self.mentions.clone(), self.files.clone())
    }

    /// Returns a message that replies to no other one.
    pub fn message(id: CommandId, room: RoomName, author: UserId, text: &str) -> Self {
        Self::new(id, room, author, Operation::Post { text: text.into(), reply_to: None })
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
    /// The user had used this id before, or the reaction was as it should be; nothing was added.
    pub is_duplicate: bool,
}
