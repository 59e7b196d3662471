//! The index of all messages follows what is posted.

use super::log_failure;
use crate::store::{IndexLag, IndexStep, Notification, Store, StoreResult, WriterLoad};
use app::wire::RoomName;
use futures_util::{FutureExt, StreamExt, stream::BoxStream};
use std::{collections::BTreeSet, future::pending, time::Duration};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Time between two looks for messages whose notifications were lost.
const ROUND_INTERVAL: Duration = Duration::from_secs(5);

/// The pause before a step, in which more messages come that it takes along.
const GATHERING_PAUSE: Duration = Duration::from_millis(100);

/// The pause of indexing after a step during which others have waited for the writer, as a multiple of the time of the
/// step: so indexing takes a small part of the writer's time.
const PAUSE_FACTOR: u32 = 25;

/// The longest pause: however slow the machine is, more than 1,000 messages are indexed a second.
const MAX_PAUSE: Duration = Duration::from_millis(150);

/// The pause while more is posted than can be indexed anyway.
const FLOOD_PAUSE: Duration = Duration::from_secs(1);

/// Rooms that have grown, and are remembered until the next step, at most; others are found in turn.
const MAX_GROWN_ROOMS: usize = 1_000;

/// Notifications that are read at once, at most.
const MAX_NOTIFICATIONS_PER_DRAIN: u32 = 10_000;

/// The time for which a server has the right to index, and the time after which it renews that.
const LEASE: Duration = Duration::from_secs(15);
const RENEWAL: Duration = Duration::from_secs(4);

/// Indexes what is posted until the future is dropped. A step that fails is repeated.
pub async fn follow_index(store: &dyn Store, lag: &IndexLag) {
    let mut follower =
        Follower { store, lag, notifications: store.subscribe(), grown: BTreeSet::new(), leased_at: None };
    loop {
        if let Err(error) = follower.catch_up().await {
            log_failure(&error, "indexing messages failed; retrying");
            follower.leased_at = None;
            sleep(ROUND_INTERVAL).await;
        } else if timeout(ROUND_INTERVAL, follower.wait_for_growth()).await.is_ok() {
            sleep(GATHERING_PAUSE).await;
        }
    }
}

struct Follower<'a> {
    store: &'a dyn Store,
    lag: &'a IndexLag,
    /// Read before a step and in pauses, so that posts wake nothing while the index is behind. Some may be missed.
    notifications: BoxStream<'static, Notification>,
    /// Rooms that have grown since the last step.
    grown: BTreeSet<RoomName>,
    /// When this server last got the right to index.
    leased_at: Option<Instant>,
}

impl Follower<'_> {
    /// Waits until a room has grown.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    async fn wait_for_growth(&mut self) {
        while self.grown.is_empty() {
            match self.notifications.next().await {
                Some(notification) => self.note(notification),
                None => pending().await,
            }
        }
    }

    fn note(&mut self, notification: Notification) {
        if let Notification::Appended { room, .. } = notification
            && self.grown.len() < MAX_GROWN_ROOMS
        {
            self.grown.insert(room);
        }
    }

    /// Notes the notifications that wait.
    fn drain(&mut self) {
        for _ in 0..MAX_NOTIFICATIONS_PER_DRAIN {
            let Some(Some(notification)) = self.notifications.next().now_or_never() else { break };
            self.note(notification);
        }
    }

    /// Sleeps, and drains often enough that few notifications are missed.
    async fn pause(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            sleep_until(end.min(Instant::now() + GATHERING_PAUSE)).await;
            self.drain();
        }
    }

    /// Indexes until there is nothing more.
    async fn catch_up(&mut self) -> StoreResult<()> {
        loop {
            let begun = Instant::now();
            if self.leased_at.is_none_or(|at| begun - at >= RENEWAL) {
                let is_leased = self.store.take_lease("index", LEASE).await?;
                self.leased_at = is_leased.then_some(begun);
            }
            self.drain();
            let grown: Vec<RoomName> = std::mem::take(&mut self.grown).into_iter().collect();
            if self.leased_at.is_none() {
                self.lag.set(IndexStep::default());
                return Ok(());
            }
            let step = self.store.index(&grown).await?;
            self.lag.set(step);
            if !step.more || step.is_full {
                return Ok(());
            }
            match step.load {
                WriterLoad::Idle => {}
                WriterLoad::Busy => self.pause(MAX_PAUSE.min(begun.elapsed() * PAUSE_FACTOR)).await,
                WriterLoad::Flooded => self.pause(FLOOD_PAUSE).await,
            }
        }
    }
}
