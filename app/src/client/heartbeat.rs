//! The client's own heartbeat. A browser cannot see the server's WebSocket pings, and after sleep a dead socket still
//! reports that it is open.

use crate::wire::limits::{HEARTBEAT_INTERVAL_MS, PONG_TIMEOUT_MS};

/// The client's action after a tick of the clock or a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatAction {
    /// Nothing.
    None,
    /// It sends a ping with this number.
    Ping(u64),
    /// It abandons the connection, which is dead.
    Timeout,
}

/// Measures the silence of one connection.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    interval_ms: u64,
    silent_ms: u64,
    /// Milliseconds since a ping that is not answered yet.
    unanswered_ms: Option<u64>,
    pings: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval_ms: HEARTBEAT_INTERVAL_MS, silent_ms: 0, unanswered_ms: None, pings: 0 }
    }
}

impl Heartbeat {
    /// Sets after how many milliseconds of silence the client pings, as the server announced it.
    pub fn set_interval(&mut self, interval_ms: u64) {
        self.interval_ms = interval_ms.max(1_000);
    }

    /// Records that something was received.
    pub fn on_receive(&mut self) {
        self.silent_ms = 0;
        self.unanswered_ms = None;
    }

    /// Pings at once, unless an answer is awaited: something has happened that may have killed the connection.
    pub fn probe(&mut self) -> HeartbeatAction {
        if self.unanswered_ms.is_some() { HeartbeatAction::None } else { self.ping() }
    }

    /// Advances the clock by `ms` milliseconds.
    pub fn tick(&mut self, ms: u64) -> HeartbeatAction {
        self.silent_ms += ms;
        if let Some(unanswered) = &mut self.unanswered_ms {
            *unanswered += ms;
            return if *unanswered >= PONG_TIMEOUT_MS {
                HeartbeatAction::Timeout
            } else {
                HeartbeatAction::None
            };
        }
        if self.silent_ms < self.interval_ms {
            return HeartbeatAction::None;
        }
        self.ping()
    }

    fn ping(&mut self) -> HeartbeatAction {
        self.unanswered_ms = Some(0);
        self.pings += 1;
        HeartbeatAction::Ping(self.pings)
    }
}

#[cfg(test)]
mod tests {
    use super::HeartbeatAction::{None, Ping, Timeout};
    use super::*;

    #[test]
    fn silence_causes_one_ping_until_something_is_received() {
        let mut heartbeat = Heartbeat::default();
        heartbeat.set_interval(2_000);
        assert_eq!([(); 3].map(|()| heartbeat.tick(1_000)), [None, Ping(1), None]);
        heartbeat.on_receive();
        assert_eq!([(); 2].map(|()| heartbeat.tick(1_000)), [None, Ping(2)]);
    }

    #[test]
    fn a_probe_pings_at_once_and_only_once() {
        let mut heartbeat = Heartbeat::default();
        assert_eq!([heartbeat.probe(), heartbeat.probe()], [Ping(1), None]);
        assert_eq!(heartbeat.tick(5_000), Timeout);
    }

    #[test]
    fn a_ping_without_an_answer_times_out_after_five_seconds() {
        let mut heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.tick(HEARTBEAT_INTERVAL_MS), Ping(1));
        assert_eq!([heartbeat.tick(4_999), heartbeat.tick(1)], [None, Timeout]);
    }
}
