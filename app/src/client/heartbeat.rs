//! Is the other end still there? A browser cannot see the server's pings, and after sleep a dead
//! socket still says that it is open.

use crate::wire::limits::{HEARTBEAT_INTERVAL_MS, PONG_TIMEOUT_MS};

/// What to do at a tick of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Nothing.
    Rest,
    /// Send a ping with this number.
    Ping(u64),
    /// The socket is dead: leave it.
    Dead,
}

/// Counts the silence of one connection.
#[derive(Debug, Clone)]
pub struct Pulse {
    heartbeat_ms: u64,
    silent_ms: u64,
    /// Milliseconds since a ping that has had no answer yet.
    asked_ms: Option<u64>,
    pings: u64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { heartbeat_ms: HEARTBEAT_INTERVAL_MS, silent_ms: 0, asked_ms: None, pings: 0 }
    }
}

impl Pulse {
    /// The server has said how much silence is too much.
    pub fn every(&mut self, heartbeat_ms: u64) {
        self.heartbeat_ms = heartbeat_ms.max(1_000);
    }

    /// Something came in.
    pub fn heard(&mut self) {
        self.silent_ms = 0;
        self.asked_ms = None;
    }

    /// Something has happened that may have killed the socket: ask at once, unless an answer is awaited.
    pub fn doubt(&mut self) -> Beat {
        if self.asked_ms.is_some() { Beat::Rest } else { self.ask() }
    }

    /// So many milliseconds have passed.
    pub fn tick(&mut self, ms: u64) -> Beat {
        self.silent_ms += ms;
        if let Some(asked) = &mut self.asked_ms {
            *asked += ms;
            return if *asked >= PONG_TIMEOUT_MS { Beat::Dead } else { Beat::Rest };
        }
        if self.silent_ms < self.heartbeat_ms {
            return Beat::Rest;
        }
        self.ask()
    }

    fn ask(&mut self) -> Beat {
        self.asked_ms = Some(0);
        self.pings += 1;
        Beat::Ping(self.pings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_asks_once_and_an_answer_calms() {
        let mut pulse = Pulse::default();
        pulse.every(2_000);
        assert_eq!(
            [pulse.tick(1_000), pulse.tick(1_000), pulse.tick(1_000)],
            [Beat::Rest, Beat::Ping(1), Beat::Rest]
        );
        pulse.heard();
        assert_eq!([pulse.tick(1_000), pulse.tick(1_000)], [Beat::Rest, Beat::Ping(2)]);
    }

    #[test]
    fn a_doubt_asks_at_once_and_only_once() {
        let mut pulse = Pulse::default();
        assert_eq!([pulse.doubt(), pulse.doubt()], [Beat::Ping(1), Beat::Rest]);
        assert_eq!(pulse.tick(5_000), Beat::Dead);
    }

    #[test]
    fn no_answer_within_five_seconds_is_death() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.tick(HEARTBEAT_INTERVAL_MS), Beat::Ping(1));
        assert_eq!([pulse.tick(4_999), pulse.tick(1)], [Beat::Rest, Beat::Dead]);
    }
}
