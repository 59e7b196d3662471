//! Receiving: from bytes of a socket to checked and counted messages.

use super::Clients;
use crate::{
    Pace,
    connection::{ReadEvent, State, upgraded},
    frames::{self, CLOSE, CONTINUATION, Frame, PING, PONG, ParsedFrame, TEXT, masked},
    ordering::{Key, number},
    payloads::Payload,
};

impl Clients {
    /// Reads all available bytes of a connection and handles them.
    pub(super) fn read(&mut self, index: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.connections[index].state != State::Closed {
            match self.connections[index].read(&mut buffer) {
                ReadEvent::Bytes(end, more) => {
                    let now = self.now();
                    let rest = self.take(index, &buffer[..end], now);
                    self.connections[index].keep_partial(rest);
                    if !more {
                        break;
                    }
                }
                ReadEvent::Nothing => break,
                ReadEvent::End => self.mark_closed(index, "the connection ended"),
            }
        }
        self.buffer = buffer;
    }

    /// Handles all complete frames and returns the rest.
    fn take<'a>(&mut self, index: usize, bytes: &'a [u8], now: u64) -> &'a [u8] {
        let mut rest = bytes;
        if self.connections[index].state == State::Upgrading {
            match upgraded(bytes) {
                Ok(Some(end)) => {
                    rest = &bytes[end..];
                    self.upgrade(index);
                }
                Ok(None) => return bytes,
                Err(error) => self.mark_closed(index, &error),
            }
        }
        let before = self.counters.delivered;
        while self.connections[index].state != State::Closed {
            match frames::first(rest) {
                ParsedFrame::Frame(frame, after) => {
                    rest = after;
                    self.handle_frame(index, &frame, now);
                }
                ParsedFrame::More => break,
                ParsedFrame::Wrong => self.mark_closed(index, "a frame that no server sends"),
            }
        }
        self.counters.reads += u64::from(self.counters.delivered > before);
        rest
    }

    fn upgrade(&mut self, index: usize) {
        match self.join {
            Some(_) => self.connections[index].state = State::Joining,
            None => self.mark_joined(index),
        }
    }

    fn mark_joined(&mut self, index: usize) {
        self.connections[index].state = State::Joined;
        self.inside += 1;
    }

    #[inline]
    fn handle_frame(&mut self, index: usize, frame: &Frame<'_>, now: u64) {
        match frame.opcode {
            TEXT if frame.last => self.handle_text(index, frame.payload, now),
            TEXT | CONTINUATION => self.handle_fragment(index, frame, now),
            PING => self.connections[index].send(&masked(PONG, frame.payload)),
            CLOSE => self.mark_closed(index, &close_reason(frame.payload)),
            _ => {}
        }
    }

    /// Collects the fragments of a message until the last one.
    fn handle_fragment(&mut self, index: usize, frame: &Frame<'_>, now: u64) {
        let mut parts = std::mem::take(&mut self.connections[index].parts);
        parts.extend_from_slice(frame.payload);
        if frame.last {
            self.handle_text(index, &parts, now);
            parts.clear();
        }
        self.connections[index].parts = parts;
    }

    #[inline]
    fn handle_text(&mut self, index: usize, text: &[u8], now: u64) {
        match self.texts.read(text) {
            Payload::Messages => self.receive_messages(index, text, now),
            Payload::Ack(id) => self.acknowledge(index, id, now),
            Payload::Welcome => {
                if let Some(join) = &self.join {
                    self.connections[index].send(join);
                }
            }
            Payload::Joined => self.mark_joined(index),
            Payload::Error => {
                self.counters.refused += 1;
                self.record_error(&String::from_utf8_lossy(text));
            }
            Payload::Other => {}
        }
    }

    /// Records the messages of a frame.
    #[inline]
    fn receive_messages(&mut self, index: usize, text: &[u8], now: u64) {
        let Self { texts, order, latency, counters, connections, .. } = self;
        let connection = &mut connections[index];
        let mut own = false;
        texts.each(text, |text| {
            if let Some(due) = order.record(&mut connection.receiver, text) {
                counters.delivered += 1;
                latency.record(due, now);
                own |= text.starts_with(&connection.awaited);
            }
        });
        if own && matches!(self.pace, Pace::Closed) {
            self.send_next(index, now);
        }
    }

    fn acknowledge(&mut self, index: usize, id: &Key, now: u64) {
        if let Some(due) = number(*id).and_then(|number| self.order.due(number)) {
            self.counters.acknowledged += 1;
            self.ack_latency.record(due, now);
            if matches!(self.pace, Pace::Posts { .. }) {
                self.send_next(index, now);
            }
        }
    }

    fn mark_closed(&mut self, index: usize, why: &str) {
        self.connections[index].state = State::Closed;
        self.gone += 1;
        self.record_error(why);
    }

    fn record_error(&mut self, what: &str) {
        if self.first_error.is_none() {
            self.first_error = Some(what.to_owned());
        }
    }
}

/// Formats the code and the reason of a close frame.
fn close_reason(payload: &[u8]) -> String {
    let (code, reason) = payload
        .split_first_chunk()
        .map_or((1005, payload), |(code, reason)| (u16::from_be_bytes(*code), reason));
    format!("closed with {code} {}", String::from_utf8_lossy(reason))
}
