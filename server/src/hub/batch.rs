//! A batch of consecutive events of one room, encoded once for each protocol and shared by all subscribers.

use crate::websocket::frame;
use app::wire::{Event, EventBody, FileInfo, Files, RoomName, Seq, ServerFrame, to_single_line};
use bytes::Bytes;
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

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
            let (count, bytes) = fits_in_batch(rest);
            let (now, later) = rest.split_at(count);
            batches.push(Arc::new(Self::new(room, now, bytes)));
            rest = later;
        }
        batches
    }

    fn new(room: &RoomName, events: &[Arc<Event>], bytes: usize) -> Self {
        Self {
            room: room.clone(),
            events: events.to_vec(),
            bytes,
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
        let events = &self.events[self.events.partition_point(|event| event.seq <= seq)..];
        Self::new(&self.room, events, events.iter().map(|event| event.json_bytes()).sum())
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

/// Returns how many of `events` fit into one batch, at least one, and their bytes.
fn fits_in_batch(events: &[Arc<Event>]) -> (usize, usize) {
    let mut bytes = 0;
    for (index, event) in events.iter().enumerate() {
        let next = event.json_bytes();
        if index > 0 && bytes + next > MAX_BATCH_BYTES {
            return (index, bytes);
        }
        bytes += next;
    }
    (events.len(), bytes)
}

/// Returns a message in one line, with its files.
fn line<'a>(text: &'a str, files: &Files) -> Cow<'a, str> {
    if files.is_empty() {
        return to_single_line(text);
    }
    let text = (text != files.names()).then(|| to_single_line(text));
    let file = |file: &FileInfo| format!("[file {}, {} bytes, {}]", file.name, file.size, file.path());
    let parts: Vec<Cow<'_, str>> = text.into_iter().chain(files.iter().map(|it| file(it).into())).collect();
    parts.join(" ").into()
}

fn lines(events: &[Arc<Event>]) -> Option<String> {
    let mut lines = String::new();
    for event in events {
        if let EventBody::Message { text, files, .. } = &event.body
            && !text.is_empty()
        {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&line(text, files));
        }
    }
    (!lines.is_empty()).then_some(lines)
}
