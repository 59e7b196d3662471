//! One open socket: the upgrade, whole frames in, frames out.

use crate::ordering::{Key, Receiver};
use mio::{Interest, Registry, Token, net::TcpStream};
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

/// The `Sec-WebSocket-Key` of every upgrade, the example of RFC 6455.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The `Sec-WebSocket-Accept` that belongs to it.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The upgrade was requested.
    Upgrading,
    /// It waits for `welcome` or `joined`.
    Joining,
    /// It receives messages.
    Joined,
    /// It is closed.
    Closed,
}

/// One open socket.
pub struct Connection {
    stream: TcpStream,
    /// Its state.
    pub state: State,
    /// The messages that it has received.
    pub receiver: Receiver,
    /// The number whose delivery lets it send the next message; zeros for none.
    pub awaited: Key,
    /// An incomplete frame.
    partial: Vec<u8>,
    /// The payload of an incomplete fragmented message.
    pub parts: Vec<u8>,
    /// Bytes that the socket has not accepted yet.
    backlog: Vec<u8>,
}

/// The result of a read.
pub enum ReadEvent {
    /// The filled length of the buffer; `true` if the socket may have more.
    Bytes(usize, bool),
    /// Nothing is available.
    Nothing,
    /// The connection has ended.
    End,
}

impl Connection {
    /// Connects and requests the upgrade.
    pub fn open(to: SocketAddr, request: &[u8], registry: &Registry, token: usize) -> io::Result<Self> {
        // The kernel completes the handshake without the server while few are pending.
        let mut stream = std::net::TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            state: State::Upgrading,
            receiver: Receiver::default(),
            awaited: Key::default(),
            partial: Vec::new(),
            parts: Vec::new(),
            backlog: Vec::new(),
        })
    }

    /// Reads into `buffer`, after the incomplete frame of the last read.
    #[inline]
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> ReadEvent {
        let start = self.partial.len();
        if buffer.len() < 2 * start {
            buffer.resize(2 * start, 0);
        }
        buffer[..start].copy_from_slice(&self.partial);
        match self.stream.read(&mut buffer[start..]) {
            Ok(0) => ReadEvent::End,
            // A short read has drained the socket; mio reports later data again.
            Ok(read) => ReadEvent::Bytes(start + read, start + read == buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ReadEvent::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read(buffer),
            Err(_) => ReadEvent::End,
        }
    }

    /// Keeps an incomplete frame until the next read.
    #[inline]
    pub fn keep_partial(&mut self, rest: &[u8]) {
        self.partial.clear();
        self.partial.extend_from_slice(rest);
    }

    /// Sends a frame now, or when the socket becomes writable.
    pub fn send(&mut self, frame: &[u8]) {
        let written = if self.backlog.is_empty() { self.stream.write(frame).unwrap_or(0) } else { 0 };
        self.backlog.extend_from_slice(&frame[written..]);
    }

    /// Sends the backlog as far as the socket accepts it.
    pub fn flush(&mut self) {
        if !self.backlog.is_empty() {
            let written = self.stream.write(&self.backlog).unwrap_or(0);
            self.backlog.drain(..written);
        }
    }
}

/// Builds the upgrade request.
pub fn request(host: &str, target: &str, protocol: Option<&str>) -> Vec<u8> {
    let protocol = protocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{protocol}\r\n"
    )
    .into_bytes()
}

/// Parses the response. Returns its length, or `None` if it is incomplete.
///
/// # Errors
/// The status line, if the response is no upgrade.
pub fn upgraded(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
        return Ok(Some(end + 4));
    }
    Err(head.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_may_be_followed_by_frames() {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        let whole = Ok(Some(answer.len()));
        assert_eq!(upgraded(format!("{answer}rest").as_bytes()), whole);
        assert_eq!(upgraded(&answer.as_bytes()[..40]), Ok(None));
    }

    #[test]
    fn a_rejected_upgrade_is_an_error() {
        let rejection = b"HTTP/1.1 503 Service Unavailable\r\n\r\nfull";
        assert_eq!(upgraded(rejection), Err("HTTP/1.1 503 Service Unavailable".into()));
    }
}
