//! Tests of the outbound queue with a sink that is writable or not.

use super::*;
use app::wire::{DisplayName, EventBody, Files, Mentions, User, UserId};
use proptest::prelude::*;
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};
use uuid::Uuid;

/// A sink that accepts frames or is full.
#[derive(Default)]
struct FakeSink {
    frames: Mutex<Vec<Bytes>>,
    full: AtomicBool,
}

impl FrameSink for FakeSink {
    fn send(&self, frame: Bytes) -> bool {
        self.frames.lock().unwrap().push(frame);
        self.is_writable()
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        self.frames.lock().unwrap().extend(frames);
    }

    fn is_writable(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
    }
}

impl FakeSink {
    fn received(&self) -> Vec<String> {
        let frames = self.frames.lock().unwrap();
        frames.iter().flat_map(|frame| payload(frame).split(|byte| *byte == b'\n').map(word)).collect()
    }
}

/// Returns the payload of a frame of less than 64 KiB.
fn payload(frame: &[u8]) -> &[u8] {
    if frame[1] < 126 { &frame[2..] } else { &frame[4..] }
}

fn word(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn event(seq: Seq, text: &str) -> Arc<Event> {
    let author = User::new(UserId(1), DisplayName::generated(UserId(1)));
    let body = EventBody::Message {
        text: text.into(),
        reply_to: None,
        mentions: Mentions::default(),
        files: Files::default(),
    };
    Arc::new(Event { seq, at: 0, id: Uuid::nil(), author, body })
}

fn events(from: Seq, to: Seq) -> Vec<Arc<Event>> {
    (from..=to).map(|seq| event(seq, &seq.to_string())).collect()
}

fn batch(from: Seq, to: Seq) -> Delivery {
    Delivery::Events(Batch::split(&RoomName::lobby(), &events(from, to)).remove(0))
}

fn words(from: Seq, to: Seq) -> Vec<String> {
    (from..=to).map(|seq| seq.to_string()).collect()
}

/// Returns a queue that follows the lobby after `cursor`, with a writable sink.
fn queue_after(cursor: Seq) -> (OutboundQueue, Arc<FakeSink>) {
    let (mut queue, sink) = (OutboundQueue::default(), Arc::new(FakeSink::default()));
    queue.subscribe(&RoomName::lobby(), cursor, false);
    queue.attach(sink.clone(), Encoding::Lines);
    (queue, sink)
}

#[test]
fn contiguous_events_are_sent_at_once() {
    let (mut queue, sink) = queue_after(0);
    assert!(!queue.deliver(batch(1, 1)), "the task need not wake up");
    assert!(!queue.deliver(batch(2, 4)));
    assert_eq!(sink.received(), words(1, 4));
}

#[test]
fn repeats_are_sent_once_and_overlaps_in_part() {
    let (mut queue, sink) = queue_after(0);
    for item in [batch(1, 2), batch(1, 2), batch(2, 3)] {
        let _ = queue.deliver(item);
    }
    assert_eq!(sink.received(), words(1, 3));
}

#[test]
fn a_gap_is_filled_from_the_store() {
    let (mut queue, sink) = queue_after(0);
    assert!(queue.deliver(batch(3, 3)));
    assert_eq!(queue.next_lagging(), Some((RoomName::lobby(), 0)));
    let _ = queue.deliver(batch(4, 4));
    assert_eq!(sink.received(), words(1, 0));
    queue.flush();
    queue.catch_up(&RoomName::lobby(), &events(1, 4), true);
    assert!(!queue.needs_flush());
    assert_eq!(sink.received(), words(1, 4));
}

#[test]
fn deliveries_to_a_full_sink_are_queued_in_order() {
    let (mut queue, sink) = queue_after(0);
    sink.full.store(true, Ordering::Relaxed);
    assert!(queue.deliver(batch(1, 1)));
    sink.full.store(false, Ordering::Relaxed);
    let _ = queue.deliver(batch(2, 2));
    assert!(sink.received().is_empty(), "no delivery overtakes the queue");
    queue.flush();
    let _ = queue.deliver(batch(3, 3));
    assert_eq!(sink.received(), words(1, 3));
}

#[test]
fn deliveries_to_a_paused_queue_are_sent_after_the_pause() {
    let (mut queue, sink) = queue_after(0);
    queue.pause();
    assert!(queue.deliver(batch(1, 1)));
    assert!(sink.received().is_empty());
    queue.flush();
    assert_eq!(sink.received(), words(1, 1));
}

#[test]
fn flush_returns_the_deliveries_without_a_sink() {
    let (mut queue, sink) = queue_after(0);
    queue.detach();
    let _ = queue.deliver(batch(1, 2));
    assert_eq!(queue.flush().len(), 1);
    assert!(sink.received().is_empty());
}

#[test]
fn overflow_drops_the_queue_and_marks_subscriptions_lagging() {
    let (mut queue, sink) = queue_after(0);
    sink.full.store(true, Ordering::Relaxed);
    for seq in 1..=QUEUE_FRAMES as Seq + 1 {
        let _ = queue.deliver(batch(seq, seq));
    }
    assert!(queue.queue.is_empty());
    assert_eq!(queue.next_lagging(), Some((RoomName::lobby(), 0)));
}

#[test]
fn presence_survives_an_overflow_by_messages() {
    let (mut queue, sink) = queue_after(0);
    queue.attach(sink.clone(), Encoding::V1);
    sink.full.store(true, Ordering::Relaxed);
    let _ = queue.deliver(Delivery::Control("bob is here".into()));
    let _ = queue.deliver(Delivery::Ephemeral("carol is typing".into()));
    for seq in 1..QUEUE_FRAMES as Seq {
        let _ = queue.deliver(batch(seq, seq));
    }
    assert_eq!((queue.queue.len(), queue.next_lagging()), (1, Some((RoomName::lobby(), 0))));
    sink.full.store(false, Ordering::Relaxed);
    queue.flush();
    assert_eq!(*sink.frames.lock().unwrap(), ["bob is here"]);
}

proptest! {
    #[test]
    fn the_queue_stays_within_its_bounds(sizes in prop::collection::vec(0_usize..60_000, 0..400)) {
        let mut queue = OutboundQueue::default();
        for (n, size) in sizes.into_iter().enumerate() {
            let events = || Batch::split(&RoomName::lobby(), &[event(1, &"x".repeat(size))]).remove(0);
            let _ = queue.deliver(if n % 7 == 0 { Delivery::Control("x".repeat(size / 7).into()) } else { Delivery::Events(events()) });
            prop_assert!(queue.queue.len() <= QUEUE_FRAMES && queue.queued_bytes <= QUEUE_BYTES);
            prop_assert_eq!(queue.queued_bytes, queue.queue.iter().map(Delivery::bytes).sum::<usize>());
        }
    }

    /// Delivers commits once, twice or not at all, to a sink that is writable or not, and flushes now and then.
    #[test]
    fn every_event_is_sent_once_and_in_order(steps in prop::collection::vec(0..6_u8, 1..200)) {
        let (mut queue, sink) = queue_after(0);
        let (lobby, mut head) = (RoomName::lobby(), 0);
        for step in steps {
            match step {
                0 | 1 => { let _ = queue.deliver(batch(head + 1, head + 2)); head += 2; }
                2 => head += 1,
                3 if head > 0 => { let _ = queue.deliver(batch(head, head)); }
                4 => { sink.full.fetch_not(Ordering::Relaxed); }
                _ if sink.is_writable() => catch_up(&mut queue, &lobby, head),
                _ => {}
            }
        }
        let _ = queue.deliver(batch(head + 1, head + 1));
        catch_up(&mut queue, &lobby, head + 1);
        prop_assert_eq!(sink.received(), words(1, head + 1));
    }
}

/// Does what a subscriber's task does when it is ready.
fn catch_up(queue: &mut OutboundQueue, room: &RoomName, head: Seq) {
    queue.flush();
    if let Some((_, last)) = queue.next_lagging() {
        queue.catch_up(room, &events(last + 1, head), true);
    }
}
