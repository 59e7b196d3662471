//! The index of all messages follows what is posted.

use super::log_failure;
use crate::store::{IndexStep, Notification, Store, StoreResult};
use app::wire::{Millis, RoomName};
use futures_util::StreamExt;
use std::{
    collections::BTreeSet,
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

/// Time between two looks for messages of which no notification has told.
const ROUND_INTERVAL: Duration = Duration::from_secs(5);

/// The pause before a step, in which more messages come that it takes along.
const GATHERING_PAUSE: Duration = Duration::from_millis(100);

/// How long indexing pauses after a step during which others have waited for the writer, as a multiple of the time of the
/// step: so it takes a small part of the writer's time.
const PAUSE_FACTOR: u32 = 25;

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Rooms that have grown, and are remembered until the next step, at most; others are found in turn.
const MAX_GROWN_ROOMS: usize = 1_000;

/// How long a server has the right to index, and after which time it renews that.
const LEASE: Duration = Duration::from_secs(15);
const RENEWAL: Duration = Duration::from_secs(4);

/// How far the index is behind what is posted.
#[derive(Debug, Clone, Default)]
pub struct IndexLag(Arc<AtomicU64>);

impl IndexLag {
    /// Returns the age of the oldest message that this server was about to index, in milliseconds; 0 if there is none, and on a
    /// server that leaves it to another one.
    pub fn millis(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, step: IndexStep) {
        self.0.store(if step.more { step.age } else { 0 }, Ordering::Relaxed);
    }
}

/// Indexes what is posted until the future is dropped. A step that fails is repeated.
pub async fn follow_index(store: &dyn Store, lag: &IndexLag) {
    let (grown, woken) = (Mutex::<BTreeSet<RoomName>>::default(), Notify::new());
    let listen = async {
        let mut notifications = store.subscribe();
        while let Some(notification) = notifications.next().await {
            let Notification::Appended { room, .. } = notification else { continue };
            let mut grown = grown.lock().unwrap_or_else(PoisonError::into_inner);
            if grown.len() < MAX_GROWN_ROOMS {
                grown.insert(room);
            }
            woken.notify_one();
        }
        pending::<()>().await;
    };
    let index = async {
        let mut leased_at = None;
        loop {
            let rooms = std::mem::take(&mut *grown.lock().unwrap_or_else(PoisonError::into_inner));
            let rooms: Vec<RoomName> = rooms.into_iter().collect();
            if let Err(error) = catch_up(store, &rooms, lag, &mut leased_at).await {
                log_failure(&error, "indexing messages failed; retrying");
                leased_at = None;
                sleep(ROUND_INTERVAL).await;
                continue;
            }
            if timeout(ROUND_INTERVAL, woken.notified()).await.is_ok() {
                sleep(GATHERING_PAUSE).await;
            }
        }
    };
    tokio::join!(listen, index);
}

/// Indexes until there is nothing more. `leased_at` is when this server last got the right to.
async fn catch_up(
    store: &dyn Store,
    grown: &[RoomName],
    lag: &IndexLag,
    leased_at: &mut Option<Instant>,
) -> StoreResult<()> {
    loop {
        let begun = Instant::now();
        if leased_at.is_none_or(|at| begun - at >= RENEWAL) {
            let is_leased = store.take_lease("index", LEASE).await?;
            *leased_at = is_leased.then_some(begun);
        }
        if leased_at.is_none() {
            lag.set(IndexStep::default());
            return Ok(());
        }
        let step = store.index(grown).await?;
        lag.set(step);
        if !step.more {
            return Ok(());
        }
        if step.is_contended {
            sleep(MAX_PAUSE.min(begun.elapsed() * PAUSE_FACTOR)).await;
        }
    }
}
