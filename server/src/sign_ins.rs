//! The validity of cookies: the known sign-ins of users, and the end of connections that are signed out.
//!
//! A request costs no read while its user is known. What is known of a user ends with the notification of a sign-out, by
//! whatever server, and with [`MAX_AGE`] at the latest. A connection is registered first and checked then, and a sign-out is
//! noted first and the connections are looked at then; so none slips through between the two.

use crate::{
    hub::{
        Hub,
        subscriber::{End, Subscriber},
    },
    store::{
        DeviceId, DeviceLabel, MAX_USERS_PER_SIGN_OUT_READ, Notification, SignIn, SignIns, Store,
        StoreResult, now,
    },
};
use app::wire::{Millis, UserId};
use futures_util::stream::{BoxStream, StreamExt};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// The time for which the known sign-ins of a user are used without a read.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Users of whom something is known, and devices that were recorded.
const MAX_CACHED: usize = 10_000;

/// Time between two records that a device was seen: the list of devices shows hours.
pub const SEEN_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The pause before a failed read is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The sign-ins of users, as far as they are known.
pub struct SignInCache {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    /// Sections under this lock are short and never wait.
    cached: Mutex<Cached>,
    /// Sections under this lock are short and never wait.
    pending: Mutex<Pending>,
    has_pending: Notify,
}

#[derive(Default)]
struct Cached {
    users: HashMap<UserId, CachedSignIns>,
    /// When this process last recorded a device.
    recorded: HashMap<DeviceId, Instant>,
    /// Increases with every sign-out, so that a read that has begun before it is not kept.
    version: u64,
}

struct CachedSignIns {
    sign_ins: Arc<SignIns>,
    read_at: Instant,
}

/// The users whose connections must be looked at.
#[derive(Default)]
struct Pending {
    users: HashSet<UserId>,
    /// Notifications were lost: anybody may have been signed out.
    has_missed: bool,
}

/// The validity of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It is valid.
    SignedIn {
        /// The present generation of the user's cookies.
        generation: u64,
        /// The device should be [recorded](SignInCache::record).
        is_record_due: bool,
    },
    /// Its device was signed out.
    SignedOut,
}

impl SignInCache {
    /// Creates a cache that follows `store` until the store's notifications end. Must be called within a Tokio runtime.
    pub fn start(store: Arc<dyn Store>, hub: Arc<Hub>) -> Arc<Self> {
        let notifications = store.subscribe();
        let cache = Arc::new(Self {
            store,
            hub,
            cached: Mutex::default(),
            pending: Mutex::default(),
            has_pending: Notify::new(),
        });
        tokio::spawn(cache.clone().follow(notifications));
        tokio::spawn(cache.clone().end_connections());
        cache
    }

    /// Returns what a cookie of `user` is worth.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) if nothing is known of the user and the store cannot be read.
    pub async fn check(&self, user: UserId, sign_in: SignIn) -> StoreResult<Validity> {
        let sign_ins = self.sign_ins(user).await?;
        if !sign_ins.admits(sign_in) {
            return Ok(Validity::SignedOut);
        }
        let seen_at = sign_ins.devices.iter().find(|device| device.id == sign_in.device);
        let is_stale = seen_at.is_none_or(|device| !is_recent(device.seen_at));
        let is_record_due = sign_ins.is_user && is_stale && !self.was_recorded(sign_in.device);
        Ok(Validity::SignedIn { generation: sign_ins.generation, is_record_due })
    }

    /// Records in the background that a user is on a device; without a label only if the device is listed.
    pub fn record(self: &Arc<Self>, user: UserId, sign_in: SignIn, label: Option<DeviceLabel>) {
        {
            let mut cached = self.cached();
            if cached.recorded.len() >= MAX_CACHED {
                cached.recorded.clear();
            }
            cached.recorded.insert(sign_in.device, Instant::now());
        }
        let (cache, recording) = (self.clone(), self.store.record_device(user, sign_in, label));
        tokio::spawn(async move {
            match recording.await {
                Ok(()) => drop(cache.cached().users.remove(&user)),
                // The next request tries again.
                Err(error) => {
                    cache.cached().recorded.remove(&sign_in.device);
                    if !error.is_logged() {
                        tracing::error!(%error, "recording a device failed");
                    }
                }
            }
        });
    }

    /// Ends the connections of a user that are signed out. The caller has signed devices out, or has a notification of that.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) if the store cannot be read.
    pub async fn enforce(&self, user: UserId) -> StoreResult<()> {
        self.forget(user);
        if self.hub.connections_of(user).is_empty() {
            return Ok(());
        }
        let sign_ins = self.sign_ins(user).await?;
        let connections = self.hub.connections_of(user);
        let is_signed_out = |connection: &&Arc<Subscriber>| {
            connection.sign_in.is_some_and(|sign_in| !sign_ins.admits(sign_in))
        };
        connections.iter().filter(is_signed_out).for_each(|connection| connection.end(End::SignedOut));
        Ok(())
    }

    async fn sign_ins(&self, user: UserId) -> StoreResult<Arc<SignIns>> {
        let (version, stale) = {
            let cached = self.cached();
            let known = cached.users.get(&user);
            if let Some(known) = known.filter(|known| known.read_at.elapsed() < MAX_AGE) {
                return Ok(known.sign_ins.clone());
            }
            (cached.version, known.map(|known| known.sign_ins.clone()))
        };
        let sign_ins = match (self.store.sign_ins(user).await, stale) {
            (Ok(sign_ins), _) => Arc::new(sign_ins),
            // Nothing can be read or stored now, and clients should not take the answer for a network without sockets.
            (Err(_), Some(stale)) => return Ok(stale),
            (Err(error), None) => return Err(error),
        };
        let mut cached = self.cached();
        if cached.version == version {
            if cached.users.len() >= MAX_CACHED {
                cached.users.retain(|_, known| known.read_at.elapsed() < MAX_AGE);
            }
            if cached.users.len() >= MAX_CACHED {
                cached.users.clear();
            }
            cached.users.insert(user, CachedSignIns { sign_ins: sign_ins.clone(), read_at: Instant::now() });
        }
        Ok(sign_ins)
    }

    /// Returns `true` if this process has recorded a device within [`SEEN_INTERVAL`].
    pub fn was_recorded(&self, device: DeviceId) -> bool {
        self.cached().recorded.get(&device).is_some_and(|at| at.elapsed() < SEEN_INTERVAL)
    }

    fn forget(&self, user: UserId) {
        let mut cached = self.cached();
        cached.version += 1;
        cached.users.remove(&user);
    }

    async fn follow(self: Arc<Self>, mut notifications: BoxStream<'static, Notification>) {
        while let Some(notification) = notifications.next().await {
            match notification {
                Notification::SignedOut(user) => {
                    self.forget(user);
                    if !self.hub.connections_of(user).is_empty() {
                        self.pending().users.insert(user);
                        self.has_pending.notify_one();
                    }
                }
                Notification::Missed => {
                    {
                        let mut cached = self.cached();
                        cached.version += 1;
                        cached.users.clear();
                    }
                    self.pending().has_missed = true;
                    self.has_pending.notify_one();
                }
                // A guest may have become a user, whose devices are recorded.
                Notification::UsersChanged(users) => {
                    let mut cached = self.cached();
                    for user in users {
                        if cached.users.get(&user).is_some_and(|known| !known.sign_ins.is_user) {
                            cached.users.remove(&user);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Ends the connections of users who were signed out, one user after the other.
    async fn end_connections(self: Arc<Self>) {
        loop {
            self.has_pending.notified().await;
            let Pending { mut users, has_missed } = mem::take(&mut *self.pending());
            if has_missed && self.add_signed_out(&mut users).await.is_err() {
                self.pending().has_missed = true;
            }
            for user in users {
                if self.enforce(user).await.is_err() {
                    self.pending().users.insert(user);
                }
            }
            let has_failed = {
                let pending = self.pending();
                pending.has_missed || !pending.users.is_empty()
            };
            if has_failed {
                sleep(RETRY_DELAY).await;
                self.has_pending.notify_one();
            }
        }
    }

    /// Adds the connected users that have ever signed a device out.
    async fn add_signed_out(&self, users: &mut HashSet<UserId>) -> StoreResult<()> {
        for connected in self.hub.connected_users().chunks(MAX_USERS_PER_SIGN_OUT_READ) {
            users.extend(self.store.signed_out_users(connected).await?);
        }
        Ok(())
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns `true` if a device was seen within [`SEEN_INTERVAL`]. A time in the future comes from a wrong clock.
fn is_recent(seen_at: Millis) -> bool {
    now().abs_diff(seen_at) < SEEN_INTERVAL.as_millis() as Millis
}
