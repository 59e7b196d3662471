//! A store for a model checker: it never waits, so that the checker decides alone which thread runs.

use app::wire::{DisplayName, Event, Message, RoomName, RoomTitle, Seq, Topic, User, UserId};
use futures_util::future::{BoxFuture, FutureExt, ready};
use server::store::{
    Appended, ListedRoom, MarkerUpdate, MessagePage, NewEvent, RoomInfo, Store, StoreResult, StreamPosition,
    Wake,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::broadcast;

/// The events of one room.
pub struct SingleRoom {
    /// Sections under this lock never wait.
    events: Mutex<Vec<Arc<Event>>>,
    notifications: broadcast::Sender<Wake>,
}

impl SingleRoom {
    /// Returns a store without events.
    pub fn new() -> Arc<dyn Store> {
        Arc::new(Self { events: Mutex::default(), notifications: broadcast::Sender::new(1_024) })
    }

    fn events(&self) -> MutexGuard<'_, Vec<Arc<Event>>> {
        self.events.lock().expect("nobody panics")
    }
}

impl Store for SingleRoom {
    fn append(&self, new: NewEvent) -> BoxFuture<'static, StoreResult<Appended>> {
        let mut events = self.events();
        let (seq, author) =
            (events.len() as Seq + 1, User::new(new.author, DisplayName::generated(new.author)));
        let event = Arc::new(Event { seq, at: 0, id: new.id, author, body: new.operation.into() });
        events.push(event.clone());
        let wake = Wake { room: new.room.clone(), events: [event].into(), ambiguous: Vec::new() };
        drop(self.notifications.send(wake));
        ready(Ok(Appended { room: new.room, seq, at: 0, is_duplicate: false })).boxed()
    }

    fn events_after(
        &self,
        _: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>> {
        let events = self.events();
        ready(Ok(events.iter().skip(after as usize).take(limit as usize).cloned().collect())).boxed()
    }

    fn messages_before(
        &self,
        _: &RoomName,
        before: Seq,
        _: u32,
    ) -> BoxFuture<'static, StoreResult<MessagePage>> {
        let events = self.events();
        let before = events.iter().take_while(|event| event.seq < before);
        let messages = before.filter_map(|event| Message::from_event(event)).collect();
        ready(Ok(MessagePage { messages, more: false })).boxed()
    }

    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        vec![self.events().len() as Seq; rooms.len()]
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.notifications.subscribe()
    }

    fn log_id(&self) -> &str {
        unreachable!("the hub needs no identity")
    }

    fn continues(&self, _: &RoomName, _: StreamPosition) -> BoxFuture<'static, StoreResult<bool>> {
        unreachable!()
    }

    fn ready(&self) -> BoxFuture<'static, StoreResult<()>> {
        unreachable!()
    }

    fn list_rooms(&self, _: Option<&RoomName>, _: usize) -> Vec<ListedRoom> {
        unreachable!()
    }

    fn recent_rooms(&self, _: &HashSet<RoomName>, _: usize) -> Vec<RoomName> {
        unreachable!()
    }

    fn rooms_by_title(&self, _: Option<&RoomName>, _: &HashSet<RoomName>, _: usize) -> Vec<RoomName> {
        unreachable!()
    }

    fn room(&self, _: &RoomName) -> Arc<RoomInfo> {
        unreachable!()
    }

    fn create_room(&self, _: RoomName, _: RoomInfo) -> BoxFuture<'static, StoreResult<()>> {
        unreachable!()
    }

    fn update_room(
        &self,
        _: RoomName,
        _: UserId,
        _: RoomTitle,
        _: Topic,
    ) -> BoxFuture<'static, StoreResult<()>> {
        unreachable!()
    }

    fn users(&self, _: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        unreachable!()
    }

    fn set_display_name(&self, _: UserId, _: DisplayName) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        unreachable!()
    }

    fn set_read_marker(
        &self,
        _: UserId,
        _: RoomName,
        _: Seq,
    ) -> BoxFuture<'static, StoreResult<MarkerUpdate>> {
        unreachable!()
    }

    fn remove_read_marker(&self, _: UserId, _: RoomName) -> BoxFuture<'static, StoreResult<()>> {
        unreachable!()
    }

    fn read_markers(
        &self,
        _: UserId,
        _: u32,
        _: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>> {
        unreachable!()
    }

    fn read_marker(&self, _: UserId, _: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>> {
        unreachable!()
    }

    fn unread_counts(&self, _: UserId, _: Vec<(RoomName, Seq)>) -> BoxFuture<'static, StoreResult<Vec<u32>>> {
        unreachable!()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        unreachable!()
    }
}
