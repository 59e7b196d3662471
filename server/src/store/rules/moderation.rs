//! The permissions of moderators, owners of rooms and the administrator, and the effects of their actions.

use super::{Rank, allow, may_enter_room, rank, server_rank};
use crate::store::{
    Action, Invitation, LinkHash, MAX_REASON_CHARS, MAX_SLOW_SECONDS, Moderation, RestrictionKind, Role,
    RoomMode, Setting, Standing, StoreError, StoreResult, Subject, Until,
};
use app::wire::{RoomName, UserId};
use std::sync::Arc;

/// A change that a backend carries out for an action, in the room of the action or on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Effect {
    /// Gives a user a role, or takes it.
    SetRole(UserId, Option<Role>),
    /// Adds or replaces a restriction.
    Restrict(Subject, RestrictionKind, Until),
    /// Removes a restriction.
    Lift(Subject, RestrictionKind),
    /// Removes the user's read marker: the room leaves their list.
    Forget(UserId),
    /// Makes the user the owner of the room.
    SetOwner(UserId),
    /// Changes who may post in the room, and how often.
    SetMode(RoomMode, u32),
    /// Only members may enter the room from now on.
    CloseRoom,
    /// Adds an invitation.
    AddInvitation(Invitation),
    /// Removes an invitation.
    RemoveInvitation(LinkHash),
    /// Removes all invitations.
    RemoveInvitations,
    /// Changes a setting.
    Set(Setting, Option<Arc<str>>),
    /// Removes a report.
    RemoveReport(u64),
}

/// Decides whether the actor may do what `moderation` says, to a user with the rights of `target` if there is one. Returns
/// what follows from it.
///
/// | action | in a room | on the server |
/// | --- | --- | --- |
/// | appoint and dismiss moderators | owner, administrator | administrator |
/// | let in members | moderators | moderators |
/// | mute, remove, end that; invite | moderators | moderators |
/// | who may post, and how often | moderators | – |
/// | hand the room over, new link | owner, administrator | – |
/// | settings | – | administrator |
/// | export or erase everything of a user | – | administrator |
///
/// Moderators are those of the room, its owner, and those of the server; in a room for members only these must be members.
/// A user can be appointed, muted and removed only by one of a higher rank, and never by themselves; but every user may
/// resign or leave.
///
/// # Errors
/// [`StoreError::Forbidden`]; [`StoreError::RoomNotFound`]; [`StoreError::OutOfRange`].
pub(in super::super) fn plan(
    moderation: &Moderation,
    actor: &Standing,
    target: Option<&Standing>,
) -> StoreResult<Vec<Effect>> {
    if moderation.reason.chars().count() > MAX_REASON_CHARS {
        return Err(StoreError::OutOfRange);
    }
    let room = moderation.room.as_ref();
    if let Some(room) = room {
        may_enter_room(room, actor)?;
        if !actor.room.exists && !room.is_lobby() {
            return Err(StoreError::RoomNotFound);
        }
    }
    let powers = Powers {
        room,
        own: room.map_or_else(|| server_rank(actor), |room| rank(room, actor)),
        of_target: target.map_or(Rank::User, |target| rank_of_target(room, target)),
        is_self: moderation.action.user() == Some(moderation.actor),
    };
    let (owns, moderates, is_higher) = (powers.owns(), powers.moderates(), powers.is_higher());
    let is_admin = room.is_none() && powers.own == Rank::Admin;
    match moderation.action.clone() {
        Action::Appoint { user, role } => plan_appointment(&powers, user, role),
        Action::Transfer { user } => plan_transfer(&powers, moderation.actor, user, target),
        Action::Mute { user, until } => {
            allow(moderates && is_higher)?;
            Ok(vec![Effect::Restrict(Subject::User(user), RestrictionKind::Mute, until)])
        }
        Action::Remove { user, until, network } => {
            allow(moderates && is_higher && (network.is_none() || room.is_none()))?;
            let subjects = [Some(Subject::User(user)), network.map(Subject::Network)];
            let bans = subjects.into_iter().flatten();
            let bans = bans.map(|subject| Effect::Restrict(subject, RestrictionKind::Ban, until));
            let forget = room.map(|_| Effect::Forget(user));
            Ok([Effect::SetRole(user, None)].into_iter().chain(bans).chain(forget).collect())
        }
        Action::Lift { subject, kind } => {
            allow(moderates && !powers.is_self)?;
            Ok(vec![Effect::Lift(subject, kind)])
        }
        Action::SetMode { mode, slow } => {
            allow(moderates && room.is_some())?;
            if slow > MAX_SLOW_SECONDS {
                return Err(StoreError::OutOfRange);
            }
            Ok(vec![Effect::SetMode(mode, slow)])
        }
        Action::Invite(invitation) => allow(moderates).map(|()| vec![Effect::AddInvitation(invitation)]),
        Action::Revoke { hash } => allow(moderates).map(|()| vec![Effect::RemoveInvitation(hash)]),
        Action::RotateLink(invitation) => {
            allow(owns && room.is_some_and(RoomName::is_private))?;
            Ok(vec![Effect::CloseRoom, Effect::RemoveInvitations, Effect::AddInvitation(invitation)])
        }
        Action::Change(setting, value) => allow(is_admin).map(|()| vec![Effect::Set(setting, value)]),
        Action::Resolve { report } => allow(moderates).map(|()| vec![Effect::RemoveReport(report)]),
        Action::Export { .. } | Action::Erase { .. } => allow(is_admin && is_higher).map(|()| Vec::new()),
        Action::Deleted { .. } => allow(moderates && is_higher).map(|()| Vec::new()),
    }
}

/// The ranks that decide about an action.
struct Powers<'a> {
    /// The room of the action; `None` for the server.
    room: Option<&'a RoomName>,
    /// The rank of the actor.
    own: Rank,
    /// The rank of the user whom the action is about.
    of_target: Rank,
    /// The action is about the actor.
    is_self: bool,
}

impl Powers<'_> {
    fn moderates(&self) -> bool {
        self.own > Rank::User
    }

    fn owns(&self) -> bool {
        self.room.is_some() && (self.own == Rank::Owner || self.own == Rank::Admin)
    }

    fn is_higher(&self) -> bool {
        !self.is_self && self.own > self.of_target
    }

    /// Returns `true` if the actor may give a user of a lower rank this role, or take the present one.
    fn may_appoint(&self, role: Option<Role>) -> bool {
        match role {
            Some(Role::Admin) => false,
            Some(Role::Member) => self.moderates(),
            None if self.of_target == Rank::User => self.moderates(),
            _ if self.room.is_none() => self.own == Rank::Admin,
            Some(Role::Moderator) => self.owns(),
            None => self.owns() || self.own == Rank::Moderator,
        }
    }
}

/// Plans that a user gets a role, or loses theirs.
fn plan_appointment(powers: &Powers<'_>, user: UserId, role: Option<Role>) -> StoreResult<Vec<Effect>> {
    let may_resign = powers.is_self && role.is_none();
    allow(may_resign || (powers.is_higher() && powers.may_appoint(role)))?;
    let lift = role.map(|_| Effect::Lift(Subject::User(user), RestrictionKind::Ban));
    // A user who leaves a room, or is no member any more, has no way back through an old read marker.
    let forget = (role.is_none() && powers.room.is_some()).then_some(Effect::Forget(user));
    Ok([Effect::SetRole(user, role)].into_iter().chain(lift).chain(forget).collect())
}

/// Plans that a room gets another owner, who must be able to enter it.
fn plan_transfer(
    powers: &Powers<'_>,
    actor: UserId,
    user: UserId,
    target: Option<&Standing>,
) -> StoreResult<Vec<Effect>> {
    let may_enter =
        powers.room.zip(target).is_some_and(|(room, target)| may_enter_room(room, target).is_ok());
    allow(powers.owns() && may_enter)?;
    // The owner before stays a moderator, unless the administrator has decided.
    let stays = (powers.own == Rank::Owner).then_some(Effect::SetRole(actor, Some(Role::Moderator)));
    Ok([Effect::SetRole(user, None), Effect::SetOwner(user)].into_iter().chain(stays).collect())
}

/// Returns the rank of the user whom an action is about, whether or not they may enter the room.
fn rank_of_target(room: Option<&RoomName>, target: &Standing) -> Rank {
    room.map_or_else(|| server_rank(target), |room| rank(room, target).max(server_rank(target)))
}
