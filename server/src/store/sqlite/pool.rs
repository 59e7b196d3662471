//! The threads that read, and the queue in front of them.

use super::connection::open_reader;
use crate::store::{StoreError, StoreResult};
use rusqlite::Connection;
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};
use tokio::sync::{Notify, oneshot};

/// The number of threads, and so of reads that run at once; more wait. A read takes well under a millisecond.
const THREADS: usize = 4;

/// The queue of reads. Its threads end after its last read when it is closed or dropped.
pub(super) struct ReadPool(Arc<Shared>);

struct Shared {
    path: PathBuf,
    /// Sections under this lock are short and never wait.
    queue: Mutex<Queue>,
    /// Notified of each read, and of the end.
    changed: Condvar,
    /// Notified when the last thread has ended.
    ended: Notify,
}

struct Queue {
    /// Oldest first.
    waiting: VecDeque<Read>,
    /// The connections that no thread uses. The one that was used last is taken first, since it has pages and statements cached.
    idle: Vec<Connection>,
    threads: usize,
    is_closed: bool,
}

/// A read, which gets a connection or the error of opening it.
type Read = Box<dyn FnOnce(StoreResult<&Connection>) + Send>;

impl ReadPool {
    /// Starts the threads. They open connections to the file at `path` when they need them.
    pub(super) fn new(path: &Path) -> Self {
        Self::start(path, Vec::new())
    }

    /// Starts the threads with a connection for each, so that they need the path of the file no longer.
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
        let connections = (0..THREADS).map(|_| open()).collect::<rusqlite::Result<_>>()?;
        Ok(Self::start(path, connections))
    }

    fn start(path: &Path, idle: Vec<Connection>) -> Self {
        let queue = Queue { waiting: VecDeque::new(), idle, threads: THREADS, is_closed: false };
        let shared = Shared {
            path: path.into(),
            queue: Mutex::new(queue),
            changed: Condvar::new(),
            ended: Notify::new(),
        };
        let shared = Arc::new(shared);
        for _ in 0..THREADS {
            let shared = shared.clone();
            let run = move || shared.run_reads();
            thread::Builder::new().name("read".into()).spawn(run).expect("a process may start some threads");
        }
        Self(shared)
    }

    /// Refuses further reads, and waits until all others have run and the connections are closed, so that the writer has the
    /// file for itself.
    pub(super) async fn close(&self) {
        self.0.close();
        loop {
            let ended = self.0.ended.notified();
            if self.0.queue().threads == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Runs `query` on one of the threads. Once it has begun it runs to its end, even if the future is dropped.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, found) = oneshot::channel();
        self.0.submit(Box::new(move |connection| {
            if !sender.is_closed() {
                // The statements of one read see the same state.
                let read = |connection: &Connection| query(&*connection.unchecked_transaction()?);
                let found = connection.and_then(|connection| read(connection).map_err(StoreError::backend));
                let _ = sender.send(found);
            }
        }))?;
        found.await.map_err(|_| StoreError::backend("a read has panicked"))?
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Shared {
    fn submit(&self, read: Read) -> StoreResult<()> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Err(super::closed());
        }
        queue.waiting.push_back(read);
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    fn close(&self) {
        self.queue().is_closed = true;
        self.changed.notify_all();
    }

    /// Runs reads until the queue is closed and empty.
    fn run_reads(&self) {
        let mut connection = None;
        while let Some(read) = self.next_read(&mut connection) {
            let opened = connection.take().map_or_else(|| open_reader(&self.path), Ok);
            let given = opened.map(|opened| &*connection.insert(opened)).map_err(StoreError::backend);
            // A panic is reported when it happens. It rolls the transaction back and drops the sender of the result.
            let _ = catch_unwind(AssertUnwindSafe(|| read(given)));
        }
        let mut queue = self.queue();
        queue.threads -= 1;
        if queue.threads == 0 {
            queue.idle.clear();
            self.ended.notify_waiters();
        }
    }

    /// Gives the connection back and waits for the next read, which has an idle one if there is one; `None` once the queue is
    /// closed and empty.
    fn next_read(&self, connection: &mut Option<Connection>) -> Option<Read> {
        let mut queue = self.queue();
        queue.idle.extend(connection.take());
        let is_waiting = |queue: &mut Queue| queue.waiting.is_empty() && !queue.is_closed;
        let mut queue = self.changed.wait_while(queue, is_waiting).unwrap_or_else(PoisonError::into_inner);
        let read = queue.waiting.pop_front()?;
        *connection = queue.idle.pop();
        Some(read)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
