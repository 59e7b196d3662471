//! The outbound side of one subscriber: its cursor in each room, its bounded queue, and the sink that frames are
//! written to. All three change together under one lock.
//!
//! The queue accepts an event that follows the cursor, and drops a repeat. After a gap the subscription lags: its task
//! reads the missing events from the store. So a join loses no event, a full queue loses nothing, and a lost
//! notification heals.
//!
//! If nothing is pending, a room writes straight into the [`FrameSink`]: the frame is not queued, and no task has to
//! wake up first.

use crate::{
    hub::batch::{Batch, Encoding},
    net::Account,
    store::StoreError,
    websocket::frame,
};
use app::wire::{Event, RoomName, Seq};
use bytes::Bytes;
use smallvec::SmallVec;
use std::{fmt, mem, sync::Arc};

/// Deliveries in the queue of one subscriber. Beyond it the queue overflows, and events are read from the store.
pub const QUEUE_FRAMES: usize = 256;

/// Bytes in the queue of one subscriber.
pub const QUEUE_BYTES: usize = 1_024 * 1_024;

/// A unit that a room delivers to a subscriber.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The next events of a room, which the store has too.
    Events(Arc<Batch>),
    /// A whole frame of v1 that is stored nowhere, such as a change of presence.
    Control(Bytes),
    /// A whole frame of v1 that expires at once, such as a typing signal.
    Ephemeral(Bytes),
}

/// Accepts frames without waiting.
pub trait FrameSink: Send + Sync {
    /// Sends a whole frame after all earlier ones. The sink keeps the bytes that the network does not take now; the
    /// subscriber's task sends them. Returns whether the sink [is writable](Self::is_writable) afterwards.
    fn send(&self, frame: Bytes) -> bool;

    /// Sends whole frames in order, in few writes.
    fn send_all(&self, frames: Vec<Bytes>);

    /// Returns `true` if the sink keeps no bytes.
    fn is_writable(&self) -> bool;
}

/// The outbound queue of one subscriber.
#[derive(Default)]
pub(crate) struct OutboundQueue {
    /// Sorted by room name. Most subscribers follow one room, which is inline: every delivery looks it up.
    subscriptions: SmallVec<[Subscription; 1]>,
    /// The number of subscriptions that lag.
    lagging: usize,
    /// In order of arrival.
    queue: Vec<Delivery>,
    queued_bytes: usize,
    account: Option<Arc<Account>>,
    /// The bytes that `account` knows of.
    charged: usize,
    /// The task is about to send a frame that must come first.
    paused: bool,
    sink: Option<(Arc<dyn FrameSink>, Encoding)>,
    /// Nothing is sent any more, for this reason.
    end: Option<Box<End>>,
}

/// The reason why nothing is sent any more, and the connection must end.
#[derive(Debug, Clone)]
pub enum End {
    /// The device was signed out.
    SignedOut,
    /// The user may not enter the server any more.
    NoAccess(StoreError),
    /// The user may not enter a room any more, of which bytes may be under way. The client may come back.
    Revoked,
}

/// The part of a connection that ended with the access to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// Nothing: there was no subscription.
    None,
    /// The subscription.
    Room,
    /// The whole connection.
    Connection,
}

#[derive(Debug)]
struct Subscription {
    room: RoomName,
    /// The last `seq` that was accepted.
    cursor: Seq,
    /// The position up to which the subscriber itself has read, if it has reported that.
    read: Option<Seq>,
    /// Events after the cursor are missing and must be read from the store.
    lagging: bool,
}

impl OutboundQueue {
    /// Returns the rooms of all subscriptions.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.subscriptions.iter().map(|subscription| &subscription.room)
    }

    /// Charges the queue to `account` from now on.
    pub fn charge_to(&mut self, account: Arc<Account>) {
        self.account = Some(account);
        self.charge();
    }

    /// Drops what the store can replace or what has expired. Returns the bytes that were dropped.
    pub fn drop_queue(&mut self) -> usize {
        let before = self.queued_bytes;
        self.overflow();
        self.charge();
        before - self.queued_bytes
    }

    /// Reports the present size to the account.
    fn charge(&mut self) {
        if self.charged != self.queued_bytes
            && let Some(account) = &self.account
        {
            account.recharge(&mut self.charged, self.queued_bytes);
        }
    }

    /// Sends deliveries into `sink` from now on, as long as nothing is pending.
    pub fn attach(&mut self, sink: Arc<dyn FrameSink>, encoding: Encoding) {
        if self.end.is_none() {
            self.sink = Some((sink, encoding));
        }
    }

    /// Queues every delivery from now on, until it is flushed.
    pub fn detach(&mut self) {
        self.sink = None;
    }

    /// Queues every delivery until the next [`flush`](Self::flush).
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Subscribes to `room` after `cursor`. If it is `lagging`, the next events come from the store.
    pub fn subscribe(&mut self, room: &RoomName, cursor: Seq, lagging: bool) {
        match self.subscription_index(room) {
            Ok(at) => {
                self.subscriptions[at].cursor = cursor;
                self.set_lagging(at, lagging);
            }
            Err(at) => {
                self.lagging += usize::from(lagging);
                self.subscriptions
                    .insert(at, Subscription { room: room.clone(), cursor, read: None, lagging });
            }
        }
    }

    /// Moves the cursor of the subscription to `room`. If it lags, or is `lagging` from now on, the next events come from
    /// the store.
    pub fn move_cursor(&mut self, room: &RoomName, cursor: Seq, lagging: bool) {
        if let Ok(at) = self.subscription_index(room) {
            self.subscriptions[at].cursor = cursor;
            self.set_lagging(at, lagging || self.subscriptions[at].lagging);
        }
    }

    /// Notes that the subscriber has read `room` up to `seq`.
    pub fn note_read(&mut self, room: &RoomName, seq: Seq) {
        if let Ok(at) = self.subscription_index(room) {
            self.subscriptions[at].read = Some(seq);
        }
    }

    /// Returns `true` if the subscriber has read `room` up to `seq`.
    pub fn has_read(&self, room: &RoomName, seq: Seq) -> bool {
        self.subscription_index(room).is_ok_and(|at| self.subscriptions[at].read >= Some(seq))
    }

    /// Ends the subscription to `room`.
    pub fn unsubscribe(&mut self, room: &RoomName) {
        if let Ok(at) = self.subscription_index(room) {
            let removed = self.subscriptions.remove(at);
            self.lagging -= usize::from(removed.lagging);
        }
    }

    /// Ends the subscription to `room` and drops what is queued of it. `notice` is sent instead. If the sink keeps bytes, which
    /// may be of the room and cannot be taken back, the connection ends.
    pub fn revoke(&mut self, room: &RoomName, notice: Bytes) -> Revoked {
        if self.subscription_index(room).is_err() {
            return Revoked::None;
        }
        self.unsubscribe(room);
        // A name of a room has no character that JSON escapes.
        let field = format!("\"room\":\"{room}\"");
        self.queue.retain(|delivery| match delivery {
            Delivery::Events(batch) => batch.room() != room,
            Delivery::Control(bytes) | Delivery::Ephemeral(bytes) => !frame::payload(bytes).contains(&field),
        });
        self.queued_bytes = self.queue.iter().map(Delivery::bytes).sum();
        let keeps_bytes = self.sink.as_ref().is_some_and(|(sink, _)| !sink.is_writable());
        // A client in lines has one room, and no frame that could say why.
        let is_lines = self.sink.as_ref().is_some_and(|(_, encoding)| *encoding == Encoding::Lines);
        if keeps_bytes || is_lines {
            self.end(End::Revoked);
            return Revoked::Connection;
        }
        self.enqueue(Delivery::Control(notice));
        Revoked::Room
    }

    /// Drops everything, and accepts nothing more.
    pub fn end(&mut self, end: End) {
        self.queue = Vec::new();
        self.queued_bytes = 0;
        self.charge();
        self.sink = None;
        self.subscriptions.clear();
        self.lagging = 0;
        self.end = Some(Box::new(end));
    }

    /// Returns the reason for the end of the connection, if it must end.
    pub fn ended(&self) -> Option<End> {
        self.end.as_deref().cloned()
    }

    /// Returns the last `seq` of `room` that was accepted, or `None` without a subscription.
    pub fn cursor(&self, room: &RoomName) -> Option<Seq> {
        self.subscription_index(room).ok().map(|at| self.subscriptions[at].cursor)
    }

    /// Returns a room that lags, and its cursor.
    pub fn next_lagging(&self) -> Option<(RoomName, Seq)> {
        if !self.is_lagging() {
            return None;
        }
        let lagging = self.subscriptions.iter().find(|subscription| subscription.lagging)?;
        Some((lagging.room.clone(), lagging.cursor))
    }

    /// Returns `true` if the subscriber's task must flush: something is pending, or the sink keeps bytes.
    pub fn needs_flush(&self) -> bool {
        self.has_pending() || self.sink.as_ref().is_some_and(|(sink, _)| !sink.is_writable())
    }

    /// Returns `true` if something must be sent before the next delivery.
    fn has_pending(&self) -> bool {
        self.paused || !self.queue.is_empty() || self.is_lagging()
    }

    /// Sends a delivery if nothing is pending before it, or queues it. Returns `true` if the subscriber's task must
    /// flush.
    #[must_use]
    pub fn deliver(&mut self, delivery: Delivery) -> bool {
        if self.end.is_some() {
            return false;
        }
        if self.has_pending() || self.sink.as_ref().is_none_or(|(sink, _)| !sink.is_writable()) {
            self.enqueue(delivery);
        } else if let Some(delivery) = self.accept_in_order(delivery)
            && let Some((sink, encoding)) = &self.sink
            && let Some(frame) = delivery.encoded(*encoding)
        {
            return !sink.send(frame);
        }
        self.needs_flush()
    }

    /// Sends everything that is queued; returns it instead if there is no sink.
    pub fn flush(&mut self) -> Vec<Delivery> {
        self.paused = false;
        self.queued_bytes = 0;
        self.charge();
        let queued = mem::take(&mut self.queue);
        let deliveries = queued.into_iter().filter_map(|delivery| self.accept_in_order(delivery)).collect();
        self.write_out(deliveries)
    }

    /// Sends the next `events` that the store has of `room`; returns them instead if there is no sink. If they are not
    /// `is_complete`, the room still lags.
    pub fn catch_up(&mut self, room: &RoomName, events: &[Arc<Event>], is_complete: bool) -> Vec<Delivery> {
        let Ok(at) = self.subscription_index(room) else { return Vec::new() };
        self.set_lagging(at, !is_complete);
        let subscription = &mut self.subscriptions[at];
        subscription.cursor = events.last().map_or(subscription.cursor, |event| event.seq);
        self.write_out(Batch::split(room, events).into_iter().map(Delivery::Events).collect())
    }

    fn subscription_index(&self, room: &RoomName) -> Result<usize, usize> {
        self.subscriptions.binary_search_by(|subscription| subscription.room.cmp(room))
    }

    fn is_lagging(&self) -> bool {
        self.lagging > 0
    }

    fn set_lagging(&mut self, at: usize, lagging: bool) {
        self.lagging -= usize::from(self.subscriptions[at].lagging);
        self.lagging += usize::from(lagging);
        self.subscriptions[at].lagging = lagging;
    }

    fn enqueue(&mut self, delivery: Delivery) {
        self.queued_bytes += delivery.bytes();
        self.queue.push(delivery);
        if self.queue.len() > QUEUE_FRAMES || self.queued_bytes > QUEUE_BYTES {
            self.overflow();
        }
        self.charge();
    }

    /// Empties the queue as far as possible, and marks every subscription as lagging.
    fn overflow(&mut self) {
        self.drop_recoverable();
        self.subscriptions.iter_mut().for_each(|subscription| subscription.lagging = true);
        self.lagging = self.subscriptions.len();
    }

    /// Drops queued deliveries that can be recovered (events, from the store) or have expired (typing). Presence diffs
    /// are stored nowhere, so they stay, unless they alone fill half of the queue.
    fn drop_recoverable(&mut self) {
        self.queue.retain(|delivery| matches!(delivery, Delivery::Control(_)));
        self.queued_bytes = self.queue.iter().map(Delivery::bytes).sum();
        if self.queue.len() > QUEUE_FRAMES / 2 || self.queued_bytes > QUEUE_BYTES / 2 {
            self.queue = Vec::new();
            self.queued_bytes = 0;
        }
    }

    /// Returns the part of a delivery that follows the cursor, and moves the cursor. After a gap the room lags.
    fn accept_in_order(&mut self, delivery: Delivery) -> Option<Delivery> {
        let Delivery::Events(batch) = delivery else { return Some(delivery) };
        let at = self.subscription_index(batch.room()).ok()?;
        let subscription = &mut self.subscriptions[at];
        if subscription.lagging || batch.last() <= subscription.cursor {
            return None;
        }
        let next = subscription.cursor + 1;
        if batch.first() > next {
            self.set_lagging(at, true);
            return None;
        }
        let new = if batch.first() == next { batch } else { Arc::new(batch.after(subscription.cursor)) };
        subscription.cursor = new.last();
        Some(Delivery::Events(new))
    }

    /// Writes deliveries into the sink; returns them if there is none.
    fn write_out(&self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        if self.end.is_some() {
            return Vec::new();
        }
        let Some((sink, encoding)) = &self.sink else { return deliveries };
        sink.send_all(deliveries.iter().filter_map(|delivery| delivery.encoded(*encoding)).collect());
        Vec::new()
    }
}

impl Delivery {
    /// Returns the delivery as a frame, or `None` if `encoding` cannot express it.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        match (self, encoding) {
            (Self::Events(batch), _) => batch.encoded(encoding),
            (Self::Control(frame) | Self::Ephemeral(frame), Encoding::V1) => Some(frame.clone()),
            (Self::Control(_) | Self::Ephemeral(_), Encoding::Lines) => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Events(batch) => batch.bytes(),
            Self::Control(frame) | Self::Ephemeral(frame) => frame.len(),
        }
    }
}

impl Drop for OutboundQueue {
    fn drop(&mut self) {
        self.queued_bytes = 0;
        self.charge();
    }
}

impl fmt::Debug for OutboundQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundQueue")
            .field("subscriptions", &self.subscriptions)
            .field("queue", &self.queue.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
