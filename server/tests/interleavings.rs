//! Every way in which posting, telling, joining and reading can meet, as far as a model checker tries:
//! the real hub, room, link and reader under shuttle, which decides who goes on at each lock.
//!
//! `cargo test -p server --features shuttle --test interleavings`

use app::wire::{LOBBY, RoomName, Seq, UserId};
use bytes::Bytes;
use futures_util::FutureExt;
use server::{
    hub::{
        Hub,
        batch::Encoding,
        outbound::{Delivery, FrameSink, QUEUE_FRAMES},
        subscriber::Subscriber,
        subscription::{JoinFrom, SubscriberSession},
    },
    store::{MemoryStore, NewEvent, Store},
};
use shuttle::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::broadcast::error::TryRecvError;
use uuid::Uuid;

/// Drives what the hub and a log in memory do; others may have their turn wherever it waits.
fn now<T>(done: impl Future<Output = T>) -> T {
    shuttle::future::block_on(done)
}

fn lobby() -> RoomName {
    LOBBY.parse().expect("a room")
}

fn post(log: &dyn Store, count: u64) {
    for n in 0..count {
        let message = NewEvent::message(Uuid::from_u128(n.into()), lobby(), UserId(1), &n.to_string());
        now(log.append(message)).expect("it is stored");
        shuttle::thread::yield_now();
    }
}

/// Lets the hub hear every wake until `count` events are told; `deaf` to every other one.
fn tell(hub: &Hub, mut wakes: tokio::sync::broadcast::Receiver<server::store::Wake>, count: u64, deaf: bool) {
    let mut heard = 0;
    while heard < count {
        match wakes.try_recv() {
            Ok(wake) => {
                heard = wake.events.last().expect("a wake is never empty").seq;
                if !deaf || heard % 2 == 0 {
                    now(hub.on_commit(&wake));
                }
            }
            Err(TryRecvError::Empty) => shuttle::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Joins, then reads until `count`; whatever comes must continue what is there.
fn read(hub: Arc<Hub>, log: Arc<dyn Store>, start: JoinFrom, count: u64) {
    let mut reader = SubscriberSession::new(hub, log, Subscriber::anonymous());
    let entrance = now(reader.join(&lobby(), start, 50, false)).expect("it is joined");
    let mut last: Seq = match (start, entrance.page) {
        (_, Some(page)) => {
            assert_eq!(
                page.messages.last().map_or(0, |message| message.seq),
                entrance.head,
                "the page has the head"
            );
            entrance.head
        }
        (JoinFrom::Seq(after), None) => after,
        (JoinFrom::LatestPage(_), None) => panic!("a page was asked for"),
    };
    while last < count {
        for item in now(reader.flush()) {
            let Delivery::Events(batch) = item else { continue };
            for event in batch.events() {
                assert_eq!(event.seq, last + 1, "no seam, no repeat, no hole");
                last = event.seq;
            }
        }
        shuttle::thread::yield_now();
    }
}

fn meet(count: u64, deaf: bool, starts: &'static [JoinFrom]) {
    let log: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (wakes, hub) = (log.wakes(), Arc::new(Hub::detached(log.clone())));
    let mut threads = Vec::new();
    for start in starts {
        let (hub, log) = (hub.clone(), log.clone());
        threads.push(shuttle::thread::spawn(move || read(hub, log, *start, count)));
    }
    let telling = hub.clone();
    threads.push(shuttle::thread::spawn(move || tell(&telling, wakes, count, deaf)));
    threads.push(shuttle::thread::spawn(move || post(&*log, count)));
    for thread in threads {
        thread.join().expect("nobody panics");
    }
}

#[test]
fn join_has_no_seam_however_it_meets_posting_and_telling() {
    let starts = &[JoinFrom::LatestPage(50), JoinFrom::Seq(0)];
    shuttle::check_random(move || meet(6, false, starts), 5_000);
    shuttle::check_pct(move || meet(6, false, starts), 5_000, 3);
}

#[test]
fn a_wake_that_is_lost_leaves_no_hole() {
    shuttle::check_random(|| meet(6, true, &[JoinFrom::LatestPage(50), JoinFrom::Seq(0)]), 5_000);
}

#[test]
fn a_full_queue_falls_back_to_the_log_without_a_hole() {
    let count = QUEUE_FRAMES as u64 + 40;
    shuttle::check_random(move || meet(count, false, &[JoinFrom::Seq(0)]), 50);
}

/// The end of a socket, which is now free and now not.
#[derive(Default)]
struct End {
    heard: Mutex<Vec<u8>>,
    full: AtomicBool,
}

impl FrameSink for End {
    fn send(&self, frame: Bytes) {
        // Two bytes of header: these texts are short.
        let mut heard = self.heard.lock().expect("nobody panics");
        heard.extend_from_slice(&frame[2..]);
        heard.push(b'\n');
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        frames.into_iter().for_each(|frame| self.send(frame));
    }

    fn is_writable(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
}

/// Joins with a socket of its own; what the room tells goes straight into it, or by way of the reader.
fn read_into(end: Arc<End>, hub: Arc<Hub>, log: Arc<dyn Store>, count: u64) {
    let link = Subscriber::anonymous();
    link.attach(end.clone(), Encoding::Lines);
    let mut reader = SubscriberSession::new(hub, log, link);
    now(reader.join(&lobby(), JoinFrom::Seq(0), 50, false)).expect("it is joined");
    loop {
        let heard = end.heard.lock().expect("nobody panics").clone();
        let heard = String::from_utf8(heard).expect("text");
        let expected: String = (0..heard.lines().count()).map(|n| format!("{n}\n")).collect();
        assert_eq!(heard, expected, "everything, once, in order");
        if heard.lines().count() as u64 == count {
            return;
        }
        end.full.store(heard.len() % 3 == 1 && !end.full.load(Ordering::SeqCst), Ordering::SeqCst);
        if end.is_writable() && reader.ready().now_or_never().is_some() {
            assert!(now(reader.flush()).is_empty(), "it went into the socket");
        }
        shuttle::thread::yield_now();
    }
}

#[test]
fn what_a_room_writes_straight_into_a_socket_has_no_seam_with_what_its_reader_sends() {
    let count = 8;
    let race = move || {
        let log: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (wakes, hub) = (log.wakes(), Arc::new(Hub::detached(log.clone())));
        let (telling, posting) = (hub.clone(), log.clone());
        let reader = shuttle::thread::spawn(move || read_into(Arc::default(), hub, log, count));
        let teller = shuttle::thread::spawn(move || tell(&telling, wakes, count, false));
        post(&*posting, count);
        for thread in [reader, teller] {
            thread.join().expect("nobody panics");
        }
    };
    shuttle::check_random(race, 5_000);
    shuttle::check_pct(race, 5_000, 3);
}
