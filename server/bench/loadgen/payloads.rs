//! The two modes: lines, and the JSON of `hubbub.v1`.

use crate::{
    frames::{TEXT, masked},
    ordering::{Key, NUMBER, key},
};
use clap::ValueEnum;
use memchr::{memchr, memmem::Finder};
use std::time::{SystemTime, UNIX_EPOCH};

/// The protocol of the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Plain text both ways; several messages may share a frame, a line each.
    Lines,
    /// JSON: `join`, `post`, `events`, `ack`.
    V1,
}

/// The content of a server's frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Messages; [`PayloadReader::each`] extracts them.
    Messages,
    /// The connection may join.
    Welcome,
    /// The connection has joined.
    Joined,
    /// A post is durable; the number at the end of its id.
    Ack(&'a Key),
    /// A post was rejected.
    Error,
    /// Anything else.
    Other,
}

/// The JSON before a message's text, and before the id of an `ack`.
const BEFORE_TEXT: &str = r#""text":""#;
const BEFORE_ID: &str = r#""id":""#;
/// Bytes of an id.
const ID: usize = 36;

/// Reads the server's frames without parsing all of their JSON.
pub struct PayloadReader {
    mode: Mode,
    /// Bytes of each text.
    bytes: usize,
    before_text: Finder<'static>,
    before_id: Finder<'static>,
}

impl PayloadReader {
    /// Creates a reader for texts of `bytes` bytes.
    pub fn new(mode: Mode, bytes: usize) -> Self {
        let [before_text, before_id] = [BEFORE_TEXT, BEFORE_ID].map(Finder::new);
        Self { mode, bytes, before_text, before_id }
    }

    /// Returns the kind of a frame.
    #[inline]
    pub fn read<'a>(&self, frame: &'a [u8]) -> Payload<'a> {
        if self.mode == Mode::Lines {
            return Payload::Messages;
        }
        match frame.strip_prefix(br#"{"type":""#).and_then(|rest| rest.split_at_checked(4)) {
            Some((b"even", _)) => Payload::Messages,
            Some((b"ack\"", rest)) => self.acknowledged(rest).map_or(Payload::Other, Payload::Ack),
            Some((b"welc", _)) => Payload::Welcome,
            Some((b"join", _)) => Payload::Joined,
            Some((b"erro", _)) => Payload::Error,
            _ => Payload::Other,
        }
    }

    fn acknowledged<'a>(&self, frame: &'a [u8]) -> Option<&'a Key> {
        let start = self.before_id.find(frame)? + BEFORE_ID.len();
        frame.get(start..start + ID)?.last_chunk()
    }

    /// Calls `receive` with each text of a frame.
    #[inline]
    pub fn each<'a>(&self, frame: &'a [u8], receive: impl FnMut(&'a [u8])) {
        match self.mode {
            Mode::Lines => self.each_line(frame, receive),
            Mode::V1 => self.each_event(frame, receive),
        }
    }

    fn each_line<'a>(&self, mut rest: &'a [u8], mut receive: impl FnMut(&'a [u8])) {
        loop {
            // Most texts have the expected length; others are scanned.
            let end = match rest.get(self.bytes) {
                Some(b'\n') => self.bytes,
                _ => memchr(b'\n', rest).unwrap_or(rest.len()),
            };
            receive(&rest[..end]);
            match rest.get(end + 1..) {
                Some(after) => rest = after,
                None => return,
            }
        }
    }

    fn each_event<'a>(&self, mut rest: &'a [u8], mut receive: impl FnMut(&'a [u8])) {
        while let Some(found) = self.before_text.find(rest) {
            rest = &rest[found + BEFORE_TEXT.len()..];
            let end = match rest.get(self.bytes) {
                Some(b'"') => self.bytes,
                _ => memchr(b'"', rest).unwrap_or(rest.len()),
            };
            receive(&rest[..end]);
            rest = &rest[end..];
        }
    }
}

/// A post as a frame that is built once; only the number changes.
pub struct PostFrame {
    frame: Vec<u8>,
    /// Offsets of the number: in the text, and at the end of the id.
    numbers: Vec<usize>,
}

impl PostFrame {
    /// Builds a post whose text ends with `padding`.
    pub fn new(mode: Mode, room: &str, padding: &[u8]) -> Self {
        let padding = String::from_utf8_lossy(padding);
        let number = "#".repeat(NUMBER);
        let body = match mode {
            Mode::Lines => format!("{number}{padding}"),
            Mode::V1 => {
                let id = id(&number);
                format!(r#"{{"type":"post","id":"{id}","room":"{room}","text":"{number}{padding}"}}"#)
            }
        };
        let frame = masked(TEXT, body.as_bytes());
        let numbers = memchr::memmem::find_iter(&frame, &number).collect();
        Self { frame, numbers }
    }

    /// Returns the frame with this number.
    pub fn numbered(&mut self, number: u32) -> &[u8] {
        for start in &self.numbers {
            self.frame[*start..start + NUMBER].copy_from_slice(&key(number));
        }
        &self.frame
    }
}

/// Returns a UUID of version 7 that ends with a message's number. Its time is the start: ids of one run
/// increase with the number, and those of different runs differ at random.
fn id(number: &str) -> String {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let (a, b) = ((millis >> 16) & 0xffff_ffff, millis & 0xffff);
    let (c, d, e) = (fastrand::u16(..) & 0xfff, fastrand::u16(..) & 0xfff, fastrand::u16(..));
    format!("{a:08x}-{b:04x}-7{c:03x}-8{d:03x}-{e:04x}{number}")
}

/// Builds the frame that joins a room.
pub fn join_frame(room: &str) -> Vec<u8> {
    masked(TEXT, format!(r#"{{"type":"join","room":"{room}","limit":1}}"#).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(mode: Mode, frame: &str) -> Vec<String> {
        let mut found = Vec::new();
        PayloadReader::new(mode, 4)
            .each(frame.as_bytes(), |text| found.push(String::from_utf8_lossy(text).into_owned()));
        found
    }

    #[test]
    fn a_frame_may_hold_several_lines() {
        assert_eq!(texts(Mode::Lines, "abcd"), ["abcd"]);
        assert_eq!(texts(Mode::Lines, "abcd\nefgh\nij\nklmno"), ["abcd", "efgh", "ij", "klmno"]);
    }

    #[test]
    fn a_frame_may_hold_several_events() {
        let frame = r#"{"type":"events","room":"x","events":[{"seq":1,"text":"abcd"},{"text":"ef"}]}"#;
        assert_eq!(texts(Mode::V1, frame), ["abcd", "ef"]);
        assert_eq!(PayloadReader::new(Mode::V1, 4).read(frame.as_bytes()), Payload::Messages);
    }

    #[test]
    fn a_post_carries_its_number_in_text_and_id() {
        let mut frame = PostFrame::new(Mode::V1, "lobby", b"!");
        let text = String::from_utf8_lossy(frame.numbered(0xbeef)).into_owned();
        assert!(text.ends_with(r#"0000beef","room":"lobby","text":"0000beef!"}"#), "{text}");
        assert_eq!(PostFrame::new(Mode::Lines, "lobby", b"!").numbered(1), b"\x81\x89\0\0\0\x0000000001!");
    }

    #[test]
    fn an_acknowledgement_names_the_number() {
        let ack = br#"{"type":"ack","id":"01890a5d-ac96-7774-8cce-b3020000beef","room":"x","seq":1}"#;
        assert_eq!(PayloadReader::new(Mode::V1, 4).read(ack), Payload::Ack(b"0000beef"));
    }
}
