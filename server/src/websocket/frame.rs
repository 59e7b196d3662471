//! What the server sends: whole messages, each in one frame, never masked (RFC 6455, section 5.1).

use super::{CONTROL_MOST, FIN, opcode};
use bytes::Bytes;

/// The longest header that a server writes.
const HEADER_MOST: usize = 10;

/// Lengths that need no more than the second byte, and those that need two more (section 5.2).
const SHORT_MOST: usize = 125;
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;

/// A text message.
pub fn text(text: &str) -> Bytes {
    whole(opcode::TEXT, text.as_bytes())
}

/// The text in a frame that [`text`] has made.
pub fn payload(frame: &[u8]) -> &str {
    let header = match frame.get(1) {
        Some(&TWO_BYTES) => 4,
        Some(&EIGHT_BYTES) => HEADER_MOST,
        _ => 2,
    };
    frame.get(header..).and_then(|payload| str::from_utf8(payload).ok()).unwrap_or_default()
}

/// A binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    whole(opcode::BINARY, payload)
}

/// A ping with nothing in it.
pub fn ping() -> Bytes {
    Bytes::from_static(&[FIN | opcode::PING, 0])
}

/// The answer to a ping that carried `payload`, at most 125 bytes.
pub fn pong(payload: &[u8]) -> Bytes {
    whole(opcode::PONG, payload)
}

/// A goodbye. What does not fit of the reason is cut, between two characters.
pub fn close(code: u16, reason: &str) -> Bytes {
    let fits = reason.floor_char_boundary(CONTROL_MOST - 2);
    whole(opcode::CLOSE, &[&code.to_be_bytes(), &reason.as_bytes()[..fits]].concat())
}

/// A goodbye that says nothing.
pub fn close_without_words() -> Bytes {
    Bytes::from_static(&[FIN | opcode::CLOSE, 0])
}

fn whole(opcode: u8, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(HEADER_MOST + payload.len());
    frame.push(FIN | opcode);
    match payload.len() {
        short @ 0..=SHORT_MOST => frame.push(short as u8),
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
    fn a_length_is_written_in_as_few_bytes_as_it_needs() {
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
    fn a_goodbye_starts_with_its_code_and_stays_a_control_frame() {
        assert_eq!(close(1000, "bye")[..], [0x88, 5, 0x03, 0xe8, b'b', b'y', b'e']);
        let long = close(1000, &"é".repeat(100));
        assert_eq!(long[1] as usize, 2 + 122, "123 bytes would cut a character");
        assert!(std::str::from_utf8(&long[4..]).is_ok());
        assert_eq!(close_without_words()[..], [0x88, 0]);
    }

    #[test]
    fn a_pong_says_what_the_ping_said() {
        assert_eq!(pong(b"tick")[..], [0x8a, 4, b't', b'i', b'c', b'k']);
        assert_eq!(ping()[..], [0x89, 0]);
        assert_eq!(binary(&[0])[..], [0x82, 1, 0]);
    }
}
