//! The parts of a WebSocket that both protocols need: messages, pings, the idle timeout and the close.

use super::{
    close::{CloseReason, RESTART},
    writer::{SocketWriter, WriteError},
};
use crate::{
    http::request_log::may_log,
    net::TransportPermit,
    websocket::{CloseFrame, Decoder, Message, ProtocolError, frame},
};
use bytes::{Buf, Bytes};
use std::{cell::RefCell, io, sync::Arc, time::Duration};
use tokio::{
    task::coop::consume_budget,
    time::{Instant, timeout},
};

/// The time between two pings of the server.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The longest time in which a client may give no sign of life: three pings without an answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest time that a close may take, including the bytes that are still on the way to the server.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Bytes of one read.
const READ_BUFFER_BYTES: usize = 8 * 1_024;

thread_local! {
    /// What a connection reads goes through this buffer before anything else is done, so all connections of a thread share it.
    static READ_BUFFER: RefCell<[u8; READ_BUFFER_BYTES]> = const { RefCell::new([0; READ_BUFFER_BYTES]) };
}

/// Unsent bytes of a client. At this many the client is not read.
pub(super) const MAX_UNSENT_BYTES: usize = 64 * 1_024;

/// Units of Tokio's budget, 128 in each poll, that a message takes if it arrived together with others. So a client that
/// sends without a pause yields to the other connections after 16 messages, which take about 0.2 ms.
const BUDGET_PER_MESSAGE: u32 = 8;

/// An accepted WebSocket.
pub struct Socket {
    writer: Arc<SocketWriter>,
    _permit: Option<TransportPermit>,
    decoder: Decoder,
    /// Bytes that were read and not yet decoded; empty while the connection is idle.
    rest: Bytes,
    /// The client has sent a close frame or violated the protocol.
    is_over: bool,
    last_message: Instant,
    next_ping: Instant,
}

/// A message of the client, or the reason why no more will come.
#[derive(Debug)]
pub enum Incoming {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping or a pong.
    Heartbeat,
    /// The connection is closed; nothing more can be sent.
    Closed,
    /// The client violated the protocol; the connection must be closed.
    ProtocolError(ProtocolError),
}

impl Socket {
    /// Creates a socket after the handshake. `rest` was read already; a message has at most `max_bytes` bytes.
    pub(super) fn new(
        writer: SocketWriter,
        permit: Option<TransportPermit>,
        rest: Bytes,
        max_bytes: usize,
    ) -> Self {
        let now = Instant::now();
        Self {
            writer: Arc::new(writer),
            _permit: permit,
            decoder: Decoder::new(max_bytes),
            rest,
            is_over: false,
            last_message: now,
            next_ping: now + PING_INTERVAL,
        }
    }

    /// Returns the writer, which other tasks can send frames through.
    pub(super) fn writer(&self) -> Arc<SocketWriter> {
        self.writer.clone()
    }

    /// Sends whole frames in order, in few writes. [`flush`](Self::flush) sends the bytes that the client does not take
    /// now.
    pub fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.writer.send_all(frames);
    }

    /// Sends whole frames in order, in the same write as the next ones, which are expected at once. The connection's task
    /// [releases](SocketWriter::release_held) them if none come.
    pub(super) fn send_with_next(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.writer.send_with_next(frames);
    }

    /// Waits until the client has taken all bytes.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn flush(&self) -> Result<(), WriteError> {
        self.writer.flush().await
    }

    /// Receives the next message.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub async fn receive(&mut self) -> Incoming {
        if self.is_over {
            return Incoming::Closed;
        }
        match self.next().await {
            Ok(message) => {
                self.last_message = Instant::now();
                match message {
                    Message::Text(text) => Incoming::Text(text),
                    Message::Binary(bytes) => Incoming::Binary(bytes),
                    Message::Pong => Incoming::Heartbeat,
                    Message::Ping(payload) => {
                        self.send([frame::pong(&payload)]);
                        Incoming::Heartbeat
                    }
                    Message::Close(close) => {
                        Box::pin(self.reply_close(close)).await;
                        Incoming::Closed
                    }
                }
            }
            Err(Some(error)) => {
                self.is_over = true;
                Incoming::ProtocolError(error)
            }
            Err(None) => Incoming::Closed,
        }
    }

    /// Answers a close frame. The server closes the TCP connection first (RFC 6455, section 7.1.1).
    async fn reply_close(&mut self, close: Option<CloseFrame>) {
        self.is_over = true;
        let answer = close.map_or_else(frame::empty_close, |close| frame::close(close.code, ""));
        self.writer.send_final(answer);
        let _ = timeout(CLOSE_TIMEOUT, self.writer.flush()).await;
        self.writer.shutdown_write();
    }

    /// Receives the next message; fails with `None` at the end of the stream.
    async fn next(&mut self) -> Result<Message, Option<ProtocolError>> {
        loop {
            if !self.rest.is_empty() {
                for _ in 0..BUDGET_PER_MESSAGE {
                    consume_budget().await;
                }
                if let Some(message) = self.decode_rest()? {
                    return Ok(message);
                }
            }
            self.writer.readable().await.map_err(|_| None)?;
            if let Some(message) = self.read()? {
                return Ok(message);
            }
        }
    }

    fn decode_rest(&mut self) -> Result<Option<Message>, ProtocolError> {
        let mut input = &self.rest[..];
        let message = self.decoder.decode(&mut input)?;
        let left = input.len();
        self.rest.advance(self.rest.len() - left);
        if left == 0 {
            self.rest = Bytes::new();
        }
        Ok(message)
    }

    /// Reads the bytes that have arrived, into the buffer of the thread.
    fn read(&mut self) -> Result<Option<Message>, Option<ProtocolError>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let read = match self.writer.read(buffer) {
                Ok(0) => return Err(None),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(_) => return Err(None),
            };
            let mut input = &buffer[..read];
            let message = self.decoder.decode(&mut input)?;
            self.rest = Bytes::copy_from_slice(input);
            Ok(message)
        })
    }

    /// Returns when [`keep_alive`](Self::keep_alive) must be called next.
    pub(super) fn next_deadline(&self) -> Instant {
        self.next_ping.min(self.last_activity() + IDLE_TIMEOUT)
    }

    /// Returns when the client last sent a message or took bytes that had to wait.
    fn last_activity(&self) -> Instant {
        self.last_message.max(self.writer.last_progress())
    }

    /// Sends a ping if it is time. Returns `false` after the idle timeout.
    #[must_use]
    pub(super) fn keep_alive(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.last_activity()) >= IDLE_TIMEOUT {
            return false;
        }
        if now >= self.next_ping {
            self.next_ping = now + PING_INTERVAL;
            self.send([frame::ping()]);
        }
        true
    }

    /// Sends a close frame and closes the connection. The bytes that are still on the way to the server are read, so
    /// that a reset does not destroy the close frame.
    pub async fn close(mut self, close: CloseReason) {
        let CloseReason { code, reason } = close;
        // A restart closes every connection; it is logged once, elsewhere.
        if close == RESTART || !may_log() {
            tracing::debug!(code, reason, "connection closed");
        } else {
            tracing::info!(code, reason, "connection closed");
        }
        self.writer.send_final(frame::close(code, reason));
        let handshake = async {
            if self.writer.flush().await.is_ok() {
                self.await_close_frame().await;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, handshake).await;
    }

    /// Reads until the client's close frame, or until the end of the stream after a protocol error.
    async fn await_close_frame(&mut self) {
        while !self.is_over {
            match self.next().await {
                Ok(Message::Close(_)) => return self.writer.shutdown_write(),
                Ok(_) => {}
                Err(None) => return,
                Err(Some(_)) => self.is_over = true,
            }
        }
        self.writer.shutdown_write();
        while self.writer.readable().await.is_ok() && self.discard() {}
    }

    /// Reads and drops bytes. Returns `false` at the end of the stream.
    fn discard(&self) -> bool {
        match self.writer.read(&mut [0; READ_BUFFER_BYTES]) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
