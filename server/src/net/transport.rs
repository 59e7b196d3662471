//! The byte stream that hyper reads and writes, and the part of its state that the connection's task shares.

use super::{
    clock::{ConnectionClock, Expired},
    stream::NetStream,
    transport_limit::{Idle, TransportPermit},
    unsent::Account,
};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// The state of one HTTP connection outside of hyper: its time limits, and its stream once hyper has dropped it. The
/// [`Transport`], the service and the connection's task share it.
#[derive(Debug)]
pub struct Activity {
    /// Sections under this lock are short and never wait.
    state: Mutex<State>,
    account: Arc<Account>,
}

#[derive(Debug)]
struct State {
    clock: ConnectionClock,
    /// The client sends no more bytes.
    has_ended: bool,
    is_evicted: bool,
    /// The waker of the connection's task.
    task: Option<Waker>,
    /// Bytes of the account that wait in hyper.
    charged: usize,
    /// When the last page was made for this connection.
    last_page: Option<Instant>,
    /// The stream that hyper has dropped.
    left: Option<(NetStream, Option<TransportPermit>)>,
}

/// A [`NetStream`] that records in an [`Activity`] when bytes arrive, wait and leave.
#[derive(Debug)]
pub struct Transport {
    /// `None` once it was taken out for an upgrade.
    stream: Option<NetStream>,
    activity: Arc<Activity>,
    permit: Option<TransportPermit>,
}

impl Activity {
    /// Starts the clock of a connection that was just accepted. Its unsent bytes are charged to `account`.
    pub fn new(account: Arc<Account>) -> Arc<Self> {
        let clock = ConnectionClock::new(Instant::now());
        let state = State {
            clock,
            has_ended: false,
            is_evicted: false,
            task: None,
            charged: 0,
            last_page: None,
            left: None,
        };
        Arc::new(Self { state: Mutex::new(state), account })
    }

    /// Records that a page was made for this connection at `now`.
    pub fn record_page(&self, now: Instant) {
        self.state().last_page = Some(now);
    }

    /// Returns whether a page was made for this connection less than `interval` before `now`.
    pub fn had_page_within(&self, interval: Duration, now: Instant) -> bool {
        self.state().last_page.is_some_and(|last| now.duration_since(last) < interval)
    }

    /// Returns the account of the connection's unsent bytes.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Records that a request's header is complete.
    pub fn on_request(&self) {
        self.state().clock.on_request(Instant::now());
    }

    /// Records that the answer is an event stream.
    pub fn on_event_stream(&self) {
        self.state().clock.on_event_stream();
    }

    /// Records that a request names an unknown host.
    pub fn on_unknown_host(&self) {
        self.state().clock.on_unknown_host();
    }

    /// Records that the answer's body is complete.
    pub fn on_response_end(&self) {
        self.state().clock.on_response_end(Instant::now());
    }

    /// Records that the server drains from now on.
    pub fn on_drain(&self) {
        self.state().clock.on_drain(Instant::now());
    }

    /// Returns when to check again, if ever.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub fn check(&self) -> Result<Option<Instant>, Expired> {
        let mut state = self.state();
        if state.is_evicted { Err(Expired::Evicted) } else { state.clock.check(Instant::now()) }
    }

    /// Checks as [`check`](Self::check) does, and wakes the task of `cx` if the connection is evicted later.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub fn poll_check(&self, cx: &Context<'_>) -> Result<Option<Instant>, Expired> {
        let mut state = self.state();
        if state.is_evicted || self.account.poll_evicted(cx).is_ready() {
            return Err(Expired::Evicted);
        }
        if !state.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            state.task = Some(cx.waker().clone());
        }
        state.clock.check(Instant::now())
    }

    /// Wakes the connection's task, which ends the connection.
    pub fn evict(&self) {
        let mut state = self.state();
        state.is_evicted = true;
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Returns the stream if hyper has dropped it while the client may still be sending.
    pub fn take_left(&self) -> Option<(NetStream, Option<TransportPermit>)> {
        let mut state = self.state();
        let has_ended = state.has_ended;
        state.left.take().filter(|_| !has_ended)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of a write of `offered` bytes.
    fn record_write(&self, offered: usize, written: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        let waiting = match written {
            Poll::Ready(Ok(taken)) => {
                state.clock.on_write(Instant::now(), *taken, *taken == offered);
                // Only bytes that have waited once are charged.
                state.charged.min(offered - taken)
            }
            Poll::Ready(Err(_)) => {
                state.has_ended = true;
                0
            }
            Poll::Pending => {
                state.clock.on_write_blocked(Instant::now());
                offered
            }
        };
        self.account.recharge(&mut state.charged, waiting);
    }
}

impl Idle for Activity {
    fn close_if_idle(&self) -> bool {
        let is_idle = self.state().clock.is_idle();
        if is_idle {
            self.evict();
        }
        is_idle
    }
}

impl Transport {
    /// Wraps `stream`, and holds `permit` until it is dropped.
    pub fn new(stream: NetStream, activity: Arc<Activity>, permit: Option<TransportPermit>) -> Self {
        Self { stream: Some(stream), activity, permit }
    }

    /// Returns the stream with its permit and account after an upgrade. The time limits of HTTP no longer apply.
    pub fn into_parts(mut self) -> Option<(NetStream, Option<TransportPermit>, Arc<Account>)> {
        let permit = self.permit.take().inspect(TransportPermit::on_upgrade);
        self.activity.account.recharge(&mut self.activity.state().charged, 0);
        let account = self.activity.account.clone();
        self.stream.take().map(|stream| (stream, permit, account))
    }

    fn stream(&mut self) -> io::Result<Pin<&mut NetStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.activity.state().left = Some((stream, self.permit.take()));
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
