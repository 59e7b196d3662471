//! The reasons why a data folder cannot be imported.

use crate::store::postgres::error::PostgresError;
use tokio_postgres::error::SqlState;

/// The reason why a data folder cannot be imported. Each is one line.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database has an event log.
    #[error("it already has messages of its own; name an empty database")]
    InUse,
    /// Another process imports into the same database.
    #[error("another 'hubbub migrate' is writing to it")]
    Concurrent,
    /// Rows differ from those that were read from the folder.
    #[error("its {table} rows differ from those of the folder: {detail}")]
    Different {
        /// The table.
        table: &'static str,
        /// The difference.
        detail: String,
    },
    /// The database cannot be used.
    #[error("{0}")]
    Database(#[from] PostgresError),
}

impl From<tokio_postgres::Error> for ImportError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Self::Concurrent,
            _ => Self::Database(error.into()),
        }
    }
}
