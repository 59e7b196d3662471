//! Messages out of the bytes that a client sends, cut wherever the network cuts them.

use super::{
    CONTROL_MOST, FIN, Goodbye, MASKED,
    close::{self, may_be_sent},
    mask, opcode,
};
use std::mem;

/// The longest header that a client writes: two bytes, eight of length, four of mask.
const HEADER_MOST: usize = 14;

/// Bits that an extension would define (RFC 6455, section 5.2); we know none.
const RESERVED: u8 = 0x70;

/// What a message may have reserved at once, however long a frame claims to be.
const RESERVE_MOST: usize = 8 * 1_024;

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text, whole.
    Text(String),
    /// Bytes, whole.
    Binary(Vec<u8>),
    /// To be answered with a pong that carries the same.
    Ping(Vec<u8>),
    /// A sign of life.
    Pong,
    /// Goodbye; nothing comes after it.
    Close(Option<Goodbye>),
}

/// Why a client is not listened to any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A rule of the protocol is broken: which.
    Protocol(&'static str),
    /// Text is not UTF-8.
    NotUtf8,
    /// A message has more bytes than any may have.
    TooBig,
}

impl Violation {
    /// What to close with: the code (RFC 6455, section 7.4.1) and the reason.
    pub fn ending(self) -> (u16, &'static str) {
        match self {
            Self::Protocol(rule) => (close::PROTOCOL, rule),
            Self::NotUtf8 => (close::INVALID, "text must be UTF-8"),
            Self::TooBig => (close::SIZE, "this message is larger than any may be"),
        }
    }
}

/// Makes messages of bytes. Holds nothing at rest.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes that a message may have.
    most: usize,
    header: Header,
    frame: Option<Frame>,
    /// The message that frames are being added to.
    message: Option<Fragments>,
    /// What the present control frame carries.
    control: Vec<u8>,
}

/// As much of a frame's header as is there.
#[derive(Debug, Default)]
struct Header {
    bytes: [u8; HEADER_MOST],
    len: usize,
}

/// A frame whose header is there.
#[derive(Debug)]
struct Frame {
    opcode: u8,
    fin: bool,
    key: [u8; 4],
    length: usize,
    /// Bytes of its payload that have passed.
    passed: usize,
}

/// What there is of a message of one or more frames.
#[derive(Debug)]
struct Fragments {
    is_text: bool,
    payload: Vec<u8>,
    /// Bytes that are known to be UTF-8.
    checked: usize,
}

impl Decoder {
    /// A decoder that takes no message of more than `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { most, header: Header::default(), frame: None, message: None, control: Vec::new() }
    }

    /// Takes bytes off the front of `input` until a message is whole, or all of them.
    ///
    /// # Errors
    /// [`Violation`]; nothing more can be read then.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Violation> {
        loop {
            if self.frame.is_none() {
                let Some(frame) = self.header.read(input)? else { return Ok(None) };
                self.admit(&frame)?;
                self.frame = Some(frame);
            }
            if !self.take_payload(input)? {
                return Ok(None);
            }
            if let Some(message) = self.finish_frame()? {
                return Ok(Some(message));
            }
        }
    }

    /// Whether a frame may stand here (sections 5.4 and 5.5).
    fn admit(&mut self, frame: &Frame) -> Result<(), Violation> {
        match (frame.opcode, &self.message) {
            (opcode::CLOSE | opcode::PING | opcode::PONG, _) if !frame.fin => {
                Err(Violation::Protocol("a control frame is in pieces"))
            }
            (opcode::CLOSE | opcode::PING | opcode::PONG, _) if frame.length > CONTROL_MOST => {
                Err(Violation::Protocol("a control frame is too long"))
            }
            (opcode::CLOSE | opcode::PING | opcode::PONG, _) => Ok(()),
            (opcode::CONTINUATION, None) => Err(Violation::Protocol("nothing is there to continue")),
            (opcode::TEXT | opcode::BINARY, Some(_)) => {
                Err(Violation::Protocol("a message starts within another"))
            }
            (opcode::TEXT | opcode::BINARY | opcode::CONTINUATION, _) => self.admit_data(frame),
            _ => Err(Violation::Protocol("an opcode is not known")),
        }
    }

    fn admit_data(&mut self, frame: &Frame) -> Result<(), Violation> {
        let is_text = frame.opcode == opcode::TEXT;
        let message = self.message.get_or_insert(Fragments { is_text, payload: Vec::new(), checked: 0 });
        if frame.length > self.most.saturating_sub(message.payload.len()) {
            return Err(Violation::TooBig);
        }
        message.payload.reserve(frame.length.min(RESERVE_MOST));
        Ok(())
    }

    /// Whether the frame's payload is whole now.
    fn take_payload(&mut self, input: &mut &[u8]) -> Result<bool, Violation> {
        let Some(frame) = &mut self.frame else { return Ok(false) };
        let (now, later) = input.split_at(input.len().min(frame.length - frame.passed));
        *input = later;
        let payload = match &mut self.message {
            Some(message) if !frame.is_control() => &mut message.payload,
            _ => &mut self.control,
        };
        let from = payload.len();
        payload.extend_from_slice(now);
        mask::apply(&mut payload[from..], frame.key, frame.passed);
        frame.passed += now.len();
        let is_whole = frame.passed == frame.length;
        // What is whole is checked when it becomes a message; until then a bad byte is not waited for.
        if let Some(message) = &mut self.message
            && !(is_whole && frame.fin)
        {
            message.check()?;
        }
        Ok(is_whole)
    }

    fn finish_frame(&mut self) -> Result<Option<Message>, Violation> {
        let Some(frame) = self.frame.take() else { return Ok(None) };
        if frame.is_control() {
            return control(frame.opcode, mem::take(&mut self.control)).map(Some);
        }
        if !frame.fin {
            return Ok(None);
        }
        self.message.take().map(Fragments::whole).transpose()
    }
}

impl Header {
    /// The frame that it announces, once it is whole (section 5.2).
    fn read(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        while self.len < self.needed() {
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

    fn needed(&self) -> usize {
        match (self.len, self.bytes[1] & !MASKED) {
            (0 | 1, _) => 2,
            (_, 127) => 14,
            (_, 126) => 8,
            _ => 6,
        }
    }

    fn check(&self) -> Result<(), Violation> {
        if self.bytes[0] & RESERVED != 0 {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        if self.bytes[1] & MASKED == 0 {
            return Err(Violation::Protocol("a frame is not masked"));
        }
        Ok(())
    }

    fn frame(&self) -> Result<Frame, Violation> {
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
            return Err(Violation::Protocol("a length's highest bit is set"));
        }
        let length = usize::try_from(length).map_err(|_| Violation::TooBig)?;
        let (opcode, fin) = (self.bytes[0] & 0x0f, self.bytes[0] & FIN != 0);
        Ok(Frame { opcode, fin, key, length, passed: 0 })
    }
}

impl Frame {
    fn is_control(&self) -> bool {
        self.opcode >= opcode::CLOSE
    }
}

impl Fragments {
    /// Whether what is there can still become UTF-8; a character may be cut at its end.
    fn check(&mut self) -> Result<(), Violation> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(cut) if cut.error_len().is_none() => self.checked += cut.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }

    fn whole(self) -> Result<Message, Violation> {
        if !self.is_text {
            return Ok(Message::Binary(self.payload));
        }
        String::from_utf8(self.payload).map(Message::Text).map_err(|_| Violation::NotUtf8)
    }
}

fn control(opcode: u8, payload: Vec<u8>) -> Result<Message, Violation> {
    match opcode {
        opcode::CLOSE => goodbye(&payload).map(Message::Close),
        opcode::PING => Ok(Message::Ping(payload)),
        _ => Ok(Message::Pong),
    }
}

/// What a close frame says (sections 5.5.1 and 7.4).
fn goodbye(payload: &[u8]) -> Result<Option<Goodbye>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Violation::Protocol("half a close code")),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    if !may_be_sent(code) {
        return Err(Violation::Protocol("a close code that may not be sent"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?.to_owned();
    Ok(Some(Goodbye { code, reason }))
}

#[cfg(test)]
mod tests;
