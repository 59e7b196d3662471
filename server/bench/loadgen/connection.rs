//! One open socket: the upgrade, whole frames in, frames out.

use crate::ordering::{Ear, Key};
use mio::{Interest, Registry, Token, net::TcpStream};
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

/// The key of every upgrade, the example of RFC 6455.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer that belongs to it.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its upgrade is under way.
    Upgrading,
    /// It has to be told what it may do, or waits to be in its room.
    Joining,
    /// It hears what is posted.
    In,
    /// It has ended.
    Gone,
}

/// One open socket.
pub struct Connection {
    stream: TcpStream,
    /// How far it has come.
    pub state: State,
    /// What it has heard.
    pub ear: Ear,
    /// The number that it waits to hear before it posts again; zeros for none.
    pub awaits: Key,
    /// The beginning of a frame whose end has not come yet.
    carried: Vec<u8>,
    /// The beginning of a message whose last frame has not come yet.
    pub parts: Vec<u8>,
    /// What the socket does not take yet.
    backlog: Vec<u8>,
}

/// What a read has brought.
pub enum Brought {
    /// So many bytes from the beginning of the buffer on; `true` where there may be more.
    Bytes(usize, bool),
    /// Nothing at present.
    Nothing,
    /// The end.
    End,
}

impl Connection {
    /// Connects and asks for the upgrade.
    pub fn open(to: SocketAddr, request: &[u8], registry: &Registry, token: usize) -> io::Result<Self> {
        // The system completes it without the server, as long as few are under way.
        let mut stream = std::net::TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            state: State::Upgrading,
            ear: Ear::default(),
            awaits: Key::default(),
            carried: Vec::new(),
            parts: Vec::new(),
            backlog: Vec::new(),
        })
    }

    /// Reads what is there into `buffer`, after the beginning that came earlier.
    #[inline]
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> Brought {
        let start = self.carried.len();
        if buffer.len() < 2 * start {
            buffer.resize(2 * start, 0);
        }
        buffer[..start].copy_from_slice(&self.carried);
        match self.stream.read(&mut buffer[start..]) {
            Ok(0) => Brought::End,
            // A short read has emptied the socket; what comes later is told anew.
            Ok(read) => Brought::Bytes(start + read, start + read == buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Brought::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read(buffer),
            Err(_) => Brought::End,
        }
    }

    /// Keeps the beginning of a frame until the rest comes.
    #[inline]
    pub fn carry(&mut self, rest: &[u8]) {
        self.carried.clear();
        self.carried.extend_from_slice(rest);
    }

    /// Sends a frame, now or when the socket takes it.
    pub fn send(&mut self, frame: &[u8]) {
        let written = if self.backlog.is_empty() { self.stream.write(frame).unwrap_or(0) } else { 0 };
        self.backlog.extend_from_slice(&frame[written..]);
    }

    /// Sends what waits, where the socket takes more.
    pub fn flush(&mut self) {
        if !self.backlog.is_empty() {
            let written = self.stream.write(&self.backlog).unwrap_or(0);
            self.backlog.drain(..written);
        }
    }
}

/// The request for the upgrade.
pub fn request(host: &str, target: &str, protocol: Option<&str>) -> Vec<u8> {
    let protocol = protocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{protocol}\r\n"
    )
    .into_bytes()
}

/// Reads the answer: the number of its bytes, or none where it has not come whole.
///
/// # Errors
/// Its first line, where it is no upgrade.
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
    fn a_refusal_is_told() {
        let refusal = b"HTTP/1.1 503 Service Unavailable\r\n\r\nfull";
        assert_eq!(upgraded(refusal), Err("HTTP/1.1 503 Service Unavailable".into()));
    }
}
