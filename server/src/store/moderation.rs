//! The tools of moderators: invitations, reports, lists of users, and the log of their actions.

use super::{LinkError, LinkHash, PendingCommit, RestrictionKind, Role, StoreResult, Subject, Until};
use app::wire::{Millis, RoomName, Seq, UserId};
use async_trait::async_trait;

/// Invitations of a room, or of the server, that have not ended. More are rejected.
pub const MAX_INVITATIONS: u32 = 100;

/// Open reports of a user. More are rejected.
pub const MAX_REPORTS_PER_USER: u32 = 20;

/// Open reports of all users. More are rejected.
pub const MAX_REPORTS: u32 = 10_000;

/// Users that a user may block. More are rejected.
pub const MAX_BLOCKED: u32 = 1_000;

/// Entries of the log of moderators. The oldest ones are removed.
pub const MAX_LOG_ENTRIES: u32 = 100_000;

/// Entries of one read of a list.
pub const MAX_ENTRIES_PER_READ: u32 = 200;

/// An invitation to a room, or to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The hash of its secret.
    pub hash: LinkHash,
    /// When it ends.
    pub expires_at: Millis,
    /// The number of times that it can be used; `None` for no limit.
    pub most_uses: Option<u32>,
}

/// An invitation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The room; `None` for the server.
    pub room: Option<RoomName>,
    /// The moderator who created it.
    pub by: UserId,
    /// The number of times that it was used.
    pub uses: u32,
}

/// A restriction in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRestriction {
    /// The user or the network that it is about.
    pub subject: Subject,
    /// The action that it forbids.
    pub kind: RestrictionKind,
    /// The duration of the restriction.
    pub until: Until,
    /// The moderator.
    pub by: UserId,
    /// The reason that the moderator gave.
    pub reason: String,
}

/// A message that a user has reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub id: u64,
    /// When it was made.
    pub at: Millis,
    /// The user who made it.
    pub by: UserId,
    /// The room of the message.
    pub room: RoomName,
    /// The message.
    pub seq: Seq,
    /// The reason that the user gave.
    pub reason: String,
}

/// An action that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number.
    pub id: u64,
    /// When it was done.
    pub at: Millis,
    /// The user who did it.
    pub actor: UserId,
    /// The action: a word of [`Action::word`](super::Action::word).
    pub action: String,
    /// The room; `None` for the server.
    pub room: Option<RoomName>,
    /// The user or the network that it was done to.
    pub subject: Option<Subject>,
    /// The end of its effect, if it ends by itself.
    pub until: Option<Millis>,
    /// Further details, such as a role.
    pub detail: String,
    /// The reason that the actor gave.
    pub reason: String,
}

/// The scope of a list: the entries of one room, of the server alone, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One room.
    Room(RoomName),
    /// The server, without its rooms.
    Server,
    /// The server and all rooms.
    All,
}

impl Scope {
    /// Returns the scope of a room, or of the server.
    pub fn of(room: Option<&RoomName>) -> Self {
        room.map_or(Self::Server, |room| Self::Room(room.clone()))
    }
}

/// The lists of moderators and users. Each read returns at most [`MAX_ENTRIES_PER_READ`] entries.
#[async_trait]
pub trait ModerationStore: Send + Sync + 'static {
    /// Returns users with a role, in the order of their ids after `after`. The scope is a room or the server.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn roles(&self, scope: &Scope, at_least: Role, after: UserId) -> StoreResult<Vec<(UserId, Role)>>;

    /// Returns the newest restrictions that have not ended. The scope is a room or the server.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn restrictions(&self, scope: &Scope) -> StoreResult<Vec<StoredRestriction>>;

    /// Returns the invitations that have not ended. The scope is a room or the server.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn invitations(&self, scope: &Scope) -> StoreResult<Vec<StoredInvitation>>;

    /// Returns an invitation that can be used, without using it.
    ///
    /// # Errors
    /// [`LinkError`] in the inner result; [`StoreError::Backend`](super::StoreError::Backend) in the outer one.
    async fn invitation(&self, hash: LinkHash) -> StoreResult<Result<StoredInvitation, LinkError>>;

    /// Uses an invitation: its user becomes a member. A member uses nothing up. Returns the room, or `None` for the
    /// server.
    ///
    /// # Errors
    /// [`LinkError`] in the inner result. In the outer one
    /// [`StoreError::Removed`](super::StoreError::Removed) or [`StoreError::Banned`](super::StoreError::Banned) if
    /// a moderator has removed the user, [`StoreError::TooMany`](super::StoreError::TooMany), or
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn redeem_invitation(
        &self,
        hash: LinkHash,
        user: UserId,
    ) -> PendingCommit<Result<Option<RoomName>, LinkError>>;

    /// Returns the newest entries of the log before `before`.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn log(&self, scope: &Scope, before: Option<u64>) -> StoreResult<Vec<LogEntry>>;

    /// Reports a message. A repeat by the same user changes nothing.
    ///
    /// # Errors
    /// [`StoreError::MessageNotFound`](super::StoreError::MessageNotFound);
    /// [`StoreError::TooMany`](super::StoreError::TooMany);
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn report(&self, user: UserId, room: RoomName, seq: Seq, reason: String) -> PendingCommit<()>;

    /// Returns the newest open reports. The scope is a room or all.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn reports(&self, scope: &Scope) -> StoreResult<Vec<Report>>;

    /// Blocks another user for `user`, or ends that.
    ///
    /// # Errors
    /// [`StoreError::TooMany`](super::StoreError::TooMany);
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn set_blocked(&self, user: UserId, other: UserId, is_blocked: bool) -> PendingCommit<()>;

    /// Returns the users whom `user` has blocked, at most [`MAX_BLOCKED`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn blocked(&self, user: UserId) -> StoreResult<Vec<UserId>>;
}
