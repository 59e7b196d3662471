//! The rooms in which users were, to the day.

use crate::store::{MAX_ABANDONED_EVENTS, Store, StoreError, StoreResult, VISIT_INTERVAL};
use app::wire::{RoomName, Seq};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Rooms whose visits are remembered. A full memory is cleared.
const MAX_REMEMBERED: usize = 10_000;

/// Visits are recorded again when half of the store's interval has passed.
const REMEMBERED_FOR: Duration = Duration::from_millis(VISIT_INTERVAL / 2);

/// The rooms whose visits this process has recorded. The sweep removes no room as abandoned that a user has visited
/// lately.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// Sections under this lock are short and never wait.
    recorded: Mutex<HashMap<RoomName, Instant>>,
}

impl Visits {
    /// Records that a user is in a room, in which `head` was found. Writes once or twice a day for a room with few events;
    /// others are never abandoned.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`] if the room was removed meanwhile; [`StoreError::Backend`].
    pub(super) async fn record(&self, store: &dyn Store, room: &RoomName, head: Seq) -> StoreResult<()> {
        let now = Instant::now();
        let is_recorded = || self.recorded().get(room).is_some_and(|at| now - *at < REMEMBERED_FOR);
        if head == 0 || head > MAX_ABANDONED_EVENTS || is_recorded() {
            return Ok(());
        }
        store.record_room_visit(room.clone(), store.clock().await?).await?;
        if store.head(room).await? < head {
            return Err(StoreError::RoomNotFound);
        }
        let mut recorded = self.recorded();
        if recorded.len() >= MAX_REMEMBERED {
            recorded.clear();
        }
        recorded.insert(room.clone(), now);
        Ok(())
    }

    fn recorded(&self) -> MutexGuard<'_, HashMap<RoomName, Instant>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
