//! When to try again.

use std::time::Duration;

/// The first step.
const FIRST: Duration = Duration::from_millis(250);

/// The longest step.
const LONGEST: Duration = Duration::from_secs(10);

/// Steps of 0.25 s doubling to 10 s, each with full jitter, so that a server that comes back is not
/// met by everybody at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconnect {
    failures: u32,
}

impl Reconnect {
    /// How long to wait now, for a `random` number from 0 to 1.
    pub fn delay(&mut self, random: f64) -> Duration {
        let step = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(random.clamp(0.0, 1.0))
    }

    /// The connection works: the next loss begins with the first step.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_from_a_quarter_second_to_ten_seconds_and_begin_again_after_a_success() {
        let mut reconnect = Reconnect::default();
        let steps: Vec<u128> = (0..8).map(|_| reconnect.delay(1.0).as_millis()).collect();
        assert_eq!(steps, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        reconnect.succeeded();
        assert_eq!(reconnect.delay(1.0), FIRST);
    }

    #[test]
    fn the_jitter_is_full_and_never_ends() {
        let mut reconnect = Reconnect { failures: u32::MAX };
        assert_eq!(reconnect.delay(0.0), Duration::ZERO);
        assert_eq!(reconnect.delay(0.5), LONGEST / 2);
    }
}
