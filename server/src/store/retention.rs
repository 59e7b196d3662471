//! The retention of messages: the settings of rooms and the server, and the sweep that removes what has expired.

use super::{PendingCommit, StoreResult};
use app::wire::{Millis, Retention, RoomName, Seq, UserId};
use async_trait::async_trait;
use std::{fmt, time::Duration};

/// Rooms that one step of a sweep looks at.
pub const MAX_ROOMS_PER_SWEEP: u32 = 200;

/// Events of a room that one step of a sweep removes.
pub const MAX_EXPIRED_PER_STEP: u32 = 200;

/// Milliseconds without a visitor after which a room with one message is removed: 90 days.
pub const ABANDONED_AFTER: Millis = 90 * 24 * 60 * 60 * 1_000;

/// Events that a room has at most to be removed when it is abandoned.
pub const MAX_ABANDONED_EVENTS: Seq = 100;

/// Read markers of an abandoned room that one step of a sweep removes.
pub(super) const MAX_MARKERS_PER_STEP: u32 = 500;

/// Milliseconds during which further visits of a room are not recorded.
pub const VISIT_INTERVAL: Millis = 24 * 60 * 60 * 1_000;

/// The server's retention of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerRetention {
    /// For rooms that say nothing else.
    pub default: Retention,
    /// No room keeps messages longer than `default`.
    pub is_limit: bool,
}

impl fmt::Display for ServerRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.default.hours(), if self.is_limit { " limit" } else { "" })
    }
}

impl ServerRetention {
    /// Reads the value of a setting. A value of another form counts as none: nothing expires by mistake.
    pub fn from_setting(value: Option<&str>) -> Self {
        let (hours, rest) = value.map_or(("", None), |value| match value.split_once(' ') {
            Some((hours, rest)) => (hours, Some(rest)),
            None => (value, None),
        });
        let default = hours.parse().ok().and_then(|hours: u32| hours.try_into().ok());
        default.map_or_else(Self::default, |default| Self { default, is_limit: rest == Some("limit") })
    }

    /// Returns how long a room keeps its messages. The room's own value applies, or else the server's; the shorter one of
    /// both if the server's is a limit.
    pub fn of_room(self, room: Option<Retention>) -> Retention {
        match room {
            None => self.default,
            Some(room) if self.is_limit => room.shorter(self.default),
            Some(room) => room,
        }
    }
}

/// The time and the retention that a sweep goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// The present time.
    pub now: Millis,
    /// The server's retention of messages.
    pub server: ServerRetention,
}

/// A room as a sweep finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgingRoom {
    /// Its name.
    pub room: RoomName,
    /// The time for which it keeps messages; `None` as long as the server does.
    pub retention: Option<Retention>,
    /// A user has created it with a form.
    pub has_owner: bool,
    /// Its latest `seq`.
    pub head: Seq,
    /// The time of the first event that has not expired.
    pub oldest_at: Option<Millis>,
    /// When a user was in it last, to the day.
    pub visited_at: Millis,
}

impl AgingRoom {
    /// Returns `true` if its oldest event may have expired.
    pub fn may_expire(&self, sweep: Sweep) -> bool {
        let cutoff = super::rules::cutoff(self.retention, sweep);
        cutoff.zip(self.oldest_at).is_some_and(|(cutoff, oldest)| oldest <= cutoff || oldest > sweep.now)
    }

    /// Returns `true` if the room may be abandoned.
    pub fn may_be_abandoned(&self, now: Millis) -> bool {
        super::rules::is_abandoned(self, 0, now)
    }
}

/// The retention of messages.
#[async_trait]
pub trait RetentionStore: Send + Sync + 'static {
    /// Sets how long a room keeps its messages, on behalf of its owner; `None` as long as the server does.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`](super::StoreError::RoomNotFound);
    /// [`StoreError::Forbidden`](super::StoreError::Forbidden) if `user` does not own the room;
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn set_retention(&self, room: RoomName, user: UserId, retention: Option<Retention>) -> PendingCommit<()>;

    /// Returns at most `limit` rooms by name, public and private ones, from the one after `after`. Takes at most
    /// [`MAX_ROOMS_PER_SWEEP`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn aging_rooms(&self, after: Option<&RoomName>, limit: u32) -> StoreResult<Vec<AgingRoom>>;

    /// Removes the oldest events of a room that have expired, at most [`MAX_EXPIRED_PER_STEP`], with everything about them:
    /// their texts, also those of later edits, reactions and mentions. Each stays as an event without content, so that
    /// positions have no gaps. If there are messages among them, an event says so to those who follow the room. Returns how
    /// many have expired.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn expire(&self, room: RoomName, sweep: Sweep) -> PendingCommit<u32>;

    /// Removes a room with everything in it if it is abandoned: if its first message created it, it has no other one, and no
    /// user was in it for [`ABANDONED_AFTER`]. It is removed in several steps if it has many read markers. Returns whether
    /// the room is gone.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn remove_if_abandoned(&self, room: RoomName, now: Millis) -> PendingCommit<bool>;

    /// Records that a user is in a room, if that was not recorded within [`VISIT_INTERVAL`] before `now`.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn record_room_visit(&self, room: RoomName, now: Millis) -> PendingCommit<()>;

    /// Takes or renews the right to carry out a task, for `lifetime`. Returns `false` if another process has it.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn take_lease(&self, task: &'static str, lifetime: Duration) -> StoreResult<bool>;

    /// Returns the present time by the clock that stamps events.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn clock(&self) -> StoreResult<Millis>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_reads_back_as_written_and_a_bad_one_keeps_everything() {
        for (hours, is_limit) in [(0, false), (1, true), (8_760, false), (0, true)] {
            let retention = ServerRetention { default: hours.try_into().unwrap(), is_limit };
            assert_eq!(ServerRetention::from_setting(Some(&retention.to_string())), retention);
        }
        for bad in [None, Some(""), Some("-1"), Some("week"), Some("99999999"), Some(" limit")] {
            assert_eq!(ServerRetention::from_setting(bad), ServerRetention::default(), "{bad:?}");
        }
    }
}
