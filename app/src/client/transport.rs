//! The transport of a page: a WebSocket, or HTTP if the network blocks WebSockets.
//!
//! Plain data; the time is passed in and never goes back.

use crate::wire::Millis;

/// WebSockets in a row that ended early, after which the page switches to HTTP.
const MAX_CUTS: u32 = 3;

/// WebSockets in a row that failed before the server's first frame, after which the page switches to HTTP. The first
/// bound holds if one has succeeded on this page, so that the server is more likely down; the second one otherwise.
const MAX_REFUSALS: u32 = 8;
const MAX_FIRST_REFUSALS: u32 = 3;

/// Milliseconds after which a WebSocket counts as stable.
const STABLE_MS: Millis = 30_000;

/// Milliseconds until the page probes for a WebSocket beside HTTP: if one was stable before, and otherwise. The delay
/// doubles up to the longest.
const KNOWN_PROBE_MS: Millis = 2_000;
const FIRST_PROBE_MS: Millis = 30_000;
const MAX_PROBE_MS: Millis = 10 * 60 * 1_000;

/// A transport of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One WebSocket in both directions.
    WebSocket,
    /// Server-Sent Events down, requests up.
    Http,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// It failed before the server's first frame.
    Refused,
    /// The server's first frame did not come in time.
    TimedOut,
    /// It lasted this many milliseconds from the server's first frame on.
    Lasted(Millis),
}

/// Chooses the transport of the next connection.
#[derive(Debug, Clone, Default)]
pub struct TransportChoice {
    /// WebSockets in a row that ended early, and that were refused.
    cuts: u32,
    refusals: u32,
    /// A WebSocket has succeeded on this page.
    has_succeeded: bool,
    /// One of them was stable.
    has_been_stable: bool,
    /// WebSockets count as blocked.
    is_blocked: bool,
    /// The last attempt over HTTP failed as well: the server may be down.
    is_http_down: bool,
    probes: u32,
    next_probe: Millis,
}

impl TransportChoice {
    /// Begins with HTTP, since an earlier page has found that WebSockets are blocked.
    pub fn blocked(now: Millis) -> Self {
        let mut choice = Self { is_blocked: true, ..Self::default() };
        choice.schedule_probe(now);
        choice
    }

    /// Returns the transport of the next connection. While neither works they take turns.
    pub fn next(&self) -> Transport {
        if self.is_blocked && !self.is_http_down { Transport::Http } else { Transport::WebSocket }
    }

    /// Returns `true` if WebSockets count as blocked.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Records that a connection over `transport` ended at `now`.
    pub fn on_connection_end(&mut self, transport: Transport, ended: ConnectionEnd, now: Millis) {
        if transport == Transport::Http {
            self.is_http_down = !matches!(ended, ConnectionEnd::Lasted(_));
            return;
        }
        self.is_http_down = false;
        let is_blocked = match ended {
            ConnectionEnd::Lasted(ms) if ms >= STABLE_MS => {
                *self = Self { has_succeeded: true, has_been_stable: true, ..Self::default() };
                false
            }
            ConnectionEnd::Lasted(_) => {
                (self.has_succeeded, self.refusals) = (true, 0);
                self.cuts = self.cuts.saturating_add(1);
                self.cuts >= MAX_CUTS
            }
            ConnectionEnd::Refused => {
                self.refusals = self.refusals.saturating_add(1);
                self.refusals >= if self.has_succeeded { MAX_REFUSALS } else { MAX_FIRST_REFUSALS }
            }
            ConnectionEnd::TimedOut => true,
        };
        if is_blocked && !self.is_blocked {
            self.is_blocked = true;
            self.schedule_probe(now);
        }
    }

    /// Returns `true` if a probe for a WebSocket is due at `now`. The next one is then due after a longer delay.
    pub fn should_probe(&mut self, now: Millis) -> bool {
        let is_due = now >= self.next_probe;
        if is_due {
            self.schedule_probe(now);
        }
        is_due
    }

    /// Switches the next connection to a WebSocket, since a probe has succeeded. If it ends early, HTTP is next again.
    pub fn probe_succeeded(&mut self) {
        (self.is_blocked, self.cuts, self.refusals) = (false, MAX_CUTS - 1, MAX_REFUSALS - 1);
    }

    /// Makes a probe due soon: the browser is on another network, which may allow WebSockets.
    pub fn on_network_change(&mut self, now: Millis) {
        self.probes = 0;
        self.next_probe = self.next_probe.min(now + KNOWN_PROBE_MS);
    }

    fn schedule_probe(&mut self, now: Millis) {
        let first = if self.has_been_stable { KNOWN_PROBE_MS } else { FIRST_PROBE_MS };
        let delay = first.saturating_mul(2_u64.saturating_pow(self.probes)).min(MAX_PROBE_MS);
        self.probes = self.probes.saturating_add(1);
        self.next_probe = now + delay;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(ends: &[ConnectionEnd]) -> TransportChoice {
        let mut choice = TransportChoice::default();
        for ended in ends {
            assert_eq!(choice.next(), Transport::WebSocket, "{ended:?}");
            choice.on_connection_end(Transport::WebSocket, *ended, 0);
        }
        choice
    }

    #[test]
    fn http_follows_one_hanging_or_three_rejected_or_short_sockets() {
        for ends in
            [&[ConnectionEnd::TimedOut][..], &[ConnectionEnd::Refused; 3], &[ConnectionEnd::Lasted(2_000); 3]]
        {
            assert_eq!(after(ends).next(), Transport::Http, "{ends:?}");
        }
    }

    #[test]
    fn a_stable_socket_is_kept_however_often_it_ends() {
        let stable = ConnectionEnd::Lasted(STABLE_MS);
        let ends = [
            stable,
            ConnectionEnd::Refused,
            stable,
            ConnectionEnd::Refused,
            ConnectionEnd::Refused,
            stable,
            stable,
        ];
        assert_eq!(after(&ends).next(), Transport::WebSocket);
    }

    #[test]
    fn a_server_that_is_down_for_a_moment_does_not_count_as_blocked() {
        let mut ends = vec![ConnectionEnd::Lasted(2_000)];
        ends.extend([ConnectionEnd::Refused; MAX_REFUSALS as usize - 1]);
        assert_eq!(after(&ends).next(), Transport::WebSocket);
        ends.push(ConnectionEnd::Refused);
        assert_eq!(after(&ends).next(), Transport::Http);
    }

    #[test]
    fn while_the_server_is_down_both_transports_take_turns() {
        let mut choice = after(&[ConnectionEnd::Refused; 3]);
        let mut turns = Vec::new();
        for now in 0..4 {
            turns.push(choice.next());
            choice.on_connection_end(choice.next(), ConnectionEnd::Refused, now);
        }
        assert_eq!(turns, [Transport::Http, Transport::WebSocket, Transport::Http, Transport::WebSocket]);
    }

    #[test]
    fn probes_are_due_after_delays_that_double_to_ten_minutes() {
        let mut choice = after(&[ConnectionEnd::TimedOut]);
        let (mut now, mut last, mut pauses) = (0, 0, Vec::new());
        while pauses.len() < 7 {
            now += 1_000;
            if choice.should_probe(now) {
                pauses.push((now - last) / 1_000);
                last = now;
            }
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn probe_is_due_soon_after_a_stable_socket_or_a_network_change() {
        let mut choice = after(&[ConnectionEnd::Lasted(STABLE_MS), ConnectionEnd::TimedOut]);
        assert!(!choice.should_probe(KNOWN_PROBE_MS - 1) && choice.should_probe(KNOWN_PROBE_MS));
        let mut choice = TransportChoice::blocked(0);
        assert_eq!(choice.next(), Transport::Http);
        choice.on_network_change(5_000);
        assert!(!choice.should_probe(6_999) && choice.should_probe(7_000));
    }

    #[test]
    fn successful_probe_selects_websocket_until_a_short_connection() {
        let mut choice = after(&[ConnectionEnd::Lasted(2_000); 3]);
        choice.probe_succeeded();
        assert_eq!(choice.next(), Transport::WebSocket);
        choice.on_connection_end(Transport::WebSocket, ConnectionEnd::Lasted(2_000), 60_000);
        assert_eq!(choice.next(), Transport::Http);
        assert!(!choice.should_probe(60_000 + FIRST_PROBE_MS), "the delays keep growing");
    }

    proptest! {
        #[test]
        fn failing_transports_alternate_after_three_attempts_at_most(
            ends in prop::collection::vec(prop_oneof![Just(ConnectionEnd::Refused), Just(ConnectionEnd::TimedOut)], 1..50),
        ) {
            let (mut choice, mut row) = (TransportChoice::default(), (Transport::WebSocket, 0));
            for (now, ended) in (0..).zip(ends) {
                let next = choice.next();
                row = if row.0 == next { (next, row.1 + 1) } else { (next, 1) };
                prop_assert!(row.1 <= MAX_FIRST_REFUSALS);
                choice.on_connection_end(next, ended, now);
            }
        }
    }
}
