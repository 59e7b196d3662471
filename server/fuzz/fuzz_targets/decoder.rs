//! Feeds arbitrary bytes to the decoder. It never panics or exceeds its size limit, and its messages do not depend on
//! where the network cuts.
//!
//! Run `make fuzz`, or `cargo fuzz run decoder` with cargo-fuzz and a nightly compiler.

#![no_main]

#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/websocket/mod.rs"]
mod websocket;

use libfuzzer_sys::fuzz_target;
use websocket::{Decoder, Message, ProtocolError};

/// Bytes of one message, at most.
const MAX_BYTES: usize = 1_000;

fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Message>, Option<ProtocolError>) {
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

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
        Message::Pong | Message::Close(_) => 0,
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else { return };
    let whole = decoded([bytes].into_iter());
    let cut = decoded(bytes.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, cut);
    assert!(whole.0.iter().all(|message| length(message) <= MAX_BYTES));
});
