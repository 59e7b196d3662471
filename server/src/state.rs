//! What every request can reach.

use crate::work::HttpWork;
use crate::{assets::Site, config::Config, devices::Devices, hub::Hub, limits::UserLimiter, log::Log};
use app::wire::{Author, PersonId, PersonName};
use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A cheap handle on everything that lives in this process.
#[derive(Clone)]
pub struct AppState {
    /// The settings.
    pub config: Arc<Config>,
    /// The durable order of events.
    pub log: Arc<dyn Log>,
    /// The live rooms.
    pub hub: Arc<Hub>,
    /// How fast people may post.
    pub posts: Arc<UserLimiter>,
    /// How fast users may change their names, beside the limit on posts.
    pub renames: Arc<UserLimiter>,
    /// What HTTP requests may do at once.
    pub work: Arc<HttpWork>,
    /// Links to other devices.
    pub devices: Arc<Devices>,
    /// How many streams may be open.
    pub places: Places,
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
    pub fn new(config: Config, log: Arc<dyn Log>, key: Key) -> Self {
        Self {
            hub: Hub::start(log.clone()),
            log,
            posts: Arc::new(UserLimiter::per_second(config.post_rate)),
            renames: Arc::new(UserLimiter::for_renames(config.post_rate)),
            work: Arc::default(),
            devices: Arc::default(),
            places: Places::new(config.max_connections),
            site: Arc::new(Site::find()),
            draining: CancellationToken::new(),
            sockets: TaskTracker::new(),
            posting: TaskTracker::new(),
            key,
            config: Arc::new(config),
        }
    }

    /// Who `person` is; under the name given to them where the log cannot be read.
    pub async fn author_of(&self, person: PersonId) -> Author {
        let given = || Author::new(person, PersonName::given(person));
        match self.log.people(&[person]).await {
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

/// The places for sockets and event streams.
#[derive(Clone)]
pub struct Places(Arc<Semaphore>);

/// Held as long as a stream is open.
pub struct Place(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Places {
    fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }

    /// A place, if one is free.
    pub fn take(&self) -> Option<Place> {
        self.0.clone().try_acquire_owned().ok().map(Place)
    }
}
