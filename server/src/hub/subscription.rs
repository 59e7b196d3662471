//! A subscriber's own half: it joins and leaves rooms, and reads from the store what the queue cannot replace.
//!
//! WebSocket connections and event streams share it. The rule of delivery is in [`outbound`](crate::hub::outbound);
//! here is the part that waits for the store.

use crate::{
    hub::{
        Hub,
        outbound::Delivery,
        presence::Members,
        room::Room,
        subscriber::{Signal, Subscriber},
    },
    redact::RedactedRoom,
    store::{
        MessagePage, RoomInfo, RoomRecord, RoomSnapshot, Store, StoreResult, StreamPosition,
        complete_reactions,
    },
};
use app::wire::{RoomName, Seq, limits::MAX_JOINED_ROOMS};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Events of one read from the store, of [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) at most.
const CATCH_UP_BATCH: u32 = 128;

/// The pause before a failed read is tried again.
const READ_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The state that a subscriber finds when it joins a room.
#[derive(Debug)]
pub struct Joined {
    /// The room's newest `seq`.
    pub head: Seq,
    /// The room's description.
    pub info: RoomInfo,
    /// The user's read marker in the room.
    pub read: Option<Seq>,
    /// The users present.
    pub members: Members,
    /// The newest page up to the head, if the subscriber must begin with one; otherwise the missed events follow.
    pub page: Option<MessagePage>,
}

/// A subscriber's session: the rooms that it has joined. Leaves them when it is dropped.
pub struct SubscriberSession {
    hub: Arc<Hub>,
    store: Arc<dyn Store>,
    subscriber: Arc<Subscriber>,
    /// Sorted by name.
    joined: Vec<JoinedRoom>,
}

struct JoinedRoom {
    room: Arc<Room>,
    /// The room's head in the last `pong`.
    reported_head: Option<Seq>,
}

impl SubscriberSession {
    /// Creates a session without rooms.
    pub fn new(hub: Arc<Hub>, store: Arc<dyn Store>, subscriber: Arc<Subscriber>) -> Self {
        hub.register(&subscriber);
        Self { hub, store, subscriber, joined: Vec::new() }
    }

    /// Joins a room, or joins it again from another position. It registers the subscriber first and reads then, so
    /// that no event is lost between the two.
    ///
    /// Unless the events after `past` continue what the client has, and are few, the client begins with a page of at
    /// most `page_size` messages. Nothing is sent until the next [`flush`](Self::flush), so that the caller can send the
    /// answer first.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`]; the room is not joined then.
    pub async fn join(
        &mut self,
        room: &RoomName,
        past: Option<StreamPosition>,
        page_size: u32,
        is_passive: bool,
    ) -> StoreResult<Joined> {
        self.subscriber.outbound().pause();
        let after = past.as_ref().map_or(0, |past| past.after);
        let joined = self.register(room, is_passive, 0, false);
        let snapshot = self.store.snapshot(room, self.subscriber.user_id, past, page_size).await;
        let RoomSnapshot { record: RoomRecord { head, info, .. }, read, mut page } =
            self.leave_on_error(room, snapshot)?;
        let recorded = self.hub.record_visit(room, head).await;
        self.leave_on_error(room, recorded)?;
        if let Some(page) = &mut page {
            let completed = complete_reactions(&*self.store, room, self.subscriber.user_id, page, None).await;
            self.leave_on_error(room, completed)?;
        }
        // A later read may have opened the room further on. What lies between is never broadcast.
        let is_behind = joined.open_at(head) > head;
        let cursor = if page.is_some() { head } else { after };
        self.subscriber.outbound().move_cursor(&joined.name, cursor, page.is_none() || is_behind);
        self.hub.learn_elsewhere(&joined).await;
        Ok(Joined { head, info, read, members: joined.subscribe(self.subscriber.user_id), page })
    }

    /// Joins `room` for its later events only.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`]; the room is not joined then.
    pub async fn join_live(&mut self, room: &RoomName) -> StoreResult<()> {
        let joined = self.register(room, false, 0, false);
        let head = self.open(&joined).await?;
        self.subscriber.outbound().move_cursor(&joined.name, head, false);
        Ok(())
    }

    /// Joins `room` after `after`, however many events follow it.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`]; the room is not joined then.
    pub async fn join_from(&mut self, room: &RoomName, after: Seq) -> StoreResult<()> {
        let joined = self.register(room, false, after, true);
        self.open(&joined).await.map(drop)
    }

    /// Registers the subscriber and subscribes to the room after `cursor`; the caller reads the room next. Deliveries are
    /// queued meanwhile, and if the queue overflows, this room lags as well. Returns the live room, whose name all of its
    /// subscribers share.
    fn register(&mut self, room: &RoomName, is_passive: bool, cursor: Seq, is_lagging: bool) -> Arc<Room> {
        let registered = self.hub.join(room, self.subscriber.clone(), is_passive);
        match self.room_index(room) {
            Ok(at) => self.joined[at].reported_head = None,
            Err(at) => {
                self.joined.reserve_exact(1);
                self.joined.insert(at, JoinedRoom { room: registered.clone(), reported_head: None });
            }
        }
        self.subscriber.outbound().subscribe(&registered.name, cursor, is_lagging);
        registered
    }

    /// Reads the head of a room that is registered. It is left again if that fails.
    async fn open(&mut self, room: &Room) -> StoreResult<Seq> {
        let head = self.store.head(&room.name).await;
        let head = self.leave_on_error(&room.name, head)?;
        let recorded = self.hub.record_visit(&room.name, head).await;
        self.leave_on_error(&room.name, recorded)?;
        Ok(room.open_at(head))
    }

    fn leave_on_error<T>(&mut self, room: &RoomName, read: StoreResult<T>) -> StoreResult<T> {
        if read.is_err() {
            self.leave(room);
        }
        read
    }

    /// Leaves `room`. Returns `true` if it was joined.
    pub fn leave(&mut self, room: &RoomName) -> bool {
        self.hub.leave(room, &self.subscriber);
        self.subscriber.outbound().unsubscribe(room);
        self.room_index(room).map(|at| self.joined.remove(at)).is_ok()
    }

    /// Returns the live room of this name if it is joined.
    pub fn room(&self, name: &RoomName) -> Option<&Arc<Room>> {
        self.room_index(name).ok().map(|at| &self.joined[at].room)
    }

    /// Returns `true` if `room` is joined or fits within [`MAX_JOINED_ROOMS`].
    pub fn can_join(&self, room: &RoomName) -> bool {
        self.joined.len() < MAX_JOINED_ROOMS || self.room(room).is_some()
    }

    fn room_index(&self, name: &RoomName) -> Result<usize, usize> {
        self.joined.binary_search_by(|joined| joined.room.name.cmp(name))
    }

    /// Returns `true` if all stored events of the joined rooms were accepted; `false` also if they cannot be read. Of a
    /// store that is away nothing more is expected.
    pub async fn is_caught_up(&self) -> bool {
        let rooms: Vec<RoomName> = self.joined.iter().map(|joined| joined.room.name.clone()).collect();
        let heads = self.store.heads(&rooms).await;
        let outbound = self.subscriber.outbound();
        let heads = match heads {
            Ok(heads) => heads,
            Err(error) => return error.is_logged(),
        };
        rooms.iter().zip(heads).all(|(room, head)| outbound.cursor(room) >= Some(head))
    }

    /// Returns the newest `seq` of each joined room whose head the last call did not report. A client that lacks the
    /// last event of a room notices it, and a `pong` stays small while nothing changes.
    pub fn changed_heads(&mut self) -> BTreeMap<RoomName, Seq> {
        self.forget_revoked();
        let mut changed = BTreeMap::new();
        for joined in &mut self.joined {
            let head = joined.room.head();
            if joined.reported_head != head {
                joined.reported_head = head;
                changed.extend(head.map(|head| (joined.room.name.clone(), head)));
            }
        }
        changed
    }

    /// Resolves when there is something to [`flush`](Self::flush), or when the connection must end.
    ///
    /// # Cancel safety
    /// This method is cancel safe. One task at a time may wait.
    pub async fn signal(&self) -> Signal {
        self.subscriber.signal(true).await
    }

    /// Sends what is queued, and the next piece of a room that lags. Returns it instead if the subscriber has no sink.
    ///
    /// # Cancel safety
    /// This method is not cancel safe: what was taken from the queue would be lost.
    pub async fn flush(&mut self) -> Vec<Delivery> {
        self.forget_revoked();
        let (mut deliveries, lagging) = {
            let mut outbound = self.subscriber.outbound();
            (outbound.flush(), outbound.next_lagging())
        };
        if let Some((room, cursor)) = lagging {
            deliveries.extend(Box::pin(self.catch_up(&room, cursor)).await);
        }
        deliveries
    }

    /// Forgets the rooms whose subscriptions the hub has ended.
    fn forget_revoked(&mut self) {
        let outbound = self.subscriber.outbound();
        self.joined.retain(|joined| outbound.cursor(&joined.room.name).is_some());
    }

    async fn catch_up(&self, room: &RoomName, cursor: Seq) -> Vec<Delivery> {
        // Events that are committed after this point arrive through the queue.
        let head = self.head(room);
        let read = async {
            let events = self.store.events_up_to(room, cursor, head, CATCH_UP_BATCH).await?;
            // The user's access may have ended before these were posted.
            self.hub.confirm_access().await.map(|()| events)
        };
        match read.await {
            Ok(events) => {
                let is_complete = events.last().is_none_or(|event| event.seq >= head);
                self.subscriber.outbound().catch_up(room, &events, is_complete)
            }
            Err(error) => {
                if !error.is_logged() {
                    tracing::error!(%error, room = %RedactedRoom(room), "catch-up read failed; retrying");
                }
                tokio::time::sleep(READ_RETRY_DELAY).await;
                Vec::new()
            }
        }
    }

    fn head(&self, room: &RoomName) -> Seq {
        self.room(room).and_then(|room| room.head()).unwrap_or(0)
    }
}

impl Drop for SubscriberSession {
    fn drop(&mut self) {
        self.subscriber.detach();
        self.hub.unregister(&self.subscriber);
        for joined in &self.joined {
            self.hub.leave(&joined.room.name, &self.subscriber);
        }
    }
}
