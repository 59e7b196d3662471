//! The database before an import: what is in it, and how an import begins or continues.

use super::{Import, ImportError};
use crate::store::{
    postgres::{connect::Connector, error::PostgresError, schema, url::DatabaseUrl},
    transfer::{Key, Position, Table},
};
use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// Settings of the connection. A lock is waited for until a killed process has lost it.
const SESSION_SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '15s'";

const SELECT_STATE: &str = "
    SELECT (SELECT id FROM log), (SELECT id FROM import), (SELECT finished_at IS NOT NULL FROM import)";

/// Removes what an import has written.
const WIPE: &str = "
    TRUNCATE log, import, import_chunk, user_account, room, room_activity, event, message_state, reactions,
        read_marker, device_link, device, sign_out, recovery_code, setting, role, restriction, pace, invitation, action, report, blocked, access_change, erasure,
        search_message, search_room, search_backlog, search_change;
    UPDATE search_state SET version = 0;
    UPDATE device_link_count SET links = 0";

/// A database into which a folder may be imported.
pub struct ImportTarget {
    client: ClientWrapper,
}

/// The content of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// No event log.
    Empty,
    /// An event log that was not imported.
    InUse,
    /// An import.
    Import {
        /// The id of the import.
        id: Uuid,
        /// The identity of the event log.
        log_id: String,
        /// Everything is imported.
        is_finished: bool,
    },
}

impl ImportTarget {
    /// Connects, and checks the server. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, PostgresError> {
        let client = Connector::new(url)?.connect().await?;
        schema::check_server(&client).await?;
        Ok(Self { client })
    }

    /// Brings the schema up to date, and returns what the database has.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn prepare(&mut self) -> Result<TargetState, PostgresError> {
        schema::migrate(&mut self.client).await?;
        self.client.batch_execute(SESSION_SETTINGS).await?;
        let row = self.client.query_one(SELECT_STATE, &[]).await?;
        let (log_id, id): (Option<String>, Option<Uuid>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(match (log_id, id) {
            (Some(log_id), Some(id)) => TargetState::Import {
                id,
                log_id,
                is_finished: row.try_get::<_, Option<bool>>(2)? == Some(true),
            },
            (Some(_), None) => TargetState::InUse,
            (None, _) => TargetState::Empty,
        })
    }

    /// Begins an import, after removing what an unfinished one has written. From now on no server starts on the database.
    ///
    /// # Errors
    /// [`ImportError::InUse`] if a server has started on the database meanwhile.
    pub async fn begin(mut self, log_id: &str, cookie_key: &[u8]) -> Result<Import, ImportError> {
        let id = Uuid::new_v4();
        let transaction = self.client.transaction().await?;
        let unfinished =
            transaction.query("SELECT FROM import WHERE finished_at IS NULL FOR UPDATE", &[]).await?;
        if !unfinished.is_empty() {
            transaction.batch_execute(WIPE).await?;
        }
        let insert = "INSERT INTO log (id, cookie_key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        if transaction.execute(insert, &[&log_id, &cookie_key]).await? == 0 {
            return Err(ImportError::InUse);
        }
        transaction.execute("INSERT INTO import (id) VALUES ($1)", &[&id]).await?;
        transaction.commit().await?;
        Ok(Import { client: self.client, id, chunks: 0, position: None, rows: 0 })
    }

    /// Continues an unfinished import. Waits for the last transaction of a process that was killed.
    ///
    /// # Errors
    /// [`ImportError`]
    pub async fn resume(mut self, id: Uuid) -> Result<Import, ImportError> {
        let transaction = self.client.transaction().await?;
        let lock = "SELECT chunks FROM import WHERE id = $1 FOR UPDATE";
        let row = transaction.query_opt(lock, &[&id]).await?.ok_or(ImportError::Concurrent)?;
        let chunks = row.try_get(0)?;
        let position = last_position(&transaction).await?;
        let rows = "SELECT coalesce(sum(row_count), 0)::int8 FROM import_chunk";
        let rows: i64 = transaction.query_one(rows, &[]).await?.try_get(0)?;
        transaction.commit().await?;
        Ok(Import { client: self.client, id, chunks, position, rows: rows.unsigned_abs() })
    }
}

async fn last_position(transaction: &Transaction<'_>) -> Result<Option<Position>, Error> {
    let select = "SELECT table_name, last_key FROM import_chunk ORDER BY number DESC LIMIT 1";
    let Some(row) = transaction.query_opt(select, &[]).await? else { return Ok(None) };
    let table = Table::from_name(row.try_get(0)?);
    let after = key(&row, 1)?;
    Ok(table.map(|table| Position { table, after }))
}

/// Reads a key from a column.
pub(super) fn key(row: &Row, column: usize) -> Result<Option<Key>, Error> {
    let parts: Option<Vec<i64>> = row.try_get(column)?;
    Ok(parts.and_then(|parts| Some((*parts.first()?, *parts.get(1)?))))
}
