//! The byte stream that hyper reads and writes, and what its connection's task sees of it.

use super::{
    clock::{ConnectionClock, Expired},
    stream::NetStream,
};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// What is known of one HTTP connection outside of hyper: its time limits, and its stream once hyper is
/// done with it. Shared by the [`Transport`], the service and the connection's task.
#[derive(Debug)]
pub struct Activity {
    /// Sections under this lock are short and never wait.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    clock: ConnectionClock,
    /// The client has sent everything that it will.
    has_ended: bool,
    /// The stream that hyper has dropped.
    left: Option<NetStream>,
}

/// A [`NetStream`] that records in an [`Activity`] when bytes come, wait and go.
#[derive(Debug)]
pub struct Transport {
    /// `None` once it was taken out for an upgrade.
    stream: Option<NetStream>,
    activity: Arc<Activity>,
}

impl Activity {
    /// Starts the clock of a connection that was just accepted.
    pub fn new() -> Arc<Self> {
        let clock = ConnectionClock::new(Instant::now());
        Arc::new(Self { state: Mutex::new(State { clock, has_ended: false, left: None }) })
    }

    /// A request's header is complete.
    pub fn on_request(&self) {
        self.state().clock.on_request(Instant::now());
    }

    /// The request is answered with an event stream.
    pub fn on_event_stream(&self) {
        self.state().clock.on_event_stream();
    }

    /// The answer's body has been handed over as a whole.
    pub fn on_response_end(&self) {
        self.state().clock.on_response_end(Instant::now());
    }

    /// The server drains from now on.
    pub fn on_drain(&self) {
        self.state().clock.on_drain(Instant::now());
    }

    /// Returns when to check again, if ever.
    ///
    /// # Errors
    /// The time limit that is exceeded.
    pub fn check(&self) -> Result<Option<Instant>, Expired> {
        self.state().clock.check(Instant::now())
    }

    /// The stream, if hyper has dropped it while the client may still be sending.
    pub fn take_left(&self) -> Option<NetStream> {
        let mut state = self.state();
        let has_ended = state.has_ended;
        state.left.take().filter(|_| !has_ended)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what a write of `offered` bytes came to.
    fn record_write(&self, offered: usize, written: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        match written {
            Poll::Ready(Ok(taken)) => state.clock.on_write(Instant::now(), *taken, *taken == offered),
            Poll::Ready(Err(_)) => state.has_ended = true,
            Poll::Pending => state.clock.on_write_blocked(Instant::now()),
        }
    }
}

impl Transport {
    /// Wraps `stream`.
    pub fn new(stream: NetStream, activity: Arc<Activity>) -> Self {
        Self { stream: Some(stream), activity }
    }

    /// The stream, after an upgrade; the HTTP connection's time limits apply no longer.
    pub fn into_stream(mut self) -> Option<NetStream> {
        self.stream.take()
    }

    fn stream(&mut self) -> io::Result<Pin<&mut NetStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.activity.state().left = Some(stream);
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(self.stream()?.poll_read(cx, buffer));
        let mut state = self.activity.state();
        if read.is_err() || buffer.filled().len() == before {
            state.has_ended = true;
        } else {
            state.clock.on_read(Instant::now());
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(cx, bytes);
        self.activity.record_write(bytes.len(), &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write_vectored(cx, slices);
        self.activity.record_write(slices.iter().map(|slice| slice.len()).sum(), &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}
