//! The health of a store, which accepts writes or not: the result of the last commit.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Time between two probes after a commit has failed.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The result of the last commit. The writer sets it; readiness checks read it.
#[derive(Default)]
pub(super) struct Health {
    has_failed: AtomicBool,
    is_corrupt: AtomicBool,
    /// Sections under this lock are short and never wait.
    probed_at: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn note(&self, has_failed: bool) {
        self.has_failed.store(has_failed, Ordering::Relaxed);
    }

    /// Notes that the check has found damage.
    pub(super) fn note_corruption(&self) {
        self.is_corrupt.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the check has found damage.
    pub(super) fn is_corrupt(&self) -> bool {
        self.is_corrupt.load(Ordering::Relaxed)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Returns `true` if another probe is due, which the caller then runs.
    pub(super) fn may_probe(&self) -> bool {
        let mut probed_at = self.probed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = probed_at.is_none_or(|at| at.elapsed() >= PROBE_INTERVAL);
        if is_due {
            *probed_at = Some(Instant::now());
        }
        is_due
    }
}
