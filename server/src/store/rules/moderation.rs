//! What moderators, owners of rooms and the administrator may do, and what follows from it.

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
    let own = room.map_or_else(|| server_rank(actor), |room| rank(room, actor));
    let of_target = target.map_or(Rank::User, |target| rank_of_target(room, target));
    let user = moderation.action.user();
    let is_self = user == Some(moderation.actor);
    let is_higher = !is_self && own > of_target;
    let owns = room.is_some() && (own == Rank::Owner || own == Rank::Admin);
    let moderates = own > Rank::User;
    match moderation.action.clone() {
        Action::Appoint { user, role } => {
            let may_resign = is_self && role.is_none();
            let may_appoint = match role {
                Some(Role::Admin) => false,
                Some(Role::Member) => moderates,
                Some(Role::Moderator) => {
                    if room.is_some() {
                        owns
                    } else {
                        own == Rank::Admin
                    }
                }
                None if of_target == Rank::User => moderates,
                None => {
                    if room.is_some() {
                        owns || own == Rank::Moderator
                    } else {
                        own == Rank::Admin
                    }
                }
            };
            allow(may_resign || (is_higher && may_appoint))?;
            let lift = role.map(|_| Effect::Lift(Subject::User(user), RestrictionKind::Ban));
            // Who leaves a room, or is no member any more, has no way back through an old read marker.
            let forget = (role.is_none() && room.is_some()).then_some(Effect::Forget(user));
            Ok([Effect::SetRole(user, role)].into_iter().chain(lift).chain(forget).collect())
        }
        Action::Transfer { user } => {
            allow(
                owns && target
                    .is_some_and(|target| room.is_some_and(|room| may_enter_room(room, target).is_ok())),
            )?;
            // The owner before stays a moderator, unless the administrator has decided.
            let stays =
                (own == Rank::Owner).then_some(Effect::SetRole(moderation.actor, Some(Role::Moderator)));
            Ok([Effect::SetRole(user, None), Effect::SetOwner(user)].into_iter().chain(stays).collect())
        }
        Action::Mute { user, until } => {
            allow(moderates && is_higher)?;
            Ok(vec![Effect::Restrict(Subject::User(user), RestrictionKind::Mute, until)])
        }
        Action::Remove { user, until, network } => {
            allow(moderates && is_higher && (network.is_none() || room.is_none()))?;
            let mut effects = vec![
                Effect::SetRole(user, None),
                Effect::Restrict(Subject::User(user), RestrictionKind::Ban, until),
            ];
            effects.extend(
                network
                    .map(|network| Effect::Restrict(Subject::Network(network), RestrictionKind::Ban, until)),
            );
            effects.extend(room.map(|_| Effect::Forget(user)));
            Ok(effects)
        }
        Action::Lift { subject, kind } => {
            allow(moderates && !is_self)?;
            Ok(vec![Effect::Lift(subject, kind)])
        }
        Action::SetMode { mode, slow } => {
            allow(moderates && room.is_some())?;
            if slow > MAX_SLOW_SECONDS {
                return Err(StoreError::OutOfRange);
            }
            Ok(vec![Effect::SetMode(mode, slow)])
        }
        Action::Invite(invitation) => {
            allow(moderates)?;
            Ok(vec![Effect::AddInvitation(invitation)])
        }
        Action::Revoke { hash } => {
            allow(moderates)?;
            Ok(vec![Effect::RemoveInvitation(hash)])
        }
        Action::RotateLink(invitation) => {
            allow(owns && room.is_some_and(RoomName::is_private))?;
            Ok(vec![Effect::CloseRoom, Effect::RemoveInvitations, Effect::AddInvitation(invitation)])
        }
        Action::Change(setting, value) => {
            allow(room.is_none() && own == Rank::Admin)?;
            Ok(vec![Effect::Set(setting, value)])
        }
        Action::Resolve { report } => {
            allow(moderates)?;
            Ok(vec![Effect::RemoveReport(report)])
        }
        Action::Export { .. } | Action::Erase { .. } => {
            allow(room.is_none() && own == Rank::Admin && is_higher)?;
            Ok(Vec::new())
        }
        Action::Deleted { .. } => {
            allow(moderates && is_higher)?;
            Ok(Vec::new())
        }
    }
}

/// Returns the rank of the user whom an action is about, whether or not they may enter the room.
fn rank_of_target(room: Option<&RoomName>, target: &Standing) -> Rank {
    room.map_or_else(|| server_rank(target), |room| rank(room, target).max(server_rank(target)))
}
