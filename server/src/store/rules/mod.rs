//! The permissions of users: pure functions that a backend calls inside its transaction, and that each way in calls before.
//!
//! - This module: the permissions to enter, to read and to write.
//! - [`moderation`]: the permissions of moderators, owners and the administrator.
//! - [`files`]: the permissions of a user for files.
//! - [`import`]: the effect of another installation's events on a room, as a [plan](import_plan).
//! - [`retention`]: the expired events, and the permissions of a user after an erasure.

mod files;
mod import;
mod import_plan;
mod moderation;
mod retention;
#[cfg(test)]
mod tests;

pub(super) use files::{content_state, in_order, may_claim, may_describe, may_keep, may_shrink, may_upload};
pub use files::{may_read_file, may_upload_to};
pub(super) use import::{EventState, ImportedRoom, plan_import, referred};
pub(super) use import_plan::{ImportPlan, ImportedChange, ImportedRow};
pub(super) use moderation::{Effect, plan};
pub(super) use retention::{authorize_erased, count_expired, cutoff, is_abandoned};

use super::{Role, RoomMode, Standing, StoreError, StoreResult, Until};
use app::wire::{ErrorCode, Millis, Operation, PostingRules, RoomName, UserId};
use std::time::Duration;

/// The message that an operation replies to, edits, deletes or reacts to. It exists and was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The author of the message.
    pub(super) author: UserId,
}

/// The rank of a user in a room, or on the server. A user may moderate those of lower ranks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A user like others.
    #[default]
    User,
    /// A moderator of the room.
    RoomModerator,
    /// The owner of the room.
    Owner,
    /// A moderator of the server.
    Moderator,
    /// The administrator of the server.
    Admin,
}

/// Decides whether a user may enter the server.
///
/// - The administrator and the moderators always may, so that a ban of their own network locks none of them out.
/// - No other user with a ban may.
/// - If it is not open: the users who have been in, and those who were admitted.
///
/// # Errors
/// [`StoreError::Banned`], [`StoreError::NotAdmitted`].
pub fn may_enter_server(standing: &Standing) -> StoreResult<()> {
    if standing.role >= Some(Role::Moderator) {
        return Ok(());
    }
    if let Some(until) = standing.ban {
        return Err(StoreError::Banned(until));
    }
    let is_in = standing.is_known || standing.role.is_some();
    match standing.access {
        super::ServerAccess::Open => Ok(()),
        _ if is_in => Ok(()),
        _ => Err(StoreError::NotAdmitted),
    }
}

/// Decides whether a user may enter and read a room.
///
/// - No user who was removed may, unless they own or moderate it.
/// - If it is for members only: its owner, its members and its moderators, and those who were in it before it became so.
///   For others it does not exist.
///
/// # Errors
/// Those of [`may_enter_server`]; [`StoreError::Removed`], [`StoreError::RoomNotFound`].
pub fn may_enter_room(room: &RoomName, standing: &Standing) -> StoreResult<()> {
    may_enter_server(standing)?;
    if rank(room, standing) > Rank::User {
        return Ok(());
    }
    if let Some(until) = standing.room.ban {
        return Err(StoreError::Removed(until));
    }
    if is_insider(room, standing) { Ok(()) } else { Err(StoreError::RoomNotFound) }
}

/// Decides whether a user may moderate a room, or the server, and see its log and its reports.
pub fn moderates(room: Option<&RoomName>, standing: &Standing) -> bool {
    match room {
        Some(room) => may_enter_room(room, standing).is_ok() && rank(room, standing) > Rank::User,
        None => server_rank(standing) > Rank::User,
    }
}

/// Decides whether a user may see the log of a room, or of the server.
///
/// # Errors
/// [`StoreError::Forbidden`]; in a room those of [`may_enter_room`].
pub fn may_see_log(room: Option<&RoomName>, standing: &Standing) -> StoreResult<()> {
    if let Some(room) = room {
        may_enter_room(room, standing)?;
    }
    allow(moderates(room, standing))
}

/// Decides whether a user may accept an invitation to a room, or to the server. Returns `true` if they are in already: then
/// nothing is used up.
///
/// # Errors
/// [`StoreError::Banned`], [`StoreError::Removed`]; in a room [`StoreError::NotAdmitted`], because an invitation to a room
/// is none to the server.
pub(super) fn accept_invitation(room: Option<&RoomName>, standing: &Standing) -> StoreResult<bool> {
    match (room, may_enter_server(standing)) {
        (_, Err(refused @ StoreError::Banned(_))) | (Some(_), Err(refused)) => Err(refused),
        (None, _) => Ok(standing.role.is_some() || standing.is_known),
        (Some(room), Ok(())) => match may_enter_room(room, standing) {
            Err(removed @ StoreError::Removed(_)) => Err(removed),
            found => Ok(found.is_ok() && (standing.room.role.is_some() || is_closed(room, standing))),
        },
    }
}

/// Decides whether a user may do `operation` in a room, whatever message it is about.
///
/// - A user who is muted may only delete.
/// - In a room for announcements its owner and the moderators post, and all react. In a read-only room no user does.
///
/// # Errors
/// Those of [`may_enter_room`]; [`StoreError::Muted`], [`StoreError::PostsClosed`].
pub(super) fn may_write(room: &RoomName, standing: &Standing, operation: &Operation) -> StoreResult<()> {
    may_enter_room(room, standing)?;
    if matches!(operation, Operation::Delete { .. }) {
        return Ok(());
    }
    let moderates = rank(room, standing) > Rank::User;
    if let Some(until) = mute(standing).filter(|_| !moderates) {
        return Err(StoreError::Muted(until));
    }
    let is_open = match standing.room.mode {
        RoomMode::Open => true,
        RoomMode::Announcements => moderates || matches!(operation, Operation::React { .. }),
        RoomMode::ReadOnly => false,
    };
    if is_open { Ok(()) } else { Err(StoreError::PostsClosed) }
}

/// Returns the mute of a user in a room that ends last.
fn mute(standing: &Standing) -> Option<Until> {
    match (standing.mute, standing.room.mute) {
        (Some(one), Some(other)) => Some(one.later(other)),
        (one, other) => one.or(other),
    }
}

/// Returns whether a user who may enter a room may post there at the time `now`, and how often, for its page. What only a
/// moderator can end goes before a mute that ends by itself.
pub fn posting_rules(room: &RoomName, standing: &Standing, now: Millis) -> PostingRules {
    let post = Operation::Post { text: "".into(), reply_to: None };
    let may_post = |standing: &Standing| may_write(room, standing, &post);
    let mut unmuted = standing.clone();
    (unmuted.mute, unmuted.room.mute) = (None, None);
    let refused = may_post(&unmuted).and_then(|()| may_post(standing)).err();
    let closed_ms = match &refused {
        Some(StoreError::Muted(Until(Some(until)))) => Some(until.saturating_sub(now)),
        _ => None,
    };
    let closed = refused.map(|refused| match refused {
        StoreError::PostsClosed if standing.room.mode == RoomMode::ReadOnly => ErrorCode::ReadOnly,
        refused => refused.code(),
    });
    let slow = pace(room, standing, &post).map(|slow| slow.as_secs().try_into().unwrap_or(u32::MAX));
    PostingRules { closed, closed_ms, slow_seconds: slow }
}

/// Returns the time between two posts of a user in a room, if it is limited.
pub(super) fn pace(room: &RoomName, standing: &Standing, operation: &Operation) -> Option<Duration> {
    let is_limited = matches!(operation, Operation::Post { .. }) && rank(room, standing) == Rank::User;
    standing.room.slow.filter(|_| is_limited)
}

/// Returns `true` if a user may write in a room until its rights change or theirs do: what then is checked need not be
/// checked again.
pub(super) fn is_unrestricted(room: &RoomName, standing: &Standing) -> bool {
    may_enter_room(room, standing).is_ok()
        && standing.room.mode == RoomMode::Open
        && standing.room.slow.is_none()
        && standing.mute.is_none()
        && standing.room.mute.is_none()
}

/// Decides whether `actor` may do `operation` to its target. `moderates` returns whether the actor may delete
/// messages of the author; it is called only if the decision depends on it.
///
/// - Everyone may post, reply to a message that exists, and react to it.
/// - Only its author may edit a message.
/// - Its author, the owner of the room and moderators may delete a message.
///
/// # Errors
/// [`StoreError::MessageNotFound`] without the target that the operation needs; [`StoreError::Forbidden`].
pub(super) fn authorize(
    operation: &Operation,
    actor: UserId,
    target: Option<Target>,
    moderates: impl FnOnce(UserId) -> bool,
) -> StoreResult<()> {
    match (operation, target) {
        (Operation::Post { reply_to: None, .. }, _)
        | (Operation::Post { .. } | Operation::React { .. }, Some(_)) => Ok(()),
        (_, None) => Err(StoreError::MessageNotFound),
        (Operation::Edit { .. }, Some(target)) => allow(target.author == actor),
        (Operation::Delete { .. }, Some(target)) => allow(target.author == actor || moderates(target.author)),
    }
}

/// Returns `true` if the actor may delete a message of the author: the actor owns the room, or has a higher rank.
pub(super) fn may_delete(room: &RoomName, actor: &Standing, author: &Standing) -> bool {
    actor.room.is_owner || rank(room, actor) > rank(room, author)
}

/// Decides whether `actor` may change the title and topic of a room: its owner may.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub(super) fn authorize_update(actor: UserId, owner: Option<UserId>) -> StoreResult<()> {
    allow(owner == Some(actor))
}

/// Decides whether a cookie is valid: its device is listed, or no device was signed out since the cookie was set.
pub(super) fn is_signed_in(is_listed: bool, cookie_generation: u64, generation: u64) -> bool {
    is_listed || cookie_generation >= generation
}

/// Returns the rank of a user in a room. In a room for members only a moderator of the server who is not in it has none.
pub(super) fn rank(room: &RoomName, standing: &Standing) -> Rank {
    let there = match standing.room.role {
        _ if standing.room.is_owner => Rank::Owner,
        Some(Role::Moderator | Role::Admin) => Rank::RoomModerator,
        _ => Rank::User,
    };
    if is_insider(room, standing) { there.max(server_rank(standing)) } else { there }
}

/// Returns the rank of a user on the server.
pub(super) fn server_rank(standing: &Standing) -> Rank {
    match standing.role {
        Some(Role::Admin) => Rank::Admin,
        Some(Role::Moderator) => Rank::Moderator,
        _ => Rank::User,
    }
}

/// Returns `true` if the room exists for the user, as far as its members are concerned.
fn is_insider(room: &RoomName, standing: &Standing) -> bool {
    let there = &standing.room;
    !is_closed(room, standing)
        || (there.exists
            && (there.is_owner || there.role.is_some() || there.has_visited && !room.is_members_only()))
}

/// Returns `true` if only members may enter the room.
fn is_closed(room: &RoomName, standing: &Standing) -> bool {
    standing.room.members_only || room.is_members_only()
}

fn allow(is_allowed: bool) -> StoreResult<()> {
    if is_allowed { Ok(()) } else { Err(StoreError::Forbidden) }
}
