//! Latency of deliveries and acknowledgements.

use hdrhistogram::Histogram;

/// The largest recorded latency in µs; larger ones count as this.
const MAX_LATENCY_US: u64 = 120_000_000;

/// A histogram of latencies in µs of the messages that are due after a start time.
pub struct Latency {
    histogram: Histogram<u64>,
    /// The start time in µs.
    from: u64,
    /// The last latency and how often it occurred in a row: many deliveries of one read have the same.
    run: (u64, u64),
}

impl Latency {
    /// Creates a histogram that records nothing before [`Latency::measure`].
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_LATENCY_US, 3).expect("these bounds are valid");
        Self { histogram, from: u64::MAX, run: (0, 0) }
    }

    /// Starts to record messages that are due at `from` or later.
    pub fn measure(&mut self, from: u64) {
        self.from = from;
    }

    /// Records that a message due at `due` has arrived at `now`.
    #[inline]
    pub fn record(&mut self, due: u64, now: u64) {
        if due < self.from {
            return;
        }
        let took = now.saturating_sub(due);
        if took == self.run.0 {
            self.run.1 += 1;
        } else {
            self.close_run();
            self.run = (took, 1);
        }
    }

    fn close_run(&mut self) {
        let (took, times) = std::mem::take(&mut self.run);
        // `record_n` fails only for values out of bounds, and these are clamped.
        let _ = self.histogram.record_n(took.clamp(1, MAX_LATENCY_US), times);
    }

    /// Returns a percentile in milliseconds; 0 without values.
    pub fn percentile(&mut self, percent: f64) -> f64 {
        self.close_run();
        if self.histogram.is_empty() {
            return 0.0;
        }
        self.histogram.value_at_percentile(percent) as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_deliveries_due_in_the_measured_time_count() {
        let mut latency = Latency::new();
        latency.record(5, 1_000_000);
        assert_eq!(latency.percentile(100.0), 0.0);
        latency.measure(1_000);
        latency.record(999, 1_000_000);
        for _ in 0..99 {
            latency.record(1_000, 2_000);
        }
        latency.record(2_000, 12_000);
        assert_eq!(latency.percentile(50.0), 1.0);
        assert!((latency.percentile(100.0) - 10.0).abs() < 0.1);
    }
}
