//! The networks from which users came last, so that a moderator can remove a user together with their network.
//!
//! One process keeps them in memory alone. Processes that share a store record them there, so that each finds the users of all.

use crate::{
    http::identity::Identity,
    hub::Hub,
    limits::network::Network,
    store::{MAX_RECENT_NETWORKS, RECENT_NETWORK_AGE, Store, StoreResult},
};
use app::wire::UserId;
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The time for which a network that was recorded is not recorded again.
const RECORDED_FOR: Duration = Duration::from_secs(10 * 60);

/// Time between two writes to a shared store.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// Writes after which what is too old is removed from a shared store.
const WRITES_PER_REMOVAL: u32 = 60;

/// Users that one write records.
const MAX_PER_WRITE: usize = 1_000;

/// Time after which one half of the memory is forgotten, or earlier if the other one is full.
const HALF_LIFE: Duration = Duration::from_millis(RECENT_NETWORK_AGE / 2);

/// The networks from which users came last.
pub struct RecentNetworks {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    /// Sections under this lock are short and never wait.
    memory: Mutex<Memory>,
}

/// At most [`MAX_RECENT_NETWORKS`] users, each for [`RECENT_NETWORK_AGE`] at most.
struct Memory {
    recent: HashMap<UserId, Seen>,
    /// Those that were seen before; what is seen again moves to `recent`.
    older: HashMap<UserId, Seen>,
    /// When `recent` began.
    since: Instant,
    /// Users whose networks a shared store does not have yet.
    unrecorded: HashSet<UserId>,
}

#[derive(Clone, Copy)]
struct Seen {
    network: Network,
    /// When it became due to be recorded last.
    due_at: Instant,
}

impl RecentNetworks {
    /// Creates the memory of a server. Must be called within a Tokio runtime.
    pub fn start(store: Arc<dyn Store>, hub: Arc<Hub>) -> Arc<Self> {
        let shares = store.shares_presence();
        let networks = Arc::new(Self { store, hub, memory: Mutex::new(Memory::new()) });
        if shares {
            tokio::spawn(networks.clone().record());
        }
        networks
    }

    /// Notes that a user has connected or has written something. Never waits.
    pub fn note(&self, Identity { id, network, .. }: Identity) {
        // Programs behind a Unix socket have none.
        if network != Network::Local {
            self.memory().note(id, network, self.store.shares_presence());
        }
    }

    /// Returns the network from which a user came last, to whatever process; `None` if that was more than a day ago.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError).
    pub async fn find(&self, user: UserId) -> StoreResult<Option<Network>> {
        if let Some(network) = self.hub.network_of(user) {
            return Ok(Some(network));
        }
        if let Some(network) = self.store.recent_network(user).await? {
            return Ok(Some(network));
        }
        Ok(self.memory().find(user))
    }

    /// Records what was noted in the shared store, until the process ends.
    async fn record(self: Arc<Self>) {
        let mut writes = 0_u32;
        loop {
            sleep(WRITE_INTERVAL).await;
            writes = (writes + 1) % WRITES_PER_REMOVAL;
            let due = self.memory().take_due();
            let mut recorded = Ok(());
            if !due.is_empty() {
                recorded = self.store.record_networks(&due).await;
            }
            if writes == 0 && recorded.is_ok() {
                recorded = self.store.remove_old_networks().await;
            }
            if let Err(error) = recorded {
                self.memory().unrecorded.extend(due.iter().map(|(user, _)| *user));
                if !error.is_logged() {
                    tracing::error!(%error, "recording networks failed; retrying");
                }
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn new() -> Self {
        Self {
            recent: HashMap::new(),
            older: HashMap::new(),
            since: Instant::now(),
            unrecorded: HashSet::new(),
        }
    }

    fn note(&mut self, user: UserId, network: Network, is_shared: bool) {
        let now = Instant::now();
        self.forget_old(now);
        let is_known = |seen: &Seen| seen.network == network && now - seen.due_at < RECORDED_FOR;
        // Most users have just written something.
        if self.recent.get(&user).is_some_and(is_known) {
            return;
        }
        let known = self.seen(user).filter(is_known);
        if is_shared && known.is_none() {
            self.unrecorded.insert(user);
        }
        self.recent.insert(user, known.unwrap_or(Seen { network, due_at: now }));
    }

    fn find(&mut self, user: UserId) -> Option<Network> {
        self.forget_old(Instant::now());
        self.seen(user).map(|seen| seen.network)
    }

    fn seen(&self, user: UserId) -> Option<Seen> {
        self.recent.get(&user).or_else(|| self.older.get(&user)).copied()
    }

    /// Returns what a shared store is to record next.
    fn take_due(&mut self) -> Vec<(UserId, Network)> {
        let due: Vec<UserId> = self.unrecorded.iter().take(MAX_PER_WRITE).copied().collect();
        let network = |user: UserId| self.find(user).map(|network| (user, network));
        let networks = due.iter().copied().filter_map(network).collect();
        for user in due {
            self.unrecorded.remove(&user);
        }
        networks
    }

    fn forget_old(&mut self, now: Instant) {
        let is_full = self.recent.len() >= MAX_RECENT_NETWORKS as usize / 2;
        let age = now - self.since;
        if is_full || age >= HALF_LIFE {
            self.older = mem::take(&mut self.recent);
            if age >= HALF_LIFE * 2 {
                self.older.clear();
            }
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> Network {
        format!("192.0.2.{last}/32").parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_is_known_for_at_most_a_day_and_the_last_one_counts() {
        let mut memory = Memory::new();
        memory.note(UserId(1), network(1), false);
        memory.note(UserId(1), network(2), false);
        assert_eq!(memory.find(UserId(1)), Some(network(2)));
        tokio::time::advance(HALF_LIFE).await;
        assert_eq!(memory.find(UserId(1)), Some(network(2)));
        memory.note(UserId(2), network(3), false);
        tokio::time::advance(HALF_LIFE).await;
        assert_eq!((memory.find(UserId(1)), memory.find(UserId(2))), (None, Some(network(3))));
        tokio::time::advance(HALF_LIFE * 2).await;
        assert_eq!(memory.find(UserId(2)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_keeps_newest_half_in_a_flood_of_users() {
        let mut memory = Memory::new();
        for user in 0..u64::from(MAX_RECENT_NETWORKS) * 2 {
            memory.note(UserId(user), network(1), true);
        }
        assert!(memory.recent.len() + memory.older.len() <= MAX_RECENT_NETWORKS as usize);
        assert_eq!(memory.find(UserId(u64::from(MAX_RECENT_NETWORKS) * 2 - 1)), Some(network(1)));
        assert_eq!(memory.find(UserId(0)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn network_is_recorded_once_in_ten_minutes_unless_it_changes() {
        let mut memory = Memory::new();
        memory.note(UserId(1), network(1), true);
        memory.note(UserId(1), network(1), true);
        assert_eq!(memory.take_due(), [(UserId(1), network(1))]);
        tokio::time::advance(Duration::from_secs(1)).await;
        memory.note(UserId(1), network(1), true);
        assert_eq!(memory.take_due(), []);
        memory.note(UserId(1), network(2), true);
        assert_eq!(memory.take_due(), [(UserId(1), network(2))]);
        tokio::time::advance(RECORDED_FOR).await;
        memory.note(UserId(1), network(2), true);
        assert_eq!(memory.take_due(), [(UserId(1), network(2))]);
    }
}
