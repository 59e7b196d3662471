//! How many connections may be open, in all and from each network, whatever is spoken on them.

use super::transport::Activity;
use crate::limits::{connection_limit::share, network::Network};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound::{Excluded, Unbounded},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Connections of one network, at 100 percent: browsers open six at a time to load a page.
const PER_NETWORK: usize = 8_000;

/// Connections that are looked at to find an idle one for a newcomer.
const SCANNED: usize = 64;

/// The permits for connections. If all are taken, a newcomer gets that of an idle connection: one that has
/// sent no request, or waits for its next one.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max: usize,
    max_per_network: usize,
    /// Sections under this lock are short and never wait.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_network: HashMap<Network, usize>,
    /// Those that speak HTTP, in order of arrival.
    http: BTreeMap<u64, Candidate>,
    next_id: u64,
    /// Where the last scan for an idle one has ended.
    scanned: u64,
}

#[derive(Debug)]
struct Candidate {
    network: Network,
    activity: Weak<Activity>,
    is_revoked: Arc<AtomicBool>,
}

/// Held as long as a connection is open.
#[derive(Debug)]
pub struct ConnectionPermit {
    id: u64,
    network: Network,
    is_revoked: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Connections {
    /// At most `max`, and of one network at most `percent` of the default and three quarters of `max`; with
    /// 0 percent a network may have all of them.
    pub fn new(max: usize, percent: u32) -> Self {
        let max_per_network = share(max, PER_NETWORK, percent);
        Self(Arc::new(Shared { max, max_per_network, open: Mutex::default() }))
    }

    /// Acquires a permit for a connection from `network`, or from a trusted proxy (`None`), which speaks for
    /// many networks. An idle connection may be closed for it. `None` if all are busy.
    pub fn admit(&self, network: Option<Network>, activity: &Arc<Activity>) -> Option<ConnectionPermit> {
        let mut open = self.0.open();
        if let Some(network) = network {
            let own = open.by_network.get(&network).copied().unwrap_or(0);
            if own >= self.0.max_per_network && !open.close_idle(Some(network)) {
                return None;
            }
        }
        if open.total >= self.0.max && !open.close_idle(None) {
            return None;
        }
        // A proxy's connections are counted as those of this machine, which has no limit of its own.
        let network = network.unwrap_or(Network::Local);
        let is_revoked = Arc::new(AtomicBool::new(false));
        let id = open.next_id;
        open.next_id += 1;
        open.total += 1;
        *open.by_network.entry(network).or_default() += 1;
        let activity = Arc::downgrade(activity);
        open.http.insert(id, Candidate { network, activity, is_revoked: is_revoked.clone() });
        drop(open);
        Some(ConnectionPermit { id, network, is_revoked, shared: self.0.clone() })
    }

    /// Closes an idle connection, if there is one: the process has no descriptor left.
    pub fn close_idle(&self) {
        self.0.open().close_idle(None);
    }
}

impl ConnectionPermit {
    /// The connection speaks HTTP no longer, so it is never idle.
    pub fn on_upgrade(&self) {
        self.shared.open().http.remove(&self.id);
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.http.remove(&self.id);
        if !self.is_revoked.load(Ordering::Relaxed) {
            open.release(self.network);
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
    /// there is none among the next [`SCANNED`].
    fn close_idle(&mut self, network: Option<Network>) -> bool {
        for _ in 0..SCANNED.min(self.http.len()) {
            let next = self.http.range((Excluded(self.scanned), Unbounded)).next();
            let Some((&id, candidate)) = next.or_else(|| self.http.first_key_value()) else { return false };
            self.scanned = id;
            if network.is_some_and(|network| candidate.network != network) {
                continue;
            }
            if candidate.activity.upgrade().is_some_and(|activity| activity.close_if_idle()) {
                candidate.is_revoked.store(true, Ordering::Relaxed);
                let network = candidate.network;
                self.http.remove(&id);
                self.release(network);
                return true;
            }
        }
        false
    }

    fn release(&mut self, network: Network) {
        self.total -= 1;
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::UnsentBudget;

    fn activity() -> Arc<Activity> {
        Activity::new(UnsentBudget::new(1_000).open())
    }

    fn network(n: u64) -> Option<Network> {
        Some(Network::V6(n))
    }

    #[test]
    fn a_newcomer_gets_the_permit_of_the_oldest_idle_connection_and_never_that_of_a_busy_one() {
        let connections = Connections::new(3, 0);
        let activities: Vec<_> = (0..3).map(|_| activity()).collect();
        let held: Vec<_> = activities.iter().map(|one| connections.admit(network(1), one).unwrap()).collect();
        activities[0].on_request();
        let newcomer = activity();
        newcomer.on_request();
        let _permit = connections.admit(network(2), &newcomer).unwrap();
        let is_closed = |n: usize| activities[n].check().is_err();
        assert_eq!((is_closed(0), is_closed(1), is_closed(2)), (false, true, false));
        held[2].on_upgrade();
        assert!(connections.admit(network(3), &activity()).is_none(), "all are busy");
        drop(held);
        assert_eq!(connections.0.open().total, 1);
    }

    #[test]
    fn a_network_at_its_limit_closes_its_own_idle_connections() {
        let connections = Connections::new(8, 100);
        let (other, own): (Arc<Activity>, Vec<_>) = (activity(), (0..6).map(|_| activity()).collect());
        let _other = connections.admit(network(2), &other).unwrap();
        let _held: Vec<_> = own.iter().map(|one| connections.admit(network(1), one).unwrap()).collect();
        let _seventh = connections.admit(network(1), &activity()).unwrap();
        assert!(other.check().is_ok() && own[0].check().is_err());
        own.iter().for_each(|one| one.on_request());
        let busy = activity();
        busy.on_request();
        let _eighth = connections.admit(network(1), &busy);
        assert!(connections.admit(network(1), &busy).is_none());
        other.on_request();
        let _last = connections.admit(network(3), &busy).unwrap();
        assert!(connections.admit(None, &busy).is_none(), "the server is full now");
    }
}
