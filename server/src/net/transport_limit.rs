//! The limit of open connections, in all and from each network, whatever protocol they speak.

use crate::limits::{network::Network, permit_counter::PermitCounter};
use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound::{Excluded, Unbounded},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Connections of one network, at 100 percent: browsers open six at a time to load a page.
const MAX_PER_NETWORK: usize = 8_000;

/// Connections that one search for an idle one examines.
const MAX_SCANNED: usize = 64;

/// The permits for connections. If all are held, a new connection gets that of an idle one, which has sent no request or
/// waits for its next one.
#[derive(Debug, Clone)]
pub struct TransportLimit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Sections under this lock are short and never wait.
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    permits: PermitCounter,
    /// The connections that speak HTTP, in order of arrival.
    http: BTreeMap<u64, Candidate>,
    next_id: u64,
    /// The connection at which the last search for an idle one has ended.
    last_scanned: u64,
}

#[derive(Debug)]
struct Candidate {
    network: Network,
    connection: Weak<dyn Idle>,
    is_revoked: Arc<AtomicBool>,
}

/// A connection that can be closed while it is idle.
pub trait Idle: fmt::Debug + Send + Sync {
    /// Closes the connection unless it serves a request. Returns `false` if it does.
    fn close_if_idle(&self) -> bool;
}

/// A permit, held while a connection is open.
#[derive(Debug)]
pub struct TransportPermit {
    id: u64,
    network: Network,
    is_revoked: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl TransportLimit {
    /// Creates a limit of `max` connections. One network has at most `percent` of the default and three quarters of
    /// `max`; with 0 percent it may have all of them.
    pub fn new(max: usize, percent: u32) -> Self {
        let permits = PermitCounter::new(max, MAX_PER_NETWORK, percent);
        let open = Mutex::new(Open { permits, http: BTreeMap::new(), next_id: 0, last_scanned: 0 });
        Self(Arc::new(Shared { open }))
    }

    /// Acquires a permit for a connection from `network`, or from a trusted proxy (`None`), which speaks for many
    /// networks. An idle connection may be closed for it. Returns `None` if all are busy.
    pub fn try_acquire(
        &self,
        network: Option<Network>,
        connection: &Arc<impl Idle + 'static>,
    ) -> Option<TransportPermit> {
        let mut open = self.0.open();
        if network
            .is_some_and(|network| open.permits.is_network_full(network) && !open.close_idle(Some(network)))
        {
            return None;
        }
        if open.permits.is_full() && !open.close_idle(None) {
            return None;
        }
        // Connections of a proxy are counted as those of this machine, which has no limit of its own.
        let network = network.unwrap_or(Network::Local);
        let is_revoked = Arc::new(AtomicBool::new(false));
        let id = open.next_id;
        open.next_id += 1;
        open.permits.add(network);
        let connection: Arc<dyn Idle> = connection.clone();
        let connection = Arc::downgrade(&connection);
        open.http.insert(id, Candidate { network, connection, is_revoked: is_revoked.clone() });
        drop(open);
        Some(TransportPermit { id, network, is_revoked, shared: self.0.clone() })
    }

    /// Closes an idle connection, if there is one. Called when the process has no descriptor left.
    pub fn close_idle(&self) {
        self.0.open().close_idle(None);
    }
}

impl TransportPermit {
    /// Records that the connection no longer speaks HTTP, so that it is never idle.
    pub fn on_upgrade(&self) {
        self.shared.open().http.remove(&self.id);
    }
}

impl Drop for TransportPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.http.remove(&self.id);
        if !self.is_revoked.load(Ordering::Relaxed) {
            open.permits.remove(self.network);
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes an idle connection, of `network` or of any, and takes its permit back. Returns `false` if
    /// there is none among the next [`MAX_SCANNED`].
    fn close_idle(&mut self, network: Option<Network>) -> bool {
        for _ in 0..MAX_SCANNED.min(self.http.len()) {
            let next = self.http.range((Excluded(self.last_scanned), Unbounded)).next();
            let Some((&id, candidate)) = next.or_else(|| self.http.first_key_value()) else { return false };
            self.last_scanned = id;
            if network.is_some_and(|network| candidate.network != network) {
                continue;
            }
            if candidate.connection.upgrade().is_some_and(|connection| connection.close_if_idle()) {
                candidate.is_revoked.store(true, Ordering::Relaxed);
                let network = candidate.network;
                self.http.remove(&id);
                self.permits.remove(network);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Activity, UnsentBudget};

    fn activity() -> Arc<Activity> {
        Activity::new(UnsentBudget::new(1_000).open())
    }

    fn network(n: u64) -> Option<Network> {
        Some(Network::V6(n))
    }

    #[test]
    fn a_new_connection_gets_the_permit_of_the_oldest_idle_one() {
        let limit = TransportLimit::new(3, 0);
        let activities: Vec<_> = (0..3).map(|_| activity()).collect();
        let held: Vec<_> = activities.iter().map(|one| limit.try_acquire(network(1), one).unwrap()).collect();
        activities[0].on_request();
        let newcomer = activity();
        newcomer.on_request();
        let _permit = limit.try_acquire(network(2), &newcomer).unwrap();
        let is_closed = |n: usize| activities[n].check().is_err();
        assert_eq!((is_closed(0), is_closed(1), is_closed(2)), (false, true, false));
        held[2].on_upgrade();
        assert!(limit.try_acquire(network(3), &activity()).is_none(), "all are busy");
        drop(held);
        assert_eq!(limit.0.open().permits.total(), 1);
    }

    #[test]
    fn a_network_at_its_limit_closes_its_own_idle_connections() {
        let limit = TransportLimit::new(8, 100);
        let (other, own): (Arc<Activity>, Vec<_>) = (activity(), (0..6).map(|_| activity()).collect());
        let _other = limit.try_acquire(network(2), &other).unwrap();
        let _held: Vec<_> = own.iter().map(|one| limit.try_acquire(network(1), one).unwrap()).collect();
        let _seventh = limit.try_acquire(network(1), &activity()).unwrap();
        assert!(other.check().is_ok() && own[0].check().is_err());
        own.iter().for_each(|one| one.on_request());
        let busy = activity();
        busy.on_request();
        let _eighth = limit.try_acquire(network(1), &busy);
        assert!(limit.try_acquire(network(1), &busy).is_none());
        other.on_request();
        let _last = limit.try_acquire(network(3), &busy).unwrap();
        assert!(limit.try_acquire(None, &busy).is_none(), "the server is full now");
    }
}
