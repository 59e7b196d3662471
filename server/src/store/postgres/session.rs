//! The writer's connection: it is replaced when it is lost, and what was under way is sent again.

use super::{
    connect::Connector,
    error::{causes, is_about_values, is_conflict, is_connection_lost},
    shared::Shared,
};
use deadpool_postgres::ClientWrapper;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// The longest time that one attempt may take before its connection is dropped. A cancel request would be wrong: it could
/// acknowledge a commit that a synchronous standby does not have.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which a write is tried again before it is refused, after its first attempt. A server that was killed is back
/// by then.
const RETRY_FOR: Duration = Duration::from_secs(5);

/// Time between two attempts to connect.
const RECONNECT_DELAY: Duration = Duration::from_millis(50);

/// Attempts to get past other transactions.
const MAX_CONFLICTS: u32 = 5;

const NO_ANSWER: &str = "the database does not answer";

/// Commits of this installation that have waited for a synchronous standby for as long as an attempt takes.
const HAS_STUCK_COMMITS: &str = "
    SELECT EXISTS (
        SELECT FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.usename = current_user
            AND a.wait_event = 'SyncRep' AND a.state_change < clock_timestamp() - interval '4 s'
    )";

/// The writer's connection.
pub(super) struct Session {
    connector: Connector,
    client: Option<ClientWrapper>,
    shared: Arc<Shared>,
}

/// The reason why a write failed.
pub(super) enum WriteError {
    /// The database did not answer, or cannot write. The write may have been carried out.
    Away(String),
    /// The database has refused its values.
    Refused(tokio_postgres::Error),
    /// The rights of users have changed since they were read; nothing was written.
    Stale,
}

impl Session {
    pub(super) fn new(connector: Connector, client: ClientWrapper, shared: Arc<Shared>) -> Self {
        Self { connector, client: Some(client), shared }
    }

    /// Runs a write. If the connection is lost, runs it again on a new one: so a write must change nothing the second time.
    /// While the database is away each write is tried once.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(super) async fn run<T>(
        &mut self,
        write: impl AsyncFn(&mut ClientWrapper) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, WriteError> {
        let retries = if self.shared.writes.is_away() { Duration::ZERO } else { RETRY_FOR };
        let deadline = Instant::now() + retries;
        let mut conflicts = 0;
        loop {
            let failure = match self.attempt(&write).await {
                Ok(Ok(result)) => {
                    self.shared.writes.note_answer();
                    return Ok(result);
                }
                Ok(Err(error)) if is_conflict(&error) && conflicts < MAX_CONFLICTS => {
                    conflicts += 1;
                    continue;
                }
                Ok(Err(error)) if is_connection_lost(&error) => causes(&error),
                Ok(Err(error)) if is_about_values(&error) => return Err(WriteError::Refused(error)),
                Ok(Err(error)) => {
                    // Such as a full disk: an attempt now would fail as well.
                    let failure = causes(&error);
                    self.shared.writes.note_failure(&failure);
                    return Err(WriteError::Away(failure));
                }
                Err(failure) => failure,
            };
            self.client = None;
            if Instant::now() >= deadline || self.shared.history.ensure_current().is_err() {
                self.shared.writes.note_failure(&failure);
                return Err(WriteError::Away(failure));
            }
            sleep(RECONNECT_DELAY).await;
        }
    }

    /// Makes one attempt; a new connection first if there is none. The outer error means that there was no answer.
    async fn attempt<T>(
        &mut self,
        write: impl AsyncFn(&mut ClientWrapper) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Result<T, tokio_postgres::Error>, String> {
        self.shared.history.ensure_current().map_err(|error| error.to_string())?;
        if self.client.as_ref().is_none_or(|client| client.is_closed()) {
            let client = self.connector.connect().await.map_err(|error| causes(&error))?;
            let checked = timeout(ATTEMPT_TIMEOUT, self.shared.history.check(&client)).await;
            checked.map_err(|_| NO_ANSWER.to_owned())?.map_err(|error| causes(&error))?;
            let prepared = timeout(ATTEMPT_TIMEOUT, prepare(&client)).await;
            prepared.map_err(|_| NO_ANSWER.to_owned())??;
            self.client = Some(client);
        }
        let Some(client) = &mut self.client else { return Err("there is no connection".into()) };
        timeout(ATTEMPT_TIMEOUT, write(client)).await.map_err(|_| NO_ANSWER.to_owned())
    }
}

/// Prepares a connection for writes. An attempt that took too long leaves its session behind on the server: one that waits for
/// a lock ends soon, but one whose commit waits for a standby stays. So nothing is written while there is such a commit, lest
/// these sessions use up the connections of the server.
async fn prepare(client: &ClientWrapper) -> Result<(), String> {
    // Not every platform of the server can do it.
    let _ = client.batch_execute("SET client_connection_check_interval = '1s'").await;
    let row = client.query_one(HAS_STUCK_COMMITS, &[]).await.map_err(|error| causes(&error))?;
    match row.try_get(0) {
        Ok(false) => Ok(()),
        _ => Err("commits wait for a synchronous standby".to_owned()),
    }
}
