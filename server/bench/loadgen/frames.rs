//! Frames of RFC 6455 for a client that sends small messages.

/// A continuation frame.
pub const CONTINUATION: u8 = 0;
/// A text frame.
pub const TEXT: u8 = 1;
/// A close frame.
pub const CLOSE: u8 = 8;
/// A ping frame.
pub const PING: u8 = 9;
/// A pong frame.
pub const PONG: u8 = 10;

/// The FIN bit.
const FINAL: u8 = 0x80;
/// The mask bit, set in every frame of a client.
const MASKED: u8 = 0x80;

/// A frame in a read buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// [`CONTINUATION`], [`TEXT`], [`CLOSE`], [`PING`] or [`PONG`], or an unexpected one.
    pub opcode: u8,
    /// The FIN bit is set.
    pub last: bool,
    /// Its payload.
    pub payload: &'a [u8],
}

/// The result of parsing the beginning of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum ParsedFrame<'a> {
    /// A frame, and the bytes after it.
    Frame(Frame<'a>, &'a [u8]),
    /// The frame is incomplete.
    More,
    /// The frame is masked, which a server must not do.
    Wrong,
}

/// Parses the first frame.
#[inline]
pub fn first(bytes: &[u8]) -> ParsedFrame<'_> {
    let &[start, length, ref rest @ ..] = bytes else { return ParsedFrame::More };
    if length & MASKED != 0 {
        return ParsedFrame::Wrong;
    }
    let (length, rest) = match length {
        126 => match rest.split_first_chunk() {
            Some((long, rest)) => (usize::from(u16::from_be_bytes(*long)), rest),
            None => return ParsedFrame::More,
        },
        127 => match rest.split_first_chunk() {
            Some((long, rest)) => (u64::from_be_bytes(*long) as usize, rest),
            None => return ParsedFrame::More,
        },
        short => (usize::from(short), rest),
    };
    match rest.split_at_checked(length) {
        Some((payload, rest)) => {
            ParsedFrame::Frame(Frame { opcode: start & 15, last: start & FINAL != 0, payload }, rest)
        }
        None => ParsedFrame::More,
    }
}

/// Builds a client's frame. Its masking key is zero, so the payload needs no masking.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![FINAL | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        long => {
            frame.push(MASKED | 126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_each_other() {
        let ParsedFrame::Frame(frame, rest) = first(b"\x81\x02hi\x89\x00") else { panic!("a frame") };
        assert_eq!(frame, Frame { opcode: TEXT, last: true, payload: b"hi" });
        assert_eq!(first(rest), ParsedFrame::Frame(Frame { opcode: PING, last: true, payload: b"" }, b""));
    }

    #[test]
    fn a_frame_in_parts_waits_for_its_end() {
        let long = [&[0x81, 126, 1, 0][..], &[b'a'; 256]].concat();
        for end in 0..long.len() {
            assert_eq!(first(&long[..end]), ParsedFrame::More, "{end} bytes");
        }
        assert!(
            matches!(first(&long), ParsedFrame::Frame(Frame { payload, .. }, b"") if payload.len() == 256)
        );
        let longest = [&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'a'; 65_536]].concat();
        assert_eq!(first(&longest[..9]), ParsedFrame::More);
        assert!(
            matches!(first(&longest), ParsedFrame::Frame(Frame { payload, .. }, b"") if payload.len() == 65_536)
        );
    }

    #[test]
    fn a_message_may_come_in_parts() {
        let ParsedFrame::Frame(frame, rest) = first(b"\x01\x02hi\x80\x01!") else { panic!("a frame") };
        assert_eq!(frame, Frame { opcode: TEXT, last: false, payload: b"hi" });
        let end = Frame { opcode: CONTINUATION, last: true, payload: b"!" };
        assert_eq!(first(rest), ParsedFrame::Frame(end, b""));
    }

    #[test]
    fn a_masked_frame_is_wrong() {
        assert_eq!(first(b"\x81\x82\0\0\0\0hi"), ParsedFrame::Wrong);
    }

    #[test]
    fn a_client_s_frame_is_masked_with_zero() {
        assert_eq!(masked(TEXT, b"hi"), b"\x81\x82\0\0\0\0hi");
        assert_eq!(masked(TEXT, &[b'a'; 200])[..4], [0x81, 0xfe, 0, 200]);
    }
}
