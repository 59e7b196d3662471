//! RFC 6455 as far as a server needs it, without extensions: bytes in, bytes out, no socket.
//!
//! Our own, since what is told to a room is encoded once, as a whole frame, and those very bytes are
//! written to every socket; no crate's socket takes a frame that somebody else has encoded.
//!
//! - [`decoder`]: messages out of what a client sends, or what is wrong with it.
//! - [`frame`]: what the server sends.
//! - [`close`]: codes and reasons of a goodbye.
//! - [`accept`]: the answer to a key in the handshake.

pub mod close;
pub mod decoder;
pub mod frame;
mod mask;

pub use close::Goodbye;
pub use decoder::{Decoder, Message, Violation};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

/// What every server appends to a key (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455, section 4.2.2).
pub fn accept(key: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// What a frame is (RFC 6455, section 5.2).
mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}

/// Set in the first byte of a message's last frame.
const FIN: u8 = 0x80;

/// Set in the second byte of every frame from a client.
const MASKED: u8 = 0x80;

/// The most that a control frame may carry (RFC 6455, section 5.5).
const CONTROL_MOST: usize = 125;

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_of_the_rfc_gets_the_answer_of_the_rfc() {
        assert_eq!(super::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
