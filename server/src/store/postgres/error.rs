//! The reasons why a database cannot be opened, and its failures as failures of the store.

use crate::store::StoreError;
use std::{error::Error, io, iter, sync::Arc};
use tokio_postgres::error::SqlState;

/// The reason why a database cannot be opened. Each is one line without the password.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The server does not answer, or refuses the connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The name or the password is wrong.
    #[error("the server refuses the name or the password")]
    Password,
    /// The certificate authorities cannot be read.
    #[error("{0}")]
    Certificates(String),
    /// The server is older than PostgreSQL 15.
    #[error("PostgreSQL {0} is too old; 15 is the oldest supported version")]
    TooOld(i32),
    /// The server does not accept writes.
    #[error("it is read-only; name the primary, or all hosts")]
    ReadOnly,
    /// Transactions do not see what others have committed since they began.
    #[error("transactions are '{0}'; Hubbub needs 'read committed' (default_transaction_isolation)")]
    Isolation(String),
    /// Commits would be acknowledged before they are durable.
    #[error("synchronous_commit is '{0}', so that messages could be lost; set it to 'on'")]
    NotDurable(String),
    /// The role may not create the tables.
    #[error(
        "its role may not create tables; grant it CREATE on the schema, or make it the owner of the database"
    )]
    MayNotCreate,
    /// Tables of another program have the names of ours.
    #[error("it belongs to another program ({0}); create a database for Hubbub")]
    NotAHubbubDatabase(String),
    /// A newer version of Hubbub has written the schema.
    #[error("a newer version of Hubbub has written it (schema {found}, this version supports {supported})")]
    SchemaTooNew {
        /// The schema of the database.
        found: i32,
        /// The newest schema that this program supports.
        supported: i32,
    },
    /// It has only a part of what a data folder has.
    #[error("'hubbub migrate' into it is unfinished; run that again")]
    ImportUnfinished,
    /// PostgreSQL failed.
    #[error("{0}")]
    Database(String),
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            // No host accepts writes.
            return if is_read_only(&error) { Self::ReadOnly } else { Self::Connect(causes(&error)) };
        };
        match *state {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::Password,
            SqlState::INSUFFICIENT_PRIVILEGE | SqlState::INVALID_SCHEMA_NAME => Self::MayNotCreate,
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_FUNCTION => {
                Self::NotAHubbubDatabase(causes(&error))
            }
            _ => Self::Database(causes(&error)),
        }
    }
}

/// The error of `append_events` if a file of a message is not there, or another command has claimed it.
const FILE_NOT_FOUND: &str = "22HF1";

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.code().is_some_and(|state| state.code() == FILE_NOT_FOUND) {
            return Self::FileNotFound;
        }
        if is_connection_lost(&error) { away(causes(&error)) } else { Self::backend(causes(&error)) }
    }
}

/// Returns the failure of a request to a database that does not answer.
pub(super) fn away(why: impl Into<Arc<str>>) -> StoreError {
    StoreError::Away(why.into())
}

/// Returns an error with its causes, in one line. The client's own errors do not print theirs.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error: &&'_ (dyn Error + 'static)| (*error).source());
    let texts = causes.map(|error| error.to_string().lines().collect::<Vec<_>>().join("; "));
    let specific = texts.filter(|text| text != "db error");
    specific.collect::<Vec<_>>().join(": ")
}

/// Returns `true` if the connection is lost, or the server ends or begins: the same operation may be sent again on a new
/// connection.
pub(super) fn is_connection_lost(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        // An answer that cannot be decoded is no lost connection.
        None => error.is_closed() || has_io_error(error),
        Some(error) => {
            let code = error.code().code();
            // Class 08 is about connections. A server that has become a standby refuses writes.
            code.starts_with("08")
                || matches!(
                    *error.code(),
                    SqlState::ADMIN_SHUTDOWN
                        | SqlState::CRASH_SHUTDOWN
                        | SqlState::CANNOT_CONNECT_NOW
                        | SqlState::READ_ONLY_SQL_TRANSACTION
                        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                )
        }
    }
}

fn is_read_only(error: &tokio_postgres::Error) -> bool {
    let source = error.source().and_then(<dyn Error>::downcast_ref::<io::Error>);
    source.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn has_io_error(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(<dyn Error>::is::<io::Error>)
}

/// Returns `true` if another transaction was in the way: the same operation may be sent again.
pub(super) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE))
}

/// Returns `true` if a value of the operation is to blame, so that another operation may succeed.
pub(super) fn is_about_values(error: &tokio_postgres::Error) -> bool {
    // Classes 22 (data) and 23 (constraints), and the values that the client cannot encode.
    match error.code() {
        Some(state) => state.code().starts_with("22") || state.code().starts_with("23"),
        None => !error.is_closed() && !has_io_error(error),
    }
}
