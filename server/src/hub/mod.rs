//! The live rooms of this process. The hub follows the store's notifications and drains each room's backlog.
//!
//! - [`announce`]: names, titles and read markers, sent to the connections that show them.
//! - [`room`]: one live room; [`backlog`]: its commits that are not yet broadcast; [`presence`]: its users.
//! - [`batch`]: consecutive events, encoded once for each protocol.
//! - [`subscriber`]: the shared half of a subscriber; [`outbound`]: its queue; [`subscription`]: its own half.

mod announce;
mod backlog;
pub mod batch;
pub mod outbound;
pub mod presence;
pub mod room;
pub mod subscriber;
pub mod subscription;
mod sync;

use crate::{
    redact::RedactedRoom,
    store::{MAX_HEADS_PER_READ, RoomRecord, Store, StoreResult, Wake},
};
use app::wire::{RoomName, UserId};
use backlog::NextDelivery;
use presence::{Members, PRESENCE_FLUSH_INTERVAL};
use room::{PresenceChange, Room};
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use subscriber::Subscriber;
use sync::{Mutex, MutexGuard};
use tokio::{
    sync::{
        Notify,
        broadcast::{Receiver, error::RecvError},
        mpsc::{UnboundedSender, unbounded_channel},
    },
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

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
    /// All visible subscribers. Sections under this lock are short and never wait.
    users: Mutex<HashMap<UserId, UserSubscribers>>,
    /// Rooms whose presence must be flushed.
    presence_dirty: UnboundedSender<Arc<Room>>,
    /// Serializes announcements of name and title changes. Each announcement re-reads the current value while holding
    /// this lock, so the last announcement is always the newest value, whatever order commits are observed in.
    announce_lock: tokio::sync::Mutex<()>,
    /// Increases after every commit that changes users' names or marks. It begins at random, so that no value of an
    /// earlier process repeats.
    names_generation: AtomicU64,
    /// The heads must be polled at once, because notifications were lost.
    has_lost_notifications: Notify,
}

impl Hub {
    /// Creates a hub that follows `store` until the store's notifications end.
    pub fn start(store: Arc<dyn Store>) -> Arc<Self> {
        let notifications = store.subscribe();
        let (presence_dirty, mut presence_rx) = unbounded_channel();
        let hub = Arc::new(Self { presence_dirty, ..Self::detached(store) });
        tokio::spawn(hub.clone().follow(notifications));
        tokio::spawn(hub.clone().poll());
        tokio::spawn(async move {
            while let Some(room) = presence_rx.recv().await {
                tokio::spawn(flush_presence(room));
            }
        });
        hub
    }

    /// Creates a hub that follows nothing by itself: a test calls [`on_commit`](Self::on_commit).
    pub fn detached(store: Arc<dyn Store>) -> Self {
        let (presence_dirty, _) = unbounded_channel();
        Self {
            store,
            rooms: Mutex::new(HashMap::new()),
            users: Mutex::new(HashMap::new()),
            presence_dirty,
            announce_lock: tokio::sync::Mutex::new(()),
            names_generation: AtomicU64::new(Uuid::new_v4().as_u64_pair().0),
            has_lost_notifications: Notify::new(),
        }
    }

    /// Returns the generation of users' names and marks. While it stays the same, no name that was read changes.
    pub fn names_generation(&self) -> u64 {
        self.names_generation.load(Ordering::Acquire)
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

    /// Adds `subscriber` to a room; it receives every later broadcast. A passive subscriber is not listed as present.
    /// The caller must [`open`](Self::open) the room next.
    pub fn join(&self, room: &RoomName, subscriber: Arc<Subscriber>, is_passive: bool) -> Arc<Room> {
        let mut rooms = self.rooms();
        let room = rooms.entry(room.clone()).or_insert_with(|| Arc::new(Room::new(room.clone()))).clone();
        self.schedule_flush(&room, room.join(subscriber, is_passive));
        room
    }

    /// Reads a room that the caller has [joined](Self::join), so that it misses no event after the head that this
    /// returns. Cancel safe.
    ///
    /// # Errors
    /// [`StoreError::Backend`](crate::store::StoreError::Backend).
    pub async fn open(&self, room: &Room) -> StoreResult<RoomRecord> {
        let stored = self.store.room(&room.name).await?;
        Ok(RoomRecord { head: room.open_at(stored.head), ..stored })
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
        }
    }

    /// Returns the users present in a room as `you` list them, each once, however many connections they have.
    pub fn members(&self, room: &RoomName, you: UserId) -> Members {
        self.room(room).map(|room| room.members(you)).unwrap_or_default()
    }

    fn schedule_flush(&self, room: &Arc<Room>, change: PresenceChange) {
        if change == PresenceChange::FlushNeeded {
            // A detached hub flushes no presence.
            let _ = self.presence_dirty.send(room.clone());
        }
    }

    async fn follow(self: Arc<Self>, mut notifications: Receiver<Wake>) {
        loop {
            match notifications.recv().await {
                Ok(notification) => {
                    for room in self.on_notification(notification) {
                        self.spawn_drain(room);
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    self.names_generation.fetch_add(1, Ordering::AcqRel);
                    self.has_lost_notifications.notify_one();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Polls the heads of the live rooms, at intervals and after notifications were lost.
    async fn poll(self: Arc<Self>) {
        let mut interval = interval(HEAD_POLL_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = self.has_lost_notifications.notified() => {}
            }
            self.poll_heads().await;
        }
    }

    fn spawn_drain(self: &Arc<Self>, room: Arc<Room>) {
        let hub = self.clone();
        tokio::spawn(async move { hub.drain_backlog(&room).await });
    }

    /// Handles a notification. Returns the room whose backlog must be drained, if any.
    fn on_notification(self: &Arc<Self>, notification: Wake) -> Vec<Arc<Room>> {
        if !notification.ambiguous.is_empty() {
            let hub = self.clone();
            tokio::spawn(async move { hub.announce_users(notification.ambiguous).await });
        }
        let room = self.room(&notification.room);
        room.filter(|room| room.enqueue(Some(&notification.events))).into_iter().collect()
    }

    /// Broadcasts the events of a notification, after those that are missing before them.
    pub async fn on_commit(&self, notification: &Wake) {
        if let Some(room) = self.room(&notification.room)
            && room.enqueue(Some(&notification.events))
        {
            self.drain_backlog(&room).await;
        }
    }

    /// Compares every live room with the store, and broadcasts what was not notified.
    async fn poll_heads(self: &Arc<Self>) {
        for open in self.open_rooms().chunks(MAX_HEADS_PER_READ) {
            let names: Vec<RoomName> = open.iter().map(|room| room.name.clone()).collect();
            let heads = match self.store.heads(&names).await {
                Ok(heads) => heads,
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
                NextDelivery::Events(events) => room.broadcast(&events).await,
                NextDelivery::ReadFromStore => self.fill_gap(room).await,
            }
        }
    }

    /// Reads and broadcasts the events after the cursor. If a read fails, the next poll tries again.
    async fn fill_gap(&self, room: &Room) {
        loop {
            match self.store.events_after(&room.name, room.cursor(), GAP_READ_LIMIT).await {
                Ok(events) if events.is_empty() => return,
                Ok(events) => room.broadcast(&events).await,
                Err(error) => {
                    let room = RedactedRoom(&room.name);
                    return tracing::error!(%error, %room, "gap read failed; retrying");
                }
            }
        }
    }

    fn room(&self, name: &RoomName) -> Option<Arc<Room>> {
        self.rooms().get(name).cloned()
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

/// Broadcasts a room's presence at intervals until nothing is pending.
async fn flush_presence(room: Arc<Room>) {
    loop {
        sleep(PRESENCE_FLUSH_INTERVAL).await;
        if !room.broadcast_presence(Instant::now()) {
            return;
        }
    }
}
