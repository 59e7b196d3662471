//! Hearing: from the bytes of a socket to messages that are checked and counted.

use super::Crowd;
use crate::{
    Pace,
    connection::{Brought, State, upgraded},
    frames::{self, CLOSE, CONTINUATION, Found, Frame, PING, PONG, TEXT, masked},
    ordering::{Key, number},
    payloads::Said,
};

impl Crowd {
    /// Reads what has come for a connection, and does what it asks for.
    pub(super) fn read(&mut self, who: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.connections[who].state != State::Gone {
            match self.connections[who].read(&mut buffer) {
                Brought::Bytes(end, more) => {
                    let now = self.now();
                    let rest = self.take(who, &buffer[..end], now);
                    self.connections[who].carry(rest);
                    if !more {
                        break;
                    }
                }
                Brought::Nothing => break,
                Brought::End => self.lose(who, "the connection ended"),
            }
        }
        self.buffer = buffer;
    }

    /// Takes what was read, as far as it is whole; gives the rest.
    fn take<'a>(&mut self, who: usize, bytes: &'a [u8], now: u64) -> &'a [u8] {
        let mut rest = bytes;
        if self.connections[who].state == State::Upgrading {
            match upgraded(bytes) {
                Ok(Some(end)) => {
                    rest = &bytes[end..];
                    self.upgrade(who);
                }
                Ok(None) => return bytes,
                Err(refusal) => self.lose(who, &refusal),
            }
        }
        let before = self.tally.delivered;
        while self.connections[who].state != State::Gone {
            match frames::first(rest) {
                Found::Frame(frame, after) => {
                    rest = after;
                    self.obey(who, &frame, now);
                }
                Found::More => break,
                Found::Wrong => self.lose(who, "a frame that no server sends"),
            }
        }
        self.tally.reads += u64::from(self.tally.delivered > before);
        rest
    }

    fn upgrade(&mut self, who: usize) {
        match self.join {
            Some(_) => self.connections[who].state = State::Joining,
            None => self.enter(who),
        }
    }

    fn enter(&mut self, who: usize) {
        self.connections[who].state = State::In;
        self.inside += 1;
    }

    #[inline]
    fn obey(&mut self, who: usize, frame: &Frame<'_>, now: u64) {
        match frame.opcode {
            TEXT if frame.last => self.understand(who, frame.payload, now),
            TEXT | CONTINUATION => self.join_parts(who, frame, now),
            PING => self.connections[who].send(&masked(PONG, frame.payload)),
            CLOSE => self.lose(who, &goodbye(frame.payload)),
            _ => {}
        }
    }

    /// Waits for a message's last frame.
    fn join_parts(&mut self, who: usize, frame: &Frame<'_>, now: u64) {
        let mut parts = std::mem::take(&mut self.connections[who].parts);
        parts.extend_from_slice(frame.payload);
        if frame.last {
            self.understand(who, &parts, now);
            parts.clear();
        }
        self.connections[who].parts = parts;
    }

    #[inline]
    fn understand(&mut self, who: usize, text: &[u8], now: u64) {
        match self.texts.read(text) {
            Said::Messages => self.hear(who, text, now),
            Said::Ack(id) => self.acknowledge(who, id, now),
            Said::Welcome => {
                if let Some(join) = &self.join {
                    self.connections[who].send(join);
                }
            }
            Said::Joined => self.enter(who),
            Said::Error => {
                self.tally.refused += 1;
                self.note_trouble(&String::from_utf8_lossy(text));
            }
            Said::Else => {}
        }
    }

    /// A connection hears messages.
    #[inline]
    fn hear(&mut self, who: usize, text: &[u8], now: u64) {
        let Self { texts, order, latency, tally, connections, .. } = self;
        let connection = &mut connections[who];
        let mut own = false;
        texts.each(text, |text| {
            if let Some(due) = order.hear(&mut connection.ear, text) {
                tally.delivered += 1;
                latency.note(due, now);
                own |= text.starts_with(&connection.awaits);
            }
        });
        if own && matches!(self.pace, Pace::Closed) {
            self.post_again(who, now);
        }
    }

    fn acknowledge(&mut self, who: usize, id: &Key, now: u64) {
        if let Some(due) = number(*id).and_then(|number| self.order.due(number)) {
            self.tally.acknowledged += 1;
            self.ack_latency.note(due, now);
            if matches!(self.pace, Pace::Posts { .. }) {
                self.post_again(who, now);
            }
        }
    }

    fn lose(&mut self, who: usize, why: &str) {
        self.connections[who].state = State::Gone;
        self.gone += 1;
        self.note_trouble(why);
    }

    fn note_trouble(&mut self, what: &str) {
        if self.first_trouble.is_none() {
            self.first_trouble = Some(what.to_owned());
        }
    }
}

/// The code and the reason of a close frame.
fn goodbye(payload: &[u8]) -> String {
    let (code, reason) = payload
        .split_first_chunk()
        .map_or((1005, payload), |(code, reason)| (u16::from_be_bytes(*code), reason));
    format!("closed with {code} {}", String::from_utf8_lossy(reason))
}
