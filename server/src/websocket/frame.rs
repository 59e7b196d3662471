//! Frames that the server sends: each message in one frame, never masked (RFC 6455, section 5.1).

use super::{FIN, MAX_CONTROL_PAYLOAD_BYTES, Opcode};
use bytes::Bytes;

/// Bytes of the longest header that a server writes.
const MAX_HEADER_BYTES: usize = 10;

/// The longest payload whose length fits into the second byte (section 5.2).
const MAX_SHORT_LENGTH: usize = 125;

/// The length follows in two bytes.
const TWO_BYTES: u8 = 126;

/// The length follows in eight bytes.
const EIGHT_BYTES: u8 = 127;

/// Returns a text message.
pub fn text(text: &str) -> Bytes {
    single_frame(Opcode::Text, text.as_bytes())
}

/// Returns the text in a frame that [`text`] returned.
pub fn payload(frame: &[u8]) -> &str {
    let header = match frame.get(1) {
        Some(&TWO_BYTES) => 4,
        Some(&EIGHT_BYTES) => MAX_HEADER_BYTES,
        _ => 2,
    };
    frame.get(header..).and_then(|payload| str::from_utf8(payload).ok()).unwrap_or_default()
}

/// Returns a binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    single_frame(Opcode::Binary, payload)
}

/// Returns a ping without a payload.
pub fn ping() -> Bytes {
    Bytes::from_static(&[FIN | Opcode::Ping as u8, 0])
}

/// Returns the answer to a ping that carried `payload`, of at most 125 bytes.
pub fn pong(payload: &[u8]) -> Bytes {
    single_frame(Opcode::Pong, payload)
}

/// Returns a close frame. A reason that does not fit is cut between two characters.
pub fn close(code: u16, reason: &str) -> Bytes {
    let fits = reason.floor_char_boundary(MAX_CONTROL_PAYLOAD_BYTES - 2);
    single_frame(Opcode::Close, &[&code.to_be_bytes(), &reason.as_bytes()[..fits]].concat())
}

/// Returns a close frame without code and reason.
pub fn empty_close() -> Bytes {
    Bytes::from_static(&[FIN | Opcode::Close as u8, 0])
}

fn single_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(MAX_HEADER_BYTES + payload.len());
    frame.push(FIN | opcode as u8);
    match payload.len() {
        short @ 0..=MAX_SHORT_LENGTH => frame.push(short as u8),
        medium @ 0..=0xffff => {
            frame.push(TWO_BYTES);
            frame.extend((medium as u16).to_be_bytes());
        }
        long => {
            frame.push(EIGHT_BYTES);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_use_the_shortest_encoding() {
        for (length, header) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = text(&"x".repeat(length));
            assert_eq!(frame[..header.len()], header, "{length}");
            assert_eq!(frame.len(), header.len() + length);
            assert_eq!(payload(&frame).len(), length);
        }
    }

    #[test]
    fn close_frames_start_with_the_code_and_stay_control_frames() {
        assert_eq!(close(1000, "bye")[..], [0x88, 5, 0x03, 0xe8, b'b', b'y', b'e']);
        let long = close(1000, &"é".repeat(100));
        assert_eq!(long[1] as usize, 2 + 122, "123 bytes would cut a character");
        assert!(std::str::from_utf8(&long[4..]).is_ok());
        assert_eq!(empty_close()[..], [0x88, 0]);
    }

    #[test]
    fn pongs_carry_the_payload_of_the_ping() {
        assert_eq!(pong(b"tick")[..], [0x8a, 4, b't', b'i', b'c', b'k']);
        assert_eq!(ping()[..], [0x89, 0]);
        assert_eq!(binary(&[0])[..], [0x82, 1, 0]);
    }
}
