//! How long things took.

use std::{fmt, time::Duration};

/// Durations, to be asked for their quantiles.
#[derive(Default)]
pub struct Quantiles(Vec<Duration>);

impl Quantiles {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let place = (last as f64 * part).round() as usize;
        self.0.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
    }

    /// In order, as [`Display`](fmt::Display) needs them.
    pub fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        self
    }
}

/// Milliseconds: p50, p99 and the longest.
impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2} p99 {:.2} max {:.2} ms", self.at(0.5), self.at(0.99), self.at(1.0))
    }
}
