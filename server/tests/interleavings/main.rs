//! Interleavings of appending, broadcasting, joining and reading. The real hub, room, subscriber and session run under
//! shuttle, a model checker that schedules the threads at each lock.
//!
//! `cargo test --no-default-features --features server/shuttle --test interleavings`

mod store;

use app::wire::{LOBBY, RoomName, Seq, UserId};
use bytes::Bytes;
use futures_util::{
    FutureExt,
    stream::{BoxStream, StreamExt},
};
use server::{
    hub::{
        Hub,
        batch::Encoding,
        outbound::{Delivery, FrameSink, QUEUE_FRAMES},
        subscriber::Subscriber,
        subscription::SubscriberSession,
    },
    store::{NewEvent, Notification, Store, StreamPosition},
};
use shuttle::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use store::SingleRoom;
use uuid::Uuid;

/// Runs a future of the hub or of a store in memory. Other threads may run whenever it waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    shuttle::future::block_on(future)
}

fn lobby() -> RoomName {
    LOBBY.parse().expect("a room")
}

fn post(store: &dyn Store, count: u64) {
    for n in 0..count {
        let message = NewEvent::message(Uuid::from_u128(n.into()), lobby(), UserId(1), &n.to_string());
        block_on(store.append(message)).expect("it is stored");
        shuttle::thread::yield_now();
    }
}

/// Passes every notification to the hub until `count` events are broadcast; if `lossy`, every second one is lost.
fn broadcast(hub: &Hub, mut notifications: BoxStream<'static, Notification>, count: u64, lossy: bool) {
    let mut last = 0;
    while last < count {
        match notifications.next().now_or_never() {
            Some(Some(notification)) => {
                let Notification::Appended { head, .. } = &notification else { panic!("{notification:?}") };
                last = *head;
                if !lossy || last % 2 == 0 {
                    block_on(hub.deliver(notification));
                }
            }
            Some(None) => panic!("the store is there"),
            None => shuttle::thread::yield_now(),
        }
    }
}

/// The position at which a client starts.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// At the newest page.
    LatestPage,
    /// At the first event.
    Beginning,
}

impl Start {
    fn position(self) -> Option<StreamPosition> {
        matches!(self, Self::Beginning).then(StreamPosition::default)
    }
}

/// Joins and reads until `count`. Each event must follow the one before.
fn read(hub: Arc<Hub>, store: Arc<dyn Store>, start: Start, count: u64) {
    let mut session = SubscriberSession::new(hub, store, Subscriber::invisible(UserId(0), None, None));
    let joined = block_on(session.join(&lobby(), start.position(), 50, false)).expect("it is joined");
    let mut last: Seq = match (start, joined.page) {
        (Start::LatestPage, Some(page)) => {
            assert_eq!(
                page.messages.last().map_or(0, |message| message.seq),
                joined.head,
                "the page has the head"
            );
            joined.head
        }
        (Start::Beginning, None) => 0,
        (_, page) => panic!("{start:?} got {page:?}"),
    };
    while last < count {
        for item in block_on(session.flush()) {
            let Delivery::Events(batch) = item else { continue };
            for event in batch.events() {
                assert_eq!(event.seq, last + 1, "every event follows the one before");
                last = event.seq;
            }
        }
        shuttle::thread::yield_now();
    }
}

fn race(count: u64, lossy: bool, starts: &'static [Start]) {
    let store = SingleRoom::shared();
    let (notifications, hub) = (store.subscribe(), Arc::new(Hub::detached(store.clone())));
    let mut threads = Vec::new();
    for start in starts {
        let (hub, store) = (hub.clone(), store.clone());
        threads.push(shuttle::thread::spawn(move || read(hub, store, *start, count)));
    }
    let broadcaster = hub.clone();
    threads.push(shuttle::thread::spawn(move || broadcast(&broadcaster, notifications, count, lossy)));
    threads.push(shuttle::thread::spawn(move || post(&*store, count)));
    for thread in threads {
        thread.join().expect("no thread panics");
    }
}

#[test]
fn join_leaves_no_gap_in_any_interleaving() {
    let starts = &[Start::LatestPage, Start::Beginning];
    shuttle::check_random(move || race(6, false, starts), 5_000);
    shuttle::check_pct(move || race(6, false, starts), 5_000, 3);
}

#[test]
fn a_lost_notification_leaves_no_gap() {
    shuttle::check_random(|| race(6, true, &[Start::LatestPage, Start::Beginning]), 5_000);
}

#[test]
fn an_overflow_is_read_from_the_store_without_a_gap() {
    let count = QUEUE_FRAMES as u64 + 40;
    shuttle::check_random(move || race(count, false, &[Start::Beginning]), 50);
}

/// A sink that is writable or full.
#[derive(Default)]
struct FakeSink {
    received: Mutex<Vec<u8>>,
    full: AtomicBool,
}

impl FrameSink for FakeSink {
    fn send(&self, frame: Bytes) -> bool {
        // Two bytes of header: these texts are short.
        let mut received = self.received.lock().expect("no thread panics");
        received.extend_from_slice(&frame[2..]);
        received.push(b'\n');
        self.is_writable()
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        for frame in frames {
            self.send(frame);
        }
    }

    fn is_writable(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
}

/// Joins with a sink. The room's deliveries go straight into it, or through the session.
fn read_into(sink: Arc<FakeSink>, hub: Arc<Hub>, store: Arc<dyn Store>, count: u64) {
    let subscriber = Subscriber::invisible(UserId(0), None, None);
    subscriber.attach(sink.clone(), Encoding::Lines);
    let mut session = SubscriberSession::new(hub, store, subscriber);
    block_on(session.join(&lobby(), Start::Beginning.position(), 50, false)).expect("it is joined");
    loop {
        let received = sink.received.lock().expect("no thread panics").clone();
        let received = String::from_utf8(received).expect("text");
        let expected: String = (0..received.lines().count()).map(|n| format!("{n}\n")).collect();
        assert_eq!(received, expected, "every event once and in order");
        if received.lines().count() as u64 == count {
            return;
        }
        sink.full.store(received.len() % 3 == 1 && !sink.full.load(Ordering::SeqCst), Ordering::SeqCst);
        if sink.is_writable() && session.signal().now_or_never().is_some() {
            assert!(block_on(session.flush()).is_empty(), "the deliveries went into the sink");
        }
        shuttle::thread::yield_now();
    }
}

#[test]
fn direct_writes_and_flushes_of_a_session_stay_in_order() {
    let count = 8;
    let race = move || {
        let store = SingleRoom::shared();
        let (notifications, hub) = (store.subscribe(), Arc::new(Hub::detached(store.clone())));
        let (broadcaster, posting) = (hub.clone(), store.clone());
        let reader = shuttle::thread::spawn(move || read_into(Arc::default(), hub, store, count));
        let broadcasting =
            shuttle::thread::spawn(move || broadcast(&broadcaster, notifications, count, false));
        post(&*posting, count);
        for thread in [reader, broadcasting] {
            thread.join().expect("no thread panics");
        }
    };
    shuttle::check_random(race, 5_000);
    shuttle::check_pct(race, 5_000, 3);
}
