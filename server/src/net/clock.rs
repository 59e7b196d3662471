//! The time limits of one HTTP connection. Plain data: events and the time go in, a deadline comes out.

use std::{fmt, time::Duration};
use tokio::time::Instant;

/// The longest time for a request's header from its first byte, and for a new connection until its first byte.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time that a connection may be idle between two requests. It is longer than the 60 s of the usual
/// proxies and load balancers, so that they never send into a connection that is closing.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(90);

/// The same for a connection whose requests name a host that neither this server nor a trusted proxy knows.
pub const UNKNOWN_HOST_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(25);

/// The longest time in which the client may take no byte while bytes wait for it.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The period over which the client's rate is measured while bytes wait for it.
pub const RATE_WINDOW: Duration = Duration::from_secs(30);

/// Bytes that a client must take in one [`RATE_WINDOW`] while bytes wait for it: 8 KiB a second. Event
/// streams are exempt, since they last.
pub const MIN_BYTES_PER_WINDOW: usize = 8 * 1_024 * 30;

/// The time for which the connection may be writable before the next wait is measured on its own.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest time that an answer may still take once the server drains.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The time limit that a connection has exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// [`HEADER_TIMEOUT`].
    Header,
    /// [`KEEP_ALIVE_TIMEOUT`] or [`UNKNOWN_HOST_KEEP_ALIVE_TIMEOUT`].
    Idle,
    /// [`STALL_TIMEOUT`].
    Stalled,
    /// [`MIN_BYTES_PER_WINDOW`].
    TooSlow,
    /// [`DRAIN_TIMEOUT`].
    Draining,
    /// No limit: another client needed the connection's permit, or its bytes.
    Evicted,
}

/// The clock of one HTTP connection.
#[derive(Debug)]
pub struct ConnectionClock {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    wait: Option<Wait>,
    is_event_stream: bool,
    keep_alive: Duration,
    /// When the server began to drain.
    drained: Option<Instant>,
}

/// The state of the connection's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No byte has arrived yet.
    New,
    /// Between two requests.
    Idle,
    /// A part of a request's header has arrived.
    Header,
    /// A request is being answered.
    Request,
}

/// Bytes that the kernel does not take, and how fast the client makes room.
#[derive(Debug)]
struct Wait {
    /// When the wait ended; `None` while bytes wait.
    ended: Option<Instant>,
    window_start: Instant,
    /// Bytes taken since `window_start`.
    taken: usize,
    last_progress: Instant,
}

impl ConnectionClock {
    /// Creates the clock of a connection that was accepted at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            phase: Phase::New,
            since: now,
            wait: None,
            is_event_stream: false,
            keep_alive: KEEP_ALIVE_TIMEOUT,
            drained: None,
        }
    }

    /// Records that bytes of a request have arrived.
    pub fn on_read(&mut self, now: Instant) {
        if matches!(self.phase, Phase::New | Phase::Idle) {
            self.enter(Phase::Header, now);
        }
    }

    /// Records that a request's header is complete.
    pub fn on_request(&mut self, now: Instant) {
        self.enter(Phase::Request, now);
        self.is_event_stream = false;
    }

    /// Records that the answer is an event stream: it lasts, and ends at once when the server drains.
    pub fn on_event_stream(&mut self) {
        self.is_event_stream = true;
    }

    /// Records that a request names an unknown host.
    pub fn on_unknown_host(&mut self) {
        self.keep_alive = UNKNOWN_HOST_KEEP_ALIVE_TIMEOUT;
    }

    /// Records that the answer's body is complete.
    pub fn on_response_end(&mut self, now: Instant) {
        self.enter(Phase::Idle, now);
    }

    /// Records that the kernel has taken `bytes`; `is_all` if no byte waits any more.
    pub fn on_write(&mut self, now: Instant, bytes: usize, is_all: bool) {
        let Some(wait) = &mut self.wait else { return };
        wait.last_progress = now;
        wait.taken += bytes;
        if is_all && wait.ended.is_none() {
            wait.ended = Some(now);
            if self.phase == Phase::Idle {
                self.since = now;
            }
        }
    }

    /// Records that the kernel takes no byte now.
    pub fn on_write_blocked(&mut self, now: Instant) {
        match &mut self.wait {
            Some(wait) if wait.ended.is_none_or(|ended| now - ended < PAUSE) => {
                if wait.ended.take().is_some() {
                    wait.last_progress = now;
                }
            }
            _ => {
                self.wait = Some(Wait { ended: None, window_start: now, taken: 0, last_progress: now });
            }
        }
    }

    /// Records that the server drains from now on.
    pub fn on_drain(&mut self, now: Instant) {
        self.drained.get_or_insert(now);
    }

    /// Returns when to check next, if ever.
    ///
    /// # Errors
    /// The limit that is exceeded at `now`.
    pub fn check(&mut self, now: Instant) -> Result<Option<Instant>, Expired> {
        let is_event_stream = self.is_event_stream;
        let mut due = Due { now, next: None };
        if let Some(drained) = self.drained {
            let timeout = if is_event_stream && self.is_waiting() { Duration::ZERO } else { DRAIN_TIMEOUT };
            due.by(drained + timeout, Expired::Draining)?;
        }
        if let Some(wait) = self.wait.as_mut().filter(|wait| wait.ended.is_none()) {
            due.by(wait.last_progress + STALL_TIMEOUT, Expired::Stalled)?;
            if now >= wait.window_start + RATE_WINDOW && wait.taken >= MIN_BYTES_PER_WINDOW {
                (wait.window_start, wait.taken) = (now, 0);
            }
            if !is_event_stream {
                due.by(wait.window_start + RATE_WINDOW, Expired::TooSlow)?;
            }
            return Ok(due.next);
        }
        match self.phase {
            Phase::New | Phase::Header => due.by(self.since + HEADER_TIMEOUT, Expired::Header)?,
            Phase::Idle => due.by(self.since + self.keep_alive, Expired::Idle)?,
            Phase::Request => {}
        }
        Ok(due.next)
    }

    /// Returns `true` while the connection neither serves a request nor has bytes to send: closing it
    /// loses nothing.
    pub fn is_idle(&self) -> bool {
        self.phase != Phase::Request && !self.is_waiting()
    }

    fn is_waiting(&self) -> bool {
        self.wait.as_ref().is_some_and(|wait| wait.ended.is_none())
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        (self.phase, self.since) = (phase, now);
    }
}

/// The earliest of several deadlines, none of which has passed.
struct Due {
    now: Instant,
    next: Option<Instant>,
}

impl Due {
    fn by(&mut self, deadline: Instant, expired: Expired) -> Result<(), Expired> {
        if self.now >= deadline {
            return Err(expired);
        }
        self.next = Some(self.next.map_or(deadline, |next| next.min(deadline)));
        Ok(())
    }
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header timeout",
            Self::Idle => "keep-alive timeout",
            Self::Stalled => "write timeout",
            Self::TooSlow => "write rate too low",
            Self::Draining => "draining",
            Self::Evicted => "evicted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn answering(start: Instant) -> ConnectionClock {
        let mut clock = ConnectionClock::new(start);
        clock.on_read(start);
        clock.on_request(start);
        clock
    }

    #[test]
    fn a_silent_connection_and_a_partial_header_expire_after_5_s() {
        let start = Instant::now();
        let mut clock = ConnectionClock::new(start);
        assert_eq!(clock.check(start), Ok(Some(start + HEADER_TIMEOUT)));
        assert_eq!(clock.check(start + HEADER_TIMEOUT), Err(Expired::Header));
        clock.on_read(start + 4 * SECOND);
        assert_eq!(clock.check(start + 8 * SECOND), Ok(Some(start + 9 * SECOND)));
        // More bytes of the same header give no more time.
        clock.on_read(start + 8 * SECOND);
        assert_eq!(clock.check(start + 9 * SECOND), Err(Expired::Header));
    }

    #[test]
    fn an_idle_connection_outlives_60_s_and_its_next_header_has_5_s() {
        let start = Instant::now();
        let mut clock = answering(start);
        assert!(!clock.is_idle());
        clock.on_response_end(start);
        assert!(clock.is_idle());
        assert!(clock.check(start + 75 * SECOND).is_ok());
        assert_eq!(clock.check(start + KEEP_ALIVE_TIMEOUT), Err(Expired::Idle));
        clock.on_read(start + 75 * SECOND);
        assert_eq!(clock.check(start + 80 * SECOND), Err(Expired::Header));
    }

    #[test]
    fn an_idle_connection_for_an_unknown_host_expires_after_25_s() {
        let start = Instant::now();
        let mut clock = answering(start);
        clock.on_unknown_host();
        clock.on_response_end(start);
        assert!(clock.check(start + 24 * SECOND).is_ok());
        assert_eq!(clock.check(start + UNKNOWN_HOST_KEEP_ALIVE_TIMEOUT), Err(Expired::Idle));
    }

    #[test]
    fn a_slow_answer_expires_only_while_bytes_wait() {
        let start = Instant::now();
        let mut clock = answering(start);
        assert_eq!(clock.check(start + 1_000 * SECOND), Ok(None));
        clock.on_write_blocked(start);
        assert_eq!(clock.check(start), Ok(Some(start + STALL_TIMEOUT)));
        assert_eq!(clock.check(start + STALL_TIMEOUT), Err(Expired::Stalled));
        clock.on_write(start + 9 * SECOND, 1, true);
        assert_eq!(clock.check(start + 1_000 * SECOND), Ok(None));
    }

    #[test]
    fn a_client_below_8_kib_a_second_expires_after_30_s() {
        for (bytes, expires) in [(8 * 1_024 - 1, true), (8 * 1_024, false)] {
            let start = Instant::now();
            let mut clock = answering(start);
            clock.on_write_blocked(start);
            for second in 1..=30 {
                clock.on_write(start + second * SECOND, bytes, false);
            }
            let checked = clock.check(start + RATE_WINDOW);
            assert_eq!(checked.err(), expires.then_some(Expired::TooSlow), "{bytes} bytes a second");
        }
    }

    #[test]
    fn a_short_pause_does_not_restart_the_measurement() {
        let start = Instant::now();
        let mut clock = answering(start);
        clock.on_write_blocked(start);
        for second in 1..30 {
            clock.on_write(start + second * SECOND, 1_000, true);
            clock.on_write_blocked(start + second * SECOND + SECOND / 2);
        }
        assert_eq!(clock.check(start + RATE_WINDOW), Err(Expired::TooSlow));
    }

    #[test]
    fn an_event_stream_may_be_slow_but_not_stalled() {
        let start = Instant::now();
        let mut clock = answering(start);
        clock.on_event_stream();
        clock.on_write_blocked(start);
        for second in [9, 18, 27, 36] {
            clock.on_write(start + second * SECOND, 1, false);
            assert!(clock.check(start + second * SECOND).is_ok());
        }
        assert_eq!(clock.check(start + 46 * SECOND), Err(Expired::Stalled));
    }

    #[test]
    fn draining_gives_answers_one_second_and_stalled_streams_none() {
        let start = Instant::now();
        let mut answer = answering(start);
        answer.on_write_blocked(start);
        answer.on_drain(start);
        assert_eq!(answer.check(start), Ok(Some(start + DRAIN_TIMEOUT)));
        assert_eq!(answer.check(start + DRAIN_TIMEOUT), Err(Expired::Draining));

        let mut stream = answering(start);
        stream.on_event_stream();
        stream.on_write_blocked(start);
        stream.on_drain(start);
        assert_eq!(stream.check(start), Err(Expired::Draining));
    }
}
