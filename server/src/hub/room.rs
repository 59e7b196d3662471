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
            atomic::{AtomicBool, AtomicU64, Ordering},
        },
    },
    store::PresentElsewhere,
    websocket::frame,
};
use app::wire::{Event, RoomName, Seq, ServerFrame, User, UserId};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError},
};
use tokio::{sync::Notify, task::yield_now, time::Instant};

/// Subscribers of a large room that are served before the task yields: about half a millisecond of work.
const DELIVERIES_PER_YIELD: usize = 64;

/// Subscribers that are served without a yield: about two milliseconds of work. On a busy server a yield takes tens of
/// milliseconds, and the room's next events wait for it.
const DELIVERIES_WITHOUT_YIELD: usize = 256;

/// The cursor of a room that is still opening: neither a read nor a notification has yet set its position.
const UNOPENED: Seq = Seq::MAX;

/// A room with at least one subscriber.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// The last `seq` that was broadcast, or [`UNOPENED`]. Only the task that drains the backlog moves it on.
    cursor: AtomicU64,
    /// The latest `seq` that was read from the store or notified.
    head: AtomicU64,
    cursor_changed: Notify,
    /// The users who are present on other processes were read.
    knows_elsewhere: AtomicBool,
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

/// A change of presence, which may need the caller's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PresenceChange {
    /// There is nothing to broadcast, or a flush is scheduled already.
    None,
    /// The caller must schedule a presence flush.
    FlushNeeded,
}

/// The result of [`Room::leave`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Left {
    /// The room has no subscriber any more.
    pub is_empty: bool,
    /// The need for a presence flush.
    pub presence: PresenceChange,
}

impl Room {
    /// Creates a room without subscribers. It opens with the first of [`open_at`](Self::open_at) and a notification.
    pub fn new(name: RoomName) -> Self {
        Self {
            name,
            cursor: AtomicU64::new(UNOPENED),
            head: AtomicU64::new(0),
            cursor_changed: Notify::new(),
            knows_elsewhere: AtomicBool::new(false),
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

    /// Opens the room at `head`, which was read from the store, unless it is open already. Returns the latest `seq` that
    /// is known: a subscriber that was registered before the read receives what follows it.
    pub fn open_at(&self, head: Seq) -> Seq {
        // Another read or a notification may have been first; its events are broadcast.
        let _ = self.cursor.compare_exchange(UNOPENED, head, Ordering::AcqRel, Ordering::Acquire);
        self.head.fetch_max(head, Ordering::AcqRel);
        self.head().unwrap_or(head)
    }

    /// Returns the latest `seq` that was read from the store, notified or broadcast; `None` while the room opens.
    pub fn head(&self) -> Option<Seq> {
        let cursor = self.cursor.load(Ordering::Acquire);
        (cursor != UNOPENED).then(|| cursor.max(self.head.load(Ordering::Acquire)))
    }

    /// Returns the last `seq` that was broadcast; 0 while the room opens.
    pub fn cursor(&self) -> Seq {
        match self.cursor.load(Ordering::Acquire) {
            UNOPENED => 0,
            cursor => cursor,
        }
    }

    /// Compares the room with its `head` in the store. Returns `true` if events were not notified, or if a read of them
    /// has failed: the caller must [`enqueue`](Self::enqueue) them.
    pub fn is_behind(&self, head: Seq) -> bool {
        let was_notified = self.head().is_some_and(|known| known >= head);
        self.open_at(head);
        head > self.cursor() && !(was_notified && self.backlog().is_draining())
    }

    /// Resolves when everything up to `seq` was broadcast.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
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
        if let Some((first, last)) = commit.and_then(|commit| Some((commit.first()?.seq, commit.last()?.seq)))
        {
            let _ = self.cursor.compare_exchange(UNOPENED, first - 1, Ordering::AcqRel, Ordering::Acquire);
            self.head.fetch_max(last, Ordering::AcqRel);
        }
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
        let subscribers = self.subscribers();
        for chunk in subscribers.chunks(DELIVERIES_PER_YIELD) {
            for subscriber in chunk {
                batches.iter().for_each(|batch| subscriber.deliver(Delivery::Events(batch.clone())));
            }
            if subscribers.len() > DELIVERIES_WITHOUT_YIELD {
                // Also after the last chunk: events that arrive meanwhile are broadcast together.
                yield_now().await;
            }
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

    /// Replaces the users who are present on other processes.
    pub fn set_elsewhere(&self, elsewhere: PresentElsewhere) -> PresenceChange {
        let mut subscribers = self.subscribers_mut();
        let changed = subscribers.presence.set_elsewhere(elsewhere);
        self.knows_elsewhere.store(true, Ordering::Release);
        subscribers.schedule_flush(changed)
    }

    /// Forgets the users who are present on other processes.
    pub fn forget_elsewhere(&self) -> PresenceChange {
        let change = self.set_elsewhere(PresentElsewhere::default());
        self.knows_elsewhere.store(false, Ordering::Release);
        change
    }

    /// Returns `true` if the users who are present on other processes were read.
    pub fn knows_elsewhere(&self) -> bool {
        self.knows_elsewhere.load(Ordering::Acquire)
    }

    /// Returns the users who are present on this process.
    pub fn local_users(&self) -> HashSet<UserId> {
        self.subscribers_mut().presence.local_users()
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

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::{DisplayName, EventBody, Files, Mentions, UserId};
    use uuid::Uuid;

    fn commit(seqs: std::ops::RangeInclusive<Seq>) -> Commit {
        let event = |seq| {
            let author = User::new(UserId(1), DisplayName::generated(UserId(1)));
            let body = EventBody::Message {
                text: "x".into(),
                reply_to: None,
                mentions: Mentions::default(),
                files: Files::default(),
            };
            Arc::new(Event { seq, at: 0, id: Uuid::nil(), author, body })
        };
        seqs.map(event).collect()
    }

    #[test]
    fn room_opens_with_a_notification_received_before_the_read_ends() {
        let room = Room::new(RoomName::lobby());
        assert_eq!((room.head(), room.cursor()), (None, 0));
        assert!(room.enqueue(Some(&commit(5..=6))));
        assert_eq!((room.head(), room.cursor()), (Some(6), 4), "5 and 6 are yet to be broadcast");
        assert_eq!(room.open_at(4), 6, "the read was older");
        assert_eq!(room.cursor(), 4);
        assert!(matches!(room.take_backlog(), Some(NextDelivery::Events(events)) if events.len() == 2));
    }

    #[test]
    fn a_room_opens_with_the_read_and_drops_what_the_read_has() {
        let room = Room::new(RoomName::lobby());
        assert_eq!((room.open_at(6), room.cursor()), (6, 6));
        assert!(room.enqueue(Some(&commit(5..=6))));
        assert!(matches!(room.take_backlog(), Some(NextDelivery::Events(events)) if events.is_empty()));
        assert!(room.take_backlog().is_none());
        assert!(!room.is_behind(6) && room.is_behind(7), "7 was not notified");
    }
}
