//! Which transport carries a room: a WebSocket, or HTTP where the network lets no WebSocket through.
//!
//! Plain data; time is passed in and never goes back.

use crate::wire::Millis;

/// WebSockets in a row that were cut early, after which HTTP takes over.
const MAX_CUTS: u32 = 3;

/// WebSockets in a row that failed before the server's first frame, after which HTTP takes over: on a page to which
/// one has come before, so that the server is more likely down, and on any other.
const MAX_REFUSALS: u32 = 8;
const MAX_FIRST_REFUSALS: u32 = 3;

/// A WebSocket that lasted so many milliseconds works.
const STABLE_MS: Millis = 30_000;

/// Milliseconds until the WebSocket is tried again beside HTTP: on a network where it has worked before, and
/// elsewhere. The pause doubles up to the longest.
const SOON_MS: Millis = 2_000;
const FIRST_PROBE_MS: Millis = 30_000;
const MAX_PROBE_MS: Millis = 10 * 60 * 1_000;

/// How frames go to the server and come from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One WebSocket for both ways.
    WebSocket,
    /// Server-Sent Events down, requests up.
    Http,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It failed before the server's first frame.
    RejectedInput,
    /// The server's first frame did not come in time.
    TimedOut,
    /// It lasted so many milliseconds from the server's first frame on.
    Lasted(Millis),
}

/// Chooses the transport of the next connection.
#[derive(Debug, Clone, Default)]
pub struct TransportChoice {
    /// WebSockets in a row that were cut early, and that were refused.
    cuts: u32,
    refusals: u32,
    /// A WebSocket has got through on this page.
    got_through: bool,
    /// One of them was stable.
    was_stable: bool,
    /// WebSockets are taken for blocked.
    is_blocked: bool,
    /// The last try over HTTP failed as well: the server may be down.
    is_http_down: bool,
    probes: u32,
    next_probe: Millis,
}

impl TransportChoice {
    /// Begins with HTTP, where an earlier page found at `now` that no WebSocket gets through.
    pub fn blocked(now: Millis) -> Self {
        let mut choice = Self { is_blocked: true, ..Self::default() };
        choice.schedule_probe(now);
        choice
    }

    /// The transport of the next connection. While neither works they take turns.
    pub fn next(&self) -> Transport {
        if self.is_blocked && !self.is_http_down { Transport::Http } else { Transport::WebSocket }
    }

    /// Whether WebSockets are taken for blocked.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Takes note that a connection over `transport` ended at `now`.
    pub fn ended(&mut self, transport: Transport, ended: Ended, now: Millis) {
        if transport == Transport::Http {
            self.is_http_down = !matches!(ended, Ended::Lasted(_));
            return;
        }
        self.is_http_down = false;
        let is_blocked = match ended {
            Ended::Lasted(ms) if ms >= STABLE_MS => {
                *self = Self { got_through: true, was_stable: true, ..Self::default() };
                false
            }
            Ended::Lasted(_) => {
                (self.got_through, self.refusals) = (true, 0);
                self.cuts = self.cuts.saturating_add(1);
                self.cuts >= MAX_CUTS
            }
            Ended::RejectedInput => {
                self.refusals = self.refusals.saturating_add(1);
                self.refusals >= if self.got_through { MAX_REFUSALS } else { MAX_FIRST_REFUSALS }
            }
            Ended::TimedOut => true,
        };
        if is_blocked && !self.is_blocked {
            self.is_blocked = true;
            self.schedule_probe(now);
        }
    }

    /// Whether to try a WebSocket beside HTTP now. If so, the next try is due after a longer pause.
    pub fn should_probe(&mut self, now: Millis) -> bool {
        let is_due = now >= self.next_probe;
        if is_due {
            self.schedule_probe(now);
        }
        is_due
    }

    /// A WebSocket got through: the next connection uses one, and returns to HTTP if it is cut early.
    pub fn probe_succeeded(&mut self) {
        (self.is_blocked, self.cuts, self.refusals) = (false, MAX_CUTS - 1, MAX_REFUSALS - 1);
    }

    /// The browser is on another network, which may let WebSockets through.
    pub fn network_changed(&mut self, now: Millis) {
        self.probes = 0;
        self.next_probe = self.next_probe.min(now + SOON_MS);
    }

    fn schedule_probe(&mut self, now: Millis) {
        let first = if self.was_stable { SOON_MS } else { FIRST_PROBE_MS };
        let pause = first.saturating_mul(2_u64.saturating_pow(self.probes)).min(MAX_PROBE_MS);
        self.probes = self.probes.saturating_add(1);
        self.next_probe = now + pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(ends: &[Ended]) -> TransportChoice {
        let mut choice = TransportChoice::default();
        for ended in ends {
            assert_eq!(choice.next(), Transport::WebSocket, "{ended:?}");
            choice.ended(Transport::WebSocket, *ended, 0);
        }
        choice
    }

    #[test]
    fn http_takes_over_when_a_socket_hangs_is_refused_or_is_cut_early_again_and_again() {
        for ends in [&[Ended::TimedOut][..], &[Ended::RejectedInput; 3], &[Ended::Lasted(2_000); 3]] {
            assert_eq!(after(ends).next(), Transport::Http, "{ends:?}");
        }
    }

    #[test]
    fn a_socket_that_lasts_is_kept_however_often_it_ends() {
        let stable = Ended::Lasted(STABLE_MS);
        let ends = [
            stable,
            Ended::RejectedInput,
            stable,
            Ended::RejectedInput,
            Ended::RejectedInput,
            stable,
            stable,
        ];
        assert_eq!(after(&ends).next(), Transport::WebSocket);
    }

    #[test]
    fn a_server_that_is_away_for_a_moment_is_not_taken_for_a_blocked_socket() {
        let mut ends = vec![Ended::Lasted(2_000)];
        ends.extend([Ended::RejectedInput; MAX_REFUSALS as usize - 1]);
        assert_eq!(after(&ends).next(), Transport::WebSocket);
        ends.push(Ended::RejectedInput);
        assert_eq!(after(&ends).next(), Transport::Http);
    }

    #[test]
    fn while_the_server_is_down_both_transports_take_turns() {
        let mut choice = after(&[Ended::RejectedInput; 3]);
        let mut turns = Vec::new();
        for now in 0..4 {
            turns.push(choice.next());
            choice.ended(choice.next(), Ended::RejectedInput, now);
        }
        assert_eq!(turns, [Transport::Http, Transport::WebSocket, Transport::Http, Transport::WebSocket]);
    }

    #[test]
    fn the_socket_is_tried_again_beside_http_after_pauses_that_double_to_ten_minutes() {
        let mut choice = after(&[Ended::TimedOut]);
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
    fn a_socket_that_has_worked_before_or_another_network_is_tried_soon() {
        let mut choice = after(&[Ended::Lasted(STABLE_MS), Ended::TimedOut]);
        assert!(!choice.should_probe(SOON_MS - 1) && choice.should_probe(SOON_MS));
        let mut choice = TransportChoice::blocked(0);
        assert_eq!(choice.next(), Transport::Http);
        choice.network_changed(5_000);
        assert!(!choice.should_probe(6_999) && choice.should_probe(7_000));
    }

    #[test]
    fn a_probe_that_gets_through_leads_back_to_the_socket_and_one_early_cut_back_to_http() {
        let mut choice = after(&[Ended::Lasted(2_000); 3]);
        choice.probe_succeeded();
        assert_eq!(choice.next(), Transport::WebSocket);
        choice.ended(Transport::WebSocket, Ended::Lasted(2_000), 60_000);
        assert_eq!(choice.next(), Transport::Http);
        assert!(!choice.should_probe(60_000 + FIRST_PROBE_MS), "the pauses go on growing");
    }

    proptest! {
        #[test]
        fn neither_transport_is_tried_more_than_three_times_in_a_row_while_both_fail(
            ends in prop::collection::vec(prop_oneof![Just(Ended::RejectedInput), Just(Ended::TimedOut)], 1..50),
        ) {
            let (mut choice, mut row) = (TransportChoice::default(), (Transport::WebSocket, 0));
            for (now, ended) in (0..).zip(ends) {
                let next = choice.next();
                row = if row.0 == next { (next, row.1 + 1) } else { (next, 1) };
                prop_assert!(row.1 <= MAX_FIRST_REFUSALS);
                choice.ended(next, ended, now);
            }
        }
    }
}
