//! Durable state: the event log of each room, users, rooms and read markers.
//!
//! Every subscriber asks one question: which events came after `seq`? The hub depends on [`Store`] alone.
//! [`SqliteStore`] keeps the state in a file.

mod error;
mod events;
mod page;
mod position;
mod room_index;
mod rules;
mod skeleton;
mod sqlite;

pub use error::{StoreError, StoreResult};
pub use events::{Appended, NewEvent, Wake};
pub use page::{MessagePage, read_around};
pub use position::StreamPosition;
pub use room_index::{ListedRoom, RoomInfo};
pub use skeleton::choose_name;
pub use sqlite::{OpenError, Options, SqliteStore, Summary, Synchronous, back_up, check, restore};

use app::wire::{DisplayName, Event, Millis, RoomName, RoomTitle, Seq, Topic, User, UserId};
use futures_util::future::BoxFuture;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::broadcast;

/// Notifications that wait for a subscriber. A subscriber that falls further behind gets `Lagged` and asks for the
/// heads.
const NOTIFICATION_CAPACITY: usize = 1_024;

/// Events of a room among which unread messages are counted.
pub const UNREAD_SCAN_EVENTS: Seq = 1_000;

/// Read markers that are kept for each user. A new one evicts the one that moved least recently.
pub const MAX_READ_MARKERS: u32 = 1_000;

/// What became of a read marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerUpdate {
    /// It has moved forward, or it is the user's first one in the room.
    Moved,
    /// It was at the position already, or further on; nothing is stored.
    Unchanged,
}

/// The durable state of one installation.
pub trait Store: Send + Sync + 'static {
    /// Returns the identity of the event log. It changes when a backup is restored, or when the file may have been
    /// replaced by an older copy.
    fn log_id(&self) -> &str;

    /// Returns `true` if the events after `position` continue what the client has. If it returns `false`, the client
    /// has to start with the newest page. Costs at most one read by key.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn continues(&self, room: &RoomName, position: StreamPosition) -> BoxFuture<'static, StoreResult<bool>>;

    /// Resolves if the last commit succeeded, or if a probe succeeds now. Probes at most once a second.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if nothing can be stored.
    fn ready(&self) -> BoxFuture<'static, StoreResult<()>>;

    /// Appends an event, and sets the author's first [read marker](Self::read_markers) in the room. Reserves the
    /// event's position when it is called, not when the future is first polled. The future resolves once the event is
    /// durable; if it is dropped, the event is stored all the same.
    ///
    /// The callers bound the queue: a connection has a bounded number of posts in flight.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is stored then.
    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>>;

    /// Returns at most `limit` events of `room` after `after`, in order, and at most
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON, but at least one event if there is one.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn events_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>>;

    /// Returns the newest at most `limit` messages of `room` before `before`, and at most
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON, but at least one message if there is one.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn messages_before(
        &self,
        room: &RoomName,
        before: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<MessagePage>>;

    /// Returns the latest durable `seq` of each of `rooms`, in their order; 0 for a room without events.
    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq>;

    /// Returns at most `limit` public rooms by name, after the room `after`.
    fn list_rooms(&self, after: Option<&RoomName>, limit: usize) -> Vec<ListedRoom>;

    /// Returns at most `limit` public rooms, most recently active first, without the lobby and `excluded`. A room
    /// without events counts from its creation, until the store is opened again.
    fn recent_rooms(&self, excluded: &HashSet<RoomName>, limit: usize) -> Vec<RoomName>;

    /// Returns at most `limit` public rooms by title after the room `after`, without the lobby and `excluded`.
    /// Ignores the case of letters.
    fn rooms_by_title(
        &self,
        after: Option<&RoomName>,
        excluded: &HashSet<RoomName>,
        limit: usize,
    ) -> Vec<RoomName>;

    /// Subscribes to hints about new events. Each hint is sent after its commit.
    fn subscribe(&self) -> broadcast::Receiver<Wake>;

    /// Returns the title, topic and owner of a room.
    fn room(&self, room: &RoomName) -> Arc<RoomInfo>;

    /// Creates a room without events.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`]; [`StoreError::TitleTaken`] if another public room has the title;
    /// [`StoreError::Backend`].
    fn create_room(&self, room: RoomName, info: RoomInfo) -> BoxFuture<'static, StoreResult<()>>;

    /// Changes the title and topic of a room on behalf of its owner.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`]; [`StoreError::Forbidden`] if `user` does not own the room;
    /// [`StoreError::TitleTaken`]; [`StoreError::Backend`].
    fn update_room(
        &self,
        room: RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>>;

    /// Returns each of `users` under their chosen name, or else under their generated one.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn users(&self, users: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>>;

    /// Sets the name of `user`, also in their past messages. Resolves once it is durable, with every user whose name,
    /// tag or ambiguity changed.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn set_display_name(&self, user: UserId, name: DisplayName)
    -> BoxFuture<'static, StoreResult<Vec<User>>>;

    /// Moves the read marker of `user` in `room` forward to `seq`, or to the end of the room if that is before. A
    /// marker at 0 is stored only in a room that was created and is still empty. At most [`MAX_READ_MARKERS`] markers
    /// of a user are kept.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`]; [`StoreError::Backend`].
    fn set_read_marker(
        &self,
        user: UserId,
        room: RoomName,
        seq: Seq,
    ) -> BoxFuture<'static, StoreResult<MarkerUpdate>>;

    /// Removes the read marker of `user` in `room`: the room leaves the user's list until they read or post there
    /// again.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn remove_read_marker(&self, user: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>>;

    /// Returns at most `limit` read markers of `user`, most recently used first, without the first `skip`. The marker
    /// of a room in which the user has only posted stands at their first event.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn read_markers(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>>;

    /// Returns the read marker of `user` in one room; `None` if they have none there.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn read_marker(&self, user: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>>;

    /// Counts the messages of other users than `user` after a `seq` in each of `rooms`, without deleted ones. Counts
    /// at most [`MAX_UNREAD_COUNT`](app::wire::limits::MAX_UNREAD_COUNT), among the last [`UNREAD_SCAN_EVENTS`]
    /// events.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    fn unread_counts(
        &self,
        user: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>>;

    /// Commits what is queued, then rejects further writes.
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// Returns a user as others see them. `number` counts the users of confusable names; the first one needs no tag.
fn user(id: UserId, name: DisplayName, ambiguous: bool, number: u64) -> User {
    let tag = (ambiguous && number > 1).then(|| format!("#{number}").into());
    User { id, name, ambiguous, tag }
}

/// Returns a user who has neither chosen a name nor posted. Such users have no number, so an ambiguous one gets a
/// guest's tag.
fn guest(id: UserId, ambiguous: bool) -> User {
    let tag = ambiguous.then(|| id.guest_tag().into());
    User { id, name: DisplayName::generated(id), ambiguous, tag }
}

/// Returns the time for the next commit.
fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
