//! The pool of connections that read, on threads that may block.

use super::connection::open_reader;
use crate::store::{StoreError, StoreResult};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Reads that run at once; more wait. A read takes well under a millisecond.
const MAX_CONCURRENT_READS: usize = 4;

/// The connections that read.
pub(super) struct ReadPool(Arc<PoolInner>);

struct PoolInner {
    path: PathBuf,
    permits: Arc<Semaphore>,
    /// Idle connections, as many as there are free permits once all are open; `None` once the store is closed. Sections
    /// under this lock are short and never wait.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl ReadPool {
    /// Returns an empty pool. It opens connections to the file at `path` when they are needed.
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::new(PoolInner {
            path: path.into(),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_READS)),
            idle: Mutex::new(Some(Vec::new())),
        }))
    }

    /// Returns a pool whose connections are all open, so that it needs the path of the file no longer.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub(super) fn filled(path: &Path) -> rusqlite::Result<Self> {
        let open = || {
            let connection = open_reader(path)?;
            // The first read opens the write-ahead log.
            connection.query_row("SELECT count(*) FROM log", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connections = (0..MAX_CONCURRENT_READS).map(|_| open()).collect::<rusqlite::Result<_>>()?;
        let pool = Self::new(path);
        *pool.0.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connections);
        Ok(pool)
    }

    /// Waits for the reads that run, refuses further ones and closes the connections, so that the writer has the file for
    /// itself.
    pub(super) async fn close(&self) {
        let all = self.0.permits.acquire_many(MAX_CONCURRENT_READS as u32).await;
        self.0.permits.close();
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(all);
    }

    /// Runs `query` on an idle connection. It runs to its end even if the future is dropped.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let permit = self.0.permits.clone().acquire_owned().await.map_err(|_| super::closed())?;
        let worker = self.0.clone();
        let run = move || {
            let found = worker.run(query);
            // Only now is the connection idle again.
            drop(permit);
            found
        };
        tokio::task::spawn_blocking(run).await.map_err(StoreError::backend)?.map_err(StoreError::backend)
    }
}

impl PoolInner {
    fn run<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let pooled = idle().as_mut().and_then(Vec::pop);
        let connection = pooled.map_or_else(|| open_reader(&self.path), Ok)?;
        // The statements of one read see the same state.
        let found = connection.unchecked_transaction().and_then(|transaction| query(&transaction));
        if let Some(idle) = idle().as_mut() {
            idle.push(connection);
        }
        found
    }
}
