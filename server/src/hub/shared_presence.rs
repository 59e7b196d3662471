//! Presence across the processes that share a store: each records its own users, and reads those of the others.
//!
//! One task compares what is recorded with the live rooms, so that changes which come meanwhile are recorded once, and a
//! failed write is repeated with what has changed since.

use super::{
    Hub,
    presence::PRESENCE_FLUSH_INTERVAL,
    room::Room,
    sync::{Mutex, MutexGuard},
};
use crate::{
    redact::RedactedRoom,
    store::{RoomPresence, StoreResult},
};
use app::wire::{RoomName, UserId};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

/// The pause after a failed read or write.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Rooms whose changes one write records.
const ROOMS_PER_WRITE: usize = 100;

/// Further reads of a room's users if names change meanwhile.
const MAX_REREADS: usize = 3;

/// The differences, certain or possible, between this process and the store.
#[derive(Debug, Default)]
pub(super) struct SharedPresence {
    /// Sections under this lock are short and never wait.
    pending: Mutex<Pending>,
    has_pending: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    /// Rooms whose users on this process may have changed.
    changed_here: HashSet<RoomName>,
    /// Rooms whose users on other processes may have changed.
    changed_elsewhere: HashSet<RoomName>,
    /// The store may have lost what this process has recorded.
    must_repeat: bool,
}

impl SharedPresence {
    /// Marks a room whose users on this process may have changed.
    pub(super) fn add_here(&self, room: &RoomName) {
        self.pending().changed_here.insert(room.clone());
        self.has_pending.notify_one();
    }

    /// Marks a room whose users on other processes may have changed.
    pub(super) fn add_elsewhere(&self, room: RoomName) {
        self.pending().changed_elsewhere.insert(room);
        self.has_pending.notify_one();
    }

    /// Marks `live` rooms, all of which may have changed, because notifications were lost.
    pub(super) fn add_missed(&self, live: impl Iterator<Item = RoomName>) {
        let mut pending = self.pending();
        pending.changed_elsewhere.extend(live);
        pending.must_repeat = true;
        drop(pending);
        self.has_pending.notify_one();
    }

    fn take(&self) -> Pending {
        mem::take(&mut *self.pending())
    }

    fn put_back(&self, failed: Pending) {
        let mut pending = self.pending();
        pending.changed_here.extend(failed.changed_here);
        pending.changed_elsewhere.extend(failed.changed_elsewhere);
        pending.must_repeat |= failed.must_repeat;
        drop(pending);
        self.has_pending.notify_one();
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Records the users of this process, and reads those of the others, whenever they change.
    pub(super) async fn share_presence(self: Arc<Self>) {
        let mut recorded: HashMap<RoomName, HashSet<UserId>> = HashMap::new();
        loop {
            self.shared_presence.has_pending.notified().await;
            // Changes that follow closely are recorded together.
            sleep(PRESENCE_FLUSH_INTERVAL).await;
            let mut pending = self.shared_presence.take();
            if pending.must_repeat {
                pending.changed_here.extend(recorded.keys().cloned().chain(self.rooms().keys().cloned()));
            }
            if let Err(error) = self.share(&pending, &mut recorded).await {
                if !error.is_logged() {
                    tracing::error!(%error, "sharing presence failed; retrying");
                }
                self.shared_presence.put_back(pending);
                sleep(RETRY_DELAY).await;
            }
        }
    }

    async fn share(
        &self,
        pending: &Pending,
        recorded: &mut HashMap<RoomName, HashSet<UserId>>,
    ) -> StoreResult<()> {
        for rooms in Vec::from_iter(&pending.changed_here).chunks(ROOMS_PER_WRITE) {
            self.record_rooms(rooms, recorded, pending.must_repeat).await?;
        }
        for room in &pending.changed_elsewhere {
            if let Some(room) = self.room(room) {
                self.read_elsewhere(&room).await?;
            }
        }
        Ok(())
    }

    /// Records what has changed in `rooms`. If it `must_repeat`, it records all users again.
    async fn record_rooms(
        &self,
        rooms: &[&RoomName],
        recorded: &mut HashMap<RoomName, HashSet<UserId>>,
        must_repeat: bool,
    ) -> StoreResult<()> {
        let mut changes = Vec::new();
        let mut present = Vec::new();
        for room in rooms {
            let now = self.room(room).map(|room| room.local_users()).unwrap_or_default();
            let none = HashSet::new();
            let before = recorded.get(*room).unwrap_or(&none);
            let joined = now.iter().filter(|user| must_repeat || !before.contains(user)).copied().collect();
            let left = before.difference(&now).copied().collect();
            let change = RoomPresence { room: (*room).clone(), joined, left };
            if !change.joined.is_empty() || !change.left.is_empty() {
                changes.push(change);
                present.push(now);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.store.record_presence(&changes).await?;
        for (RoomPresence { room, .. }, users) in changes.into_iter().zip(present) {
            if users.is_empty() {
                recorded.remove(&room);
            } else {
                recorded.insert(room, users);
            }
        }
        Ok(())
    }

    /// Reads the users of a room who are present on other processes.
    async fn read_elsewhere(&self, room: &Arc<Room>) -> StoreResult<()> {
        let mut rereads = 0;
        let elsewhere = loop {
            let names = self.store.names_generation();
            let elsewhere = self.store.present_elsewhere(&room.name).await?;
            // A rename that was announced meanwhile has not reached the users who are new in the room.
            if rereads == MAX_REREADS || self.store.names_generation() == names {
                break elsewhere;
            }
            rereads += 1;
        };
        self.schedule_flush(room, room.set_elsewhere(elsewhere));
        Ok(())
    }

    /// Reads the users of a room who are present on other processes, unless they are known. If that fails, they are read
    /// later.
    pub(super) async fn learn_elsewhere(&self, room: &Arc<Room>) {
        if !self.store.shares_presence() || room.knows_elsewhere() {
            return;
        }
        if let Err(error) = self.read_elsewhere(room).await {
            if !error.is_logged() {
                tracing::error!(%error, room = %RedactedRoom(&room.name), "reading who is present failed; retrying");
            }
            self.shared_presence.add_elsewhere(room.name.clone());
        }
    }

    /// Marks a room whose users on this process may have changed, if others are to know them.
    pub(super) fn share_room(&self, room: &RoomName) {
        if self.store.shares_presence() {
            self.shared_presence.add_here(room);
        }
    }
}
