//! Exponential backoff between two attempts to connect.

use std::time::Duration;

/// The first step.
const FIRST_STEP: Duration = Duration::from_millis(250);

/// The longest step.
const MAX_STEP: Duration = Duration::from_secs(10);

/// Exponential backoff with full jitter: steps of 0.25 s that double up to 10 s. The jitter spreads the clients of a
/// server that restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the delay before the next attempt, for a `random` number from 0 to 1.
    pub fn next_delay(&mut self, random: f64) -> Duration {
        let step = FIRST_STEP.saturating_mul(2_u32.saturating_pow(self.failures)).min(MAX_STEP);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(random.clamp(0.0, 1.0))
    }

    /// Begins again with the first step, since a connection has succeeded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_from_250_ms_to_ten_seconds_until_a_reset() {
        let mut backoff = Backoff::default();
        let steps: Vec<u128> = (0..8).map(|_| backoff.next_delay(1.0).as_millis()).collect();
        assert_eq!(steps, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.next_delay(1.0), FIRST_STEP);
    }

    #[test]
    fn the_jitter_is_full_and_the_failures_never_overflow() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.next_delay(0.0), Duration::ZERO);
        assert_eq!(backoff.next_delay(0.5), MAX_STEP / 2);
    }
}
