//! The state that all handlers and connections share.

use crate::{
    config::Config,
    data::key_ring::{self, SharedKeys},
    export::MAX_EXPORTS,
    files::{FileService, objects::Objects},
    http::{assets::AssetSource, identity::Identity, work::HttpWork},
    hub::{
        Hub,
        subscriber::{End, Subscriber},
    },
    limits::{
        connection_limit::ConnectionLimit, form_limit::FormLimit, network::NetworkLimits,
        rate_limit::UserLimiter,
    },
    net::{HTTP_CONNECTIONS, TransportLimit, UnsentBudget},
    recent_networks::RecentNetworks,
    settings_cache::SettingsCache,
    sign_ins::{SignInCache, Validity},
    store::{IndexLag, Store, StoreResult},
};
use app::wire::{DisplayName, User, UserId};
use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, OnceCell, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The state that all handlers and connections share. Cloning it is cheap.
#[derive(Clone)]
pub struct AppState {
    /// The settings.
    pub config: Arc<Config>,
    /// The durable events, rooms, users and read markers.
    pub store: Arc<dyn Store>,
    /// The files of messages.
    pub files: Arc<FileService>,
    /// The live rooms.
    pub hub: Arc<Hub>,
    /// The devices on which users are signed in.
    pub sign_ins: Arc<SignInCache>,
    /// The networks from which users came last.
    pub recent_networks: Arc<RecentNetworks>,
    /// The settings of the server.
    pub settings: Arc<SettingsCache>,
    /// The keys that sign the cookies.
    pub keys: SharedKeys,
    /// The limit of each user's posts in a time.
    pub posts: Arc<UserLimiter>,
    /// The limit of each user's name changes in a time, besides that on posts.
    pub renames: Arc<UserLimiter>,
    /// The threads that render pages.
    pub page_work: Arc<HttpWork>,
    /// The thread that serves reads of the API, so that pages do not wait for responses of up to 256 KiB.
    pub api_work: Arc<HttpWork>,
    /// The thread that searches, so that nothing else waits for a search.
    pub search_work: Arc<HttpWork>,
    /// The limits that the clients of a network share.
    pub networks: Arc<NetworkLimits>,
    /// The limit of open WebSockets and event streams.
    pub connection_limit: ConnectionLimit,
    /// The bytes that clients have yet to take.
    pub unsent_budget: UnsentBudget,
    /// The limit of open connections of any kind.
    pub transport_limit: TransportLimit,
    /// The files that pages load.
    pub assets: Arc<AssetSource>,
    /// Cancelled when the server stops: every connection closes then.
    pub draining: CancellationToken,
    /// Every open connection, HTTP and WebSocket.
    pub sockets: TaskTracker,
    /// The connections and requests that may still append. A stopping server delivers their last posts before it closes
    /// the connections.
    pub writers: TaskTracker,
    /// The permits of exports that are under way.
    pub exports: Arc<Semaphore>,
    /// Wakes the task that erases, after an erasure has begun.
    pub erasure_begun: Arc<Notify>,
    /// The lag of the index of messages.
    pub index_lag: IndexLag,
    /// The forms with files that are under way.
    pub file_forms: FormLimit,
    has_others: Arc<OnceCell<bool>>,
}

/// Searches at the same time. With a page and a read of the API, one of the connections that read the store is left.
const MAX_SEARCHES: usize = 1;

/// Time between two WebSockets that a stopping server closes if other servers share its store: those take in its clients
/// while they serve their own.
const CLOSE_INTERVAL: Duration = Duration::from_millis(4);

/// The time that a stopping server waits to learn whether there are others.
const OTHERS_TIMEOUT: Duration = Duration::from_secs(1);

impl AppState {
    /// Creates the state of a server that has just started and keeps its files in `objects`. Must be called within a Tokio runtime.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        keys: impl Into<SharedKeys>,
        objects: impl Into<Objects>,
    ) -> Self {
        let hub = Hub::start(store.clone());
        Self {
            sign_ins: SignInCache::start(store.clone(), hub.clone()),
            recent_networks: RecentNetworks::start(store.clone(), hub.clone()),
            settings: SettingsCache::start(store.clone(), hub.clone()),
            hub,
            files: Arc::new(FileService::new(store.clone(), objects, config.file_limits())),
            store,
            keys: keys.into(),
            posts: Arc::new(UserLimiter::per_second(config.post_rate)),
            renames: Arc::new(UserLimiter::for_renames(config.post_rate)),
            page_work: Arc::default(),
            api_work: Arc::new(HttpWork::with_threads(1)),
            search_work: Arc::new(HttpWork::with_threads(MAX_SEARCHES)),
            networks: Arc::new(NetworkLimits::new(config.per_network, config.post_rate)),
            connection_limit: ConnectionLimit::new(config.max_connections, config.per_network),
            unsent_budget: UnsentBudget::new(config.max_unsent_mib.max(1).saturating_mul(1_024 * 1_024)),
            transport_limit: TransportLimit::new(
                config.max_connections.saturating_add(HTTP_CONNECTIONS).min(config.max_files),
                config.per_network,
            ),
            assets: Arc::new(AssetSource::detect()),
            draining: CancellationToken::new(),
            sockets: TaskTracker::new(),
            writers: TaskTracker::new(),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            erasure_begun: Arc::default(),
            index_lag: IndexLag::default(),
            file_forms: FormLimit::new(config.per_network),
            has_others: Arc::default(),
            config: Arc::new(config),
        }
    }

    /// Returns how long a WebSocket of a stopping server is served before it is closed. Without other servers on the store:
    /// not at all. Otherwise a random part of [`CLOSE_INTERVAL`] for each connection, of half of the drain timeout at most.
    pub async fn close_delay(&self) -> Duration {
        if !self.has_other_servers().await {
            return Duration::ZERO;
        }
        let connections = u32::try_from(self.sockets.len()).unwrap_or(u32::MAX);
        let within = CLOSE_INTERVAL.saturating_mul(connections);
        within.min(Duration::from_secs(self.config.drain_seconds) / 2).mul_f64(fastrand::f64())
    }

    /// Returns `true` if other servers shared the store when this one was first asked, and the store said so in time.
    pub async fn has_other_servers(&self) -> bool {
        let asking = || timeout(OTHERS_TIMEOUT, self.store.has_others());
        *self.has_others.get_or_init(async || matches!(asking().await, Ok(Ok(true)))).await
    }

    /// Notes a connection, which the hub has registered, and ends it if its device was signed out.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) if the store cannot be read.
    pub async fn note_connection(&self, identity: Identity, subscriber: &Subscriber) -> StoreResult<()> {
        self.recent_networks.note(identity);
        // Nothing is known of a new user.
        let is_signed_out = identity.is_known
            && self.sign_ins.check(identity.id, identity.sign_in).await? == Validity::SignedOut;
        if is_signed_out {
            subscriber.end(End::SignedOut);
        }
        Ok(())
    }

    /// Returns the user, under a generated name if the store cannot be read.
    pub async fn author_of(&self, user: UserId) -> User {
        let generated = || User::new(user, DisplayName::generated(user));
        match self.store.users(&[user]).await {
            Ok(mut users) => users.pop().unwrap_or_else(generated),
            Err(error) => {
                if !error.is_logged() {
                    tracing::error!(%error, "reading a user failed");
                }
                generated()
            }
        }
    }
}

impl FromRef<AppState> for Key {
    /// Returns the key that signs now.
    fn from_ref(state: &AppState) -> Self {
        state.keys.current().signing(key_ring::now()).clone()
    }
}

impl FromRef<AppState> for SharedKeys {
    fn from_ref(state: &AppState) -> Self {
        state.keys.clone()
    }
}

impl FromRef<AppState> for Arc<SignInCache> {
    fn from_ref(state: &AppState) -> Self {
        state.sign_ins.clone()
    }
}

impl FromRef<AppState> for Arc<Config> {
    fn from_ref(state: &AppState) -> Self {
        state.config.clone()
    }
}

impl FromRef<AppState> for Arc<NetworkLimits> {
    fn from_ref(state: &AppState) -> Self {
        state.networks.clone()
    }
}
