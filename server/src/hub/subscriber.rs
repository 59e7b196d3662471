//! The shared half of a subscriber: its user, and the queue that rooms deliver into.

use crate::{
    hub::{
        batch::Encoding,
        outbound::{Delivery, FrameSink, OutboundQueue},
        sync::{Mutex, MutexGuard},
    },
    net::Account,
};
use app::wire::{DisplayName, RoomName, Seq, User, UserId};
use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// A subscriber of rooms, shared between its own task and the rooms.
#[derive(Debug)]
pub struct Subscriber {
    /// Unique in this process.
    pub id: u64,
    /// The user of the connection.
    pub user_id: UserId,
    /// The user is listed as present.
    pub is_visible: bool,
    user: Mutex<User>,
    /// Sections under this lock are short and never wait. A room writes to the network under it, as far as the kernel
    /// takes the bytes at once.
    outbound: Mutex<OutboundQueue>,
    needs_flush: Notify,
}

impl Subscriber {
    /// Creates a subscriber for `user`, who is listed as present.
    pub fn new(user: User) -> Arc<Self> {
        Self::with_visibility(user, true)
    }

    /// Creates a subscriber that is not listed as present and has no user.
    pub fn anonymous() -> Arc<Self> {
        let id = UserId(0);
        Self::with_visibility(User::new(id, DisplayName::generated(id)), false)
    }

    fn with_visibility(user: User, is_visible: bool) -> Arc<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            user_id: user.id,
            is_visible,
            user: Mutex::new(user),
            outbound: Mutex::default(),
            needs_flush: Notify::new(),
        })
    }

    /// Returns the user under their current name.
    pub fn user(&self) -> User {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the user's name and mark.
    pub fn set_user(&self, user: User) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user;
    }

    /// Writes deliveries straight into `sink` from now on, as long as nothing is pending before them.
    pub fn attach(&self, sink: Arc<dyn FrameSink>, encoding: Encoding) {
        self.outbound().attach(sink, encoding);
        self.needs_flush.notify_one();
    }

    /// Charges the queue to `account`.
    pub fn charge_to(&self, account: Arc<Account>) {
        self.outbound().charge_to(account);
    }

    /// Drops the queued deliveries that the store has or that have expired. Returns their bytes.
    pub fn drop_queue(&self) -> usize {
        self.outbound().drop_queue()
    }

    /// Queues every delivery from now on, until it is flushed.
    pub fn detach(&self) {
        self.outbound().detach();
    }

    /// Sends or queues a delivery. Never waits: a full queue drops what the store can replace.
    pub fn deliver(&self, delivery: Delivery) {
        if self.outbound().deliver(delivery) {
            self.needs_flush.notify_one();
        }
    }

    /// Returns the rooms that this subscriber follows.
    pub fn rooms(&self) -> Vec<RoomName> {
        self.outbound().rooms().cloned().collect()
    }

    /// Notes that this subscriber has read `room` up to `seq`, so that this is not announced to it.
    pub fn note_read(&self, room: &RoomName, seq: Seq) {
        self.outbound().note_read(room, seq);
    }

    /// Returns `true` if this subscriber has read `room` up to `seq`.
    pub fn has_read(&self, room: &RoomName, seq: Seq) -> bool {
        self.outbound().has_read(room, seq)
    }

    /// Resolves when the subscriber's task must flush. Cancel safe.
    pub async fn ready(&self) {
        while !self.outbound().needs_flush() {
            self.needs_flush.notified().await;
        }
    }

    pub(crate) fn outbound(&self) -> MutexGuard<'_, OutboundQueue> {
        self.outbound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
