//! The incremental decoder: turns the bytes of a client into messages, wherever the network cuts them.

use super::{
    CloseFrame, FIN, MASKED, MAX_CONTROL_PAYLOAD_BYTES, Opcode,
    close::{self, is_valid_code},
    mask,
};
use std::mem;

/// Bytes of the longest header that a client writes: two, eight of length, four of mask.
const MAX_HEADER_BYTES: usize = 14;

/// Bits that an extension would define (RFC 6455, section 5.2). The server negotiates no extension.
const RESERVED_BITS: u8 = 0x70;

/// Bytes that are reserved for one frame, whatever length its header claims.
const MAX_RESERVED_BYTES: usize = 8 * 1_024;

/// A message or control frame of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A complete text message.
    Text(String),
    /// A complete binary message.
    Binary(Vec<u8>),
    /// A ping; the server answers with a pong that carries the same payload.
    Ping(Vec<u8>),
    /// A pong, which only counts as activity.
    Pong,
    /// CloseFrame; nothing comes after it.
    Close(Option<CloseFrame>),
}

/// The reason why the server stops reading from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolError {
    /// The client broke this rule of the protocol.
    Violation(&'static str),
    /// A text message is not UTF-8.
    NotUtf8,
    /// A message is larger than the limit.
    TooBig,
}

impl ProtocolError {
    /// Returns the close code (RFC 6455, section 7.4.1) and the reason for people.
    pub fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Violation(rule) => (close::PROTOCOL_ERROR, rule),
            Self::NotUtf8 => (close::INVALID_PAYLOAD, "text must be UTF-8"),
            Self::TooBig => (close::MESSAGE_TOO_BIG, "the message is too large"),
        }
    }
}

/// Decodes bytes into messages. Between two messages it allocates nothing.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes of one message, at most.
    max_bytes: usize,
    header: Header,
    frame: Option<Frame>,
    /// The message whose frames are being collected.
    message: Option<Fragments>,
    /// The payload of the current control frame.
    control: Vec<u8>,
}

/// The part of a frame's header that was received so far.
#[derive(Debug, Default)]
struct Header {
    bytes: [u8; MAX_HEADER_BYTES],
    len: usize,
}

/// A frame whose header is complete.
#[derive(Debug)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    key: [u8; 4],
    length: usize,
    /// Bytes of its payload that were received.
    received: usize,
}

/// The part of a message that was received so far, from one or more frames.
#[derive(Debug)]
struct Fragments {
    is_text: bool,
    payload: Vec<u8>,
    /// The length of the prefix that is known to be UTF-8.
    checked: usize,
}

impl Decoder {
    /// Creates a decoder for messages of at most `max_bytes` bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, header: Header::default(), frame: None, message: None, control: Vec::new() }
    }

    /// Consumes bytes from the front of `input` until a message is complete or `input` is empty.
    ///
    /// # Errors
    /// [`ProtocolError`]; the decoder must not be used afterwards.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ProtocolError> {
        loop {
            if self.frame.is_none() {
                let Some(frame) = self.header.read(input)? else { return Ok(None) };
                self.validate(&frame)?;
                self.frame = Some(frame);
            }
            if !self.read_payload(input)? {
                return Ok(None);
            }
            if let Some(message) = self.finish_frame()? {
                return Ok(Some(message));
            }
        }
    }

    /// Checks that the frame may follow the previous one (sections 5.4 and 5.5).
    fn validate(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        match (frame.opcode, &self.message) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) if !frame.fin => {
                Err(ProtocolError::Violation("a control frame is fragmented"))
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) if frame.length > MAX_CONTROL_PAYLOAD_BYTES => {
                Err(ProtocolError::Violation("a control frame is too long"))
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => Ok(()),
            (Opcode::Continuation, None) => Err(ProtocolError::Violation("there is no message to continue")),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                Err(ProtocolError::Violation("a message starts within another"))
            }
            (Opcode::Text | Opcode::Binary | Opcode::Continuation, _) => self.validate_data(frame),
        }
    }

    fn validate_data(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        let is_text = frame.opcode == Opcode::Text;
        let message = self.message.get_or_insert(Fragments { is_text, payload: Vec::new(), checked: 0 });
        if frame.length > self.max_bytes.saturating_sub(message.payload.len()) {
            return Err(ProtocolError::TooBig);
        }
        message.payload.reserve(frame.length.min(MAX_RESERVED_BYTES));
        Ok(())
    }

    /// Reads the payload. Returns `true` if the frame is complete.
    fn read_payload(&mut self, input: &mut &[u8]) -> Result<bool, ProtocolError> {
        let Some(frame) = &mut self.frame else { return Ok(false) };
        let (now, later) = input.split_at(input.len().min(frame.length - frame.received));
        *input = later;
        let payload = match &mut self.message {
            Some(message) if !frame.is_control() => &mut message.payload,
            _ => &mut self.control,
        };
        let from = payload.len();
        payload.extend_from_slice(now);
        mask::apply(&mut payload[from..], frame.key, frame.received);
        frame.received += now.len();
        let is_complete = frame.received == frame.length;
        // A complete message is checked as a whole; an incomplete one fails at its first invalid byte.
        if let Some(message) = &mut self.message
            && !(is_complete && frame.fin)
        {
            message.check()?;
        }
        Ok(is_complete)
    }

    fn finish_frame(&mut self) -> Result<Option<Message>, ProtocolError> {
        let Some(frame) = self.frame.take() else { return Ok(None) };
        if frame.is_control() {
            return control(frame.opcode, mem::take(&mut self.control)).map(Some);
        }
        if !frame.fin {
            return Ok(None);
        }
        self.message.take().map(Fragments::into_message).transpose()
    }
}

impl Header {
    /// Returns the frame once its header is complete (section 5.2).
    fn read(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, ProtocolError> {
        while self.len < self.bytes_needed() {
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            self.bytes[self.len] = *byte;
            self.len += 1;
            *input = rest;
            if self.len == 2 {
                self.check()?;
            }
        }
        let frame = self.frame();
        self.len = 0;
        frame.map(Some)
    }

    fn bytes_needed(&self) -> usize {
        match (self.len, self.bytes[1] & !MASKED) {
            (0 | 1, _) => 2,
            (_, 127) => 14,
            (_, 126) => 8,
            _ => 6,
        }
    }

    fn check(&self) -> Result<(), ProtocolError> {
        if self.bytes[0] & RESERVED_BITS != 0 {
            return Err(ProtocolError::Violation("a reserved bit is set"));
        }
        if self.bytes[1] & MASKED == 0 {
            return Err(ProtocolError::Violation("a frame is not masked"));
        }
        Ok(())
    }

    fn frame(&self) -> Result<Frame, ProtocolError> {
        let (length, key) = match self.bytes {
            [_, second, a, b, c, d, e, f, g, h, key @ ..] if second & !MASKED == 127 => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), key)
            }
            [_, second, a, b, k, l, m, n, ..] if second & !MASKED == 126 => {
                (u64::from(u16::from_be_bytes([a, b])), [k, l, m, n])
            }
            [_, second, k, l, m, n, ..] => (u64::from(second & !MASKED), [k, l, m, n]),
        };
        if length >> 63 != 0 {
            return Err(ProtocolError::Violation("a length's highest bit is set"));
        }
        let length = usize::try_from(length).map_err(|_| ProtocolError::TooBig)?;
        let fin = self.bytes[0] & FIN != 0;
        let opcode = Opcode::from_first_byte(self.bytes[0])
            .ok_or(ProtocolError::Violation("an opcode is reserved"))?;
        Ok(Frame { opcode, fin, key, length, received: 0 })
    }
}

impl Frame {
    fn is_control(&self) -> bool {
        self.opcode.is_control()
    }
}

impl Fragments {
    /// Checks that the payload can still become UTF-8. Its last character may be incomplete.
    fn check(&mut self) -> Result<(), ProtocolError> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(cut) if cut.error_len().is_none() => self.checked += cut.valid_up_to(),
            Err(_) => return Err(ProtocolError::NotUtf8),
        }
        Ok(())
    }

    fn into_message(self) -> Result<Message, ProtocolError> {
        if !self.is_text {
            return Ok(Message::Binary(self.payload));
        }
        String::from_utf8(self.payload).map(Message::Text).map_err(|_| ProtocolError::NotUtf8)
    }
}

fn control(opcode: Opcode, payload: Vec<u8>) -> Result<Message, ProtocolError> {
    match opcode {
        Opcode::Close => close_frame(&payload).map(Message::Close),
        Opcode::Ping => Ok(Message::Ping(payload)),
        _ => Ok(Message::Pong),
    }
}

/// Parses the payload of a close frame (sections 5.5.1 and 7.4).
fn close_frame(payload: &[u8]) -> Result<Option<CloseFrame>, ProtocolError> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(ProtocolError::Violation("a close code is incomplete")),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    if !is_valid_code(code) {
        return Err(ProtocolError::Violation("a close code is invalid"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::NotUtf8)?.to_owned();
    Ok(Some(CloseFrame { code, reason }))
}

#[cfg(test)]
mod tests;
