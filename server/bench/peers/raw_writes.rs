//! A lower bound: one `write` for each delivery and nothing else.
//!
//! It upgrades every request, and writes each message as one frame, encoded once, to every
//! socket with one `write`. There is one thread, no runtime, no task and no store. Bytes that a socket does
//! not accept wait in memory, without a bound.
//!
//! ```text
//! cargo run --release -p bench --bin raw_writes -- 127.0.0.1:8080
//! ```

use mio::{
    Events, Interest, Poll, Registry, Token,
    net::{TcpListener, TcpStream},
};
use std::{
    env,
    error::Error,
    io::{self, Read, Write},
};

/// The listener's token; a connection's is its index.
const LISTENER: Token = Token(usize::MAX);

/// One connection.
struct Connection {
    stream: TcpStream,
    upgraded: bool,
    /// Received bytes that are no complete message yet.
    received: Vec<u8>,
    /// Bytes that the socket has not accepted yet.
    waiting: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address.parse()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections = Vec::new();
    let mut events = Events::with_capacity(1_024);
    let mut buffer = vec![0; 1 << 16];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, poll.registry(), &mut connections)?,
                Token(who) => serve(who, &mut connections, &mut buffer),
            }
        }
    }
}

fn accept(listener: &TcpListener, registry: &Registry, connections: &mut Vec<Connection>) -> io::Result<()> {
    while let Ok((mut stream, _)) = listener.accept() {
        stream.set_nodelay(true)?;
        registry.register(&mut stream, Token(connections.len()), Interest::READABLE | Interest::WRITABLE)?;
        connections.push(Connection { stream, upgraded: false, received: vec![], waiting: vec![] });
    }
    Ok(())
}

/// Flushes the connection and handles what it sent.
fn serve(who: usize, connections: &mut [Connection], buffer: &mut [u8]) {
    connections[who].write(&[]);
    while let Ok(read @ 1..) = connections[who].stream.read(buffer) {
        connections[who].received.extend_from_slice(&buffer[..read]);
        connections[who].upgrade();
        while connections[who].upgraded
            && let Some(frame) = message(&mut connections[who].received)
        {
            connections.iter_mut().filter(|each| each.upgraded).for_each(|each| each.write(&frame));
        }
        if read < buffer.len() {
            return;
        }
    }
}

impl Connection {
    fn write(&mut self, frame: &[u8]) {
        if self.waiting.is_empty() {
            let written = if frame.is_empty() { 0 } else { self.stream.write(frame).unwrap_or(0) };
            self.waiting.extend_from_slice(&frame[written..]);
        } else {
            self.waiting.extend_from_slice(frame);
            let written = self.stream.write(&self.waiting).unwrap_or(0);
            self.waiting.drain(..written);
        }
    }

    /// Answers the upgrade request once it is complete.
    fn upgrade(&mut self) {
        if self.upgraded || !self.received.ends_with(b"\r\n\r\n") {
            return;
        }
        let request = String::from_utf8_lossy(&self.received).into_owned();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = server::websocket::accept(key.unwrap_or_default().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.received.clear();
        self.write(answer.as_bytes());
        self.upgraded = true;
    }
}

/// Returns the first message of less than 126 bytes as a server's frame.
fn message(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [0x81, length, mask @ ..] = received.as_slice() else { return None };
    let length = usize::from(length & 0x7f);
    let (mask, text) = mask.split_first_chunk::<4>()?;
    let text = text.get(..length)?.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let frame = [0x81, length as u8].into_iter().chain(text).collect();
    received.drain(..6 + length);
    Some(frame)
}
