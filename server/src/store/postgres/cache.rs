//! The writer's knowledge of the database, so that nearly every batch is one round trip.
//!
//! The database has a generation of names and one of read markers. [`append_events`](super::append) compares them under the
//! locks of the batch, so that nothing here can be out of date without being noticed.

use super::queue::MAX_COMMANDS_PER_BATCH;
use app::wire::{RoomName, User, UserId};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;

/// Entries of each cache. A full one is cleared between two batches.
const MAX_ENTRIES: usize = 10_000;

/// Time after which the activity of a busy room is stored again.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(1);

/// A room that exists. Neither its id nor its privacy changes. If another server has removed it, the next batch fails and is
/// sent again by its clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomRef {
    /// Its number in the database.
    pub(super) id: i32,
    /// It is on lists of active rooms.
    pub(super) is_listed: bool,
    /// When its activity was stored.
    pub(super) active_at: Option<Instant>,
}

impl RoomRef {
    /// Returns `true` if the activity of the room must be stored with the next event.
    pub(super) fn needs_activity(&self) -> bool {
        self.is_listed && self.active_at.is_none_or(|at| at.elapsed() >= ACTIVITY_INTERVAL)
    }
}

/// The writer's knowledge of the database.
#[derive(Default)]
pub(super) struct Cache {
    rooms: HashMap<RoomName, RoomRef>,
    users: HashMap<UserId, User>,
    /// Users with a read marker in a room.
    visits: HashSet<(UserId, i32)>,
    pub(super) names: i64,
    pub(super) markers: i64,
    /// Users who may write in a room without restrictions, in the generation `access`.
    unrestricted: HashSet<(UserId, RoomName)>,
    /// The generation of access.
    pub(super) access: i64,
}

impl Cache {
    /// Clears the caches that the next batch could fill. What a batch has put in stays until it is published.
    pub(super) fn make_space(&mut self) {
        const MAX_BEFORE_BATCH: usize = MAX_ENTRIES - MAX_COMMANDS_PER_BATCH;
        if self.rooms.len() > MAX_BEFORE_BATCH {
            self.rooms.clear();
        }
        if self.users.len() > MAX_BEFORE_BATCH {
            self.users.clear();
        }
        if self.visits.len() > MAX_BEFORE_BATCH {
            self.visits.clear();
        }
        if self.unrestricted.len() > MAX_BEFORE_BATCH {
            self.unrestricted.clear();
        }
    }

    pub(super) fn room(&self, room: &RoomName) -> Option<RoomRef> {
        self.rooms.get(room).copied()
    }

    pub(super) fn add_room(&mut self, name: RoomName, room: RoomRef) {
        self.rooms.insert(name, room);
    }

    /// Forgets a room that was removed.
    pub(super) fn remove_room(&mut self, name: &RoomName) {
        self.rooms.remove(name);
    }

    /// Notes that the activity of a room was stored at `at`.
    pub(super) fn note_activity(&mut self, room: &RoomName, at: Instant) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.active_at = Some(at);
        }
    }

    pub(super) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub(super) fn add_user(&mut self, user: User) {
        self.users.insert(user.id, user);
    }

    pub(super) fn has_visit(&self, user: UserId, room: i32) -> bool {
        self.visits.contains(&(user, room))
    }

    pub(super) fn add_visit(&mut self, user: UserId, room: i32) {
        self.visits.insert((user, room));
    }

    /// Returns `true` if a user may write in a room without restrictions.
    pub(super) fn is_unrestricted(&self, user: UserId, room: &RoomName) -> bool {
        self.unrestricted.contains(&(user, room.clone()))
    }

    /// Adds users who may write in rooms without restrictions, as of a generation of access.
    pub(super) fn add_unrestricted(&mut self, access: i64, users: impl Iterator<Item = (UserId, RoomName)>) {
        if self.access != access {
            self.unrestricted.clear();
            self.access = access;
        }
        self.unrestricted.extend(users);
    }

    /// Forgets who may write without restrictions.
    pub(super) fn forget_access(&mut self) {
        self.unrestricted.clear();
    }

    /// Forgets users, or read markers, of another generation.
    pub(super) fn set_generations(&mut self, names: i64, markers: i64) {
        if self.names != names {
            self.users.clear();
        }
        if self.markers != markers {
            self.visits.clear();
        }
        (self.names, self.markers) = (names, markers);
    }
}
