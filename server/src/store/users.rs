//! Users under the names that others see.

use super::{PendingCommit, StoreResult};
use app::wire::{DisplayName, RoomName, User, UserId};
use async_trait::async_trait;

/// Users with confusable names among whom one is looked for.
pub const MAX_NAMESAKES: u32 = 100;

/// Names that one read looks up.
pub const MAX_NAMES_PER_READ: usize = 256;

/// Users that one read finds by the beginning of their names.
pub const MAX_FOUND_USERS: u32 = 100;

/// The names of users.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// Returns each of `ids` under their chosen name, or else under their generated one.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn users(&self, ids: &[UserId]) -> StoreResult<Vec<User>>;

    /// Finds whom names mean in `room`: of those who have a [read marker](super::ReadMarkerStore::read_markers) there or are
    /// `present`, the only one with this name or one that is confusable with it. Returns the user of each of `names`, or `None` if there is
    /// none, or more than one, or if more than [`MAX_NAMESAKES`] users of all rooms have such a name. Takes at most
    /// [`MAX_NAMES_PER_READ`] names and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn users_named(
        &self,
        room: &RoomName,
        present: &[UserId],
        names: &[String],
    ) -> StoreResult<Vec<Option<UserId>>>;

    /// Returns those of `ids` that have a name or a read marker in `room`.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn known_users(&self, room: &RoomName, ids: &[UserId]) -> StoreResult<Vec<UserId>>;

    /// Returns users whose names begin with `prefix`, in whatever case and with whatever letters that look alike, sorted by name;
    /// all users with a name for an empty prefix. The list begins after the user `after`, and at the beginning if that one has no
    /// name any more. Returns at most `limit`, and at most [`MAX_FOUND_USERS`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn find_users(&self, prefix: &str, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>>;

    /// Returns the generation of users' names, tags and marks. While it stays the same, no name that was read changes.
    /// It changes before a change is acknowledged, and repeats no value of an earlier process.
    fn names_generation(&self) -> u64;

    /// Sets the name of `user`, also in their past messages. Resolves with every user whose name, tag or ambiguity
    /// changed.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`](super::StoreError::ReadOnly) for a user without a row;
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn set_display_name(&self, user: UserId, name: DisplayName) -> PendingCommit<Vec<User>>;
}

/// Returns the first skeleton after all those that begin with `prefix`.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Returns a user as others see them. `number` counts the users of confusable names; the first one needs no tag.
pub(super) fn user(id: UserId, name: DisplayName, ambiguous: bool, number: u64) -> User {
    let tag = (ambiguous && number > 1).then(|| format!("#{number}").into());
    User { id, name, ambiguous, tag }
}

/// Returns a user who has neither chosen a name nor posted. Such users have no number, so an ambiguous one gets a
/// guest's tag.
pub(super) fn guest(id: UserId, ambiguous: bool) -> User {
    let tag = ambiguous.then(|| id.guest_tag().into());
    User { id, name: DisplayName::generated(id), ambiguous, tag }
}
