//! The rule of a flow, with an outlet that is now free and now not.

use super::*;
use app::wire::{DisplayName, EventBody, User, UserId};
use proptest::prelude::*;
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};
use uuid::Uuid;

/// Somebody's end of a socket, which takes frames or does not.
#[derive(Default)]
struct End {
    frames: Mutex<Vec<Bytes>>,
    full: AtomicBool,
}

impl Outlet for End {
    fn send(&self, frame: Bytes) {
        self.frames.lock().unwrap().push(frame);
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        self.frames.lock().unwrap().extend(frames);
    }

    fn is_free(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
    }
}

impl End {
    fn heard(&self) -> Vec<String> {
        let frames = self.frames.lock().unwrap();
        frames.iter().flat_map(|frame| payload(frame).split(|byte| *byte == b'\n').map(word)).collect()
    }
}

/// What is behind the header of a frame of less than 64 KiB.
fn payload(frame: &[u8]) -> &[u8] {
    if frame[1] < 126 { &frame[2..] } else { &frame[4..] }
}

fn word(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn event(seq: Seq, text: &str) -> Arc<Event> {
    let author = User::new(UserId(1), DisplayName::generated(UserId(1)));
    let body = EventBody::Message { text: text.into(), reply_to: None };
    Arc::new(Event { seq, at: 0, id: Uuid::nil(), author, body })
}

fn events(from: Seq, to: Seq) -> Vec<Arc<Event>> {
    (from..=to).map(|seq| event(seq, &seq.to_string())).collect()
}

fn told(from: Seq, to: Seq) -> Item {
    Item::Events(Batch::cut(&RoomName::lobby(), &events(from, to)).remove(0))
}

fn words(from: Seq, to: Seq) -> Vec<String> {
    (from..=to).map(|seq| seq.to_string()).collect()
}

/// A flow of the lobby after `last`, into an end that is free.
fn flowing(last: Seq) -> (Flow, Arc<End>) {
    let (mut flow, end) = (Flow::default(), Arc::new(End::default()));
    flow.follow(&RoomName::lobby(), last, false);
    flow.attach(end.clone(), Encoding::Lines);
    (flow, end)
}

#[test]
fn what_continues_goes_out_at_once() {
    let (mut flow, end) = flowing(0);
    assert!(!flow.tell(told(1, 1)), "the reader need not wake up");
    assert!(!flow.tell(told(2, 4)));
    assert_eq!(end.heard(), words(1, 4));
}

#[test]
fn a_repeat_goes_out_once_and_an_overlap_in_part() {
    let (mut flow, end) = flowing(0);
    for item in [told(1, 2), told(1, 2), told(2, 3)] {
        flow.tell(item);
    }
    assert_eq!(end.heard(), words(1, 3));
}

#[test]
fn after_a_gap_the_reader_asks_the_log() {
    let (mut flow, end) = flowing(0);
    assert!(flow.tell(told(3, 3)));
    assert_eq!(flow.behind(), Some((RoomName::lobby(), 0)));
    flow.tell(told(4, 4));
    assert_eq!(end.heard(), words(1, 0));
    flow.take();
    flow.catch_up(&RoomName::lobby(), &events(1, 4), true);
    assert!(!flow.needs_reader());
    assert_eq!(end.heard(), words(1, 4));
}

#[test]
fn what_an_end_that_is_full_cannot_take_waits_in_order() {
    let (mut flow, end) = flowing(0);
    end.full.store(true, Ordering::Relaxed);
    assert!(flow.tell(told(1, 1)));
    end.full.store(false, Ordering::Relaxed);
    flow.tell(told(2, 2));
    assert!(end.heard().is_empty(), "it does not overtake");
    flow.take();
    flow.tell(told(3, 3));
    assert_eq!(end.heard(), words(1, 3));
}

#[test]
fn what_is_told_while_the_reader_holds_it_comes_afterwards() {
    let (mut flow, end) = flowing(0);
    flow.hold();
    assert!(flow.tell(told(1, 1)));
    assert!(end.heard().is_empty());
    flow.take();
    assert_eq!(end.heard(), words(1, 1));
}

#[test]
fn who_has_no_outlet_takes_it_themselves() {
    let (mut flow, end) = flowing(0);
    flow.detach();
    flow.tell(told(1, 2));
    assert_eq!(flow.take().len(), 1);
    assert!(end.heard().is_empty());
}

#[test]
fn a_queue_that_was_full_is_forgotten_and_its_rooms_are_behind() {
    let (mut flow, end) = flowing(0);
    end.full.store(true, Ordering::Relaxed);
    for seq in 1..=QUEUE_FRAMES as Seq + 1 {
        flow.tell(told(seq, seq));
    }
    assert!(flow.queue.is_empty());
    assert_eq!(flow.behind(), Some((RoomName::lobby(), 0)));
}

#[test]
fn who_came_while_a_queue_was_full_of_messages_is_told_when_there_is_room_again() {
    let (mut flow, end) = flowing(0);
    flow.attach(end.clone(), Encoding::V1);
    end.full.store(true, Ordering::Relaxed);
    flow.tell(Item::Frame("bob is here".into()));
    flow.tell(Item::Passing("carol is typing".into()));
    for seq in 1..QUEUE_FRAMES as Seq {
        flow.tell(told(seq, seq));
    }
    assert_eq!((flow.queue.len(), flow.behind()), (1, Some((RoomName::lobby(), 0))));
    end.full.store(false, Ordering::Relaxed);
    flow.take();
    assert_eq!(*end.frames.lock().unwrap(), ["bob is here"]);
}

proptest! {
    #[test]
    fn whatever_is_told_what_waits_stays_within_its_bound(sizes in prop::collection::vec(0_usize..60_000, 0..400)) {
        let mut flow = Flow::default();
        for (n, size) in sizes.into_iter().enumerate() {
            let events = || Batch::cut(&RoomName::lobby(), &[event(1, &"x".repeat(size))]).remove(0);
            flow.tell(if n % 7 == 0 { Item::Frame("x".repeat(size / 7).into()) } else { Item::Events(events()) });
            prop_assert!(flow.queue.len() <= QUEUE_FRAMES && flow.queued_bytes <= QUEUE_BYTES);
            prop_assert_eq!(flow.queued_bytes, flow.queue.iter().map(Item::bytes).sum::<usize>());
        }
    }

    /// Commits that are told once, twice or not at all, to an end that is free or not, and a reader that
    /// comes and goes.
    #[test]
    fn however_it_is_told_everything_arrives_once_and_in_order(steps in prop::collection::vec(0..6_u8, 1..200)) {
        let (mut flow, end) = flowing(0);
        let (lobby, mut head) = (RoomName::lobby(), 0);
        for step in steps {
            match step {
                0 | 1 => { flow.tell(told(head + 1, head + 2)); head += 2; }
                2 => head += 1,
                3 if head > 0 => { flow.tell(told(head, head)); }
                4 => { end.full.fetch_not(Ordering::Relaxed); }
                _ if end.is_free() => catch_up(&mut flow, &lobby, head),
                _ => {}
            }
        }
        flow.tell(told(head + 1, head + 1));
        catch_up(&mut flow, &lobby, head + 1);
        prop_assert_eq!(end.heard(), words(1, head + 1));
    }
}

/// What a reader does when it is ready.
fn catch_up(flow: &mut Flow, room: &RoomName, head: Seq) {
    flow.take();
    if let Some((_, last)) = flow.behind() {
        flow.catch_up(room, &events(last + 1, head), true);
    }
}
