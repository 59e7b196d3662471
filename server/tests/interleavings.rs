//! Every way in which posting, telling, joining and reading can meet, as far as a model checker tries:
//! the real hub, room, link and reader under shuttle, which decides who goes on at each lock.
//!
//! `cargo test -p server --features shuttle --test interleavings`

use app::wire::{LOBBY, PersonId, RoomName, Seq};
use futures_util::FutureExt;
use server::{
    hub::Hub,
    link::{Item, Link, QUEUE_FRAMES},
    log::{Log, MemoryLog, NewEvent},
    reader::{Delivery, Reader, Start},
};
use std::sync::Arc;
use tokio::sync::broadcast::error::TryRecvError;
use uuid::Uuid;

/// What is given away by this log and hub comes at once: nothing waits but for a lock.
fn now<T>(done: impl Future<Output = T>) -> T {
    done.now_or_never().expect("a log in memory answers at once")
}

fn lobby() -> RoomName {
    LOBBY.parse().expect("a room")
}

fn post(log: &dyn Log, count: u64) {
    for n in 0..count {
        let message = NewEvent::message(Uuid::from_u128(n.into()), lobby(), PersonId(1), "hello");
        now(log.append(message)).expect("it is stored");
        shuttle::thread::yield_now();
    }
}

/// Lets the hub hear every wake until `count` events are told; `deaf` to every other one.
fn tell(hub: &Hub, mut wakes: tokio::sync::broadcast::Receiver<server::log::Wake>, count: u64, deaf: bool) {
    let mut heard = 0;
    while heard < count {
        match wakes.try_recv() {
            Ok(wake) => {
                heard = wake.events.last().expect("a wake is never empty").seq;
                if !deaf || heard % 2 == 0 {
                    now(hub.hear(&wake));
                }
            }
            Err(TryRecvError::Empty) => shuttle::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Joins, then reads until `count`; whatever comes must continue what is there.
fn read(hub: Arc<Hub>, log: Arc<dyn Log>, start: Start, count: u64) {
    let mut reader = Reader::new(hub, log, Link::onlooker());
    let entrance = now(reader.join(&lobby(), start, 50)).expect("it is joined");
    let mut last: Seq = match (start, entrance.page) {
        (_, Some(page)) => {
            assert_eq!(
                page.messages.last().map_or(0, |message| message.seq),
                entrance.head,
                "the page has the head"
            );
            entrance.head
        }
        (Start::After(after), None) => after,
        (Start::Page(_), None) => panic!("a page was asked for"),
    };
    while last < count {
        for delivery in now(reader.take()) {
            let Delivery::Events(batch) = delivery else { continue };
            for event in batch.events() {
                assert_eq!(event.seq, last + 1, "no seam, no repeat, no hole");
                last = event.seq;
            }
        }
        shuttle::thread::yield_now();
    }
}

fn meet(count: u64, deaf: bool, starts: &'static [Start]) {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new());
    let (wakes, hub) = (log.wakes(), Arc::new(Hub::idle(log.clone())));
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
    let starts = &[Start::Page(50), Start::After(0)];
    shuttle::check_random(move || meet(6, false, starts), 5_000);
    shuttle::check_pct(move || meet(6, false, starts), 5_000, 3);
}

#[test]
fn a_wake_that_is_lost_leaves_no_hole() {
    shuttle::check_random(|| meet(6, true, &[Start::Page(50), Start::After(0)]), 5_000);
}

#[test]
fn a_full_queue_falls_back_to_the_log_without_a_hole() {
    let count = QUEUE_FRAMES as u64 + 40;
    shuttle::check_random(move || meet(count, false, &[Start::After(0)]), 50);
}

/// The queue by itself: pushed by one, taken by another, forgotten when it is full.
#[test]
fn what_is_pushed_is_taken_or_known_to_be_forgotten() {
    let race = || {
        let link = Link::onlooker();
        let pushing = link.clone();
        let count = QUEUE_FRAMES + 3;
        let pusher = shuttle::thread::spawn(move || {
            (0..count).for_each(|n| pushing.push(Item::Frame(n.to_string().into())));
        });
        let (mut taken, mut behind) = (0, false);
        while taken < count && !behind {
            let waiting = link.take();
            taken += waiting.items.len();
            behind |= waiting.behind;
            shuttle::thread::yield_now();
        }
        pusher.join().expect("nobody panics");
    };
    shuttle::check_random(race, 100);
}
