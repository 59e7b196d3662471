//! What every mode needs of a socket: pings, silence, the write wait, closing well.

use super::Progress;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, timeout};
use tungstenite::error::{CapacityError, Error};

/// How often the server pings.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Silence after which a connection is over: three pings without an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a socket may take no byte of what is written to it.
const WRITE_WAIT: Duration = Duration::from_secs(10);

/// How often a write that waits is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a close may take, with whatever is still under way towards us.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// Bytes after which a write is handed to the network, so that the write wait measures little.
const FLUSH_AT: usize = 64 * 1_024;

/// 1012, "service restart": come back (IANA WebSocket Close Code Number Registry).
pub(super) const RESTART: u16 = 1012;

/// 1013, "try again later" (same registry).
const LATER: u16 = 1013;

/// An accepted WebSocket.
pub struct Socket {
    inner: WebSocket,
    progress: Progress,
    last_heard: Instant,
    next_ping: Instant,
}

/// What came in, or why nothing more will.
pub enum Received {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// Ping, pong: a sign of life.
    Life,
    /// The connection is over; nothing can be said any more.
    Gone,
    /// The connection must be closed, with this code and reason.
    Refused(u16, &'static str),
}

/// The socket takes nothing any more.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsent {
    /// It is broken or closed.
    Broken,
    /// It took no byte for [`WRITE_WAIT`].
    TooSlow,
}

/// Why a connection ends, where the server ends it: the close code and the reason.
pub type Ending = (u16, &'static str);

impl Unsent {
    /// What can still be said; `None` where there is nobody left to tell.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self {
            Self::Broken => None,
            Self::TooSlow => Some((LATER, "too slow, come back")),
        }
    }
}

/// What both modes say to a binary message.
pub(super) const TEXT_ONLY: Ending = (close_code::UNSUPPORTED, "text only");

/// Sets the bounds of the socket that `upgrade` will make: small buffers, no message of more than
/// `most` bytes.
pub(super) fn bounded<F>(upgrade: WebSocketUpgrade<F>, most: usize) -> WebSocketUpgrade<F> {
    upgrade
        .read_buffer_size(4_096)
        .write_buffer_size(FLUSH_AT)
        // What is fed before a flush is bounded by `send`; a page of long messages is one frame.
        .max_write_buffer_size(usize::MAX)
        .max_message_size(most)
        .max_frame_size(most)
}

impl Socket {
    pub(super) fn new(inner: WebSocket, progress: Progress) -> Self {
        let now = Instant::now();
        Self { inner, progress, last_heard: now, next_ping: now + PING_EVERY }
    }

    /// The next message. May be dropped at any time.
    pub async fn receive(&mut self) -> Received {
        let Some(received) = self.inner.next().await else { return Received::Gone };
        self.last_heard = Instant::now();
        match received {
            Ok(Message::Text(text)) => Received::Text(text),
            Ok(Message::Binary(bytes)) => Received::Binary(bytes),
            Ok(Message::Ping(_) | Message::Pong(_)) => Received::Life,
            Ok(Message::Close(_)) => {
                self.drain().await;
                Received::Gone
            }
            Err(error) => refusal(error),
        }
    }

    /// When it is time to [`keep_alive`](Self::keep_alive).
    pub(super) fn due(&self) -> Instant {
        self.next_ping.min(self.last_heard + SILENCE)
    }

    /// Pings; `false` where the other end has been silent too long.
    pub(super) async fn keep_alive(&mut self) -> Result<bool, Unsent> {
        let now = Instant::now();
        if now.duration_since(self.last_heard) >= SILENCE {
            return Ok(false);
        }
        if now >= self.next_ping {
            self.next_ping = now + PING_EVERY;
            let ping = self.inner.send(Message::Ping(Bytes::new()));
            within_write_wait(&self.progress, ping).await?;
        }
        Ok(true)
    }

    /// Sends text messages in order, in few writes.
    pub(super) async fn send(&mut self, texts: impl IntoIterator<Item = Utf8Bytes>) -> Result<(), Unsent> {
        self.send_messages(texts.into_iter().map(Message::Text)).await
    }

    /// Sends messages in order, in few writes.
    ///
    /// # Errors
    /// [`Unsent`] where the socket takes nothing any more.
    pub async fn send_messages(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Unsent> {
        let mut fed = 0;
        for message in messages {
            fed += length(&message);
            within_write_wait(&self.progress, self.inner.feed(message)).await?;
            if fed >= FLUSH_AT {
                within_write_wait(&self.progress, self.inner.flush()).await?;
                fed = 0;
            }
        }
        within_write_wait(&self.progress, self.inner.flush()).await
    }

    /// Says why and hangs up. What the other end has still under way is read, so that the close
    /// frame is not lost to a reset.
    pub async fn close(mut self, code: u16, reason: &'static str) {
        // A restart closes everybody; that is said once, elsewhere.
        if code == RESTART {
            tracing::debug!(code, reason, "a connection is closed");
        } else {
            tracing::info!(code, reason, "a connection is closed");
        }
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        if let Ok(Ok(())) = timeout(CLOSE_WAIT, self.inner.send(frame)).await {
            self.drain().await;
        }
    }

    async fn drain(&mut self) {
        let until_gone = async { while let Some(Ok(_)) = self.inner.next().await {} };
        let _ = timeout(CLOSE_WAIT, until_gone).await;
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

/// Writes for as long as the other end takes something every now and then, however little.
async fn within_write_wait<T>(
    progress: &Progress,
    write: impl Future<Output = Result<T, axum::Error>>,
) -> Result<T, Unsent> {
    let mut write = pin!(write);
    let (mut taken, mut taken_at) = (progress.bytes(), Instant::now());
    loop {
        match timeout(LOOK_EVERY, &mut write).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(_)) => return Err(Unsent::Broken),
            Err(_) if progress.bytes() > taken => (taken, taken_at) = (progress.bytes(), Instant::now()),
            Err(_) if taken_at.elapsed() >= WRITE_WAIT => return Err(Unsent::TooSlow),
            Err(_) => {}
        }
    }
}

fn refusal(error: axum::Error) -> Received {
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(CapacityError::MessageTooLong { .. })) => {
            Received::Refused(close_code::SIZE, "this message is larger than any may be")
        }
        Some(Error::Utf8(_)) => Received::Refused(close_code::INVALID, "text must be UTF-8"),
        Some(Error::Protocol(_)) => Received::Refused(close_code::PROTOCOL, "not RFC 6455"),
        _ => Received::Gone,
    }
}
