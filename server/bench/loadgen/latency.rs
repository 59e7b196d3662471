//! How long deliveries and acknowledgements take.

use hdrhistogram::Histogram;

/// The longest time that is told apart, in µs; longer ones count as this.
const LONGEST: u64 = 120_000_000;

/// Times in µs of the messages that had to go out from some moment on.
pub struct Latency {
    histogram: Histogram<u64>,
    /// The moment.
    from: u64,
    /// The latest time and how often it came in a row: many deliveries of one read take the same.
    run: (u64, u64),
}

impl Latency {
    /// Notes nothing before [`Latency::measure`].
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST, 3).expect("these bounds are valid");
        Self { histogram, from: u64::MAX, run: (0, 0) }
    }

    /// Notes the messages that have to go out from then on.
    pub fn measure(&mut self, from: u64) {
        self.from = from;
    }

    /// A message that had to go out at `due` has arrived `now`.
    #[inline]
    pub fn note(&mut self, due: u64, now: u64) {
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
        // Only refused for values that cannot be written down, and these are capped.
        let _ = self.histogram.record_n(took.clamp(1, LONGEST), times);
    }

    /// Milliseconds that so many percent of them take at most; 0 without any.
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
    fn only_what_is_due_in_the_measured_time_counts() {
        let mut latency = Latency::new();
        latency.note(5, 1_000_000);
        assert_eq!(latency.percentile(100.0), 0.0);
        latency.measure(1_000);
        latency.note(999, 1_000_000);
        for _ in 0..99 {
            latency.note(1_000, 2_000);
        }
        latency.note(2_000, 12_000);
        assert_eq!(latency.percentile(50.0), 1.0);
        assert!((latency.percentile(100.0) - 10.0).abs() < 0.1);
    }
}
