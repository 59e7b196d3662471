//! What every request can reach.

use crate::{
    config::Config,
    device_links::Devices,
    http::{assets::Site, work::HttpWork},
    hub::Hub,
    limits::{connection_limit::Places, network::NetworkLimits, rate_limit::UserLimiter},
    net::{Connections, HTTP_CONNECTIONS, UnsentBudget},
    store::Store,
};
use app::wire::{DisplayName, User, UserId};
use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use std::sync::Arc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A cheap handle on everything that lives in this process.
#[derive(Clone)]
pub struct AppState {
    /// The settings.
    pub config: Arc<Config>,
    /// The durable order of events.
    pub store: Arc<dyn Store>,
    /// The live rooms.
    pub hub: Arc<Hub>,
    /// How fast people may post.
    pub posts: Arc<UserLimiter>,
    /// How fast users may change their names, beside the limit on posts.
    pub renames: Arc<UserLimiter>,
    /// The threads that make pages.
    pub page_work: Arc<HttpWork>,
    /// The thread that answers reads of the API: they take up to 256 KiB each, and pages do not wait for them.
    pub api_work: Arc<HttpWork>,
    /// What each network may do.
    pub networks: Arc<NetworkLimits>,
    /// Links to other devices.
    pub devices: Arc<Devices>,
    /// How many sockets and event streams may be open.
    pub places: Places,
    /// Bytes that clients have yet to take.
    pub unsent: UnsentBudget,
    /// How many connections may be open.
    pub connections: Connections,
    /// The files that a page needs.
    pub site: Arc<Site>,
    /// Cancelled when the server stops: every connection says goodbye then.
    pub draining: CancellationToken,
    /// Every open connection, HTTP and WebSocket.
    pub sockets: TaskTracker,
    /// Whoever may still post: while the server stops, everybody waits for them to hear their last
    /// words.
    pub posting: TaskTracker,
    key: Key,
}

impl AppState {
    /// The state of a server that has just started.
    pub fn new(config: Config, log: Arc<dyn Store>, key: Key) -> Self {
        Self {
            hub: Hub::start(log.clone()),
            store: log,
            posts: Arc::new(UserLimiter::per_second(config.post_rate)),
            renames: Arc::new(UserLimiter::for_renames(config.post_rate)),
            page_work: Arc::default(),
            api_work: Arc::new(HttpWork::with_threads(1)),
            networks: Arc::new(NetworkLimits::new(config.per_network, config.post_rate)),
            devices: Arc::default(),
            places: Places::new(config.max_connections, config.per_network),
            unsent: UnsentBudget::new(config.max_unsent_mib.max(1).saturating_mul(1_024 * 1_024)),
            connections: Connections::new(
                config.max_connections.saturating_add(HTTP_CONNECTIONS).min(config.max_files),
                config.per_network,
            ),
            site: Arc::new(Site::find()),
            draining: CancellationToken::new(),
            sockets: TaskTracker::new(),
            posting: TaskTracker::new(),
            key,
            config: Arc::new(config),
        }
    }

    /// Who `person` is; under the name given to them where the log cannot be read.
    pub async fn author_of(&self, person: UserId) -> User {
        let given = || User::new(person, DisplayName::generated(person));
        match self.store.people(&[person]).await {
            Ok(mut people) => people.pop().unwrap_or_else(given),
            Err(error) => {
                tracing::error!(%error, "a name could not be read");
                given()
            }
        }
    }
}

impl FromRef<AppState> for Key {
    fn from_ref(state: &AppState) -> Self {
        state.key.clone()
    }
}
