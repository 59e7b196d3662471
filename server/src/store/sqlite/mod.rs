//! The store in a SQLite file: one thread writes it, and readers never wait for the writer.

mod access;
mod access_queries;
mod backfill;
mod backup;
mod check;
mod connection;
mod create;
mod device_links;
mod devices;
mod ephemeral;
mod epoch;
mod erasure;
mod error;
mod event_reads;
mod export;
mod files;
mod files_table;
mod health;
mod import;
mod open;
mod pool;
mod presence;
mod queries;
mod record;
mod retention;
mod room_reads;
mod rows;
mod schema;
mod search;
mod search_sql;
mod sql;
mod upkeep_sql;
mod user_reads;
mod writer;

pub use backup::{Summary, back_up, file_contents, restore};
pub use check::check;
pub use connection::Synchronous;
pub use error::OpenError;
pub use export::Export;

use super::{
    EphemeralEvent, Notification, Notifier, PendingCommit, Store, StoreError, StoreResult, position,
};
use access::AccessHistory;
use async_trait::async_trait;
use check::BackgroundCheck;
use epoch::Epochs;
use futures_util::{FutureExt, stream::BoxStream};
use health::Health;
use open::Opened;
use pool::ReadPool;
use record::Record;
use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64},
        mpsc,
    },
};
use tokio::sync::oneshot;
use uuid::Uuid;
use writer::{Publisher, Upkeep, WriteCommand, WriteOutput, Writer, WriterRequest};

/// A store in a SQLite file.
pub struct SqliteStore {
    /// The identity of the event log, with its present epoch.
    log_id: String,
    epochs: Epochs,
    is_unused: bool,
    /// The order of the queue is the order of the event log.
    requests: mpsc::Sender<WriterRequest>,
    notifier: Notifier,
    /// As [`UserStore::names_generation`](super::UserStore::names_generation). The writer increments it.
    names_generation: Arc<AtomicU64>,
    access: Arc<AccessHistory>,
    readers: ReadPool,
    health: Arc<Health>,
    check: Mutex<Option<BackgroundCheck>>,
    /// The index of the search may have segments to merge.
    has_unmerged: AtomicBool,
}

/// The options with which a store is opened.
pub struct Options<'a> {
    /// When a commit is on disk.
    pub synchronous: Synchronous,
    /// Bytes that the file and its write-ahead log may have; `None` for no quota. Past it only deletes are stored, and
    /// updates of existing rows.
    pub max_bytes: Option<u64>,
    /// Saves the cookie key that the file carries if it is a backup.
    pub save_key: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl SqliteStore {
    /// Opens the store at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// [`OpenError`]; a file that is not ours or is too new stays as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let save_key = &mut |_: &[u8]| Ok(());
        Self::open_with(path, Options { synchronous: Synchronous::Full, max_bytes: None, save_key })
    }

    /// Opens the store at `path` with other options.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        let opened = open::open(path, options.synchronous, options.save_key)?;
        let readers = ReadPool::new(&opened.path);
        let upkeep = Upkeep::new(&opened.path, options.max_bytes);
        let record = Record::of(&opened.path);
        Self::start(opened, readers, upkeep, Some(record))
    }

    /// Opens an empty store that ends with the process. Its files are in a temporary folder and unlinked, so that they
    /// are gone even if the process is killed. No commit is synced to disk.
    ///
    /// # Errors
    /// [`OpenError`] if no temporary folder can be written.
    pub fn ephemeral() -> Result<Self, OpenError> {
        let (opened, readers) = ephemeral::open()?;
        let upkeep = Upkeep::new(&opened.path, None);
        Self::start(opened, readers, upkeep, None)
    }

    fn start(
        opened: Opened,
        readers: ReadPool,
        upkeep: Upkeep,
        record: Option<Record>,
    ) -> Result<Self, OpenError> {
        let health = Arc::new(Health::default());
        let check = if opened.is_checked {
            None
        } else {
            Some(BackgroundCheck::spawn(opened.path.clone(), health.clone())?)
        };
        let (requests, queue) = mpsc::channel();
        let notifier = Notifier::default();
        let names_generation = Arc::new(AtomicU64::new(Uuid::new_v4().as_u64_pair().0));
        let access = Arc::<AccessHistory>::default();
        let publisher = Publisher {
            notifier: notifier.clone(),
            names_generation: names_generation.clone(),
            access: access.clone(),
        };
        let upkeep = (upkeep, record, health.clone());
        Writer::new(opened.connection, publisher, upkeep).spawn(queue);
        Ok(Self {
            log_id: position::log_id(&opened.id, opened.epochs.present()),
            epochs: opened.epochs,
            is_unused: opened.is_unused,
            requests,
            notifier,
            names_generation,
            access,
            readers,
            health,
            check: Mutex::new(check),
            has_unmerged: AtomicBool::new(true),
        })
    }

    /// Returns `true` if no user had an identity that the store knew when it was opened.
    pub fn is_unused(&self) -> bool {
        self.is_unused
    }

    /// Queues a request now; the future resolves after its commit.
    fn request(
        &self,
        request: impl FnOnce(oneshot::Sender<StoreResult<WriteOutput>>) -> WriterRequest,
    ) -> impl Future<Output = StoreResult<WriteOutput>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        // A failed send drops the sender, which the receiver reports.
        let _ = self.requests.send(request(answer));
        async { answered.await.unwrap_or_else(|_| Err(closed())) }
    }

    fn execute(
        &self,
        command: WriteCommand,
    ) -> impl Future<Output = StoreResult<WriteOutput>> + Send + 'static {
        self.request(|answer| WriterRequest::Execute(command, answer))
    }

    /// Queues a command now. The future resolves after its commit, with the part of the output that `select` returns.
    fn commit<T: 'static>(
        &self,
        command: WriteCommand,
        select: fn(WriteOutput) -> Option<T>,
    ) -> PendingCommit<T> {
        self.commit_with(command, select)
    }

    /// Queues a command as [`commit`](Self::commit) does.
    fn commit_with<T: 'static>(
        &self,
        command: WriteCommand,
        select: impl FnOnce(WriteOutput) -> Option<T> + Send + 'static,
    ) -> PendingCommit<T> {
        self.execute(command).map(move |output| select(output?).ok_or_else(closed)).boxed()
    }
}

fn closed() -> StoreError {
    StoreError::backend("the store is closed")
}

#[async_trait]
impl Store for SqliteStore {
    fn log_id(&self) -> &str {
        &self.log_id
    }

    fn subscribe(&self) -> BoxStream<'static, Notification> {
        self.notifier.subscribe()
    }

    async fn used_bytes(&self) -> StoreResult<u64> {
        self.readers.read(writer::used_bytes).await
    }

    fn publish(&self, event: EphemeralEvent) {
        self.notifier.send(Notification::Ephemeral(event));
    }

    async fn ready(&self) -> StoreResult<()> {
        if self.health.is_corrupt() {
            return Err(StoreError::Corrupt);
        }
        if !self.health.has_failed() {
            return Ok(());
        }
        if !self.health.may_probe() {
            return Err(StoreError::backend("the last commit failed"));
        }
        self.execute(WriteCommand::Probe).await.map(drop)
    }

    async fn close(&self) {
        self.check.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.close().await;
        let _ = self.request(WriterRequest::Shutdown).await;
    }
}
