//! Notifications are hints: a lost, repeated or late one only delays delivery.

use crate::{
    heartbeat::{advance_time, flush_sockets},
    support::{Lines, TestServer, V1, room, within_timeout},
};
use app::wire::{ClientFrame, DisplayName, Event, RoomName, RoomTitle, Seq, Topic, User, UserId};
use futures_util::future::BoxFuture;
use server::store::{
    Appended, ListedRoom, MarkerUpdate, MessagePage, NewEvent, RoomInfo, SqliteStore, Store, StoreResult,
    StreamPosition, Wake,
};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::broadcast, time::sleep};
use uuid::Uuid;

/// A real store whose notifications are changed on the way, and whose every third read of the visited rooms is slow.
pub struct FaultyNotifications {
    log: SqliteStore,
    wakes: broadcast::Sender<Wake>,
    asked: AtomicU32,
    readings: Arc<Readings>,
}

/// Read markers that wait to be stored: the number now, and the peak.
#[derive(Default)]
struct Readings {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl FaultyNotifications {
    /// Replaces each notification by those that `with` returns.
    pub fn new(with: fn(u64, Wake) -> Vec<Wake>) -> Arc<Self> {
        let log = SqliteStore::ephemeral().unwrap();
        let (wakes, mut heard) = (broadcast::Sender::new(100_000), log.subscribe());
        let passing = wakes.clone();
        tokio::spawn(async move {
            let mut n = 0;
            while let Ok(wake) = heard.recv().await {
                n += 1;
                for wake in with(n, wake) {
                    let _ = passing.send(wake);
                }
            }
        });
        Arc::new(Self { log, wakes, asked: AtomicU32::new(0), readings: Arc::default() })
    }
}

impl Store for FaultyNotifications {
    fn log_id(&self) -> &str {
        self.log.log_id()
    }
    fn continues(&self, room: &RoomName, past: StreamPosition) -> BoxFuture<'static, StoreResult<bool>> {
        self.log.continues(room, past)
    }
    fn ready(&self) -> BoxFuture<'static, StoreResult<()>> {
        self.log.ready()
    }
    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>> {
        self.log.append(event)
    }
    fn events_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>> {
        self.log.events_after(room, after, limit)
    }
    fn messages_before(
        &self,
        room: &RoomName,
        before: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<MessagePage>> {
        self.log.messages_before(room, before, limit)
    }
    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        self.log.heads(rooms)
    }
    fn list_rooms(&self, after: Option<&RoomName>, most: usize) -> Vec<ListedRoom> {
        self.log.list_rooms(after, most)
    }
    fn recent_rooms(&self, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        self.log.recent_rooms(but, most)
    }
    fn rooms_by_title(
        &self,
        after: Option<&RoomName>,
        but: &HashSet<RoomName>,
        most: usize,
    ) -> Vec<RoomName> {
        self.log.rooms_by_title(after, but, most)
    }
    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }
    fn room(&self, room: &RoomName) -> Arc<RoomInfo> {
        self.log.room(room)
    }
    fn create_room(&self, room: RoomName, about: RoomInfo) -> BoxFuture<'static, StoreResult<()>> {
        self.log.create_room(room, about)
    }
    fn update_room(
        &self,
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>> {
        self.log.update_room(room, person, title, topic)
    }
    fn users(&self, people: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        self.log.users(people)
    }
    fn set_display_name(
        &self,
        person: UserId,
        name: DisplayName,
    ) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        self.log.set_display_name(person, name)
    }
    fn remove_read_marker(&self, person: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>> {
        self.log.remove_read_marker(person, room)
    }
    fn set_read_marker(
        &self,
        person: UserId,
        room: RoomName,
        seq: Seq,
    ) -> BoxFuture<'static, StoreResult<MarkerUpdate>> {
        let (read, readings) = (self.log.set_read_marker(person, room, seq), self.readings.clone());
        readings.most.fetch_max(readings.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        Box::pin(async move {
            sleep(Duration::from_millis(5)).await;
            readings.now.fetch_sub(1, Ordering::Relaxed);
            read.await
        })
    }
    fn read_markers(
        &self,
        person: UserId,
        skip: u32,
        most: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>> {
        let is_slow = self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
        let visits = self.log.read_markers(person, skip, most);
        Box::pin(async move {
            if is_slow {
                sleep(Duration::from_millis(30)).await;
            }
            visits.await
        })
    }
    fn read_marker(&self, person: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>> {
        self.log.read_marker(person, room)
    }
    fn unread_counts(
        &self,
        person: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>> {
        self.log.unread_counts(person, rooms)
    }
    fn close(&self) -> BoxFuture<'static, ()> {
        self.log.close()
    }
}

async fn everything_arrives_with(change: fn(u64, Wake) -> Vec<Wake>) {
    let server = TestServer::with_store(FaultyNotifications::new(change)).await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    for n in 0..101_u32 {
        let message = NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &n.to_string());
        server.store().append(message).await.unwrap();
        tokio::task::yield_now().await;
    }
    for person in [&mut ann, &mut bob] {
        let heard = within_timeout(person.events(101)).await;
        assert!((1..=101).eq(heard.iter().map(|event| event.seq)), "every one, in order, once");
    }
}

#[tokio::test]
async fn losing_half_of_the_notifications_costs_a_second_and_no_message() {
    everything_arrives_with(|n, wake| if n % 2 == 0 { vec![wake] } else { vec![] }).await;
}

#[tokio::test]
async fn losing_all_notifications_costs_a_second_and_no_message() {
    everything_arrives_with(|_, _| vec![]).await;
}

#[tokio::test]
async fn repeated_notifications_repeat_no_event() {
    everything_arrives_with(|_, wake| vec![wake.clone(), wake.clone(), wake]).await;
}

/// The room broadcasts nothing here before the hub polls the heads.
#[tokio::test]
async fn a_client_that_posts_faster_than_the_room_broadcasts_is_slowed_down() {
    const POSTS: u64 = 1_000;
    let server = TestServer::with_store(FaultyNotifications::new(|_, _| vec![])).await;
    let (mut ann, mut bob) = (Lines::join(&server, "tea").await, Lines::join(&server, "tea").await);
    for n in 0..POSTS {
        ann.send_line(&n.to_string()).await;
    }
    let head = || server.store().heads(&[room("tea")])[0];
    within_timeout(async {
        while head() <= 512 {
            flush_sockets().await;
        }
    })
    .await;
    flush_sockets().await;
    assert!(head() <= 512 + 64 + 1, "{} were taken", head());
    for _ in 0..3 {
        advance_time(1).await;
    }
    for n in 0..POSTS {
        assert_eq!(bob.expect_line().await, n.to_string());
    }
}

#[tokio::test]
async fn a_client_that_sends_read_markers_faster_than_the_store_is_slowed_down() {
    let log = FaultyNotifications::new(|_, wake| vec![wake]);
    let readings = log.readings.clone();
    let server = TestServer::with_store(log).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "one").await;
    for _ in 0..1_000 {
        ann.send(&ClientFrame::Read { room: "tea".into(), seq: 1 }).await;
    }
    ann.frames_until_pong().await;
    let most = readings.most.load(Ordering::Relaxed);
    assert!((1..=64).contains(&most), "{most} at once");
}
