//! The frames of RFC 6455, as far as a client needs them that sends small ones and receives whole ones.

/// Goes on with the message that the frame before has begun.
pub const CONTINUATION: u8 = 0;
/// A message of text, or its beginning.
pub const TEXT: u8 = 1;
/// The other end says goodbye.
pub const CLOSE: u8 = 8;
/// The other end asks whether this one is there.
pub const PING: u8 = 9;
/// The answer to that.
pub const PONG: u8 = 10;

/// The bit of a message's last frame.
const FINAL: u8 = 0x80;
/// The bit of a frame that is masked, as every one of a client is.
const MASKED: u8 = 0x80;

/// A frame in the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// [`CONTINUATION`], [`TEXT`], [`CLOSE`], [`PING`] or [`PONG`], or something that nobody asked for.
    pub opcode: u8,
    /// Whether it is the last of its message.
    pub last: bool,
    /// What it carries.
    pub payload: &'a [u8],
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A frame, and what comes after it.
    Frame(Frame<'a>, &'a [u8]),
    /// Not the whole of it yet.
    More,
    /// Nothing that a server sends: masked.
    Wrong,
}

/// Takes the first frame.
#[inline]
pub fn first(bytes: &[u8]) -> Found<'_> {
    let &[start, length, ref rest @ ..] = bytes else { return Found::More };
    if length & MASKED != 0 {
        return Found::Wrong;
    }
    let (length, rest) = match length {
        126 => match rest.split_first_chunk() {
            Some((long, rest)) => (usize::from(u16::from_be_bytes(*long)), rest),
            None => return Found::More,
        },
        127 => match rest.split_first_chunk() {
            Some((long, rest)) => (u64::from_be_bytes(*long) as usize, rest),
            None => return Found::More,
        },
        short => (usize::from(short), rest),
    };
    match rest.split_at_checked(length) {
        Some((payload, rest)) => {
            Found::Frame(Frame { opcode: start & 15, last: start & FINAL != 0, payload }, rest)
        }
        None => Found::More,
    }
}

/// A client's frame. The key of its mask is zero, so that its payload stands in it as it is.
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
        let Found::Frame(frame, rest) = first(b"\x81\x02hi\x89\x00") else { panic!("a frame") };
        assert_eq!(frame, Frame { opcode: TEXT, last: true, payload: b"hi" });
        assert_eq!(first(rest), Found::Frame(Frame { opcode: PING, last: true, payload: b"" }, b""));
    }

    #[test]
    fn a_frame_in_parts_waits_for_its_end() {
        let long = [&[0x81, 126, 1, 0][..], &[b'a'; 256]].concat();
        for end in 0..long.len() {
            assert_eq!(first(&long[..end]), Found::More, "{end} bytes");
        }
        assert!(matches!(first(&long), Found::Frame(Frame { payload, .. }, b"") if payload.len() == 256));
        let longest = [&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'a'; 65_536]].concat();
        assert_eq!(first(&longest[..9]), Found::More);
        assert!(
            matches!(first(&longest), Found::Frame(Frame { payload, .. }, b"") if payload.len() == 65_536)
        );
    }

    #[test]
    fn a_message_may_come_in_parts() {
        let Found::Frame(frame, rest) = first(b"\x01\x02hi\x80\x01!") else { panic!("a frame") };
        assert_eq!(frame, Frame { opcode: TEXT, last: false, payload: b"hi" });
        let end = Frame { opcode: CONTINUATION, last: true, payload: b"!" };
        assert_eq!(first(rest), Found::Frame(end, b""));
    }

    #[test]
    fn a_masked_frame_is_wrong() {
        assert_eq!(first(b"\x81\x82\0\0\0\0hi"), Found::Wrong);
    }

    #[test]
    fn a_client_s_frame_is_masked_with_zero() {
        assert_eq!(masked(TEXT, b"hi"), b"\x81\x82\0\0\0\0hi");
        assert_eq!(masked(TEXT, &[b'a'; 200])[..4], [0x81, 0xfe, 0, 200]);
    }
}
