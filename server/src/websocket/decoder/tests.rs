//! Tests of the rules of RFC 6455 that the decoder enforces, and of arbitrary bytes.

use super::*;
use proptest::prelude::*;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const MAX_BYTES: usize = 1_000;

/// Returns a frame of a client that begins with the byte `first`.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(MASKED | short as u8),
        medium => {
            frame.push(MASKED | 126);
            frame.extend((medium as u16).to_be_bytes());
        }
    }
    frame.extend(KEY);
    let from = frame.len();
    frame.extend(payload);
    mask::apply(&mut frame[from..], KEY, 0);
    frame
}

/// Decodes `pieces` one by one.
fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Message>, Option<ProtocolError>) {
    let (mut decoder, mut messages) = (Decoder::new(MAX_BYTES), Vec::new());
    for mut piece in pieces {
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(piece.is_empty(), "all input is consumed");
    }
    (messages, None)
}

fn messages(frames: &[Vec<u8>]) -> Vec<Message> {
    let (messages, error) = decoded(frames.iter().map(Vec::as_slice));
    assert_eq!(error, None);
    messages
}

#[track_caller]
fn close_code(frames: &[Vec<u8>]) -> u16 {
    decoded(frames.iter().map(Vec::as_slice)).1.expect("the decoder fails").code_and_reason().0
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

#[test]
fn one_frame_is_one_message() {
    assert_eq!(messages(&[frame(0x81, b"Hello")]), [text("Hello")]);
    assert_eq!(messages(&[frame(0x82, &[0, 255])]), [Message::Binary(vec![0, 255])]);
    assert_eq!(messages(&[frame(0x81, b"")]), [text("")]);
}

#[test]
fn lengths_of_two_and_eight_bytes_are_read() {
    let medium = "x".repeat(300);
    assert_eq!(messages(&[frame(0x81, medium.as_bytes())]), [text(&medium)]);
    let mut long = vec![0x81, MASKED | 127, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0];
    long.extend(b"hi");
    assert_eq!(messages(&[long]), [text("hi")]);
}

#[test]
fn fragments_become_one_message_around_control_frames() {
    let frames = [
        frame(0x01, b"Hel"),
        frame(0x89, b"tick"),
        frame(0x00, b""),
        frame(0x8a, b""),
        frame(0x80, b"lo"),
        frame(0x81, b"next"),
    ];
    let expected = [Message::Ping(b"tick".to_vec()), Message::Pong, text("Hello"), text("next")];
    assert_eq!(messages(&frames), expected);
}

#[test]
fn a_character_may_be_cut_between_two_fragments() {
    let euro = "€".as_bytes();
    assert_eq!(messages(&[frame(0x01, &euro[..1]), frame(0x80, &euro[1..])]), [text("€")]);
}

#[test]
fn invalid_utf8_is_rejected_before_the_message_is_complete() {
    assert_eq!(close_code(&[frame(0x01, b"ok \xff")]), 1007);
    let whole = frame(0x81, b"a\xff and a long rest");
    assert_eq!(close_code(&[whole[..8].to_vec()]), 1007, "within a frame too");
}

#[test]
fn text_that_ends_within_a_character_is_rejected() {
    assert_eq!(close_code(&[frame(0x81, &"€".as_bytes()[..2])]), 1007);
    assert_eq!(close_code(&[frame(0x01, &"€".as_bytes()[..2]), frame(0x80, b"")]), 1007);
    assert_eq!(close_code(&[frame(0x81, &[0xed, 0xa0, 0x80])]), 1007, "a lone surrogate");
}

#[test]
fn unmasked_frames_are_rejected() {
    assert_eq!(close_code(&[vec![0x81, 2, b'h', b'i']]), 1002);
}

#[test]
fn reserved_bits_and_opcodes_are_rejected() {
    for first in [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x8f] {
        assert_eq!(close_code(&[frame(first, b"")]), 1002, "{first:#x}");
    }
}

#[test]
fn control_frames_are_short_and_unfragmented() {
    assert_eq!(messages(&[frame(0x89, &[b'x'; 125])]), [Message::Ping(vec![b'x'; 125])]);
    for control in [0x88, 0x89, 0x8a] {
        assert_eq!(close_code(&[frame(control, &[b'x'; 126])]), 1002);
        assert_eq!(close_code(&[frame(control & !FIN, b"")]), 1002);
    }
}

#[test]
fn fragments_are_rejected_out_of_order() {
    assert_eq!(close_code(&[frame(0x80, b"what?")]), 1002, "nothing to continue");
    assert_eq!(close_code(&[frame(0x01, b"one"), frame(0x81, b"two")]), 1002);
    assert_eq!(close_code(&[frame(0x01, b"one"), frame(0x82, b"two")]), 1002);
    assert_eq!(
        close_code(&[frame(0x81, b"one"), frame(0x80, b"two")]),
        1002,
        "the first message was complete"
    );
}

#[test]
fn the_size_limit_holds_however_a_message_is_fragmented() {
    assert_eq!(messages(&[frame(0x82, &[0; MAX_BYTES])]).len(), 1);
    assert_eq!(close_code(&[frame(0x82, &[0; MAX_BYTES + 1])]), 1009);
    assert_eq!(close_code(&[frame(0x02, &[0; MAX_BYTES]), frame(0x80, &[0])]), 1009);
    let claims = [vec![0x82, MASKED | 127, 0x7f], vec![0xff; 7], vec![0; 4]].concat();
    assert_eq!(close_code(&[claims]), 1009, "its header is enough");
}

#[test]
fn lengths_with_the_highest_bit_set_are_rejected() {
    let claims = [vec![0x82, MASKED | 127, 0x80], vec![0; 7], vec![0; 4]].concat();
    assert_eq!(close_code(&[claims]), 1002);
}

#[test]
fn close_frames_are_empty_or_have_a_code_and_a_reason() {
    assert_eq!(messages(&[frame(0x88, b"")]), [Message::Close(None)]);
    let close = CloseFrame { code: 1000, reason: "bye".into() };
    assert_eq!(messages(&[frame(0x88, b"\x03\xe8bye")]), [Message::Close(Some(close))]);
    assert_eq!(close_code(&[frame(0x88, b"\x03")]), 1002, "half a code");
    assert_eq!(close_code(&[frame(0x88, b"\x03\xe7")]), 1002, "999");
    assert_eq!(close_code(&[frame(0x88, b"\x03\xe8\xff")]), 1007, "a reason is UTF-8");
}

#[test]
fn an_idle_decoder_holds_no_memory() {
    let mut decoder = Decoder::new(MAX_BYTES);
    let sent = [frame(0x01, b"Hel"), frame(0x89, b"tick"), frame(0x80, b"lo")].concat();
    let mut input = sent.as_slice();
    while decoder.decode(&mut input).expect("the frames are valid").is_some() {}
    assert!(decoder.message.is_none() && decoder.frame.is_none() && decoder.control.capacity() == 0);
}

/// Generates frames of well- and ill-behaved clients, and random bytes.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        3 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    let frames = prop::collection::vec((first, payload), 0..12)
        .prop_map(|frames| frames.iter().flat_map(|(first, payload)| frame(*first, payload)).collect());
    prop_oneof![4 => frames, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #[test]
    fn messages_do_not_depend_on_where_the_network_cuts(bytes in stream(), size in 1..20_usize) {
        let whole = decoded([bytes.as_slice()]);
        let (cut, error) = decoded(bytes.chunks(size));
        prop_assert_eq!(&whole.0, &cut);
        prop_assert_eq!(whole.1, error);
    }

    #[test]
    fn messages_never_exceed_the_size_limit(bytes in stream()) {
        for message in decoded([bytes.as_slice()]).0 {
            let length = match message {
                Message::Text(text) => text.len(),
                Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
                Message::Pong | Message::Close(_) => 0,
            };
            prop_assert!(length <= MAX_BYTES);
        }
    }
}
