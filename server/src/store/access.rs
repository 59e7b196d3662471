//! Access to the server and its rooms, and their moderators.
//!
//! Every change has a generation. Each reader of events compares it afterwards, so that a user whose access was revoked
//! receives nothing that was posted after the revocation was acknowledged.

use super::{
    Moderation, PendingCommit, ServerAccess, Setting, Settings, StoreResult, settings::UnknownValue,
};
use crate::limits::network::Network;
use app::wire::{Millis, RoomName, UserId};
use async_trait::async_trait;
use std::{fmt, str::FromStr, sync::Arc, time::Duration};

/// Users with a role in a room, or on the server. More are rejected.
pub const MAX_ROLES: u32 = 10_000;

/// Users and networks that are muted in a room or removed from it, or on the server. More are rejected.
pub const MAX_RESTRICTIONS: u32 = 10_000;

/// Seconds between two posts of a user in a room in slow mode, at most: a day.
pub const MAX_SLOW_SECONDS: u32 = 24 * 60 * 60;

/// Changes of access that a process can read one by one. After more it checks all of its subscribers.
pub const MAX_ACCESS_CHANGES: usize = 1_000;

/// The role of a user in a room, or on the server. The owner of a room has no role there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A user who may enter.
    Member,
    /// A user who moderates.
    Moderator,
    /// The one user who runs the server.
    Admin,
}

/// The users who may post in a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoomMode {
    /// Everyone who may enter it.
    #[default]
    Open,
    /// Its owner and moderators; others may react.
    Announcements,
    /// No user.
    ReadOnly,
}

/// The action that a restriction forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestrictionKind {
    /// Write.
    Mute,
    /// Enter.
    Ban,
}

/// The user or the network that a restriction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user, on every network.
    User(UserId),
    /// Everyone on a network.
    Network(Network),
}

/// The duration of a restriction: until a time, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Until(pub Option<Millis>);

impl Until {
    /// Returns the later one.
    pub(super) fn later(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.max(other))),
            _ => Self(None),
        }
    }
}

/// The store's knowledge of a user's rights. It is read in one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The generation of access before this was read.
    pub generation: u64,
    /// The users who may enter the server.
    pub access: ServerAccess,
    /// The user has a name, has posted or has read: they were in before the server was closed.
    pub is_known: bool,
    /// The role of the user on the server.
    pub role: Option<Role>,
    /// The user or their network may not enter the server.
    pub ban: Option<Until>,
    /// The user may not write on the server.
    pub mute: Option<Until>,
    /// The same in the room that was asked for.
    pub room: RoomStanding,
}

/// The store's knowledge of a user's rights in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomStanding {
    /// The room exists.
    pub exists: bool,
    /// The user owns it.
    pub is_owner: bool,
    /// Only its members may enter.
    pub members_only: bool,
    /// The users who may post.
    pub mode: RoomMode,
    /// The time between two posts of a user, if there is one.
    pub slow: Option<Duration>,
    /// The role of the user in the room.
    pub role: Option<Role>,
    /// The user has a read marker there.
    pub has_visited: bool,
    /// The user or their network may not enter the room.
    pub ban: Option<Until>,
    /// The user may not write in the room.
    pub mute: Option<Until>,
}

/// The request of a user to enter the server or a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRequest {
    /// The user.
    pub user: UserId,
    /// The network that the user comes from, if it is known.
    pub network: Option<Network>,
    /// The room; `None` for the server alone.
    pub room: Option<RoomName>,
}

/// A change of access. A field that is `None` stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// The user or the network.
    pub subject: Option<Subject>,
    /// The room.
    pub room: Option<RoomName>,
}

/// The changes after a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChanges {
    /// The present generation.
    pub generation: u64,
    /// The changes; `None` if there are more than [`MAX_ACCESS_CHANGES`], or if they are not known: every subscriber must
    /// be checked.
    pub changes: Option<Vec<AccessChange>>,
}

/// The rights of users.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Returns the settings.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn settings(&self) -> StoreResult<Settings>;

    /// Returns the rights of each user, in the order of `entry_requests`. Takes at most
    /// [`MAX_ROOMS_PER_READ`](super::MAX_ROOMS_PER_READ) and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn standings(&self, entry_requests: &[EntryRequest]) -> StoreResult<Vec<Standing>>;

    /// Returns the rights of a user.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn standing(&self, entry_request: EntryRequest) -> StoreResult<Standing> {
        let found = self.standings(std::slice::from_ref(&entry_request)).await?.pop();
        found.ok_or_else(|| super::StoreError::backend("the store returned no rights"))
    }

    /// Carries out an action if its actor may do so, and records it. A user whose access it revokes receives nothing that is
    /// posted after this resolves.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`](super::StoreError::Forbidden);
    /// [`StoreError::RoomNotFound`](super::StoreError::RoomNotFound);
    /// [`StoreError::TooMany`](super::StoreError::TooMany) beyond a bound;
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn moderate(&self, moderation: Moderation) -> PendingCommit<()>;

    /// Changes a setting on behalf of the operator, without a record.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn set(&self, setting: Setting, value: Option<Arc<str>>) -> PendingCommit<()>;

    /// Makes `user` the administrator if `secret` is the hash of the unused admin link, which is used up then. The
    /// administrator before has no role from then on. Returns whether it was the link.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn redeem_admin_link(&self, secret: super::LinkHash, user: UserId) -> PendingCommit<bool>;

    /// Lets a user in who knows the password: gives them the role of a member on the server.
    ///
    /// # Errors
    /// [`StoreError::TooMany`](super::StoreError::TooMany); [`StoreError::Backend`](super::StoreError::Backend).
    fn admit(&self, user: UserId) -> PendingCommit<()>;

    /// Returns the changes of access after a generation. If there are none, it costs at most one read by key.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn access_changes(&self, since: u64) -> StoreResult<AccessChanges>;
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "{user}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

impl FromStr for Subject {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        if text.contains('/') {
            return text.parse().map(Self::Network).map_err(|_| UnknownValue);
        }
        text.parse().map(Self::User).map_err(|_| UnknownValue)
    }
}

/// The columns of roles, modes and kinds.
impl Role {
    pub(super) fn column(self) -> i16 {
        self as i16 + 1
    }

    pub(super) fn from_column(column: i16) -> Option<Self> {
        [Self::Member, Self::Moderator, Self::Admin].into_iter().find(|role| role.column() == column)
    }
}

impl RoomMode {
    pub(super) fn column(self) -> i16 {
        self as i16
    }

    pub(super) fn from_column(column: i16) -> Self {
        let all = [Self::Open, Self::Announcements, Self::ReadOnly];
        // A mode of a newer version is the strictest one.
        all.into_iter().find(|mode| mode.column() == column).unwrap_or(Self::ReadOnly)
    }
}

impl RestrictionKind {
    pub(super) fn column(self) -> i16 {
        self as i16
    }

    pub(super) fn from_column(column: i16) -> Self {
        if column == Self::Mute.column() { Self::Mute } else { Self::Ban }
    }
}

impl Standing {
    /// Adds a role in a room, or on the server.
    pub(super) fn add_role(&mut self, is_room: bool, role: i16) {
        let place = if is_room { &mut self.room.role } else { &mut self.role };
        *place = Role::from_column(role).max(*place);
    }

    /// Adds a restriction in a room, or on the server.
    pub(super) fn add_restriction(&mut self, is_room: bool, kind: i16, until: Until) {
        let place = match (is_room, RestrictionKind::from_column(kind)) {
            (true, RestrictionKind::Ban) => &mut self.room.ban,
            (true, RestrictionKind::Mute) => &mut self.room.mute,
            (false, RestrictionKind::Ban) => &mut self.ban,
            (false, RestrictionKind::Mute) => &mut self.mute,
        };
        *place = Some(place.map_or(until, |before| before.later(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stored_as_text_and_read_again() {
        for access in [ServerAccess::Open, ServerAccess::Invite, ServerAccess::Password] {
            assert_eq!(access.to_string().parse(), Ok(access));
        }
        for subject in [
            Subject::User(UserId(7)),
            Subject::Network(Network::V4([192, 0, 2, 1].into())),
            Subject::Network(Network::V6(0x2001_0db8_0000_0001)),
        ] {
            assert_eq!(subject.to_string().parse(), Ok(subject), "{subject}");
        }
        assert_eq!("everyone".parse::<ServerAccess>(), Err(UnknownValue));
        assert_eq!("10.0.0.0/8".parse::<Subject>(), Err(UnknownValue), "a network is what one client has");
    }

    #[test]
    fn the_longest_restriction_counts() {
        let mut standing = Standing::default();
        for until in [Until(Some(5)), Until(Some(9)), Until(Some(7))] {
            standing.add_restriction(true, RestrictionKind::Ban.column(), until);
        }
        assert_eq!(standing.room.ban, Some(Until(Some(9))));
        standing.add_restriction(true, RestrictionKind::Ban.column(), Until(None));
        standing.add_restriction(true, RestrictionKind::Ban.column(), Until(Some(1)));
        assert_eq!(standing.room.ban, Some(Until(None)));
    }
}
