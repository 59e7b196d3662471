//! Any bytes, cut anywhere: the decoder never panics, never gives more than it may, and what comes out does
//! not depend on where the network cuts.
//!
//! `make fuzz`, or `cargo fuzz run decoder` where cargo-fuzz and a nightly compiler are.

#![no_main]

#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/websocket/mod.rs"]
mod websocket;

use libfuzzer_sys::fuzz_target;
use websocket::{Decoder, Message, Violation};

/// Bytes that a message may have here.
const MOST: usize = 1_000;

fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Message>, Option<Violation>) {
    let (mut decoder, mut messages) = (Decoder::new(MOST), Vec::new());
    for mut piece in pieces {
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(piece.is_empty(), "everything is taken");
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
    assert!(whole.0.iter().all(|message| length(message) <= MOST));
});
