//! The sweep over all rooms: what has expired, and rooms that are abandoned.

use super::{LEASE, SweepClock};
use crate::store::{AgingRoom, MAX_EXPIRED_PER_STEP, MAX_ROOMS_PER_SWEEP, Store, StoreResult, Sweep};
use app::wire::RoomName;
use tokio::time::Instant;

/// Commits of one step, each with a bounded number of rows.
const MAX_COMMITS_PER_STEP: u32 = 10;

/// The state of a round after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There are more rooms in this round.
    More,
    /// All rooms were looked at, or another server does so, or the clock is not believed.
    RoundDone,
}

/// A sweep: it goes over the rooms by their names, again and again. It remembers nothing that has to last: a restart begins
/// with the first room.
#[derive(Debug, Default)]
pub struct Sweeper {
    clock: SweepClock,
    /// The last room that is done in this round.
    after: Option<RoomName>,
    commits: u32,
}

impl Sweeper {
    /// Looks at the next rooms, at most [`MAX_ROOMS_PER_SWEEP`], and makes at most ten commits of at most
    /// [`MAX_EXPIRED_PER_STEP`] events. Other writes of the store come between two commits.
    ///
    /// # Errors
    /// [`StoreError::Backend`](crate::store::StoreError::Backend); the next step begins with the same room.
    pub async fn step(&mut self, store: &dyn Store) -> StoreResult<Step> {
        if !store.take_lease("sweep", LEASE).await? {
            return Ok(Step::RoundDone);
        }
        let Some(now) = self.clock.believe(store.clock().await?, Instant::now()) else {
            return Ok(Step::RoundDone);
        };
        let sweep = Sweep { now, server: store.settings().await?.retention };
        let rooms = store.aging_rooms(self.after.as_ref(), MAX_ROOMS_PER_SWEEP).await?;
        let is_last = rooms.len() < MAX_ROOMS_PER_SWEEP as usize;
        self.commits = 0;
        for room in rooms {
            if !self.sweep_room(store, &room, sweep).await? {
                return Ok(Step::More);
            }
            self.after = Some(room.room);
        }
        if is_last {
            self.after = None;
            return Ok(Step::RoundDone);
        }
        Ok(Step::More)
    }

    /// Returns `false` if the step has made all its commits and there is more to do in the room.
    async fn sweep_room(&mut self, store: &dyn Store, room: &AgingRoom, sweep: Sweep) -> StoreResult<bool> {
        let mut has_more = room.may_expire(sweep);
        while has_more {
            if self.commits == MAX_COMMITS_PER_STEP {
                return Ok(false);
            }
            self.commits += 1;
            has_more = store.expire(room.room.clone(), sweep).await? == MAX_EXPIRED_PER_STEP;
        }
        if room.may_be_abandoned(sweep.now) {
            if self.commits == MAX_COMMITS_PER_STEP {
                return Ok(false);
            }
            self.commits += 1;
            store.remove_if_abandoned(room.room.clone(), sweep.now).await?;
        }
        Ok(true)
    }
}
