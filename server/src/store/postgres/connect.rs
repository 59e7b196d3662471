//! Connections to the database: encrypted, with timeouts, and with the settings that all of them share.

use super::{
    durability::make_durable,
    error::{PostgresError, away, causes},
    shared::Shared,
    url::DatabaseUrl,
};
use crate::store::{StoreError, StoreResult};
use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime,
};
use futures_util::{FutureExt, future::BoxFuture};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{
    Config, Connection, Socket,
    config::{SslMode, TargetSessionAttrs},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections that read, at most. Beside them are the writer's, the notifier's and the listener's.
pub(super) const MAX_READERS: usize = 8;

/// The longest time that one host may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time that a read may take, with its wait for a connection.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The time for which it is tried to open a connection, after the first attempt.
const RETRY_FOR: Duration = Duration::from_secs(1);

/// Time between two attempts to open a connection.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// The longest time that sent bytes may stay without an answer of the other machine before the connection is given up.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(10);

/// Time without bytes after which the system probes whether the other machine is there, and between two probes.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Probes without an answer after which the connection is given up.
const KEEPALIVE_RETRIES: u32 = 3;

/// Settings of each connection. The plans are made once, perhaps while the tables are empty, so that they must not depend
/// on the number of rows: every statement walks along an index, and whatever reads or sorts a whole table is avoided. A
/// server that freezes within a transaction must not keep its locks.
const SESSION_OPTIONS: &str = "-c plan_cache_mode=force_generic_plan -c jit=off \
    -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off -c enable_mergejoin=off \
    -c default_transaction_isolation=read\\ committed -c idle_in_transaction_session_timeout=10s";

/// The connection whose messages are polled.
pub(super) type PolledConnection = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Opens connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Creates a connector; reads the certificate authorities if the URL asks for TLS.
    ///
    /// # Errors
    /// [`PostgresError::Certificates`].
    pub(super) fn new(url: &DatabaseUrl) -> Result<Self, PostgresError> {
        let mut config = url.config.clone();
        let options = format!("{SESSION_OPTIONS} {}", config.get_options().unwrap_or_default());
        config.options(options.trim_end()).target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("hubbub");
        }
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(KEEPALIVE_RETRIES);
        let roots = match config.get_ssl_mode() {
            SslMode::Disable => RootCertStore::empty(),
            _ => roots(url.ca_file.as_deref())?,
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| PostgresError::Certificates(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// Opens a connection, which a task of its own drives until the client is dropped.
    ///
    /// # Errors
    /// No host accepts the connection.
    pub(super) async fn connect(&self) -> Result<ClientWrapper, tokio_postgres::Error> {
        let (client, connection) = self.connect_polled().await?;
        Ok(ClientWrapper::new(client, drive(connection)))
    }

    /// Opens a connection that the caller drives.
    ///
    /// # Errors
    /// No host accepts the connection.
    pub(super) async fn connect_polled(
        &self,
    ) -> Result<(tokio_postgres::Client, PolledConnection), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }

    /// Returns a pool of at most [`MAX_READERS`] connections. It opens them when they are needed.
    pub(super) fn pool(&self, shared: &Arc<Shared>) -> ReadPool {
        let recycle = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(self.config.clone(), self.clone(), recycle);
        // The pool would log each connection that is lost.
        let discard_closed = Hook::sync_fn(|client: &mut ClientWrapper, _| match client.is_closed() {
            true => Err(HookError::message("the connection is lost")),
            false => Ok(()),
        });
        let known = shared.clone();
        let check_history = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let known = known.clone();
            Box::pin(async move {
                let checked = known.history.check(client).await;
                checked.map_err(|error| HookError::message(causes(&error)))
            })
        });
        let builder = Pool::builder(manager).max_size(MAX_READERS).runtime(Runtime::Tokio1);
        let pool = builder.pre_recycle(discard_closed).post_create(check_history).build();
        ReadPool { pool: pool.expect("without timeouts of its own a pool is valid"), shared: shared.clone() }
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        _: &Config,
    ) -> BoxFuture<'_, Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error>> {
        async {
            let (client, connection) = self.connect_polled().await?;
            Ok((client, drive(connection)))
        }
        .boxed()
    }
}

/// Drives a connection until its client is dropped or it is lost.
fn drive(connection: PolledConnection) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Each request reports the failure itself.
        let _ = connection.await;
    })
}

/// Returns the certificate authorities of `file`, or of the system.
fn roots(file: Option<&Path>) -> Result<RootCertStore, PostgresError> {
    let mut roots = RootCertStore::empty();
    let (found, place) = match file {
        Some(file) => {
            let cannot_read = |error| {
                PostgresError::Certificates(format!("cannot read sslrootcert {}: {error}", file.display()))
            };
            let found: Result<Vec<_>, _> =
                CertificateDer::pem_file_iter(file).map_err(cannot_read)?.collect();
            (found.map_err(cannot_read)?, file.display().to_string())
        }
        None => (rustls_native_certs::load_native_certs().certs, "the system's store".into()),
    };
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        let why = format!("{place} has no certificate authorities; name a file with sslrootcert=");
        return Err(PostgresError::Certificates(why));
    }
    Ok(roots)
}

/// The connections that read.
#[derive(Clone)]
pub(super) struct ReadPool {
    pool: Pool,
    shared: Arc<Shared>,
}

impl ReadPool {
    /// Runs `read` on one of the connections. While the database is away, it is tried once to open one. If the future is
    /// dropped, the connection stays usable.
    ///
    /// # Errors
    /// [`StoreError::Away`] if the database does not answer within [`READ_TIMEOUT`]; [`StoreError::Backend`] if it fails.
    pub(super) async fn read<T>(&self, read: impl AsyncFnOnce(&Object) -> StoreResult<T>) -> StoreResult<T> {
        self.shared.history.ensure_current().map_err(|error| away(error.to_string()))?;
        let reading = async {
            let client = self.connection().await?;
            read(&client).await
        };
        let result = timeout(READ_TIMEOUT, reading).await;
        let result = result.unwrap_or_else(|_| Err(away("the database does not answer")));
        match &result {
            Err(StoreError::Away(error)) => self.shared.reads.note_failure(error),
            _ => self.shared.reads.note_answer(),
        }
        result
    }

    async fn connection(&self) -> StoreResult<Object> {
        let retries = if self.shared.reads.is_away() { Duration::ZERO } else { RETRY_FOR };
        let deadline = Instant::now() + retries;
        loop {
            let error = match self.pool.get().await {
                Ok(client) => return Ok(client),
                Err(PoolError::Closed) => return Err(StoreError::backend("the store is closed")),
                Err(PoolError::Backend(error)) => causes(&error),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline || self.shared.history.ensure_current().is_err() {
                return Err(away(error));
            }
            sleep(RETRY_DELAY).await;
        }
    }

    /// Runs `read`, which reads events or what depends on them, as [`read`](Self::read) does. Returns what it has read when
    /// that is durable.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub(super) async fn read_durable<T>(
        &self,
        read: impl AsyncFnOnce(&Object) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let reading = self.read(async |client| {
            let found = read(client).await?;
            make_durable(client).await?;
            Ok(found)
        });
        reading.await
    }

    /// Closes the connections; later reads fail.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}
