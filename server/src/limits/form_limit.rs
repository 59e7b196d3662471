//! The limit of forms with files, in all and for each network, and how long one waits for its client.

use super::{connection_limit::Full, network::Network, permit_counter::PermitCounter};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, error::Elapsed, timeout};

/// Forms that may be under way at once: they may last minutes.
const MAX_FORMS: usize = 8;

/// Those of one network, at 100 percent.
const MAX_FORMS_PER_NETWORK: usize = 4;

/// The time that a form waits for [`MIN_BYTES`] of its client.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// Bytes after which the time that a form waits for its client begins again.
const MIN_BYTES: usize = 16 * 1_024;

/// The permits for forms with files.
#[derive(Debug, Clone)]
pub struct FormLimit(Arc<Mutex<PermitCounter>>);

/// A permit, held while a form is under way.
#[derive(Debug)]
pub struct FormPermit {
    network: Network,
    limit: FormLimit,
}

impl FormLimit {
    /// Creates a limit. One network has at most `percent` of the default and three quarters of all; with 0 percent it may
    /// have all of them.
    pub fn new(percent: u32) -> Self {
        Self(Arc::new(Mutex::new(PermitCounter::new(MAX_FORMS, MAX_FORMS_PER_NETWORK, percent))))
    }

    /// Acquires a permit for a client of `network`.
    ///
    /// # Errors
    /// [`Full`].
    pub fn try_acquire(&self, network: Network) -> Result<FormPermit, Full> {
        let mut permits = self.permits();
        if permits.is_full() {
            return Err(Full::Server);
        }
        if permits.is_network_full(network) {
            return Err(Full::Network);
        }
        permits.add(network);
        Ok(FormPermit { network, limit: self.clone() })
    }

    /// Sections under this lock are short and never wait.
    fn permits(&self) -> MutexGuard<'_, PermitCounter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FormPermit {
    fn drop(&mut self) {
        self.limit.permits().remove(self.network);
    }
}

/// The patience with the client of a form, of which only the waiting for its bytes takes.
#[derive(Debug)]
pub struct Patience {
    left: Duration,
    bytes: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: MAX_WAIT, bytes: 0 }
    }
}

impl Patience {
    /// Waits for the client.
    ///
    /// # Errors
    /// [`Elapsed`] if it takes too long.
    pub async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Result<T, Elapsed> {
        let begun = Instant::now();
        let waited = timeout(self.left, next).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        waited
    }

    /// Notes bytes that have come.
    pub fn note(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= MIN_BYTES {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::sleep;

    #[test]
    fn a_network_leaves_places_to_others() {
        let limit = FormLimit::new(100);
        let acquire = |n| limit.try_acquire(Network::V6(n));
        let mut held: Vec<_> = (0..MAX_FORMS_PER_NETWORK).map(|_| acquire(1).unwrap()).collect();
        assert_eq!(acquire(1).err(), Some(Full::Network));
        held.extend((MAX_FORMS_PER_NETWORK..MAX_FORMS).map(|_| acquire(2).unwrap()));
        assert_eq!(acquire(3).err(), Some(Full::Server));
        drop(held.pop());
        drop(acquire(3).unwrap());
        drop(held);
        assert_eq!(limit.permits().total(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn only_waiting_takes_patience_and_bytes_restore_it() {
        let mut patience = Patience::default();
        for _ in 0..4 {
            patience.wait(sleep(Duration::from_secs(10))).await.unwrap();
            patience.note(MIN_BYTES);
            sleep(MAX_WAIT * 2).await;
            patience.wait(ready(())).await.unwrap();
        }
        patience.wait(sleep(Duration::from_secs(10))).await.unwrap();
        patience.note(MIN_BYTES - 1);
        let begun = Instant::now();
        assert!(patience.wait(pending::<()>()).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 5, "a drop now and then is too little");
    }
}
