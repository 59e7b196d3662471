//! The store in a PostgreSQL database that several servers share.
//!
//! - [`writer`]: one task carries out all writes; [`append`]: a batch of events; [`session`]: its connection.
//! - [`durability`]: nothing is shown before it is durable, also where several servers share the disk syncs.
//! - [`sql`]: the reads, on the connections of [`connect::ReadPool`].
//! - [`history`]: whether the database still has what this process has shown.
//! - [`notify`] and [`listen`]: messages between the servers; nothing depends on them but speed.
//! - [`import`]: what `hubbub migrate` writes.
//! - [`retention_writes`]: what has expired, abandoned rooms, erasures.
//! - [`search`] and [`search_index`]: what a search finds; how messages come into the index.
//! - [`room_import`]: events that come from another installation.
//! - [`schema`]: migrations. The tables and functions are in `server/migrations/postgres/`.

mod access;
mod access_checks;
mod access_sql;
mod access_writes;
mod append;
mod cache;
mod connect;
mod cookie_keys;
mod devices;
mod durability;
mod erasure;
mod error;
mod event_reads;
mod event_writes;
mod files;
mod history;
mod import;
mod listen;
mod networks;
mod notify;
mod presence;
mod queue;
mod retention;
mod retention_writes;
mod room_import;
mod room_reads;
mod room_writes;
mod rows;
mod schema;
mod search;
mod search_index;
mod session;
mod shared;
mod signal;
mod sql;
mod url;
mod user_names;
mod user_reads;
mod writer;

pub use cookie_keys::replace_cookie_key;
pub use error::PostgresError;
pub use import::{Import, ImportError, ImportTarget, TargetState};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

use super::{EphemeralEvent, Notification, Store, StoreResult};
use async_trait::async_trait;
use connect::{Connector, ReadPool};
use error::away;
use futures_util::stream::BoxStream;
use listen::Listener;
use queue::{Queue, Request};
use schema::Identity;
use search_index::Indexer;
use session::Session;
use shared::Shared;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};
use writer::Writer;

/// Time between two probes by readiness checks.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time that a readiness check waits for a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    identity: Identity,
    readers: ReadPool,
    /// The order of the queue is the order of the writes.
    queue: Queue,
    shared: Arc<Shared>,
    /// Tasks that end with the store. The writer ends by itself.
    tasks: [JoinHandle<()>; 3],
    indexer: tokio::sync::Mutex<Indexer>,
    /// Sections under this lock are short and never wait.
    probed_at: Mutex<Option<Instant>>,
}

impl PostgresStore {
    /// Opens the database, and creates the tables if they do not exist. `new_key` becomes the key that signs the cookies
    /// unless the database has one. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn open(url: &DatabaseUrl, new_key: &[u8]) -> Result<Self, PostgresError> {
        let connector = Connector::new(url)?;
        let mut client = connector.connect().await?;
        let identity = schema::prepare(&mut client, new_key).await?;
        let shared = Arc::new(Shared::new(&identity));
        let listener = Listener::open(&connector, &shared).await.map_err(PostgresError::Connect)?;
        let (queue, requests) = mpsc::unbounded_channel();
        let session = Session::new(connector.clone(), client, shared.clone());
        Writer::new(session, shared.clone()).spawn(requests)?;
        let readers = connector.pool(&shared);
        presence::renew(&readers, &shared)
            .await
            .map_err(|error| PostgresError::Database(error.to_string()))?;
        let tasks = [
            tokio::spawn(notify::send_signals(connector.clone(), shared.clone())),
            tokio::spawn(listen::follow_signals(listener, connector.clone(), shared.clone())),
            tokio::spawn(presence::keep_lease(readers.clone(), shared.clone())),
        ];
        let indexer = Indexer::new(connector, shared.clone()).into();
        let queue = Queue(queue);
        Ok(Self { identity, readers, queue, shared, tasks, indexer, probed_at: Mutex::default() })
    }

    /// Returns the keys that sign the cookies on all servers, as they were when the store was opened.
    pub fn cookie_key(&self) -> &[u8] {
        &self.identity.cookie_key
    }

    /// Reads the keys that sign the cookies on all servers.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    pub async fn read_cookie_key(&self) -> StoreResult<Vec<u8>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached("SELECT cookie_key FROM log").await?;
            Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
        });
        read.await
    }

    /// Returns `true` if another probe is due, which the caller then runs.
    fn may_probe(&self) -> bool {
        let mut probed_at = self.probed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = probed_at.is_none_or(|at| at.elapsed() >= PROBE_INTERVAL);
        if is_due {
            *probed_at = Some(Instant::now());
        }
        is_due
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn log_id(&self) -> &str {
        &self.identity.log_id
    }

    fn subscribe(&self) -> BoxStream<'static, Notification> {
        self.shared.notifier.subscribe()
    }

    async fn used_bytes(&self) -> StoreResult<u64> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached("SELECT pg_database_size(current_database())").await?;
            rows::number(&client.query_one(&statement, &[]).await?, 0)
        });
        read.await
    }

    fn publish(&self, event: EphemeralEvent) {
        self.shared.send(|outgoing| outgoing.add_ephemeral(event.clone()));
        self.shared.notifier.send(Notification::Ephemeral(event));
    }

    async fn ready(&self) -> StoreResult<()> {
        if !self.shared.is_away() {
            return Ok(());
        }
        let away = || Err(away("the database is away"));
        if !self.may_probe() || self.shared.listening.is_away() {
            return away();
        }
        let probing = async {
            self.readers.read(async |client| Ok(client.batch_execute("").await?)).await?;
            self.queue.request(Request::Probe).await
        };
        timeout(PROBE_TIMEOUT, probing).await.unwrap_or_else(|_| away())
    }

    async fn superseded(&self) {
        self.shared.history.superseded().await;
    }

    async fn close(&self) {
        let _ = self.queue.request(Request::Close).await;
        self.tasks.iter().for_each(JoinHandle::abort);
        // Without these, the others wait for the end of the lease.
        let _ = presence::remove_node(&self.readers, &self.shared, &self.shared.node).await;
        let _ = notify::send_rest(&self.readers, &self.shared).await;
        self.readers.close();
    }
}
