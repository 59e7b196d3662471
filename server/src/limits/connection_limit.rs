//! How many sockets and event streams may be open, in all and for each network.

use crate::limits::network::Network;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Sockets and event streams of one network, at 100 percent.
const PER_NETWORK: usize = 4_000;

/// The permits for sockets and event streams.
///
/// A socket that is in no room yet holds its permit only until another client needs it: so whoever opens
/// many sockets and does nothing with them keeps no one out.
#[derive(Debug, Clone)]
pub struct Places(Arc<Shared>);

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
    /// Those that may be taken away, the oldest first.
    unused: BTreeMap<u64, Arc<Holder>>,
    next_id: u64,
}

#[derive(Debug)]
struct Holder {
    network: Network,
    is_revoked: AtomicBool,
    revoked: Notify,
}

/// Held as long as a socket or an event stream is open.
#[derive(Debug)]
pub struct Place {
    id: u64,
    holder: Arc<Holder>,
    shared: Arc<Shared>,
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// As many are open as may be.
    Server,
    /// As many of this network are open as may be.
    Network,
}

impl Places {
    /// At most `max`, and of one network at most `percent` of the default and three quarters of `max`; with
    /// 0 percent a network may have all of them.
    pub fn new(max: usize, percent: u32) -> Self {
        let max_per_network = share(max, PER_NETWORK, percent);
        Self(Arc::new(Shared { max, max_per_network, open: Mutex::default() }))
    }

    /// Acquires a permit for a client of `network`, if need be that of the oldest socket that is in no room.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(&self, network: Network) -> Result<Place, Full> {
        let mut open = self.0.open();
        let own = open.by_network.get(&network).copied().unwrap_or(0);
        if own >= self.0.max_per_network && !open.revoke_unused(Some(network)) {
            return Err(if open.total >= self.0.max { Full::Server } else { Full::Network });
        }
        if open.total >= self.0.max && !open.revoke_unused(None) {
            return Err(Full::Server);
        }
        let holder = Arc::new(Holder { network, is_revoked: AtomicBool::new(false), revoked: Notify::new() });
        let id = open.next_id;
        open.next_id += 1;
        open.total += 1;
        *open.by_network.entry(network).or_default() += 1;
        open.unused.insert(id, holder.clone());
        drop(open);
        Ok(Place { id, holder, shared: self.0.clone() })
    }
}

/// What one network may have of `max`: `percent` of `default`, and three quarters at most.
pub fn share(max: usize, default: usize, percent: u32) -> usize {
    if percent == 0 {
        return max;
    }
    let scaled = default.saturating_mul(percent as usize) / 100;
    scaled.max(1).min(max - max / 4)
}

impl Place {
    /// The client is in a room: nobody else is given this permit any more.
    pub fn keep(&self) {
        self.shared.open().unused.remove(&self.id);
    }

    /// Resolves when the permit was given to somebody else. Cancel safe.
    pub async fn revoked(&self) {
        self.holder.revoked.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.unused.remove(&self.id);
        if !self.holder.is_revoked.load(Ordering::Relaxed) {
            open.release(self.holder.network);
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Takes the permit of the oldest socket without a room: of `network`, or of any. Returns `false` if
    /// there is none.
    fn revoke_unused(&mut self, network: Option<Network>) -> bool {
        let mut unused = self.unused.iter();
        let found = unused.find(|(_, holder)| network.is_none_or(|network| holder.network == network));
        let Some(id) = found.map(|(id, _)| *id) else { return false };
        let Some(holder) = self.unused.remove(&id) else { return false };
        holder.is_revoked.store(true, Ordering::Relaxed);
        holder.revoked.notify_one();
        self.release(holder.network);
        true
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

    fn network(n: u64) -> Network {
        Network::V6(n)
    }

    fn kept(places: &Places, n: u64) -> Result<Place, Full> {
        places.take(network(n)).inspect(Place::keep)
    }

    #[test]
    fn one_network_has_three_quarters_at_most_and_the_others_have_the_rest() {
        let places = Places::new(8, 100);
        let mut held: Vec<_> = (0..6).map(|_| kept(&places, 1).unwrap()).collect();
        assert_eq!(kept(&places, 1).err(), Some(Full::Network));
        held.extend([kept(&places, 2).unwrap(), kept(&places, 3).unwrap()]);
        assert_eq!(kept(&places, 4).err(), Some(Full::Server));
        drop(held.pop());
        assert!(kept(&places, 4).is_ok());
    }

    #[test]
    fn without_limits_by_network_one_may_have_all() {
        let places = Places::new(8, 0);
        let held: Vec<_> = (0..8).map(|_| kept(&places, 1).unwrap()).collect();
        assert_eq!(kept(&places, 2).err(), Some(Full::Server));
        drop(held);
        assert_eq!(places.0.open().total, 0);
    }

    #[tokio::test]
    async fn the_oldest_socket_without_a_room_gives_way_and_is_counted_once() {
        let places = Places::new(4, 100);
        let (first, second) = (places.take(network(1)).unwrap(), places.take(network(1)).unwrap());
        let _third = kept(&places, 1).unwrap();
        let newcomer = kept(&places, 1).unwrap();
        first.revoked().await;
        drop(first);
        let _fourth = kept(&places, 2).unwrap();
        let _fifth = kept(&places, 3).unwrap();
        second.revoked().await;
        assert_eq!(kept(&places, 4).err(), Some(Full::Server));
        drop((second, newcomer));
        assert_eq!(places.0.open().total, 3);
    }
}
