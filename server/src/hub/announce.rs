//! Announcements: changes of names, titles and read markers, sent to the connections that show them.
//!
//! A notification only marks what has changed. One task reads the present values and announces them: so the last
//! announcement is always the newest value, whatever order notifications arrive in, and changes that come meanwhile are
//! announced once.

use super::{
    Hub,
    outbound::Delivery,
    room::Room,
    subscriber::Subscriber,
    sync::{Mutex, MutexGuard},
};
use crate::{
    store::{MAX_READ_MARKERS, MAX_ROOMS_PER_READ},
    websocket::frame,
};
use app::wire::{RoomName, Seq, ServerFrame, User, UserId};
use smallvec::SmallVec;
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError},
};
use tokio::sync::Notify;

/// Users whose names one read returns.
const USERS_PER_READ: usize = 1_000;

/// The changes that are not yet announced.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// Sections under this lock are short and never wait.
    pending: Mutex<Pending>,
    has_pending: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    users: HashSet<UserId>,
    rooms: HashSet<RoomName>,
    read_markers: HashMap<(UserId, RoomName), MovedMarker>,
    /// Notifications were lost: the names of all connected users and the titles of all open rooms may have changed.
    has_missed: bool,
}

/// The move of a read marker.
#[derive(Debug, Clone, Copy, Default)]
struct MovedMarker {
    /// The furthest position that was notified.
    seq: Seq,
    /// The user has marked messages as unread.
    is_marked: bool,
}

impl Announcements {
    /// Marks users whose names, tags or marks have changed.
    pub(super) fn add_users(&self, users: Vec<UserId>) {
        self.pending().users.extend(users);
        self.has_pending.notify_one();
    }

    /// Marks a room whose title or topic has changed.
    pub(super) fn add_room(&self, room: RoomName) {
        self.pending().rooms.insert(room);
        self.has_pending.notify_one();
    }

    /// Marks a read marker that has moved forward to `seq`.
    pub(super) fn add_read_marker(&self, user: UserId, room: RoomName, seq: Seq) {
        self.change_read_marker(user, room, |moved| moved.seq = seq.max(moved.seq));
    }

    /// Marks a read marker that may have moved back, since the user has marked messages as unread.
    pub(super) fn add_unread(&self, user: UserId, room: RoomName) {
        self.change_read_marker(user, room, |moved| moved.is_marked = true);
    }

    fn change_read_marker(&self, user: UserId, room: RoomName, change: impl FnOnce(&mut MovedMarker)) {
        change(self.pending().read_markers.entry((user, room)).or_default());
        self.has_pending.notify_one();
    }

    /// Marks everything that may have changed when notifications were lost.
    pub(super) fn add_missed(&self) {
        self.pending().has_missed = true;
        self.has_pending.notify_one();
    }

    /// Resolves with what is to be announced next.
    async fn next(&self) -> Pending {
        self.has_pending.notified().await;
        mem::take(&mut *self.pending())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Announces what notifications mark, one after the other.
    pub(super) async fn announce(self: Arc<Self>) {
        loop {
            let Pending { users, mut rooms, read_markers, has_missed } = self.announcements.next().await;
            let users: Vec<UserId> = users.into_iter().collect();
            for users in users.chunks(USERS_PER_READ) {
                self.announce_users(users, |_| true).await;
            }
            if has_missed {
                let connected: Vec<UserId> = self.users().keys().copied().collect();
                for users in connected.chunks(USERS_PER_READ) {
                    self.announce_users(users, |user| self.shows_another_name(user)).await;
                }
                rooms.extend(self.rooms().keys().cloned());
            }
            let rooms: Vec<RoomName> = rooms.into_iter().collect();
            for rooms in rooms.chunks(MAX_ROOMS_PER_READ) {
                self.announce_rooms(rooms).await;
            }
            for ((user, room), moved) in read_markers {
                self.announce_read_marker(user, room, moved).await;
            }
        }
    }

    /// Announces those of `users` that are `wanted`.
    async fn announce_users(&self, users: &[UserId], wanted: impl Fn(&User) -> bool + Send + Sync) {
        match self.store.users(users).await {
            Ok(users) => {
                for user in users.iter().filter(|user| wanted(user)) {
                    self.announce_user(user).await;
                }
            }
            Err(error) if error.is_logged() => {}
            Err(error) => tracing::error!(%error, "reading renamed users failed"),
        }
    }

    /// Returns `true` if a connection of the user has another name, tag or mark than `user`.
    fn shows_another_name(&self, user: &User) -> bool {
        let users = self.users();
        users.get(&user.id).is_some_and(|own| own.iter().any(|subscriber| subscriber.user() != *user))
    }

    async fn announce_user(&self, user: &User) {
        let own = self.users().get(&user.id).cloned().unwrap_or_default();
        own.iter().for_each(|subscriber| subscriber.set_user(user.clone()));
        let visited = self.store.read_markers(user.id, 0, MAX_READ_MARKERS).await.unwrap_or_default();
        let visited: HashSet<RoomName> = visited.into_iter().map(|(room, _)| room).collect();
        let followed: HashSet<RoomName> = own.iter().flat_map(|subscriber| subscriber.rooms()).collect();
        // Only rooms that the user is in or has visited: the cost of a rename does not grow with the open rooms.
        let mut rooms: Vec<Arc<Room>> = {
            let open = self.rooms();
            visited.union(&followed).filter_map(|room| open.get(room).cloned()).collect()
        };
        rooms.extend(
            self.rooms_elsewhere(user.id, |room| !visited.contains(room) && !followed.contains(room)),
        );
        for room in &rooms {
            self.schedule_flush(room, room.update_user(user));
        }
        let shows_user = |room: &&Arc<Room>| visited.contains(&room.name) || room.has_user(user.id);
        let recipients: HashMap<u64, Arc<Subscriber>> = rooms
            .iter()
            .filter(shows_user)
            .flat_map(|room| room.subscribers().to_vec())
            .map(|subscriber| (subscriber.id, subscriber))
            .collect();
        let User { id, name, ambiguous, tag } = user.clone();
        let frame = frame::text(&ServerFrame::Renamed { id, name, ambiguous, tag }.to_json());
        recipients.into_values().for_each(|subscriber| subscriber.deliver(Delivery::Control(frame.clone())));
    }

    /// Returns the `wanted` rooms in which the user is present by a connection to another process. Every open room is asked,
    /// but only if processes share the store.
    fn rooms_elsewhere(&self, user: UserId, wanted: impl Fn(&RoomName) -> bool) -> Vec<Arc<Room>> {
        if !self.store.shares_presence() {
            return Vec::new();
        }
        self.open_rooms().into_iter().filter(|room| wanted(&room.name) && room.has_user(user)).collect()
    }

    async fn announce_rooms(&self, rooms: &[RoomName]) {
        let stored = match self.store.rooms(rooms).await {
            Ok(stored) => stored,
            Err(error) if error.is_logged() => return,
            Err(error) => return tracing::error!(%error, "reading changed rooms failed"),
        };
        for stored in stored {
            let (title, topic) = (stored.title(), stored.info.topic.to_string());
            let kept_hours = self.kept_hours(&stored.info);
            if let Some(room) = self.room(&stored.room) {
                let room_name = stored.room;
                room.broadcast_all(&ServerFrame::RoomUpdated { room: room_name, title, topic, kept_hours });
            }
        }
    }

    /// Returns the number of events of others after `seq`, and of those that address `user`. Without one the clients estimate.
    async fn count_unread(&self, user: UserId, room: &RoomName, seq: Seq) -> Option<(u32, u32)> {
        let rooms = [(room.clone(), seq)];
        let unread = self.store.unread_counts(user, &rooms).await.ok()?;
        let mentions = self.store.mention_counts(user, &rooms).await.ok()?;
        unread.first().copied().zip(mentions.first().copied())
    }

    /// Sends the read marker of `user` to those of their connections that have not read as far, or to all of them if the
    /// user has marked messages as unread, together with the number of events that are unread.
    async fn announce_read_marker(
        &self,
        user: UserId,
        room: RoomName,
        MovedMarker { seq, is_marked }: MovedMarker,
    ) {
        let others: SmallVec<[Arc<Subscriber>; 4]> = match self.users().get(&user) {
            Some(subscribers) => subscribers
                .iter()
                .filter(|subscriber| is_marked || !subscriber.has_read(&room, seq))
                .cloned()
                .collect(),
            None => return,
        };
        if others.is_empty() {
            return;
        }
        // The present marker, since the notifications of several servers arrive in any order.
        let (stored, seq) = match self.store.snapshot(&room, user, None, 0).await {
            Ok(snapshot) => match snapshot.read {
                Some(read) if is_marked || read >= seq => (snapshot.record.head, read),
                // The marker was removed, or has moved back, which is announced by itself.
                _ => return,
            },
            Err(error) if error.is_logged() => return,
            Err(error) => return tracing::error!(%error, "reading a read marker failed"),
        };
        let head = self.room(&room).and_then(|room| room.head()).unwrap_or(stored);
        let counts = if seq >= head { Some((0, 0)) } else { self.count_unread(user, &room, seq).await };
        let (unread, mentions) = counts.unzip();
        if is_marked {
            others.iter().for_each(|subscriber| subscriber.note_read(&room, seq));
        }
        let (head, mentions) = (unread.map(|_| head), mentions.filter(|count| *count > 0));
        let read = ServerFrame::Read { room, seq, head, unread, mentions, marked: is_marked };
        let frame = frame::text(&read.to_json());
        others.iter().for_each(|subscriber| subscriber.deliver(Delivery::Control(frame.clone())));
    }
}
