//! The settings of the server as they were read last: what every page shows of them, and how long messages are kept.

use crate::{
    hub::Hub,
    store::{Notification, Settings, Store, StoreResult},
};
use app::Brand;
use futures_util::stream::{BoxStream, StreamExt};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The time for which the known settings are used without a read: notifications may be lost.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The pause before a failed read is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The settings, as far as they are known. They are read again after a change by whatever process.
pub struct SettingsCache {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    /// Sections under this lock are short and never wait.
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    known: Option<(Arc<Settings>, Instant)>,
    /// Increases with every change, so that a read that has begun before it is not kept.
    version: u64,
}

impl SettingsCache {
    /// Creates a cache that follows `store` until the store's notifications end, and passes the retention to `hub`.
    /// Must be called within a Tokio runtime.
    pub fn start(store: Arc<dyn Store>, hub: Arc<Hub>) -> Arc<Self> {
        let notifications = store.subscribe();
        let cache = Arc::new(Self { store, hub, cached: Mutex::default() });
        tokio::spawn(cache.clone().follow(notifications));
        cache
    }

    /// Returns the name and the color of the server. If the store cannot be read: those that were known last, or the usual
    /// ones, since an error page shows them too.
    pub async fn brand(&self) -> Brand {
        self.get().await.map_or_else(|_| Brand::default(), |settings| brand_of(&settings))
    }

    /// Returns the settings. If the store cannot be read: those that were known last.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) if none are known.
    async fn get(&self) -> StoreResult<Arc<Settings>> {
        let known = self.cached().known.clone();
        match known {
            Some((settings, read_at)) if read_at.elapsed() < MAX_AGE => Ok(settings),
            Some((settings, _)) => Ok(self.read().await.unwrap_or(settings)),
            None => self.read().await,
        }
    }

    /// Reads the settings after a change, so that whatever begins later goes by them.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError).
    pub async fn refresh(&self) -> StoreResult<()> {
        self.cached().version += 1;
        self.read().await.map(drop)
    }

    async fn read(&self) -> StoreResult<Arc<Settings>> {
        let version = self.cached().version;
        let settings = Arc::new(self.store.settings().await?);
        let mut cached = self.cached();
        if cached.version == version {
            cached.known = Some((settings.clone(), Instant::now()));
            self.hub.set_retention(settings.retention);
        }
        Ok(settings)
    }

    async fn follow(self: Arc<Self>, mut notifications: BoxStream<'static, Notification>) {
        loop {
            while let Err(error) = self.refresh().await {
                if !error.is_logged() {
                    tracing::error!(%error, "reading the settings failed; retrying");
                }
                sleep(RETRY_DELAY).await;
            }
            loop {
                match notifications.next().await {
                    Some(Notification::AccessChanged | Notification::Missed) => break,
                    Some(_) => {}
                    None => return,
                }
            }
        }
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn brand_of(settings: &Settings) -> Brand {
    let usual = Brand::default();
    let name = settings.name.as_deref().map_or(usual.name, str::to_owned);
    Brand { name, hue: settings.hue }
}
