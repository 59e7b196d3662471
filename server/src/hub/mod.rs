//! The live rooms of this process. The hub follows the store's notifications and drains each room's backlog.
//!
//! - [`access`]: the end of subscriptions whose users may not enter any more.
//! - [`announce`]: names, titles and read markers, sent to the connections that show them.
//! - [`room`]: one live room; [`backlog`]: its commits that are not yet broadcast; [`presence`]: its users;
//!   [`shared_presence`]: those of other processes.
//! - [`batch`]: consecutive events, encoded once for each protocol.
//! - [`subscriber`]: the shared half of a subscriber; [`outbound`]: its queue; [`subscription`]: its own half.

mod access;
mod announce;
mod backlog;
pub mod batch;
pub mod outbound;
pub mod presence;
pub mod room;
mod shared_presence;
pub mod subscriber;
pub mod subscription;
mod sync;
mod visits;

use crate::{
    redact::RedactedRoom,
    store::{
        EphemeralEvent, MAX_HEADS_PER_READ, Notification, RoomInfo, ServerRetention, Store, StoreResult,
    },
};
use access::AccessWatch;
use announce::Announcements;
use app::wire::{RoomName, Seq, UserId};
use backlog::NextDelivery;
use futures_util::stream::{BoxStream, StreamExt};
use presence::{Members, PRESENCE_FLUSH_INTERVAL};
use room::{PresenceChange, Room};
use shared_presence::SharedPresence;
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};
use subscriber::Subscriber;
use sync::{Mutex, MutexGuard};
use tokio::{
    sync::{
        Notify,
        mpsc::{UnboundedSender, unbounded_channel},
    },
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use visits::Visits;

/// Time between two polls of the rooms' heads, which bounds the delay after a lost notification.
const HEAD_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Events that one read from the store returns to fill a gap.
const GAP_READ_LIMIT: u32 = 500;

/// The subscribers of one user.
type UserSubscribers = SmallVec<[Arc<Subscriber>; 1]>;

/// The live rooms of this process. A room is live while it has a subscriber.
pub struct Hub {
    store: Arc<dyn Store>,
    /// Sections under this lock are short and never wait.
    rooms: Mutex<HashMap<RoomName, Arc<Room>>>,
    /// All subscribers. Sections under this lock are short and never wait.
    users: Mutex<HashMap<UserId, UserSubscribers>>,
    /// Rooms whose presence must be flushed.
    presence_dirty: UnboundedSender<Arc<Room>>,
    announcements: Announcements,
    shared_presence: SharedPresence,
    access: AccessWatch,
    visits: Visits,
    /// The server's retention of messages, as it was read last. Sections under this lock are short and never wait.
    retention: Mutex<ServerRetention>,
    /// The heads must be polled at once, because notifications were lost.
    has_missed: Notify,
}

impl Hub {
    /// Creates a hub that follows `store` until the store's notifications end.
    pub fn start(store: Arc<dyn Store>) -> Arc<Self> {
        let notifications = store.subscribe();
        let (presence_dirty, mut presence_rx) = unbounded_channel();
        let hub = Arc::new(Self { presence_dirty, ..Self::detached(store) });
        tokio::spawn(hub.clone().follow(notifications));
        tokio::spawn(hub.clone().poll());
        tokio::spawn(hub.clone().announce());
        if hub.store.shares_presence() {
            tokio::spawn(hub.clone().share_presence());
        }
        let flushing = hub.clone();
        tokio::spawn(async move {
            while let Some(room) = presence_rx.recv().await {
                tokio::spawn(flushing.clone().flush_presence(room));
            }
        });
        hub
    }

    /// Creates a hub that follows nothing by itself: a test calls [`deliver`](Self::deliver).
    pub fn detached(store: Arc<dyn Store>) -> Self {
        let (presence_dirty, _) = unbounded_channel();
        Self {
            store,
            rooms: Mutex::new(HashMap::new()),
            users: Mutex::new(HashMap::new()),
            presence_dirty,
            announcements: Announcements::default(),
            shared_presence: SharedPresence::default(),
            access: AccessWatch::default(),
            visits: Visits::default(),
            retention: Mutex::default(),
            has_missed: Notify::new(),
        }
    }

    /// Registers a subscriber of its user.
    pub fn register(&self, subscriber: &Arc<Subscriber>) {
        self.users().entry(subscriber.user_id).or_default().push(subscriber.clone());
    }

    /// Unregisters a subscriber of its user.
    pub fn unregister(&self, subscriber: &Subscriber) {
        let mut users = self.users();
        if let Some(subscribers) = users.get_mut(&subscriber.user_id) {
            subscribers.retain(|registered| registered.id != subscriber.id);
            if subscribers.is_empty() {
                users.remove(&subscriber.user_id);
            }
        }
    }

    /// Returns the connections of a user to this process.
    pub fn connections_of(&self, user: UserId) -> Vec<Arc<Subscriber>> {
        self.users().get(&user).map(|own| own.to_vec()).unwrap_or_default()
    }

    /// Returns the users that have connections to this process.
    pub fn connected_users(&self) -> Vec<UserId> {
        self.users().keys().copied().collect()
    }

    /// Adds `subscriber` to a room; it receives every later broadcast. A passive subscriber is not listed as present.
    /// The caller must read the room next and [open](Room::open_at) it.
    pub fn join(&self, room: &RoomName, subscriber: Arc<Subscriber>, is_passive: bool) -> Arc<Room> {
        let mut rooms = self.rooms();
        let room = rooms.entry(room.clone()).or_insert_with(|| Arc::new(Room::new(room.clone()))).clone();
        self.schedule_flush(&room, room.join(subscriber, is_passive));
        room
    }

    /// Returns `true` if a room is live and known to have events.
    pub fn has_events(&self, room: &RoomName) -> bool {
        self.room(room).and_then(|room| room.head()).is_some_and(|head| head > 0)
    }

    /// Removes `subscriber` from a room. A room without subscribers is closed.
    pub fn leave(&self, room: &RoomName, subscriber: &Subscriber) {
        let mut rooms = self.rooms();
        let Some(live) = rooms.get(room) else { return };
        let left = live.leave(subscriber);
        self.schedule_flush(live, left.presence);
        if left.is_empty {
            rooms.remove(room);
            self.share_room(room);
        }
    }

    /// Returns the users present in a room as `you` list them, each once, however many connections they have. Users of
    /// other processes are missing if the store cannot be read.
    pub async fn members(&self, room: &RoomName, you: UserId) -> Members {
        if let Some(room) = self.room(room) {
            return room.members(you);
        }
        if !self.store.shares_presence() {
            return Members::default();
        }
        // The room is not live on this process.
        let room = Room::new(room.clone());
        match self.store.present_elsewhere(&room.name).await {
            Ok(elsewhere) => _ = room.set_elsewhere(elsewhere),
            Err(error) if error.is_logged() => {}
            Err(error) => tracing::error!(%error, "reading who is present failed"),
        }
        room.members(you)
    }

    fn schedule_flush(&self, room: &Arc<Room>, change: PresenceChange) {
        if change == PresenceChange::FlushNeeded {
            // A detached hub flushes no presence.
            let _ = self.presence_dirty.send(room.clone());
        }
    }

    async fn follow(self: Arc<Self>, mut notifications: BoxStream<'static, Notification>) {
        while let Some(notification) = notifications.next().await {
            if let Notification::AccessChanged | Notification::Missed = notification {
                // Before the next notification is handled.
                self.access.note_change();
                let hub = self.clone();
                tokio::spawn(async move { hub.confirm_access().await });
            }
            if let Some(room) = self.on_notification(notification) {
                self.spawn_drain(room);
            }
        }
    }

    /// Handles a notification: whatever happens in the store reaches the hub only in this way, also what this process
    /// has stored. Returns a room whose backlog must be drained. Never waits.
    #[must_use]
    fn on_notification(&self, notification: Notification) -> Option<Arc<Room>> {
        match notification {
            Notification::Appended { room, head, events } => {
                let room = self.room(&room)?;
                let must_drain = match &events {
                    Some(events) => room.enqueue(Some(events)),
                    None => room.is_behind(head) && room.enqueue(None),
                };
                return must_drain.then_some(room);
            }
            Notification::UsersChanged(users) => self.announcements.add_users(users),
            Notification::RoomChanged(room) => {
                if self.room(&room).is_some() {
                    self.announcements.add_room(room);
                }
            }
            // `SignInCache` ends the connections of the user that are signed out.
            Notification::SignedOut(_) => {}
            Notification::PresenceChanged(room) => {
                if self.room(&room).is_some() {
                    self.shared_presence.add_elsewhere(room);
                }
            }
            Notification::PresenceUnknown => {
                for room in self.open_rooms() {
                    self.schedule_flush(&room, room.forget_elsewhere());
                }
            }
            Notification::ReadMarkerMoved { user, room, seq } => {
                if self.users().contains_key(&user) {
                    self.announcements.add_read_marker(user, room, seq);
                }
            }
            Notification::MarkedUnread { user, room } => {
                if self.users().contains_key(&user) {
                    self.announcements.add_unread(user, room);
                }
            }
            Notification::Ephemeral(EphemeralEvent::Typing { room, user }) => {
                if let Some(room) = self.room(&room) {
                    // In a task of its own, so that the events of other rooms do not wait for these writes.
                    tokio::spawn(async move { room.broadcast_typing(user) });
                }
            }
            Notification::AccessChanged => self.access.note_change(),
            Notification::Missed => {
                self.access.note_change();
                self.has_missed.notify_one();
                self.announcements.add_missed();
                if self.store.shares_presence() {
                    self.shared_presence
                        .add_missed(self.open_rooms().into_iter().map(|room| room.name.clone()));
                }
            }
        }
        None
    }

    /// Handles a notification, and broadcasts its events after those that are missing before them.
    pub async fn deliver(&self, notification: Notification) {
        if let Some(room) = self.on_notification(notification) {
            self.drain_backlog(&room).await;
        }
    }

    /// Polls the heads of the live rooms, at intervals and after notifications were lost.
    async fn poll(self: Arc<Self>) {
        let mut interval = interval(HEAD_POLL_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = self.has_missed.notified() => {}
            }
            self.poll_heads().await;
        }
    }

    fn spawn_drain(self: &Arc<Self>, room: Arc<Room>) {
        let hub = self.clone();
        tokio::spawn(async move {
            // Those who posted get their replies in the same write, if their tasks run first.
            yield_now().await;
            hub.drain_backlog(&room).await;
        });
    }

    /// Compares every live room with the store, and broadcasts what was not notified.
    async fn poll_heads(self: &Arc<Self>) {
        for open in self.open_rooms().chunks(MAX_HEADS_PER_READ) {
            let names: Vec<RoomName> = open.iter().map(|room| room.name.clone()).collect();
            let heads = match self.store.heads(&names).await {
                Ok(heads) => heads,
                Err(error) if error.is_logged() => return,
                Err(error) => return tracing::error!(%error, "reading the heads failed; retrying"),
            };
            for (room, head) in open.iter().zip(heads) {
                if room.is_behind(head) && room.enqueue(None) {
                    self.spawn_drain(room.clone());
                }
            }
        }
    }

    /// Broadcasts a room's backlog until it is empty. One task at a time drains a room; commits that arrive meanwhile
    /// are broadcast together, next.
    async fn drain_backlog(&self, room: &Room) {
        while let Some(next) = room.take_backlog() {
            match next {
                NextDelivery::Events(events) => {
                    // Otherwise the next poll reads them from the store.
                    if self.may_broadcast(room).await {
                        room.broadcast(&events).await;
                    }
                }
                NextDelivery::ReadFromStore => self.fill_gap(room).await,
            }
        }
    }

    /// Reads and broadcasts the events after the cursor, up to the head. If a read fails, the next poll tries again.
    async fn fill_gap(&self, room: &Room) {
        while let (cursor, Some(head)) = (room.cursor(), room.head())
            && cursor < head
        {
            match self.store.events_up_to(&room.name, cursor, head, GAP_READ_LIMIT).await {
                Ok(events) if events.is_empty() => return,
                Ok(events) => {
                    // Another process may have changed access before it committed them.
                    self.access.note_change();
                    if !self.may_broadcast(room).await {
                        return;
                    }
                    room.broadcast(&events).await;
                }
                Err(error) if error.is_logged() => return,
                Err(error) => {
                    let room = RedactedRoom(&room.name);
                    return tracing::error!(%error, %room, "gap read failed; retrying");
                }
            }
        }
    }

    /// Broadcasts a room's presence at intervals until nothing is pending.
    async fn flush_presence(self: Arc<Self>, room: Arc<Room>) {
        loop {
            sleep(PRESENCE_FLUSH_INTERVAL).await;
            let has_pending = room.broadcast_presence(Instant::now());
            self.share_room(&room.name);
            if !has_pending {
                return;
            }
        }
    }

    fn room(&self, name: &RoomName) -> Option<Arc<Room>> {
        self.rooms().get(name).cloned()
    }

    /// Returns how long the server keeps messages.
    pub fn retention(&self) -> ServerRetention {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns for how many hours the messages of a room are kept; `None` without limit.
    pub fn kept_hours(&self, room: &RoomInfo) -> Option<u32> {
        let kept = self.retention().of_room(room.retention);
        (!kept.is_unlimited()).then(|| kept.hours())
    }

    /// Notes how long the server keeps messages. If that has changed, announces the live rooms.
    pub fn set_retention(&self, retention: ServerRetention) {
        let mut noted = self.retention.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *noted, retention);
        drop(noted);
        if before != retention {
            self.open_rooms().into_iter().for_each(|room| self.announcements.add_room(room.name.clone()));
        }
    }

    /// Records that the users of the live rooms are there.
    pub async fn record_visits(&self) {
        for room in self.open_rooms() {
            if let Err(error) = self.record_visit(&room.name, room.head().unwrap_or(0)).await
                && !error.is_logged()
            {
                let room = RedactedRoom(&room.name);
                tracing::error!(%error, %room, "recording a visit failed");
            }
        }
    }

    /// Records that a user is in a room, in which `head` was found. Writes once or twice a day for a room with few events;
    /// others are never abandoned.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError).
    pub async fn record_visit(&self, room: &RoomName, head: Seq) -> StoreResult<()> {
        self.visits.record(&*self.store, room, head).await
    }

    fn open_rooms(&self) -> Vec<Arc<Room>> {
        self.rooms().values().cloned().collect()
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, UserSubscribers>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
