//! The lag of the index.

use super::IndexStep;
use app::wire::Millis;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The age from which on the index is behind, in milliseconds. A smaller one would reveal how much is posted in rooms that a user
/// does not see.
const BEHIND: Millis = 10_000;

/// The lag of the index behind what is posted.
#[derive(Debug, Clone, Default)]
pub struct IndexLag(Arc<AtomicU64>);

impl IndexLag {
    /// Returns the age of the oldest message that this server was about to index, in milliseconds; 0 if that is less than
    /// [`BEHIND`], and on a server that leaves it to another one.
    pub fn millis(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes a step.
    pub fn set(&self, step: IndexStep) {
        let is_behind = step.more && step.age >= BEHIND;
        self.0.store(if is_behind { step.age } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_says_nothing_of_single_messages() {
        let lag = IndexLag::default();
        for (age, more, shown) in [(BEHIND - 1, true, 0), (BEHIND, false, 0), (BEHIND, true, BEHIND)] {
            lag.set(IndexStep { age, more, ..IndexStep::default() });
            assert_eq!(lag.millis(), shown, "{age} {more}");
        }
    }
}
