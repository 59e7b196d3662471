//! The tasks that the server does by itself: it removes what has expired and rooms that are abandoned, it carries out
//! erasures, and it indexes messages for the search. On a shared store one server at a time does each.

mod clock;
mod erase;
mod index;
mod sweep;

pub use clock::SweepClock;
pub use erase::erase_step;
pub use index::follow_index;
pub use sweep::{Step, Sweeper};

use crate::{
    files::FileError,
    state::AppState,
    store::{Store, StoreError, StoreResult},
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Time between two rounds over all rooms, and between two looks for erasures that another server has begun.
const ROUND_INTERVAL: Duration = Duration::from_secs(60);

/// The pause between two steps while there is more to do: the store serves others meanwhile.
const STEP_PAUSE: Duration = Duration::from_millis(100);

/// The pause before an erasure, in which all servers announce the generated name in the rooms of the user.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);

/// The pause after which a server looks again for erasures that another one carries out now.
const TURN_PAUSE: Duration = Duration::from_secs(1);

/// The time for which a server has the right to a task after it has begun a step.
const LEASE: Duration = Duration::from_secs(30);

/// Runs the tasks until the future is dropped. Whatever a step has not done, the next one does, after a restart as well.
pub async fn run(state: AppState) {
    tokio::join!(
        sweep_rooms(&state),
        erase_users(&state),
        sweep_files(&state),
        follow_index(&*state.store, &state.index_lag)
    );
}

/// Makes one round over all rooms in each interval.
async fn sweep_rooms(state: &AppState) {
    let mut sweeper = Sweeper::default();
    loop {
        sleep(ROUND_INTERVAL).await;
        // A connection that stays for months is a visit as well.
        state.hub.record_visits().await;
        loop {
            match sweeper.step(&*state.store).await {
                Ok(Step::More) => sleep(STEP_PAUSE).await,
                Ok(Step::RoundDone) => break,
                Err(error) => {
                    log_failure(&error, "sweep failed; retrying");
                    break;
                }
            }
        }
    }
}

/// Carries out the erasures that are under way.
async fn erase_users(state: &AppState) {
    loop {
        let pause = match erase_all(&*state.store).await {
            Ok(true) => ROUND_INTERVAL,
            Ok(false) => TURN_PAUSE,
            Err(error) => {
                log_failure(&error, "erasure failed; retrying");
                ROUND_INTERVAL
            }
        };
        let _ = timeout(pause, state.erasure_begun.notified()).await;
    }
}

/// Carries out the erasures that are under way, and leaves the task to other servers then. Returns `false` if it is another
/// server's turn.
///
/// # Errors
/// [`StoreError`]; the next call continues.
pub async fn erase_all(store: &dyn Store) -> StoreResult<bool> {
    let unfinished = store.unfinished_erasures().await?;
    if unfinished.is_empty() {
        return Ok(true);
    }
    for user in unfinished {
        sleep(ANNOUNCE_PAUSE).await;
        loop {
            if !store.take_lease("erase", LEASE).await? {
                return Ok(false);
            }
            if erase_step(store, user).await? {
                break;
            }
            sleep(STEP_PAUSE).await;
        }
    }
    store.take_lease("erase", Duration::ZERO).await
}

/// Removes files that no message shows.
async fn sweep_files(state: &AppState) {
    loop {
        if let Err(error) = sweep_all_files(state).await {
            tracing::error!(%error, "removing files failed; retrying");
        }
        sleep(ROUND_INTERVAL).await;
    }
}

async fn sweep_all_files(state: &AppState) -> Result<(), FileError> {
    while state.store.take_lease("files", LEASE).await? && state.files.sweep().await? {
        sleep(STEP_PAUSE).await;
    }
    Ok(())
}

fn log_failure(error: &StoreError, what: &str) {
    if !error.is_logged() {
        tracing::error!(%error, "{what}");
    }
}
