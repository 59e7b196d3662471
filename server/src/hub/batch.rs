//! What one commit holds for a room: encoded once for each way of talking, shared by everybody who reads
//! it.

use crate::websocket::frame;
use app::wire::{Event, EventBody, RoomName, Seq, ServerFrame, to_single_line};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};

/// Bytes of JSON after which a batch is cut, so that one write stays small enough for a slow
/// reader to take within the write wait.
const CUT_AT: usize = 64 * 1_024;

/// Events of one room without a hole between them; never empty.
#[derive(Debug)]
pub struct Batch {
    room: RoomName,
    events: Vec<Arc<Event>>,
    bytes: usize,
    /// Encoded by the first reader who needs it.
    v1: OnceLock<Bytes>,
    lines: OnceLock<Option<Bytes>>,
}

/// How a reader wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// An `events` frame.
    V1,
    /// Bare text, one message a line.
    Lines,
}

impl Batch {
    /// `events` in batches of a size that can be written at once.
    pub fn cut(room: &RoomName, events: &[Arc<Event>]) -> Vec<Arc<Self>> {
        let mut batches = Vec::new();
        let mut rest = events;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            batches.push(Arc::new(Self::new(room, now)));
            rest = later;
        }
        batches
    }

    fn new(room: &RoomName, events: &[Arc<Event>]) -> Self {
        Self {
            room: room.clone(),
            events: events.to_vec(),
            bytes: events.iter().map(|event| event.json_bytes()).sum(),
            v1: OnceLock::new(),
            lines: OnceLock::new(),
        }
    }

    /// Whose events these are.
    pub fn room(&self) -> &RoomName {
        &self.room
    }

    /// The events in order.
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// The first event's place.
    pub fn first(&self) -> Seq {
        self.events.first().map_or(0, |event| event.seq)
    }

    /// The last event's place.
    pub fn last(&self) -> Seq {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// What it weighs in a queue: its bytes of JSON, at most.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The batch without what is at or before `seq`.
    pub fn after(&self, seq: Seq) -> Self {
        let from = self.events.partition_point(|event| event.seq <= seq);
        Self::new(&self.room, &self.events[from..])
    }

    /// As a whole WebSocket frame; nothing where this encoding has no word for what happened.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        match encoding {
            Encoding::V1 => Some(self.v1.get_or_init(|| self.encode_v1()).clone()),
            Encoding::Lines => self.lines.get_or_init(|| self.encode_lines()).clone(),
        }
    }

    fn encode_v1(&self) -> Bytes {
        let events = ServerFrame::Events { room: self.room.clone(), events: self.events.clone() };
        frame::text(&events.to_json())
    }

    fn encode_lines(&self) -> Option<Bytes> {
        lines(&self.events).map(|lines| frame::text(&lines))
    }
}

/// How many of `events` go into one batch: at least one.
fn fitting(events: &[Arc<Event>]) -> usize {
    let mut bytes = 0;
    let over = events.iter().position(|event| {
        bytes += event.json_bytes();
        bytes > CUT_AT
    });
    over.map_or(events.len(), |over| over.max(1))
}

fn lines(events: &[Arc<Event>]) -> Option<String> {
    let line = |event: &Arc<Event>| match &event.body {
        EventBody::Message { text, .. } if !text.is_empty() => Some(to_single_line(text)),
        _ => None,
    };
    let lines: Vec<String> = events.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
