//! Quantiles of durations.

use std::{fmt, time::Duration};

/// A collection of durations.
#[derive(Default)]
pub struct Quantiles(Vec<Duration>);

impl Quantiles {
    /// Adds a duration.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// Returns a quantile in milliseconds. The durations are [sorted](Self::sorted).
    pub fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let place = (last as f64 * part).round() as usize;
        self.0.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
    }

    /// Sorts the durations, as [`Display`](fmt::Display) requires.
    pub fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        self
    }
}

/// Formats p50, p99 and the maximum in milliseconds.
impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2} p99 {:.2} max {:.2} ms", self.at(0.5), self.at(0.99), self.at(1.0))
    }
}
