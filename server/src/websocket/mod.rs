//! RFC 6455 as far as a server needs it, without extensions: bytes in, bytes out, no socket.
//!
//! A broadcast is encoded once, as a whole frame, and the same bytes are written to every socket. No crate's socket
//! accepts a frame that is already encoded, so the codec is our own.
//!
//! - [`decoder`]: turns the bytes of a client into messages, or into a protocol error.
//! - [`frame`]: the frames that the server sends.
//! - [`close`]: close frames and their codes.
//! - [`accept`]: the answer to the client's key in the handshake.

pub mod close;
pub mod decoder;
pub mod frame;
mod mask;

pub use close::CloseFrame;
pub use decoder::{Decoder, Message, ProtocolError};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

/// The value that every server appends to the key (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Returns the `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455, section 4.2.2).
pub fn accept(key: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The type of a frame (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

impl Opcode {
    /// Returns the opcode in the first byte of a frame, or `None` if it is reserved.
    fn from_first_byte(byte: u8) -> Option<Self> {
        match byte & 0x0f {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The bit of the first byte that marks a message's last frame.
const FIN: u8 = 0x80;

/// The bit of the second byte that every frame of a client sets.
const MASKED: u8 = 0x80;

/// Payload bytes of a control frame, at most (RFC 6455, section 5.5).
const MAX_CONTROL_PAYLOAD_BYTES: usize = 125;

#[cfg(test)]
mod tests {
    #[test]
    fn accepts_the_key_of_the_rfc() {
        assert_eq!(super::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
