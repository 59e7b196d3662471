//! The actions of moderators.

use super::{AccessChange, Invitation, LinkHash, RestrictionKind, Role, RoomMode, Setting, Subject, Until};
use crate::limits::network::Network;
use app::wire::{Millis, RoomName, Seq, UserId};
use std::sync::Arc;

/// Characters of the reason of a moderator.
pub const MAX_REASON_CHARS: usize = 200;

/// An action of a moderator, in a room or on the server.
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
        /// The time until which the user is muted.
        until: Until,
    },
    /// Removes a user, and does not let them in again.
    Remove {
        /// The user.
        user: UserId,
        /// The time until which the user is removed.
        until: Until,
        /// The network that may not enter either; on the server alone.
        network: Option<Network>,
    },
    /// Ends a restriction.
    Lift {
        /// The restricted user or network.
        subject: Subject,
        /// The kind of the restriction.
        kind: RestrictionKind,
    },
    /// Changes who may post in a room, and how often.
    SetMode {
        /// The users who may post.
        mode: RoomMode,
        /// Seconds between two posts of a user; 0 for no limit.
        slow: u32,
    },
    /// Creates an invitation.
    Invite(Invitation),
    /// Ends an invitation.
    Revoke {
        /// The hash of its secret.
        hash: LinkHash,
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
    /// Records that everything of a user is exported, which is a read of its own.
    Export {
        /// The user.
        user: UserId,
    },
    /// Records that everything of a user is erased, which is a job of its own.
    Erase {
        /// The user.
        user: UserId,
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
            | Self::Export { user }
            | Self::Erase { user }
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
            Self::Export { .. } => "export",
            Self::Erase { .. } => "erase",
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
            // No one's: but every server reads the settings again.
            Self::Change(Setting::Name | Setting::Hue | Setting::Retention, _) => {
                change(Some(Subject::User(UserId(0))))
            }
            Self::SetMode { .. } | Self::RotateLink(_) | Self::Change(Setting::Access, _) => change(None),
            _ => None,
        }
    }
}

/// An action with its actor, place and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moderation {
    /// The user who does it.
    pub actor: UserId,
    /// The room; `None` for the server.
    pub room: Option<RoomName>,
    /// The action.
    pub action: Action,
    /// The reason, in at most [`MAX_REASON_CHARS`] characters of one line.
    pub reason: String,
}
