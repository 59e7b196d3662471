//! Everything of a user: reading it for an export, and erasing it.

use super::{PendingCommit, Role, StoreResult};
use app::wire::{CommandId, Files, Millis, RoomName, Seq, UserId};
use async_trait::async_trait;
use std::sync::Arc;

/// Events of all users that one read looks at.
pub const MAX_EVENTS_PER_SCAN: u32 = 5_000;

/// Records of a user that one read returns.
pub const MAX_RECORDS_PER_READ: u32 = 100;

/// Erasures that one read returns.
pub const MAX_ERASURES_PER_READ: u32 = 16;

/// A position among the events of all rooms. Its order is that of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanPosition(pub(super) i64, pub(super) i64);

/// Something that a user has written, and that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The room.
    pub room: RoomName,
    /// The position of the event.
    pub seq: Seq,
    /// Its time.
    pub at: Millis,
    /// The id of the command.
    pub id: CommandId,
    /// The message or the reaction.
    pub content: UserContent,
}

/// The content that a user has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserContent {
    /// A message.
    Message {
        /// Its present text.
        text: Arc<str>,
        /// The message that it replies to.
        reply_to: Option<Seq>,
        /// The time of its last edit.
        edited_at: Option<Millis>,
        /// The files that it shows.
        files: Files,
    },
    /// A reaction that the user gives.
    Reaction {
        /// The message.
        target: Seq,
        /// The emoji.
        emoji: Arc<str>,
    },
}

/// The result of one read of a user's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserRecords {
    /// The records in the order of the store.
    pub records: Vec<UserRecord>,
    /// The position at which the next read begins; `None` at the end.
    pub next: Option<ScanPosition>,
}

/// Other data that is stored of a user, in or of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRight {
    /// The user has a role.
    Role {
        /// The room; `None` on the server.
        room: Option<RoomName>,
        /// The role.
        role: Role,
    },
    /// The user does not want to read another one.
    Blocked {
        /// The other one.
        user: UserId,
    },
    /// The user has reported a message.
    Report {
        /// Its room.
        room: RoomName,
        /// The message.
        seq: Seq,
        /// The time of the report.
        at: Millis,
        /// The reason that the user gave.
        reason: Box<str>,
    },
}

/// The progress of a user's erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// When it began.
    pub started_at: Millis,
    /// Messages and reactions that are gone.
    pub erased: u64,
    /// When it ended; `None` while it is under way.
    pub finished_at: Option<Millis>,
    /// The position at which it continues.
    pub position: ScanPosition,
}

/// Exports and erasures.
#[async_trait]
pub trait ErasureStore: Send + Sync + 'static {
    /// Returns the first messages and reactions of `user` after a position: at most [`MAX_RECORDS_PER_READ`], and those among
    /// at most [`MAX_EVENTS_PER_SCAN`] events of all users, so that a read takes a bounded time. Deleted and expired ones
    /// are missing.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn user_records(&self, user: UserId, after: ScanPosition) -> StoreResult<UserRecords>;

    /// Returns what `user` has and does besides messages: at most `limit`, without the first `skip`, always in the same order.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn user_rights(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<UserRight>>;

    /// Begins to erase everything of `user`. From then on the user stores nothing more: operations are refused with
    /// [`StoreError::Erased`](super::StoreError::Erased), except those that delete messages or take back reactions. The user
    /// has a generated name, and no links to other devices. A job removes messages and reactions, and at last the read markers.
    /// Changes nothing if the erasure has begun.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn begin_erasure(&self, user: UserId) -> PendingCommit<()>;

    /// Returns how far the erasure of `user` is; `None` if it was never begun.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn erasure(&self, user: UserId) -> StoreResult<Option<Erasure>>;

    /// Returns the users whose erasure is under way, the oldest first, at most [`MAX_ERASURES_PER_READ`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn unfinished_erasures(&self) -> StoreResult<Vec<UserId>>;

    /// Records that everything of `user` up to `position` is erased, and `erased` more messages and reactions; without a
    /// position, that the erasure is finished.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn note_erased(&self, user: UserId, erased: u64, position: Option<ScanPosition>) -> PendingCommit<()>;
}
