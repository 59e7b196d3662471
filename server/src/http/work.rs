//! Bounds what HTTP requests do at once, so that sockets never wait for pages.
//!
//! A page is read from the log, then rendered. Requests read through [`HttpWork::read`], which leaves readers of the
//! log free for the joins and the catching up of sockets; pages are rendered through [`HttpWork::render`], off Tokio's
//! workers and on one core fewer than there are.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{error::Elapsed, timeout},
};

/// Requests that read from the log at once: half as many as the log has readers.
const MAX_READS: usize = 2;

/// How long a request waits for its turn. Past it the answer is 503.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The server has more to do than it can in [`MAX_WAIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl From<Elapsed> for Busy {
    fn from(_: Elapsed) -> Self {
        Self
    }
}

impl From<AcquireError> for Busy {
    fn from(_: AcquireError) -> Self {
        Self
    }
}

/// The turns of HTTP requests.
#[derive(Debug)]
pub struct HttpWork {
    reads: Arc<Semaphore>,
    renders: Arc<Semaphore>,
}

impl HttpWork {
    /// Work that leaves one core to the sockets, if there are two.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { reads: semaphore(MAX_READS), renders: semaphore((cores - 1).max(1)) }
    }

    /// Reads from the log when it is this request's turn.
    ///
    /// # Errors
    /// [`Busy`] if that takes too long.
    pub async fn read<T>(&self, read: impl Future<Output = T>) -> Result<T, Busy> {
        let _turn = turn(&self.reads).await?;
        Ok(read.await)
    }

    /// Drives `render`, which never waits for anything, on a thread of its own when it is this request's turn. It is
    /// driven to its end although the request is dropped.
    ///
    /// # Errors
    /// [`Busy`] if the turn does not come in time.
    ///
    /// # Panics
    /// If `render` does.
    pub async fn render<T: Send + 'static>(
        &self,
        render: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = turn(&self.renders).await?;
        let runtime = Handle::current();
        let rendered = spawn_blocking(move || {
            let _turn = turn;
            runtime.block_on(render)
        });
        match rendered.await {
            Ok(rendered) => Ok(rendered),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Busy),
        }
    }
}

impl Default for HttpWork {
    fn default() -> Self {
        Self::new()
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Busy> {
    Ok(timeout(MAX_WAIT, turns.clone().acquire_owned()).await??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test(start_paused = true)]
    async fn a_read_waits_for_its_turn_and_is_refused_after_two_seconds() {
        let work = Arc::new(HttpWork::new());
        let stuck: Vec<_> = (0..MAX_READS)
            .map(|_| {
                let work = work.clone();
                tokio::spawn(async move { work.read(pending::<()>()).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(work.read(ready(1)).await, Err(Busy));
        stuck.iter().for_each(tokio::task::JoinHandle::abort);
        assert_eq!(work.read(ready(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn a_render_that_panics_gives_its_turn_back() {
        let work =
            Arc::new(HttpWork { reads: Arc::new(Semaphore::new(1)), renders: Arc::new(Semaphore::new(1)) });
        let panics = work.clone();
        let panicked = tokio::spawn(async move { panics.render(async { panic!("as a test") }).await });
        assert!(panicked.await.is_err());
        assert_eq!(work.render(ready(1)).await, Ok(1));
    }
}
