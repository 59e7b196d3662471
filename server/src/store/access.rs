//! Who may enter the server and its rooms, and who moderates them.
//!
//! Every change has a generation. Whatever reads events compares it afterwards, so that a user whose access was revoked
//! receives nothing that was posted after the revocation was acknowledged.

use super::{Invitation, PendingCommit, StoreResult};
use crate::limits::network::Network;
use app::wire::{Millis, RoomName, Seq, UserId};
use async_trait::async_trait;
use std::{fmt, str::FromStr, sync::Arc, time::Duration};

/// Users with a role in a room, or on the server. More are rejected.
pub const MAX_ROLES: u32 = 10_000;

/// Users and networks that are muted in a room or removed from it, or on the server. More are rejected.
pub const MAX_RESTRICTIONS: u32 = 10_000;

/// Characters of the reason of a moderator.
pub const MAX_REASON_CHARS: usize = 200;

/// Seconds between two posts of a user in a room in slow mode, at most: a day.
pub const MAX_SLOW_SECONDS: u32 = 24 * 60 * 60;

/// Changes of access that a process can read one by one. After more it checks all of its subscribers.
pub const MAX_ACCESS_CHANGES: usize = 1_000;

/// Who may enter the server. Users who are in stay in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerAccess {
    /// Everyone.
    #[default]
    Open,
    /// Users with an invitation.
    Invite,
    /// Users who know the password.
    Password,
}

/// What a user is in a room, or on the server. The owner of a room has no role there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A user who may enter.
    Member,
    /// A user who moderates.
    Moderator,
    /// The one user who runs the server.
    Admin,
}

/// Who may post in a room.
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

/// What a user may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestrictionKind {
    /// Write.
    Mute,
    /// Enter.
    Ban,
}

/// Whom a restriction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user, on every network.
    User(UserId),
    /// Everyone on a network.
    Network(Network),
}

/// How long a restriction lasts: until a time, or for ever.
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

/// What the store knows about the rights of a user. It is read in one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The generation of access before this was read.
    pub generation: u64,
    /// Who may enter the server.
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

/// What the store knows about the rights of a user in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomStanding {
    /// The room exists.
    pub exists: bool,
    /// The user owns it.
    pub is_owner: bool,
    /// Only its members may enter.
    pub members_only: bool,
    /// Who may post.
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

/// Who asks to enter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The user.
    pub user: UserId,
    /// The network that the user comes from, if it is known.
    pub network: Option<Network>,
    /// The room; `None` for the server alone.
    pub room: Option<RoomName>,
}

/// The settings of the server that its administrator changes while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who may enter the server.
    pub access: ServerAccess,
    /// The value of `--access` that was applied last.
    pub access_flag: Option<ServerAccess>,
    /// The hash of the password, in the format of argon2.
    pub password: Option<Arc<str>>,
    /// The SHA-256 of the unused admin link, in hexadecimal digits.
    pub admin_link: Option<Arc<str>>,
    /// The name of the server in the titles of its pages.
    pub name: Option<Arc<str>>,
    /// The hue of the server's own color, in degrees.
    pub hue: Option<u16>,
}

/// A setting of [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// [`Settings::access`]
    Access,
    /// [`Settings::access_flag`]
    AccessFlag,
    /// [`Settings::password`]
    Password,
    /// [`Settings::admin_link`]
    AdminLink,
    /// [`Settings::name`]
    Name,
    /// [`Settings::hue`]
    Hue,
}

/// What a moderator does, in a room or on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gives a user a role, or takes it.
    Appoint {
        /// The user.
        user: UserId,
        /// The role; `None` takes it.
        role: Option<Role>,
    },
    /// Makes another user the owner of the room.
    Transfer {
        /// The new owner.
        user: UserId,
    },
    /// Forbids a user to write.
    Mute {
        /// The user.
        user: UserId,
        /// For how long.
        until: Until,
    },
    /// Removes a user, and does not let them in again.
    Remove {
        /// The user.
        user: UserId,
        /// For how long.
        until: Until,
        /// The network that may not enter either; on the server alone.
        network: Option<Network>,
    },
    /// Ends a restriction.
    Lift {
        /// Whose.
        subject: Subject,
        /// Which.
        kind: RestrictionKind,
    },
    /// Changes who may post in a room, and how often.
    SetMode {
        /// Who may post.
        mode: RoomMode,
        /// Seconds between two posts of a user; 0 for no limit.
        slow: u32,
    },
    /// Creates an invitation.
    Invite(Invitation),
    /// Ends an invitation.
    Revoke {
        /// The hash of its secret.
        hash: super::LinkHash,
    },
    /// Ends the address and all invitations of a room as ways in, for everyone who has not been in it, and creates an
    /// invitation.
    RotateLink(Invitation),
    /// Changes a setting of the server; `None` resets it.
    Change(Setting, Option<Arc<str>>),
    /// Closes a report.
    Resolve {
        /// The number of the report.
        report: u64,
    },
    /// Records that messages of a user were deleted, which are events of their own.
    Deleted {
        /// The author.
        user: UserId,
        /// The number of messages.
        messages: u32,
        /// The message, if it is one.
        seq: Option<Seq>,
    },
}

impl Action {
    /// Returns the user whom it is about.
    pub fn user(&self) -> Option<UserId> {
        match self.subject() {
            Some(Subject::User(user)) => Some(user),
            _ => None,
        }
    }

    /// Returns whom it is about.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Self::Appoint { user, .. }
            | Self::Transfer { user }
            | Self::Mute { user, .. }
            | Self::Remove { user, .. }
            | Self::Deleted { user, .. } => Some(Subject::User(*user)),
            Self::Lift { subject, .. } => Some(*subject),
            _ => None,
        }
    }

    /// Returns the word for it in the log of moderators.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Appoint { role: Some(Role::Member), .. } => "let_in",
            Self::Appoint { role: Some(_), .. } => "appoint",
            Self::Appoint { role: None, .. } => "dismiss",
            Self::Transfer { .. } => "hand_over",
            Self::Mute { .. } => "mute",
            Self::Remove { network: None, .. } => "remove",
            Self::Remove { .. } => "remove_with_network",
            Self::Lift { kind: RestrictionKind::Mute, .. } => "unmute",
            Self::Lift { .. } => "readmit",
            Self::SetMode { .. } => "set_mode",
            Self::Invite(_) => "invite",
            Self::Revoke { .. } => "revoke_invitation",
            Self::RotateLink(_) => "new_link",
            Self::Change(..) => "change_setting",
            Self::Resolve { .. } => "close_report",
            Self::Deleted { .. } => "delete",
        }
    }

    /// Returns when its effect ends by itself.
    pub(super) fn until(&self) -> Option<Millis> {
        match self {
            Self::Mute { until, .. } | Self::Remove { until, .. } => until.0,
            Self::Invite(invitation) | Self::RotateLink(invitation) => Some(invitation.expires_at),
            _ => None,
        }
    }

    /// Returns what else the log says of it.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::SetMode { mode, slow } => format!("{} {slow}", mode.column()),
            Self::Change(setting, value) => {
                let value = value.as_deref().filter(|_| setting.is_public()).unwrap_or_default();
                format!("{} {value}", setting.name()).trim_end().to_owned()
            }
            Self::Deleted { messages, seq: Some(seq), .. } => format!("{messages} {seq}"),
            Self::Deleted { messages, seq: None, .. } => messages.to_string(),
            Self::Remove { network: Some(network), .. } => network.to_string(),
            _ => String::new(),
        }
    }

    /// Returns whose access it changes; `None` if it changes none.
    pub(super) fn access_change(&self, room: Option<&RoomName>) -> Option<AccessChange> {
        let change = |subject| Some(AccessChange { subject, room: room.cloned() });
        match self {
            Self::Remove { network: Some(_), .. } => change(None),
            Self::Appoint { .. } | Self::Transfer { .. } | Self::Remove { .. } | Self::Lift { .. } => {
                change(self.subject())
            }
            Self::Mute { .. } => change(self.subject()),
            Self::SetMode { .. } | Self::RotateLink(_) | Self::Change(Setting::Access, _) => change(None),
            _ => None,
        }
    }
}

/// An action with its actor, place and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderation {
    /// Who does it.
    pub actor: UserId,
    /// The room; `None` for the server.
    pub room: Option<RoomName>,
    /// What is done.
    pub action: Action,
    /// Why, in at most [`MAX_REASON_CHARS`] characters of one line.
    pub reason: String,
}

/// Whose access has changed. What is `None` stands for all.
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

    /// Returns the rights of each user, in the order of `entrances`. Takes at most
    /// [`MAX_ROOMS_PER_READ`](super::MAX_ROOMS_PER_READ) and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn standings(&self, entrances: &[Entrance]) -> StoreResult<Vec<Standing>>;

    /// Returns the rights of a user.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn standing(&self, entrance: Entrance) -> StoreResult<Standing> {
        let found = self.standings(std::slice::from_ref(&entrance)).await?.pop();
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

/// A value that no setting, subject or role has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownValue;

impl ServerAccess {
    const NAMES: [(&'static str, Self); 3] =
        [("open", Self::Open), ("invite", Self::Invite), ("password", Self::Password)];

    /// Returns the value of a stored setting. One of a newer version closes the server.
    pub(super) fn from_column(value: &str) -> Self {
        value.parse().unwrap_or(Self::Invite)
    }
}

impl fmt::Display for ServerAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize].0)
    }
}

impl FromStr for ServerAccess {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, access)| *access).ok_or(UnknownValue)
    }
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

impl Setting {
    /// Every setting.
    const ALL: [(&'static str, Self); 6] = [
        ("access", Self::Access),
        ("access_flag", Self::AccessFlag),
        ("password", Self::Password),
        ("admin_link", Self::AdminLink),
        ("name", Self::Name),
        ("hue", Self::Hue),
    ];

    /// Returns the name under which it is stored.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, setting)| *setting == self).map_or("", |(name, _)| name)
    }

    /// Returns `true` if its value may be shown in the log of moderators.
    pub(super) fn is_public(self) -> bool {
        !matches!(self, Self::Password | Self::AdminLink)
    }
}

impl Settings {
    /// Adds a stored setting. Unknown ones, and values that break today's rule, are ignored.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let Some((_, setting)) = Setting::ALL.iter().find(|(known, _)| *known == name) else { return };
        match setting {
            Setting::Access => self.access = ServerAccess::from_column(value),
            Setting::AccessFlag => self.access_flag = value.parse().ok(),
            Setting::Password => self.password = Some(value.into()),
            Setting::AdminLink => self.admin_link = Some(value.into()),
            Setting::Name => self.name = Some(value.into()),
            Setting::Hue => self.hue = value.parse().ok().filter(|hue| *hue < 360),
        }
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
    fn an_unknown_access_of_a_newer_version_closes_the_server() {
        let mut settings = Settings::default();
        settings.add("access", "by-moonlight");
        settings.add("later", "x");
        settings.add("hue", "400");
        assert_eq!(settings, Settings { access: ServerAccess::Invite, ..Settings::default() });
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
