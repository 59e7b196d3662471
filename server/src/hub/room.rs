//! One live room: its subscribers, and how far it has broadcast.

use crate::{
    hub::{
        backlog::{Backlog, Commit, NextDelivery},
        batch::Batch,
        outbound::Delivery,
        presence::{Members, Presence, PresenceDiff},
        subscriber::Subscriber,
        sync::{
            Mutex, MutexGuard,
            atomic::{AtomicU64, Ordering},
        },
    },
    websocket::frame,
};
use app::wire::{Event, RoomName, Seq, ServerFrame, User, UserId};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError},
};
use tokio::{sync::Notify, task::yield_now, time::Instant};

/// Subscribers that are served before the task yields: about half a millisecond of work.
const DELIVERIES_PER_YIELD: usize = 64;

/// A room with at least one subscriber.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// The last `seq` that was broadcast. Only the task that drains the backlog moves it.
    cursor: AtomicU64,
    cursor_changed: Notify,
    /// Sections under these locks are short and never wait.
    subscribers: Mutex<Subscribers>,
    backlog: Mutex<Backlog>,
}

#[derive(Debug, Default)]
struct Subscribers {
    by_id: HashMap<u64, Arc<Subscriber>>,
    /// The same as a slice, built when it is needed after a change.
    slice: Option<Arc<[Arc<Subscriber>]>>,
    /// The subscribers that are not listed as present.
    passive: HashSet<u64>,
    presence: Presence,
    /// A task will flush presence.
    flush_scheduled: bool,
}

/// Whether a change of presence needs the caller's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PresenceChange {
    /// There is nothing to broadcast, or a flush is scheduled already.
    None,
    /// The caller must schedule a presence flush.
    FlushNeeded,
}

/// What [`Room::leave`] left behind.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Left {
    /// The room has no subscriber any more.
    pub is_empty: bool,
    /// Whether a presence flush is needed.
    pub presence: PresenceChange,
}

impl Room {
    /// Creates a room without subscribers, whose events up to `cursor` need not be broadcast.
    pub fn new(name: RoomName, cursor: Seq) -> Self {
        Self {
            name,
            cursor: AtomicU64::new(cursor),
            cursor_changed: Notify::new(),
            subscribers: Mutex::default(),
            backlog: Mutex::default(),
        }
    }

    /// Registers `subscriber`; it receives every later broadcast. A passive subscriber is not listed as present.
    pub fn join(&self, subscriber: Arc<Subscriber>, is_passive: bool) -> PresenceChange {
        let mut subscribers = self.subscribers_mut();
        subscribers.slice = None;
        let was_present = subscribers.is_present(&subscriber);
        let is_present = subscriber.is_visible && !is_passive;
        if is_present {
            subscribers.passive.remove(&subscriber.id);
        } else {
            subscribers.passive.insert(subscriber.id);
        }
        let changed = match (was_present, is_present) {
            (false, true) => subscribers.presence.connected(subscriber.user(), Instant::now()),
            (true, false) => subscribers.presence.disconnected(subscriber.user_id, Instant::now()),
            _ => false,
        };
        subscribers.by_id.insert(subscriber.id, subscriber);
        subscribers.schedule_flush(changed)
    }

    /// Unregisters `subscriber`; it receives nothing more.
    pub fn leave(&self, subscriber: &Subscriber) -> Left {
        let mut subscribers = self.subscribers_mut();
        subscribers.slice = None;
        let changed = subscribers.is_present(subscriber)
            && subscribers.presence.disconnected(subscriber.user_id, Instant::now());
        subscribers.by_id.remove(&subscriber.id);
        subscribers.passive.remove(&subscriber.id);
        let presence = subscribers.schedule_flush(changed);
        Left { is_empty: subscribers.by_id.is_empty(), presence }
    }

    /// Broadcasts the users who joined or left since the last call. Returns `true` if the caller must flush again
    /// later.
    #[must_use]
    pub fn broadcast_presence(&self, now: Instant) -> bool {
        let (diff, count, has_pending) = {
            let mut subscribers = self.subscribers_mut();
            let diff = subscribers.presence.take_diff(now);
            subscribers.flush_scheduled = subscribers.presence.has_pending();
            (diff, subscribers.presence.count(), subscribers.flush_scheduled)
        };
        if !diff.is_empty() {
            let PresenceDiff { joins, leaves, sole_user, .. } = diff;
            // A user who has joined alone knows that.
            let presence =
                ServerFrame::Presence { room: self.name.clone(), here: joins, gone: leaves, count };
            self.broadcast_to_present(Delivery::Control(frame::text(&presence.to_json())), sole_user);
        }
        has_pending
    }

    /// Informs the others present that `user` is typing.
    pub fn broadcast_typing(&self, user: User) {
        let exclude = Some(user.id);
        let typing = ServerFrame::Typing { room: self.name.clone(), user };
        self.broadcast_to_present(Delivery::Ephemeral(frame::text(&typing.to_json())), exclude);
    }

    fn broadcast_to_present(&self, delivery: Delivery, exclude: Option<UserId>) {
        let recipients: Vec<Arc<Subscriber>> = {
            let subscribers = self.subscribers_mut();
            let is_recipient = |subscriber: &&Arc<Subscriber>| {
                !subscribers.passive.contains(&subscriber.id) && Some(subscriber.user_id) != exclude
            };
            subscribers.by_id.values().filter(is_recipient).cloned().collect()
        };
        recipients.iter().for_each(|subscriber| subscriber.deliver(delivery.clone()));
    }

    /// Sends a frame to every subscriber, passive ones too.
    pub fn broadcast_all(&self, frame: &ServerFrame) {
        let delivery = Delivery::Control(frame::text(&frame.to_json()));
        self.subscribers().iter().for_each(|subscriber| subscriber.deliver(delivery.clone()));
    }

    /// Returns the last `seq` that was broadcast.
    pub fn cursor(&self) -> Seq {
        self.cursor.load(Ordering::Acquire)
    }

    /// Resolves when everything up to `seq` was broadcast. Cancel safe.
    pub async fn wait_for(&self, seq: Seq) {
        loop {
            let changed = self.cursor_changed.notified();
            if self.cursor() >= seq {
                return;
            }
            changed.await;
        }
    }

    /// Adds a commit to the backlog; `None` stands for events that only the store has. Returns `true` if the caller
    /// must drain the backlog.
    #[must_use]
    pub fn enqueue(&self, commit: Option<&Commit>) -> bool {
        self.backlog().enqueue(commit)
    }

    /// Takes what the draining task broadcasts next. After `None` the task is done.
    pub fn take_backlog(&self) -> Option<NextDelivery> {
        self.backlog().take(self.cursor())
    }

    /// Broadcasts `events`, which follow the cursor, and moves the cursor.
    pub async fn broadcast(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let batches = Batch::split(&self.name, events);
        for subscribers in self.subscribers().chunks(DELIVERIES_PER_YIELD) {
            for subscriber in subscribers {
                batches.iter().for_each(|batch| subscriber.deliver(Delivery::Events(batch.clone())));
            }
            yield_now().await;
        }
        self.cursor.store(last.seq, Ordering::Release);
        self.cursor_changed.notify_waiters();
    }

    /// Returns the users present as `you` list them, each once, however many connections they have.
    pub fn members(&self, you: UserId) -> Members {
        self.subscribers_mut().presence.members(you)
    }

    /// Returns the users present as `you` list them, who receive the changes from now on.
    pub fn subscribe(&self, you: UserId) -> Members {
        self.subscribers_mut().presence.subscribe(you)
    }

    /// Returns `true` if the user is present.
    pub fn has_user(&self, user: UserId) -> bool {
        self.subscribers_mut().presence.contains(user)
    }

    /// Updates the name and mark of a user who may be present.
    pub fn update_user(&self, user: &User) -> PresenceChange {
        let mut subscribers = self.subscribers_mut();
        let changed = subscribers.presence.update_user(user);
        subscribers.schedule_flush(changed)
    }

    /// Returns all subscribers.
    pub fn subscribers(&self) -> Arc<[Arc<Subscriber>]> {
        let mut subscribers = self.subscribers_mut();
        let Subscribers { by_id, slice, .. } = &mut *subscribers;
        slice.get_or_insert_with(|| by_id.values().cloned().collect()).clone()
    }

    fn subscribers_mut(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscribers {
    fn is_present(&self, subscriber: &Subscriber) -> bool {
        self.by_id.contains_key(&subscriber.id) && !self.passive.contains(&subscriber.id)
    }

    /// Returns whether the caller must schedule a flush for a change of presence.
    fn schedule_flush(&mut self, changed: bool) -> PresenceChange {
        if changed && !mem::replace(&mut self.flush_scheduled, true) {
            PresenceChange::FlushNeeded
        } else {
            PresenceChange::None
        }
    }
}
