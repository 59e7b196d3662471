//! Whether the log takes writes: what the last commit came to.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Time between two probes of a log whose last commit failed.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What the last commit came to. Written by the writer, read by whoever asks for readiness.
#[derive(Default)]
pub(super) struct Health {
    has_failed: AtomicBool,
    /// Sections under this lock are short and never wait.
    probed_at: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn note(&self, has_failed: bool) {
        self.has_failed.store(has_failed, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Returns `true` if it is time for another probe, which the caller then makes.
    pub(super) fn may_probe(&self) -> bool {
        let mut probed_at = self.probed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = probed_at.is_none_or(|at| at.elapsed() >= PROBE_INTERVAL);
        if is_due {
            *probed_at = Some(Instant::now());
        }
        is_due
    }
}
