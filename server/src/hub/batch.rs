//! A batch of consecutive events of one room, encoded once for each protocol and shared by all subscribers.

use crate::websocket::frame;
use app::wire::{Event, EventBody, FileInfo, Files, RoomName, Seq, ServerFrame, to_single_line};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};

/// Bytes of JSON in one batch, unless one event alone has more. A slow client can take one write of this size within
/// the write timeout.
const MAX_BATCH_BYTES: usize = 64 * 1_024;

/// Consecutive events of one room; never empty.
#[derive(Debug)]
pub struct Batch {
    room: RoomName,
    events: Vec<Arc<Event>>,
    bytes: usize,
    /// Encoded by the first subscriber that needs it.
    v1: OnceLock<Bytes>,
    lines: OnceLock<Option<Bytes>>,
}

/// The encoding of a subscriber's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// An `events` frame of `hubbub.v1`.
    V1,
    /// Bare text, one message a line.
    Lines,
}

impl Batch {
    /// Splits `events` into batches that can each be written at once.
    pub fn split(room: &RoomName, events: &[Arc<Event>]) -> Vec<Arc<Self>> {
        let mut batches = Vec::new();
        let mut rest = events;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fits_in_batch(rest));
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

    /// Returns the room of the events.
    pub fn room(&self) -> &RoomName {
        &self.room
    }

    /// Returns the events in order.
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// Returns the first event's `seq`.
    pub fn first(&self) -> Seq {
        self.events.first().map_or(0, |event| event.seq)
    }

    /// Returns the last event's `seq`.
    pub fn last(&self) -> Seq {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// Returns the bytes of JSON that the batch adds to a queue, at most.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the events after `seq` as a batch of their own.
    pub fn after(&self, seq: Seq) -> Self {
        let from = self.events.partition_point(|event| event.seq <= seq);
        Self::new(&self.room, &self.events[from..])
    }

    /// Returns the batch as a whole WebSocket frame, or `None` if this encoding shows none of its events.
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

/// Returns how many of `events` fit into one batch: at least one.
fn fits_in_batch(events: &[Arc<Event>]) -> usize {
    let mut bytes = 0;
    let overflow = events.iter().position(|event| {
        bytes += event.json_bytes();
        bytes > MAX_BATCH_BYTES
    });
    overflow.map_or(events.len(), |index| index.max(1))
}

/// Returns a message in one line, with its files.
fn line(text: &str, files: &Files) -> String {
    let mut parts = Vec::new();
    if files.is_empty() || text != files.names() {
        parts.push(to_single_line(text));
    }
    let file = |file: &FileInfo| format!("[file {}, {} bytes, {}]", file.name, file.size, file.path());
    parts.extend(files.iter().map(file));
    parts.join(" ")
}

fn lines(events: &[Arc<Event>]) -> Option<String> {
    let of_event = |event: &Arc<Event>| match &event.body {
        EventBody::Message { text, files, .. } if !text.is_empty() => Some(line(text, files)),
        _ => None,
    };
    let lines: Vec<String> = events.iter().filter_map(of_event).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
