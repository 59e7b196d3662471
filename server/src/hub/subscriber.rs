//! The shared half of a subscriber: its user, and the queue that rooms deliver into.

pub use crate::hub::outbound::End;

use crate::{
    hub::{
        batch::Encoding,
        outbound::{Delivery, FrameSink, OutboundQueue, Revoked},
        sync::{Mutex, MutexGuard},
    },
    limits::network::Network,
    net::Account,
    store::{SignIn, StoreError},
    websocket::frame,
};
use app::wire::{DisplayName, RoomName, Seq, ServerFrame, User, UserId};
use futures_util::task::AtomicWaker;
use std::{
    future::poll_fn,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// What a subscriber's task must do.
#[derive(Debug)]
pub enum Signal {
    /// It must end the connection, without sending anything more.
    End(End),
    /// It must [flush](crate::hub::subscription::SubscriberSession::flush).
    Flush,
}

/// A subscriber of rooms, shared between its own task and the rooms.
#[derive(Debug)]
pub struct Subscriber {
    /// Unique in this process.
    pub id: u64,
    /// The user of the connection.
    pub user_id: UserId,
    /// The network of the connection, if it is known.
    pub network: Option<Network>,
    /// The user is listed as present.
    pub is_visible: bool,
    /// The cookie by which the user is signed in; `None` without a user.
    pub sign_in: Option<SignIn>,
    user: Mutex<User>,
    /// Sections under this lock are short and never wait. A room writes to the network under it, as far as the kernel
    /// takes the bytes at once.
    outbound: Mutex<OutboundQueue>,
    /// The subscriber's task, which waits for a [`Signal`].
    task: AtomicWaker,
}

impl Subscriber {
    /// Creates a subscriber for `user`, who is listed as present.
    pub fn new(user: User) -> Arc<Self> {
        Self::create(user, true, None, None)
    }

    /// Creates a subscriber for `user`, who is signed in by a cookie, on a network, and listed as present.
    pub fn signed_in(user: User, network: Network, sign_in: SignIn) -> Arc<Self> {
        Self::create(user, true, Some(network), Some(sign_in))
    }

    /// Creates a subscriber that is not listed as present.
    pub fn invisible(user: UserId, network: Option<Network>, sign_in: Option<SignIn>) -> Arc<Self> {
        Self::create(User::new(user, DisplayName::generated(user)), false, network, sign_in)
    }

    fn create(user: User, is_visible: bool, network: Option<Network>, sign_in: Option<SignIn>) -> Arc<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            user_id: user.id,
            network,
            is_visible,
            sign_in,
            user: Mutex::new(user),
            outbound: Mutex::default(),
            task: AtomicWaker::new(),
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
        self.task.wake();
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
            self.task.wake();
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

    /// Ends the subscription to a room, because its user may not enter it any more: what is queued of it is dropped, and the
    /// user gets the reason. If bytes are under way that cannot be taken back, the whole connection ends. Returns `true` if
    /// there was a subscription.
    pub fn revoke(&self, room: &RoomName, why: &StoreError) -> bool {
        let frame =
            ServerFrame::Removed { room: room.clone(), code: why.code(), message: why.detail().into() };
        let revoked = self.outbound().revoke(room, frame::text(&frame.to_json()));
        match revoked {
            Revoked::None => return false,
            Revoked::Room | Revoked::Connection => self.task.wake(),
        }
        true
    }

    /// Ends the connection: what is queued is dropped, and so is every later delivery.
    pub fn end(&self, end: End) {
        self.outbound().end(end);
        self.task.wake();
    }

    /// Returns the reason for the end of the connection, if it must end without sending anything more.
    pub fn ended(&self) -> Option<End> {
        self.outbound().ended()
    }

    /// Resolves when the connection must end, or, if `may_flush`, when the subscriber's task must flush.
    ///
    /// # Cancel safety
    /// This method is cancel safe. One task at a time may wait.
    pub async fn signal(&self, may_flush: bool) -> Signal {
        poll_fn(|context| self.poll_signal(context, may_flush)).await
    }

    fn poll_signal(&self, context: &Context<'_>, may_flush: bool) -> Poll<Signal> {
        // Registered first, so that no change is missed that comes after the look at the queue.
        self.task.register(context.waker());
        let outbound = self.outbound();
        match outbound.ended() {
            Some(end) => Poll::Ready(Signal::End(end)),
            None if may_flush && outbound.needs_flush() => Poll::Ready(Signal::Flush),
            None => Poll::Pending,
        }
    }

    pub(crate) fn outbound(&self) -> MutexGuard<'_, OutboundQueue> {
        self.outbound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
