//! One who follows rooms: the same for a v1 connection, a lines connection and an event stream.
//!
//! A reader keeps a cursor for each room, the last `seq` that it has. What its link brings is let
//! through when it continues the cursor, dropped when it is a repeat, and when something is missing
//! the reader forgets what waits and reads from the log. So joining has no seam, a full queue loses
//! nothing, and a lost wake is healed, all by one rule.

use crate::{
    batch::Batch,
    hub::Hub,
    link::{Item, Link},
    log::{Log, LogResult, Page},
};
use app::wire::{Author, RoomName, Seq, limits::CATCH_UP};
use axum::extract::ws::Utf8Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Events that are read from the log at once: 1 MiB of the longest.
const READ: u32 = 128;

/// Pause before a failed read is tried again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// What a reader is to be sent, in order.
#[derive(Debug)]
pub enum Delivery {
    /// The next events of a room.
    Events(Arc<Batch>),
    /// Something that only matters now.
    Frame(Utf8Bytes),
}

/// Where a reader wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After this `seq`, of this very log.
    After(Seq),
    /// With a page of at most so many of the newest messages.
    Page(u32),
}

/// What a reader finds when it joins.
#[derive(Debug)]
pub struct Entrance {
    /// The room's newest `seq`.
    pub head: Seq,
    /// Who is here.
    pub members: Vec<Author>,
    /// The newest page, where the reader must begin afresh; otherwise the missed events follow.
    pub page: Option<Page>,
}

/// One who follows rooms.
pub struct Reader {
    hub: Arc<Hub>,
    log: Arc<dyn Log>,
    link: Arc<Link>,
    /// The last `seq` that was delivered of each joined room.
    cursors: BTreeMap<RoomName, Seq>,
    /// Joined rooms of which something is missing that must come from the log.
    behind: BTreeSet<RoomName>,
}

impl Reader {
    /// A reader of nothing.
    pub fn new(hub: Arc<Hub>, log: Arc<dyn Log>, link: Arc<Link>) -> Self {
        Self { hub, log, link, cursors: BTreeMap::new(), behind: BTreeSet::new() }
    }

    /// Joins a room, or joins it again from another place: registers, then reads, then lets live
    /// events through that are newer. `otherwise` is the page's size where a page is needed although
    /// the reader asked for events.
    ///
    /// # Errors
    /// [`crate::log::LogError::Storage`]; the room is not joined then.
    pub async fn join(&mut self, room: &RoomName, start: Start, otherwise: u32) -> LogResult<Entrance> {
        let joined = self.hub.join(room, self.link.clone());
        let head = self.head(room);
        let page = match start {
            Start::After(after) if after <= head && head - after <= CATCH_UP => {
                self.cursors.insert(room.clone(), after);
                self.behind.insert(room.clone());
                None
            }
            Start::After(_) => Some(self.begin_afresh(room, head, otherwise).await?),
            Start::Page(limit) => Some(self.begin_afresh(room, head, limit).await?),
        };
        Ok(Entrance { head, members: joined.members(), page })
    }

    async fn begin_afresh(&mut self, room: &RoomName, head: Seq, limit: u32) -> LogResult<Page> {
        match self.log.read_before(room, head + 1, limit).await {
            Ok(page) => {
                self.cursors.insert(room.clone(), head);
                self.behind.remove(room);
                Ok(page)
            }
            Err(error) => {
                self.leave(room);
                Err(error)
            }
        }
    }

    /// Follows `room` from now on, without its past.
    pub fn join_now(&mut self, room: &RoomName) {
        self.hub.join(room, self.link.clone());
        self.cursors.insert(room.clone(), self.head(room));
    }

    /// Follows `room` after `after`, however far back that is.
    pub fn join_after(&mut self, room: &RoomName, after: Seq) {
        self.hub.join(room, self.link.clone());
        self.cursors.insert(room.clone(), after);
        self.behind.insert(room.clone());
    }

    /// Follows `room` no longer. Whether it was joined.
    pub fn leave(&mut self, room: &RoomName) -> bool {
        self.hub.leave(room, &self.link);
        self.behind.remove(room);
        self.cursors.remove(room).is_some()
    }

    /// The last `seq` that was delivered of `room`; 0 where it is not joined.
    fn cursor(&self, room: &RoomName) -> Seq {
        self.cursors.get(room).copied().unwrap_or(0)
    }

    /// Whether everything that the log has of the joined rooms was delivered.
    pub fn has_everything(&self) -> bool {
        self.heads().iter().all(|(room, head)| self.cursor(room) >= *head)
    }

    /// Whether `room` is joined.
    pub fn has_joined(&self, room: &RoomName) -> bool {
        self.cursors.contains_key(room)
    }

    /// The newest `seq` of every joined room.
    pub fn heads(&self) -> BTreeMap<RoomName, Seq> {
        let rooms: Vec<RoomName> = self.cursors.keys().cloned().collect();
        let heads = self.log.heads(&rooms);
        rooms.into_iter().zip(heads).collect()
    }

    /// Resolves when there is something to [`take`](Self::take). May be dropped at any time.
    pub async fn ready(&self) {
        if self.behind.is_empty() {
            self.link.ready().await;
        }
    }

    /// What is to be sent now: everything that waits, and the next piece of a room that is behind.
    /// Must be driven to its end, since what it took is gone from the queue.
    pub async fn take(&mut self) -> Vec<Delivery> {
        let waiting = self.link.take();
        if waiting.behind {
            self.behind.extend(self.cursors.keys().cloned());
        }
        let mut deliveries: Vec<Delivery> =
            waiting.items.into_iter().filter_map(|item| self.let_through(item)).collect();
        deliveries.extend(self.read_what_is_missing().await);
        deliveries
    }

    fn let_through(&mut self, item: Item) -> Option<Delivery> {
        let batch = match item {
            Item::Events(batch) => batch,
            Item::Frame(frame) => return Some(Delivery::Frame(frame)),
        };
        let cursor = self.cursors.get_mut(batch.room())?;
        if self.behind.contains(batch.room()) || batch.last() <= *cursor {
            return None;
        }
        if batch.first() > *cursor + 1 {
            self.behind.insert(batch.room().clone());
            return None;
        }
        let new = if batch.first() == *cursor + 1 { batch } else { Arc::new(batch.after(*cursor)) };
        *cursor = new.last();
        Some(Delivery::Events(new))
    }

    async fn read_what_is_missing(&mut self) -> Vec<Delivery> {
        let Some(room) = self.behind.first().cloned() else { return Vec::new() };
        let Some(cursor) = self.cursors.get_mut(&room) else { return Vec::new() };
        match self.log.read_after(&room, *cursor, READ).await {
            Ok(events) => {
                *cursor = events.last().map_or(*cursor, |event| event.seq);
                if events.len() < READ as usize {
                    self.behind.remove(&room);
                }
                Batch::cut(&room, &events).into_iter().map(Delivery::Events).collect()
            }
            Err(error) => {
                tracing::error!(%error, %room, "a reader could not catch up yet");
                tokio::time::sleep(READ_AGAIN).await;
                Vec::new()
            }
        }
    }

    fn head(&self, room: &RoomName) -> Seq {
        self.log.heads(std::slice::from_ref(room))[0]
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for room in self.cursors.keys() {
            self.hub.leave(room, &self.link);
        }
    }
}
