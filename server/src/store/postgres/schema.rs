//! The schema: the checks of the server, the migrations, and the identity of the event log.

use super::{
    error::PostgresError,
    history::{SELECT_HISTORY, begin_epoch},
};
use crate::store::position::{self, split_log_id};
use tokio_postgres::Client;
use uuid::Uuid;

/// The migrations, one for each version of the schema. They are never changed, only added.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/postgres/1-schema.sql"),
    include_str!("../../../migrations/postgres/2-presence.sql"),
    include_str!("../../../migrations/postgres/3-import.sql"),
    include_str!("../../../migrations/postgres/4-history.sql"),
    include_str!("../../../migrations/postgres/5-reactions.sql"),
    include_str!("../../../migrations/postgres/6-unread.sql"),
    include_str!("../../../migrations/postgres/7-mentions.sql"),
    include_str!("../../../migrations/postgres/8-access.sql"),
    include_str!("../../../migrations/postgres/9-devices.sql"),
    include_str!("../../../migrations/postgres/10-retention.sql"),
    include_str!("../../../migrations/postgres/11-networks.sql"),
    include_str!("../../../migrations/postgres/12-search.sql"),
    include_str!("../../../migrations/postgres/13-files.sql"),
    include_str!("../../../migrations/postgres/14-late-messages.sql"),
    include_str!("../../../migrations/postgres/15-claims.sql"),
    include_str!("../../../migrations/postgres/16-uploads.sql"),
];

/// The newest schema that this program supports.
const SUPPORTED_SCHEMA: i32 = MIGRATIONS.len() as i32;

/// The first supported version of the server, as `server_version_num` has it.
const OLDEST_SERVER: i32 = 15_00_00;

/// The advisory lock under which one server after the other migrates.
const MIGRATION_LOCK: i64 = 0x0068_7562_6275_6200;

/// The identity that the servers of an installation share.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// The identity of the event log, with its epoch.
    pub(super) log_id: String,
    /// The epoch, and the history to which it belongs.
    pub(super) epoch: String,
    pub(super) history: String,
    /// The key that signs the cookies.
    pub(super) cookie_key: Vec<u8>,
    /// The generation of users' names.
    pub(super) names: i64,
}

/// Checks the server, brings the schema up to date, and gives the log an identity and `new_key` if it has none. Several
/// servers may do so at the same time.
///
/// # Errors
/// [`PostgresError`]; nothing is changed then.
pub(super) async fn prepare(client: &mut Client, new_key: &[u8]) -> Result<Identity, PostgresError> {
    check_server(client).await?;
    migrate(client).await?;
    let new_id = Uuid::new_v4().to_string();
    client
        .execute(
            "INSERT INTO log (id, cookie_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&new_id, &new_key],
        )
        .await?;
    let unfinished = "SELECT EXISTS (SELECT FROM import WHERE finished_at IS NULL)";
    if client.query_one(unfinished, &[]).await?.try_get(0)? {
        return Err(PostgresError::ImportUnfinished);
    }
    let history = continue_history(client).await?;
    let row = client.query_one("SELECT id, cookie_key, names_generation, epoch FROM log", &[]).await?;
    let (id, epoch): (String, String) = (row.try_get(0)?, row.try_get(3)?);
    // The log may come from a data folder, with an epoch of its own.
    let log_id = if epoch.is_empty() { id } else { position::log_id(split_log_id(&id).0, &epoch) };
    Ok(Identity { log_id, epoch, history, cookie_key: row.try_get(1)?, names: row.try_get(2)? })
}

/// Begins a new epoch of the log if the database has another history than when it was last used. Returns the history.
async fn continue_history(client: &Client) -> Result<String, PostgresError> {
    let row = client.query_one(SELECT_HISTORY, &[]).await?;
    let (found, epoch, stored): (String, String, String) =
        (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
    if stored.is_empty() {
        client.execute("UPDATE log SET history = $1 WHERE history = ''", &[&found]).await?;
    } else if stored != found {
        tracing::warn!("the database comes from a failover or a copy; clients check what they have");
        begin_epoch(client, &epoch, &found).await?;
    }
    Ok(found)
}

/// Checks the version and the settings of the server.
///
/// # Errors
/// [`PostgresError`].
pub(super) async fn check_server(client: &Client) -> Result<(), PostgresError> {
    let settings = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),
        current_setting('transaction_read_only')::bool, current_setting('transaction_isolation'),
        current_setting('synchronous_commit')";
    let row = client.query_one(settings, &[]).await?;
    let version: i32 = row.try_get(0)?;
    if version < OLDEST_SERVER {
        return Err(PostgresError::TooOld(version / 10_000));
    }
    if row.try_get(1)? || row.try_get(2)? {
        return Err(PostgresError::ReadOnly);
    }
    let (isolation, synchronous_commit): (String, String) = (row.try_get(3)?, row.try_get(4)?);
    if isolation != "read committed" {
        return Err(PostgresError::Isolation(isolation));
    }
    if synchronous_commit == "off" {
        return Err(PostgresError::NotDurable(synchronous_commit));
    }
    Ok(())
}

/// Applies the migrations that are missing, in one transaction.
///
/// # Errors
/// [`PostgresError`]; nothing is changed then.
pub(super) async fn migrate(client: &mut Client) -> Result<(), PostgresError> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
    let is_new: bool =
        transaction.query_one("SELECT to_regclass('hubbub_schema') IS NULL", &[]).await?.try_get(0)?;
    let found: i32 = if is_new {
        let create =
            "CREATE TABLE hubbub_schema (version int NOT NULL); INSERT INTO hubbub_schema VALUES (0)";
        transaction.batch_execute(create).await?;
        0
    } else {
        transaction.query_one("SELECT version FROM hubbub_schema", &[]).await?.try_get(0)?
    };
    if found > SUPPORTED_SCHEMA {
        return Err(PostgresError::SchemaTooNew { found, supported: SUPPORTED_SCHEMA });
    }
    for migration in MIGRATIONS.iter().skip(found.max(0) as usize) {
        transaction.batch_execute(migration).await?;
    }
    if found < SUPPORTED_SCHEMA {
        transaction.execute("UPDATE hubbub_schema SET version = $1", &[&SUPPORTED_SCHEMA]).await?;
    }
    Ok(transaction.commit().await?)
}
