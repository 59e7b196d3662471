//! One who follows rooms: the same for a v1 connection, a lines connection and an event stream. Its
//! rule is [`flow`](crate::hub::outbound)'s; here is the part of it that waits for the log.

use crate::{
    hub::{Hub, outbound::Item, presence::Members, room::Room, subscriber::Link},
    redact::LoggableRoom,
    store::{Page, Store, StoreResult},
};
use app::wire::{
    RoomName, Seq,
    limits::{MAX_CATCH_UP_EVENTS, MAX_JOINED_ROOMS},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Events that are read from the log at once, of [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) at most.
const READ: u32 = 128;

/// Pause before a failed read is tried again.
const READ_AGAIN: Duration = Duration::from_secs(1);

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
    /// The users present.
    pub members: Members,
    /// The newest page, where the reader must begin afresh; otherwise the missed events follow.
    pub page: Option<Page>,
}

/// One who follows rooms.
pub struct Reader {
    hub: Arc<Hub>,
    log: Arc<dyn Store>,
    link: Arc<Link>,
    /// By name.
    joined: Vec<Joined>,
}

struct Joined {
    room: Arc<Room>,
    /// The room's head as a `pong` last had it.
    reported: Option<Seq>,
}

impl Reader {
    /// A reader of nothing.
    pub fn new(hub: Arc<Hub>, log: Arc<dyn Store>, link: Arc<Link>) -> Self {
        if link.seen {
            hub.meet(&link);
        }
        Self { hub, log, link, joined: Vec::new() }
    }

    /// Joins a room, or joins it again from another place: registers, then reads, then lets live
    /// events through that are newer. `otherwise` is the page's size where a page is needed although
    /// the reader asked for events; who is `quiet` is not seen there. Nothing is sent until the next [`take`](Self::take), so that what is
    /// found here can be sent first.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Storage`]; the room is not joined then.
    pub async fn join(
        &mut self,
        room: &RoomName,
        start: Start,
        otherwise: u32,
        quiet: bool,
    ) -> StoreResult<Entrance> {
        self.link.flow().hold();
        let joined = self.register(room, quiet);
        let head = self.head(room);
        let page = match start {
            Start::After(after) if after <= head && head - after <= MAX_CATCH_UP_EVENTS => {
                self.link.flow().follow(&joined.name, after, true);
                None
            }
            Start::After(_) => Some(self.begin_afresh(&joined.name, head, otherwise).await?),
            Start::Page(limit) => Some(self.begin_afresh(&joined.name, head, limit).await?),
        };
        Ok(Entrance { head, members: joined.subscribe(self.link.person), page })
    }

    async fn begin_afresh(&mut self, room: &RoomName, head: Seq, limit: u32) -> StoreResult<Page> {
        // Before the read: a queue that runs over meanwhile must put this room behind.
        self.link.flow().follow(room, head, false);
        let page = self.log.read_before(room, head + 1, limit).await;
        if page.is_err() {
            self.leave(room);
        }
        page
    }

    /// Follows `room` from now on, without its past.
    pub fn join_now(&mut self, room: &RoomName) {
        let joined = self.register(room, false);
        let head = self.head(room);
        self.link.flow().follow(&joined.name, head, false);
    }

    /// Follows `room` after `after`, however far back that is.
    pub fn join_after(&mut self, room: &RoomName, after: Seq) {
        let joined = self.register(room, false);
        self.link.flow().follow(&joined.name, after, true);
    }

    /// The live room, whose name everybody in it shares.
    fn register(&mut self, room: &RoomName, quiet: bool) -> Arc<Room> {
        let registered = self.hub.join(room, self.link.clone(), quiet);
        match self.place(room) {
            Ok(at) => self.joined[at].reported = None,
            Err(at) => {
                self.joined.reserve_exact(1);
                self.joined.insert(at, Joined { room: registered.clone(), reported: None });
            }
        }
        registered
    }

    /// Follows `room` no longer. Whether it was joined.
    pub fn leave(&mut self, room: &RoomName) -> bool {
        self.hub.leave(room, &self.link);
        self.link.flow().unfollow(room);
        self.place(room).map(|at| self.joined.remove(at)).is_ok()
    }

    /// The live room of this name, where it is joined.
    pub fn room(&self, name: &RoomName) -> Option<&Arc<Room>> {
        self.place(name).ok().map(|at| &self.joined[at].room)
    }

    /// Returns whether `room` is joined or may be: a reader follows [`MAX_JOINED_ROOMS`] at most.
    pub fn may_join(&self, room: &RoomName) -> bool {
        self.joined.len() < MAX_JOINED_ROOMS || self.room(room).is_some()
    }

    fn place(&self, name: &RoomName) -> Result<usize, usize> {
        self.joined.binary_search_by(|joined| joined.room.name.cmp(name))
    }

    /// Whether everything that the log has of the joined rooms was let through.
    pub fn has_everything(&self) -> bool {
        let heads = self.heads();
        let flow = self.link.flow();
        heads.iter().all(|(room, head)| flow.last(room) >= Some(*head))
    }

    /// The newest `seq` of every joined room.
    fn heads(&self) -> BTreeMap<RoomName, Seq> {
        let rooms: Vec<RoomName> = self.joined.iter().map(|joined| joined.room.name.clone()).collect();
        let heads = self.log.heads(&rooms);
        rooms.into_iter().zip(heads).collect()
    }

    /// Returns the newest `seq` of each joined room in which it is not what the last call returned, if it was joined
    /// then: a client that lacks the last event of a room learns of it, and one that lacks nothing is told little.
    pub fn changed_heads(&mut self) -> BTreeMap<RoomName, Seq> {
        let mut heads = self.heads();
        for joined in &mut self.joined {
            let head = heads.get(&joined.room.name).copied();
            if joined.reported == head {
                heads.remove(&joined.room.name);
            }
            joined.reported = head;
        }
        heads
    }

    /// Resolves when there is something to [`take`](Self::take). May be dropped at any time.
    pub async fn ready(&self) {
        self.link.ready().await;
    }

    /// Sends what waits, and the next piece of a room that is behind. What a link without an outlet has
    /// is returned, to be sent by the caller. Must be driven to its end, since what it took is gone from
    /// the queue.
    pub async fn take(&mut self) -> Vec<Item> {
        let (mut items, behind) = {
            let mut flow = self.link.flow();
            (flow.take(), flow.behind())
        };
        if let Some((room, last)) = behind {
            items.extend(Box::pin(self.catch_up(&room, last)).await);
        }
        items
    }

    async fn catch_up(&self, room: &RoomName, last: Seq) -> Vec<Item> {
        // What is committed after this goes through the queue.
        let head = self.head(room);
        match self.log.read_after(room, last, READ).await {
            Ok(events) => {
                let is_all = events.last().is_none_or(|event| event.seq >= head);
                self.link.flow().catch_up(room, &events, is_all)
            }
            Err(error) => {
                tracing::error!(%error, room = %LoggableRoom(room), "a reader could not catch up yet");
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
        self.link.detach();
        if self.link.seen {
            self.hub.part(&self.link);
        }
        for joined in &self.joined {
            self.hub.leave(&joined.room.name, &self.link);
        }
    }
}
