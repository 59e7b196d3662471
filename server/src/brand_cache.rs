//! The name and the color of the server, which every page shows: read once, and again after the administrator has changed them
//! on any server.

use crate::store::{Notification, Settings, Store};
use app::Brand;
use futures_util::stream::{BoxStream, StreamExt};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long what is known is used without a read: notifications may be lost.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The name and the color of the server, as far as they are known.
pub struct BrandCache {
    store: Arc<dyn Store>,
    /// Sections under this lock are short and never wait.
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    known: Option<(Brand, Instant)>,
    /// Increases with every change, so that a read that has begun before it is not kept.
    version: u64,
}

impl BrandCache {
    /// Creates a cache that follows `store` until the store's notifications end. Must be called within a Tokio runtime.
    pub fn start(store: Arc<dyn Store>) -> Arc<Self> {
        let notifications = store.subscribe();
        let cache = Arc::new(Self { store, cached: Mutex::default() });
        tokio::spawn(cache.clone().follow(notifications));
        cache
    }

    /// Returns the name and the color. If the store cannot be read: those that were known last, or the usual ones, since an
    /// error page shows them too.
    pub async fn get(&self) -> Brand {
        let (version, known) = {
            let cached = self.cached();
            (cached.version, cached.known.clone())
        };
        if let Some((brand, read_at)) = &known
            && read_at.elapsed() < MAX_AGE
        {
            return brand.clone();
        }
        let Ok(settings) = self.store.settings().await else {
            return known.map(|(brand, _)| brand).unwrap_or_default();
        };
        let brand = brand_of(&settings);
        let mut cached = self.cached();
        if cached.version == version {
            cached.known = Some((brand.clone(), Instant::now()));
        }
        brand
    }

    async fn follow(self: Arc<Self>, mut notifications: BoxStream<'static, Notification>) {
        while let Some(notification) = notifications.next().await {
            if let Notification::AccessChanged | Notification::Missed = notification {
                let mut cached = self.cached();
                cached.version += 1;
                cached.known = None;
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
