//! The durable order of events: the one place that orders.
//!
//! Every reader asks one question: what came after `seq`? The hub is written against [`Store`] alone;
//! [`SqliteStore`] keeps it on disk, [`MemoryStore`] until the process ends.

mod memory;
mod page;
mod past;
mod room_index;
mod skeleton;
mod sqlite;

pub use memory::MemoryStore;
pub use page::{Page, read_around};
pub use past::Past;
pub use room_index::{About, ListedRoom};
pub use skeleton::choose_name;
pub use sqlite::{OpenError, Options, SqliteStore, Summary, Synchronous, back_up, restore};

use app::wire::{
    CommandId, DisplayName, Event, EventBody, Millis, RoomName, RoomTitle, Seq, Topic, User, UserId,
};
use futures_util::future::BoxFuture;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::broadcast;

/// How many wakes wait for whoever follows them. Who falls further behind gets `Lagged` and asks
/// [`Store::heads`].
const WAKES_WAITING: usize = 1_024;

/// Unread messages that are counted, at most.
pub const UNREAD_MOST: u32 = app::wire::limits::MAX_UNREAD_COUNT;

/// Events of a room among which unread messages are looked for.
pub const UNREAD_AMONG: Seq = 1_000;

/// Rooms of one user whose read markers are kept; a new one evicts the one that was used least recently.
pub const MAX_VISITS: u32 = 1_000;

/// What a read marker has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMarker {
    /// It has moved forward, or the user is in the room for the first time.
    Moved,
    /// It was there already, or further on: nothing is stored.
    Unchanged,
}

/// Something that somebody wants to do in a room.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Made by the author's client; a repeat of it changes nothing.
    pub id: CommandId,
    /// Where.
    pub room: RoomName,
    /// Who.
    pub author: UserId,
    /// What.
    pub deed: Deed,
}

/// What can be done in a room. Texts are already tidied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Say something.
    Post {
        /// What.
        text: Arc<str>,
        /// The `seq` of the message that this one answers.
        reply_to: Option<Seq>,
    },
    /// Let one's own message say something else.
    Edit {
        /// The message's `seq`.
        target: Seq,
        /// What it is to say.
        text: Arc<str>,
    },
    /// Take one's own message back: its text is gone from the log too.
    Delete {
        /// The message's `seq`.
        target: Seq,
    },
}

impl NewEvent {
    /// A message that answers no other.
    pub fn message(id: CommandId, room: RoomName, author: UserId, text: &str) -> Self {
        Self { id, room, author, deed: Deed::Post { text: text.into(), reply_to: None } }
    }
}

impl From<Deed> for EventBody {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Post { text, reply_to } => Self::Message { text, reply_to },
            Deed::Edit { target, text } => Self::Edit { target, text },
            Deed::Delete { target } => Self::Delete { target },
        }
    }
}

/// Where an event stands, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The room of the event; for a repeat, that of the first.
    pub room: RoomName,
    /// Its place in the room's order.
    pub seq: Seq,
    /// When it was committed.
    pub at: Millis,
    /// The same person had posted under this id before; nothing was added.
    pub dup: bool,
}

/// A hint that a room has grown. It may be lost, doubled or late: whoever follows it heals a gap
/// with [`Store::read_after`].
#[derive(Debug, Clone)]
pub struct Wake {
    /// Which room.
    pub room: RoomName,
    /// What one commit added to it, in order and never empty.
    pub events: Arc<[Arc<Event>]>,
    /// Who is to be seen otherwise from now on, since somebody of a name like theirs has spoken for the first
    /// time; nearly always nobody.
    pub ambiguous: Vec<User>,
}

/// Why the log did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has used this id.
    #[error("this id was used by somebody else")]
    IdTaken,
    /// There is no such message in the room, or no longer.
    #[error("there is no message at that place")]
    NoSuchMessage,
    /// The message is somebody else's.
    #[error("this message is somebody else's")]
    NotAllowed,
    /// There is a room of this name already.
    #[error("there is a room of this name already")]
    RoomExists,
    /// Another room that anybody can find is called that, or nearly so.
    #[error("the room {0} is called that already")]
    TitleTaken(RoomName),
    /// Nobody has made a room of this name.
    #[error("there is no such room")]
    NoSuchRoom,
    /// The quota of the data folder is used up. Nothing of the command is stored.
    #[error("the data folder has as many bytes as --max-bytes allows")]
    ReadOnly,
    /// The storage failed. Nothing of the command is stored; it may be sent again.
    #[error("the log could not be written or read: {0}")]
    Storage(String),
}

/// The result of asking the log.
pub type StoreResult<T> = Result<T, StoreError>;

/// The durable order of events in every room.
pub trait Store: Send + Sync + 'static {
    /// The identity of this log: made with it, changed when one is restored from a backup or may have been put back
    /// from an older copy.
    fn id(&self) -> &str;

    /// Returns `true` if everything in `past` stands in this log, so that the events after it continue it. `false` if
    /// the client has to begin with the newest page. Costs at most one read by key.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn continues(&self, room: &RoomName, past: Past) -> BoxFuture<'static, StoreResult<bool>>;

    /// Resolves if the last commit succeeded, or if one succeeds now; it tries at most once a second.
    ///
    /// # Errors
    /// [`StoreError::Storage`] if nothing can be stored.
    fn ready(&self) -> BoxFuture<'static, StoreResult<()>>;

    /// Appends an event, by which its author has [visited](Self::visits) the room. It takes its place in the order when this is called, not when the future
    /// is first polled; the future resolves once the message is durable.
    ///
    /// What waits is bounded by the callers: a connection has a bounded number of posts under way.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is stored then.
    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>>;

    /// At most `limit` events of `room` after `after`, in order, and no more than
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON; but one, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn read_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>>;

    /// The newest at most `limit` messages of `room` that stand before `before`, and no more than
    /// [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON; but one, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn read_before(&self, room: &RoomName, before: Seq, limit: u32) -> BoxFuture<'static, StoreResult<Page>>;

    /// The newest durable `seq` of each of `rooms`, in their order; 0 where nothing happened yet.
    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq>;

    /// Returns at most `most` public rooms by name, from the one after `after` on.
    fn list_rooms(&self, after: Option<&RoomName>, most: usize) -> Vec<ListedRoom>;

    /// At most `most` public rooms but the lobby and `but`, those first in which something happened last. A room
    /// in which nothing has happened counts from when it was made, until the log is opened again.
    fn lively(&self, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName>;

    /// At most `most` public rooms but the lobby and `but` by title, letters in any case: those after the room
    /// `after`, or the first ones.
    fn by_title(&self, after: Option<&RoomName>, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName>;

    /// Hints that rooms have grown, from now on; each is sent after its commit.
    fn wakes(&self) -> broadcast::Receiver<Wake>;

    /// What is known about a room.
    fn about(&self, room: &RoomName) -> Arc<About>;

    /// Makes a room in which nothing has happened yet.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`]; [`StoreError::TitleTaken`] where a public room is to be called like another
    /// one; [`StoreError::Storage`].
    fn create_room(&self, room: RoomName, about: About) -> BoxFuture<'static, StoreResult<()>>;

    /// Its owner calls a room something else.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::NotAllowed`] for everybody else, [`StoreError::TitleTaken`],
    /// [`StoreError::Storage`].
    fn retitle(
        &self,
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>>;

    /// Who each of `people` is: under the name they chose, or else the one that is given to them.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn people(&self, people: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>>;

    /// Calls `person` something else from now on, in what they have posted too. Resolves once that
    /// is durable, with everybody who is to be seen otherwise now: `person`, and those whose names are now
    /// alike, or no longer.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn rename(&self, person: UserId, name: DisplayName) -> BoxFuture<'static, StoreResult<Vec<User>>>;

    /// Moves the read marker of `person` in `room` forward to `seq`, or to the room's end if that is before. In
    /// a room that has been made and is still empty a marker at 0 says that the user has been there; anywhere else it
    /// is not stored. At most [`MAX_VISITS`] markers of a user are kept.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`] if the room has not been made, [`StoreError::Storage`].
    fn read(&self, person: UserId, room: RoomName, seq: Seq) -> BoxFuture<'static, StoreResult<ReadMarker>>;

    /// Removes the read marker of `person` in `room`, so that the room is none of theirs until they read or do
    /// something there again.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn leave(&self, person: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>>;

    /// Returns at most `most` rooms where `person` has been, those used most recently first and without the
    /// first `skip`, with the read marker of each. If the user has only done something there, it stands at the
    /// first of that.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn visits(
        &self,
        person: UserId,
        skip: u32,
        most: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>>;

    /// How far `person` has read in one room; nothing where they have never been.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn read_up_to(&self, person: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>>;

    /// How many messages of others than `person` stand after a `seq` in each of `rooms`, deleted ones not
    /// counted: [`UNREAD_MOST`] at most, looked for among the last [`UNREAD_AMONG`] events.
    ///
    /// # Errors
    /// [`StoreError::Storage`].
    fn unread(
        &self,
        person: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>>;

    /// Commits what waits, puts everything in order on disk and ends. What is appended afterwards
    /// fails.
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// A user as others see them. `number` is their place among the users of confusable names; the first one needs no
/// tag.
fn author(id: UserId, name: DisplayName, ambiguous: bool, number: u64) -> User {
    let tag = (ambiguous && number > 1).then(|| format!("#{number}").into());
    User { id, name, ambiguous, tag }
}

/// A user who has no name of their own and has said nothing yet. They have no number, so that one who is `alike` has
/// a guest's tag.
fn guest(id: UserId, ambiguous: bool) -> User {
    let tag = ambiguous.then(|| id.guest_tag().into());
    User { id, name: DisplayName::generated(id), ambiguous, tag }
}

/// The clock of the log.
fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
