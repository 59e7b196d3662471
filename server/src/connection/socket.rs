//! What every mode needs of a socket: messages, pings, silence, closing well.

use super::writer::{Stream, Stuck};
use crate::{
    http::request_log::may_log,
    net::ConnectionPermit,
    websocket::{
        Decoder, Goodbye, Message, Violation,
        close::{AWAY, LATER, RESTART, UNSUPPORTED},
        frame,
    },
};
use bytes::{Buf, Bytes};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    task::coop::consume_budget,
    time::{Instant, timeout},
};

/// How often the server pings.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Silence after which a connection is over: three pings without an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a close may take, with whatever is still under way towards us.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// Bytes that are read at once.
const READ: usize = 8 * 1_024;

/// Bytes that may wait to be taken by the other end before it is read no further.
const UNSENT_MOST: usize = 64 * 1_024;

/// An accepted WebSocket.
pub struct Socket {
    stream: Arc<Stream>,
    _permit: Option<ConnectionPermit>,
    decoder: Decoder,
    /// What was read and not yet decoded; nothing at rest.
    rest: Bytes,
    /// The other end has said goodbye, or cannot be understood.
    over: bool,
    last_heard: Instant,
    next_ping: Instant,
}

/// What came in, or why nothing more will.
#[derive(Debug)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// Ping, pong: a sign of life.
    Life,
    /// The connection is over; nothing can be said any more.
    Gone,
    /// The connection must be closed, for this reason.
    Refused(Violation),
}

/// Why a connection ends, where the server ends it: the close code and the reason.
pub type Ending = (u16, &'static str);

/// What can still be said to one who is stuck; `None` where there is nobody left to tell.
pub(super) fn ending(stuck: Stuck) -> Option<Ending> {
    match stuck {
        Stuck::Broken => None,
        Stuck::TooSlow | Stuck::OverBudget => Some((LATER, "too slow, come back")),
    }
}

/// Waits until everything is taken. Rare, so that an idle connection has no room for it.
pub(super) async fn flushed(stream: &Stream) -> Result<(), Stuck> {
    Box::pin(stream.flush()).await
}

/// Units of Tokio's budget, 128 in each poll, that a message takes if it came together with others. So a client that
/// sends without a pause gives way to the other connections after 16 messages, which take about 0.2 ms.
const BUDGET_PER_MESSAGE: u32 = 8;

/// What both modes say to a binary message.
pub(super) const TEXT_ONLY: Ending = (UNSUPPORTED, "text only");

/// What one is told who gives no sign of life, should they hear it.
pub(super) const SILENT: Ending = (AWAY, "silent for 60 s");

/// What everybody is told when the server goes.
pub(super) const RESTARTING: Ending = (RESTART, "restarting, come back");

impl Socket {
    /// A socket whose handshake is done, after which `rest` was read already. It takes no message of more
    /// than `most` bytes.
    pub(super) fn new(stream: Stream, permit: Option<ConnectionPermit>, rest: Bytes, most: usize) -> Self {
        let now = Instant::now();
        Self {
            stream: Arc::new(stream),
            _permit: permit,
            decoder: Decoder::new(most),
            rest,
            over: false,
            last_heard: now,
            next_ping: now + PING_EVERY,
        }
    }

    /// Its bytes: where frames can be sent from elsewhere.
    pub(super) fn stream(&self) -> Arc<Stream> {
        self.stream.clone()
    }

    /// Sends whole frames in order, in few writes. What the other end does not take now is kept and
    /// follows by [`flush`](Self::flush).
    pub fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.stream.send_all(frames);
    }

    /// Waits until everything is taken. May be dropped at any time.
    ///
    /// # Errors
    /// [`Stuck`] where the other end takes nothing any more.
    pub async fn flush(&self) -> Result<(), Stuck> {
        self.stream.flush().await
    }

    /// Whether what a message brings about may be sent too.
    pub(super) fn may_receive(&self) -> bool {
        self.stream.unsent_bytes() < UNSENT_MOST
    }

    /// The next message. May be dropped at any time.
    pub async fn receive(&mut self) -> Received {
        if self.over {
            return Received::Gone;
        }
        match self.next().await {
            Ok(message) => {
                self.last_heard = Instant::now();
                match message {
                    Message::Text(text) => Received::Text(text),
                    Message::Binary(bytes) => Received::Binary(bytes),
                    Message::Pong => Received::Life,
                    Message::Ping(payload) => {
                        self.send([frame::pong(&payload)]);
                        Received::Life
                    }
                    Message::Close(goodbye) => {
                        Box::pin(self.answer_goodbye(goodbye)).await;
                        Received::Gone
                    }
                }
            }
            Err(Some(violation)) => {
                self.over = true;
                Received::Refused(violation)
            }
            Err(None) => Received::Gone,
        }
    }

    /// Both have said it then, and the server hangs up first (RFC 6455, section 7.1.1).
    async fn answer_goodbye(&mut self, goodbye: Option<Goodbye>) {
        self.over = true;
        let answer = goodbye.map_or_else(frame::close_without_words, |said| frame::close(said.code, ""));
        self.stream.send_last(answer);
        let _ = timeout(CLOSE_WAIT, self.stream.flush()).await;
        self.stream.end();
    }

    /// The next message; `Err(None)` where the stream ends.
    async fn next(&mut self) -> Result<Message, Option<Violation>> {
        loop {
            if !self.rest.is_empty() {
                for _ in 0..BUDGET_PER_MESSAGE {
                    consume_budget().await;
                }
                if let Some(message) = self.decode_rest()? {
                    return Ok(message);
                }
            }
            self.stream.readable().await.map_err(|_| None)?;
            if let Some(message) = self.read()? {
                return Ok(message);
            }
        }
    }

    fn decode_rest(&mut self) -> Result<Option<Message>, Violation> {
        let mut input = &self.rest[..];
        let message = self.decoder.decode(&mut input)?;
        let left = input.len();
        self.rest.advance(self.rest.len() - left);
        if left == 0 {
            self.rest = Bytes::new();
        }
        Ok(message)
    }

    /// Reads what is there, without keeping a buffer for it.
    fn read(&mut self) -> Result<Option<Message>, Option<Violation>> {
        let mut buffer = [0; READ];
        let read = match self.stream.read(&mut buffer) {
            Ok(0) => return Err(None),
            Ok(read) => read,
            Err(nothing) if nothing.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return Err(None),
        };
        let mut input = &buffer[..read];
        let message = self.decoder.decode(&mut input)?;
        self.rest = Bytes::copy_from_slice(input);
        Ok(message)
    }

    /// When it is time to [`keep_alive`](Self::keep_alive).
    pub(super) fn due(&self) -> Instant {
        self.next_ping.min(self.sign_of_life() + SILENCE)
    }

    /// Who takes what had to wait is alive.
    fn sign_of_life(&self) -> Instant {
        self.last_heard.max(self.stream.last_sign())
    }

    /// Pings where it is time; `false` where the other end has been silent too long.
    pub(super) fn keep_alive(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.sign_of_life()) >= SILENCE {
            return false;
        }
        if now >= self.next_ping {
            self.next_ping = now + PING_EVERY;
            self.send([frame::ping()]);
        }
        true
    }

    /// Says why and hangs up. What the other end has still under way is read, so that the close
    /// frame is not lost to a reset.
    pub async fn close(mut self, (code, reason): Ending) {
        // A restart closes everybody; that is said once, elsewhere.
        if code == RESTART || !may_log() {
            tracing::debug!(code, reason, "a connection is closed");
        } else {
            tracing::info!(code, reason, "a connection is closed");
        }
        self.stream.send_last(frame::close(code, reason));
        let goodbye = async {
            if self.stream.flush().await.is_ok() {
                self.hear_goodbye().await;
            }
        };
        let _ = timeout(CLOSE_WAIT, goodbye).await;
    }

    /// Reads until the other end has said goodbye too, or until its end where it cannot be understood.
    async fn hear_goodbye(&mut self) {
        while !self.over {
            match self.next().await {
                Ok(Message::Close(_)) => return self.stream.end(),
                Ok(_) => {}
                Err(None) => return,
                Err(Some(_)) => self.over = true,
            }
        }
        self.stream.end();
        while self.stream.readable().await.is_ok() && self.discard() {}
    }

    /// Whether the stream goes on.
    fn discard(&self) -> bool {
        match self.stream.read(&mut [0; READ]) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
