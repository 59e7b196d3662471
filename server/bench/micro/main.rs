//! Two short paths alone, so that a slower one is seen within a minute: the encoding of a batch, and the timeline of a browser.
//!
//! ```text
//! cargo bench -p bench
//! ```

use app::{
    client::{ApplyResult, Timeline},
    wire::{Event, RoomName},
};
use divan::{Bencher, black_box, counter::ItemsCount};
use serde_json::json;
use server::hub::batch::{Batch, Encoding};
use std::sync::Arc;
use uuid::Uuid;

/// Events of a batch in a busy room.
const BATCH_EVENTS: usize = 100;

/// Events that a browser applies after it was away.
const TIMELINE_EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

/// Returns the first events of a room: messages of one user.
fn events(count: usize) -> Vec<Arc<Event>> {
    let event = |seq| {
        let json = json!({
            "seq": seq, "at": 1_700_000_000_000_u64 + seq, "id": Uuid::from_u128(u128::from(seq)), "kind": "message",
            "author": { "id": "0123456789abcdef", "name": "Ann", "ambiguous": false },
            "text": format!("message {seq}: the tea is ready"),
        });
        Arc::new(serde_json::from_value(json).expect("an event"))
    };
    (1..=count as u64).map(event).collect()
}

#[divan::bench(args = [Encoding::V1, Encoding::Lines])]
fn encode_a_batch(bencher: Bencher, encoding: &Encoding) {
    let (room, events) = ("lobby".parse::<RoomName>().expect("a name"), events(BATCH_EVENTS));
    bencher.counter(ItemsCount::new(BATCH_EVENTS)).bench(|| {
        let batches = Batch::split(&room, black_box(&events));
        batches.iter().filter_map(|batch| batch.encoded(*encoding)).map(|frame| frame.len()).sum::<usize>()
    });
}

#[divan::bench]
fn apply_events_to_a_timeline(bencher: Bencher) {
    let events = events(TIMELINE_EVENTS);
    bencher
        .counter(ItemsCount::new(TIMELINE_EVENTS))
        .with_inputs(|| Timeline::new("log".into(), 0, Vec::new()))
        .bench_refs(|timeline| {
            assert_eq!(timeline.apply_events(black_box(&events)), ApplyResult::Applied);
        });
}
