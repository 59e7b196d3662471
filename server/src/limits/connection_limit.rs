//! The limit of WebSockets and event streams, in all and for each network.

use super::{network::Network, permit_counter::PermitCounter};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Connections of one network, at 100 percent.
const MAX_PER_NETWORK: usize = 4_000;

/// The permits for WebSockets and event streams.
///
/// A connection that is in no room yet holds its permit only until another client needs it. So a client that opens many
/// connections and does nothing with them keeps no other client out.
#[derive(Debug, Clone)]
pub struct ConnectionLimit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Sections under this lock are short and never wait.
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    permits: PermitCounter,
    /// The connections in no room, whose permits can be revoked; the oldest first.
    unused: BTreeMap<u64, Arc<Holder>>,
    next_id: u64,
}

#[derive(Debug)]
struct Holder {
    network: Network,
    is_revoked: AtomicBool,
    revoked: Notify,
}

/// A permit, held while a WebSocket or an event stream is open.
#[derive(Debug)]
pub struct ConnectionPermit {
    id: u64,
    holder: Arc<Holder>,
    shared: Arc<Shared>,
}

/// The limit that is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The limit of all connections.
    Server,
    /// The limit of the client's network.
    Network,
}

impl ConnectionLimit {
    /// Creates a limit of `max` connections. One network has at most `percent` of the default and three quarters of
    /// `max`; with 0 percent it may have all of them.
    pub fn new(max: usize, percent: u32) -> Self {
        let permits = PermitCounter::new(max, MAX_PER_NETWORK, percent);
        let open = Mutex::new(Open { permits, unused: BTreeMap::new(), next_id: 0 });
        Self(Arc::new(Shared { open }))
    }

    /// Acquires a permit for a client of `network`. If none is free, it revokes that of the oldest connection that is in
    /// no room.
    ///
    /// # Errors
    /// [`Full`].
    pub fn try_acquire(&self, network: Network) -> Result<ConnectionPermit, Full> {
        let mut open = self.0.open();
        if open.permits.is_network_full(network) && !open.revoke_unused(Some(network)) {
            return Err(if open.permits.is_full() { Full::Server } else { Full::Network });
        }
        if open.permits.is_full() && !open.revoke_unused(None) {
            return Err(Full::Server);
        }
        let holder = Arc::new(Holder { network, is_revoked: AtomicBool::new(false), revoked: Notify::new() });
        let id = open.next_id;
        open.next_id += 1;
        open.permits.add(network);
        open.unused.insert(id, holder.clone());
        drop(open);
        Ok(ConnectionPermit { id, holder, shared: self.0.clone() })
    }
}

impl ConnectionPermit {
    /// Keeps the permit from being revoked: the client has joined a room.
    pub fn keep(&self) {
        self.shared.open().unused.remove(&self.id);
    }

    /// Returns a future that resolves when the permit is revoked.
    pub fn revoked(&self) -> impl Future<Output = ()> + Send + use<> {
        let holder = self.holder.clone();
        async move { holder.revoked.notified().await }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.unused.remove(&self.id);
        if !self.holder.is_revoked.load(Ordering::Relaxed) {
            open.permits.remove(self.holder.network);
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Revokes the permit of the oldest connection without a room: of `network`, or of any. Returns `false` if there is
    /// none.
    fn revoke_unused(&mut self, network: Option<Network>) -> bool {
        let mut unused = self.unused.iter();
        let found = unused.find(|(_, holder)| network.is_none_or(|network| holder.network == network));
        let Some(id) = found.map(|(id, _)| *id) else { return false };
        let Some(holder) = self.unused.remove(&id) else { return false };
        holder.is_revoked.store(true, Ordering::Relaxed);
        holder.revoked.notify_one();
        self.permits.remove(holder.network);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(n: u64) -> Network {
        Network::V6(n)
    }

    fn kept(limit: &ConnectionLimit, n: u64) -> Result<ConnectionPermit, Full> {
        limit.try_acquire(network(n)).inspect(ConnectionPermit::keep)
    }

    #[test]
    fn one_network_has_at_most_three_quarters() {
        let limit = ConnectionLimit::new(8, 100);
        let mut held: Vec<_> = (0..6).map(|_| kept(&limit, 1).unwrap()).collect();
        assert_eq!(kept(&limit, 1).err(), Some(Full::Network));
        held.extend([kept(&limit, 2).unwrap(), kept(&limit, 3).unwrap()]);
        assert_eq!(kept(&limit, 4).err(), Some(Full::Server));
        drop(held.pop());
        assert!(kept(&limit, 4).is_ok());
    }

    #[test]
    fn one_network_may_have_all_permits_without_limits_by_network() {
        let limit = ConnectionLimit::new(8, 0);
        let held: Vec<_> = (0..8).map(|_| kept(&limit, 1).unwrap()).collect();
        assert_eq!(kept(&limit, 2).err(), Some(Full::Server));
        drop(held);
        assert_eq!(limit.0.open().permits.total(), 0);
    }

    #[tokio::test]
    async fn oldest_connection_without_room_is_revoked_and_counted_once() {
        let limit = ConnectionLimit::new(4, 100);
        let (first, second) =
            (limit.try_acquire(network(1)).unwrap(), limit.try_acquire(network(1)).unwrap());
        let _third = kept(&limit, 1).unwrap();
        let newcomer = kept(&limit, 1).unwrap();
        first.revoked().await;
        drop(first);
        let _fourth = kept(&limit, 2).unwrap();
        let _fifth = kept(&limit, 3).unwrap();
        second.revoked().await;
        assert_eq!(kept(&limit, 4).err(), Some(Full::Server));
        drop((second, newcomer));
        assert_eq!(limit.0.open().permits.total(), 3);
    }
}
