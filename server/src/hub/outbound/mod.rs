//! What a reader has of each room, what waits for it, and where that goes: one rule under one lock.
//!
//! A reader keeps a place in each room, the last `seq` that it has. What continues it is let through,
//! a repeat is dropped, and when something is missing the room is behind: what it lacks must come from
//! the log. So joining has no seam, a full queue loses nothing and a lost wake is healed.
//!
//! Where nothing waits, the room writes what it tells straight into the reader's [`Outlet`]: no queue,
//! no task that must wake up first.

use crate::{
    hub::batch::{Batch, Encoding},
    net::Account,
};
use app::wire::{Event, RoomName, Seq};
use bytes::Bytes;
use smallvec::SmallVec;
use std::{fmt, mem, sync::Arc};

/// Frames that may wait for one reader. What does not fit is read from the log afterwards.
pub const QUEUE_FRAMES: usize = 256;

/// Bytes that may wait for one reader.
pub const QUEUE_BYTES: usize = 1_024 * 1_024;

/// Something that a reader is told.
#[derive(Debug, Clone)]
pub enum Item {
    /// The next events of a room, which can also be read from the log.
    Events(Arc<Batch>),
    /// What no log has, as who has come and gone: a whole frame of v1.
    Frame(Bytes),
    /// What is over in a moment, as that somebody types: a whole frame of v1.
    Passing(Bytes),
}

/// Takes frames without ever waiting.
pub trait Outlet: Send + Sync {
    /// Sends a whole frame after those that were sent before. What the network does not take now is
    /// kept for the reader's task to send.
    fn send(&self, frame: Bytes);

    /// Sends whole frames in order, in few writes.
    fn send_all(&self, frames: Vec<Bytes>);

    /// Whether nothing is kept.
    fn is_free(&self) -> bool;
}

/// See the module.
#[derive(Default)]
pub(crate) struct Flow {
    /// By name. One room, mostly, which is found without another look into memory: it is done for every
    /// delivery.
    following: SmallVec<[Following; 1]>,
    /// How many of them are behind.
    behind: usize,
    /// What waits, in order of arrival.
    queue: Vec<Item>,
    queued_bytes: usize,
    /// What the queue is charged to, and how much of it the account knows.
    account: Option<Arc<Account>>,
    charged: usize,
    /// The reader is about to send something that must come first.
    held: bool,
    outlet: Option<(Arc<dyn Outlet>, Encoding)>,
}

#[derive(Debug)]
struct Following {
    room: RoomName,
    /// The last `seq` that was let through.
    last: Seq,
    /// Something is missing that must come from the log.
    behind: bool,
}

impl Flow {
    /// The rooms that are followed.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.following.iter().map(|following| &following.room)
    }

    /// The queue is charged to `account` from now on.
    pub fn charge_to(&mut self, account: Arc<Account>) {
        self.account = Some(account);
        self.charge();
    }

    /// Drops what can be read from the log again or is over in a moment. Returns how many bytes that were.
    pub fn drop_queue(&mut self) -> usize {
        let before = self.queued_bytes;
        self.lag();
        self.charge();
        before - self.queued_bytes
    }

    /// Charges what waits now.
    fn charge(&mut self) {
        if self.charged != self.queued_bytes
            && let Some(account) = &self.account
        {
            account.recharge(&mut self.charged, self.queued_bytes);
        }
    }

    /// Everything that is told goes into `outlet` from now on, as soon as nothing waits any more.
    pub fn attach(&mut self, outlet: Arc<dyn Outlet>, encoding: Encoding) {
        self.outlet = Some((outlet, encoding));
    }

    /// Everything that is told waits until it is taken from now on.
    pub fn detach(&mut self) {
        self.outlet = None;
    }

    /// Everything that is told waits, until the next [`take`](Self::take).
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Follows `room` after `last`; where the reader is `behind`, what comes first is in the log.
    pub fn follow(&mut self, room: &RoomName, last: Seq, behind: bool) {
        match self.place(room) {
            Ok(at) => {
                self.following[at].last = last;
                self.set_behind(at, behind);
            }
            Err(at) => {
                self.behind += usize::from(behind);
                self.following.insert(at, Following { room: room.clone(), last, behind });
            }
        }
    }

    /// Follows `room` no longer.
    pub fn unfollow(&mut self, room: &RoomName) {
        if let Ok(at) = self.place(room) {
            let left = self.following.remove(at);
            self.behind -= usize::from(left.behind);
        }
    }

    /// The last `seq` of `room` that was let through; nothing where it is not followed.
    pub fn last(&self, room: &RoomName) -> Option<Seq> {
        self.place(room).ok().map(|at| self.following[at].last)
    }

    /// A room of which something is missing, and after which `seq`.
    pub fn behind(&self) -> Option<(RoomName, Seq)> {
        if !self.is_behind() {
            return None;
        }
        let behind = self.following.iter().find(|following| following.behind)?;
        Some((behind.room.clone(), behind.last))
    }

    /// Whether the reader has to do something: something waits, or its outlet has kept something.
    pub fn needs_reader(&self) -> bool {
        self.is_waiting() || self.outlet.as_ref().is_some_and(|(outlet, _)| !outlet.is_free())
    }

    /// Whether something waits before what is told next.
    fn is_waiting(&self) -> bool {
        self.held || !self.queue.is_empty() || self.is_behind()
    }

    /// Sends the item, where nothing is before it, or lets it wait. Whether the reader has to do
    /// something now.
    pub fn tell(&mut self, item: Item) -> bool {
        if self.is_waiting() || self.outlet.as_ref().is_none_or(|(outlet, _)| !outlet.is_free()) {
            self.queue(item);
        } else if let Some(item) = self.let_through(item)
            && let Some((outlet, encoding)) = &self.outlet
            && let Some(frame) = item.encoded(*encoding)
        {
            outlet.send(frame);
        }
        self.needs_reader()
    }

    /// Sends everything that waits; returns it where there is no outlet.
    pub fn take(&mut self) -> Vec<Item> {
        self.held = false;
        self.queued_bytes = 0;
        self.charge();
        let waiting = mem::take(&mut self.queue);
        let items = waiting.into_iter().filter_map(|item| self.let_through(item)).collect();
        self.hand_out(items)
    }

    /// Sends what the log has of `room` next, `all` of it or a piece; returns it where there is no outlet.
    pub fn catch_up(&mut self, room: &RoomName, events: &[Arc<Event>], all: bool) -> Vec<Item> {
        let Ok(at) = self.place(room) else { return Vec::new() };
        self.set_behind(at, !all);
        let following = &mut self.following[at];
        following.last = events.last().map_or(following.last, |event| event.seq);
        self.hand_out(Batch::cut(room, events).into_iter().map(Item::Events).collect())
    }

    fn place(&self, room: &RoomName) -> Result<usize, usize> {
        self.following.binary_search_by(|following| following.room.cmp(room))
    }

    fn is_behind(&self) -> bool {
        self.behind > 0
    }

    fn set_behind(&mut self, at: usize, behind: bool) {
        self.behind -= usize::from(self.following[at].behind);
        self.behind += usize::from(behind);
        self.following[at].behind = behind;
    }

    fn queue(&mut self, item: Item) {
        self.queued_bytes += item.bytes();
        self.queue.push(item);
        if self.queue.len() > QUEUE_FRAMES || self.queued_bytes > QUEUE_BYTES {
            self.lag();
        }
        self.charge();
    }

    /// Forgets what waits; the rooms are read from the log next.
    fn lag(&mut self) {
        self.forget();
        self.following.iter_mut().for_each(|following| following.behind = true);
        self.behind = self.following.len();
    }

    /// Forgets what is over in a moment and what the log has. Who has come and gone is written nowhere: it
    /// stays, unless it fills half of the queue alone.
    fn forget(&mut self) {
        self.queue.retain(|item| matches!(item, Item::Frame(_)));
        self.queued_bytes = self.queue.iter().map(Item::bytes).sum();
        if self.queue.len() > QUEUE_FRAMES / 2 || self.queued_bytes > QUEUE_BYTES / 2 {
            self.queue = Vec::new();
            self.queued_bytes = 0;
        }
    }

    /// What is new of an item, where nothing is missing before it.
    fn let_through(&mut self, item: Item) -> Option<Item> {
        let Item::Events(batch) = item else { return Some(item) };
        let at = self.place(batch.room()).ok()?;
        let following = &mut self.following[at];
        if following.behind || batch.last() <= following.last {
            return None;
        }
        if batch.first() > following.last + 1 {
            self.set_behind(at, true);
            return None;
        }
        let new =
            if batch.first() == following.last + 1 { batch } else { Arc::new(batch.after(following.last)) };
        following.last = new.last();
        Some(Item::Events(new))
    }

    /// Into the outlet, or back where there is none.
    fn hand_out(&self, items: Vec<Item>) -> Vec<Item> {
        let Some((outlet, encoding)) = &self.outlet else { return items };
        outlet.send_all(items.iter().filter_map(|item| item.encoded(*encoding)).collect());
        Vec::new()
    }
}

impl Item {
    /// As a frame; nothing where this way of talking has no word for it.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        match (self, encoding) {
            (Self::Events(batch), _) => batch.encoded(encoding),
            (Self::Frame(frame) | Self::Passing(frame), Encoding::V1) => Some(frame.clone()),
            (Self::Frame(_) | Self::Passing(_), Encoding::Lines) => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Events(batch) => batch.bytes(),
            Self::Frame(frame) | Self::Passing(frame) => frame.len(),
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.queued_bytes = 0;
        self.charge();
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("following", &self.following).field("queue", &self.queue.len()).finish()
    }
}

#[cfg(test)]
mod tests;
