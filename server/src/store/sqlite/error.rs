//! The reasons why the file of a store cannot be opened.

use rusqlite::ErrorCode;

/// The reason why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not ours.
    #[error("it is not a Hubbub database")]
    NotAHubbubDatabase,
    /// A newer version of Hubbub has written the file.
    #[error("a newer version of Hubbub has written it (schema {found}, this version supports {supported})")]
    SchemaTooNew {
        /// The schema of the file.
        found: usize,
        /// The newest schema that this program supports.
        supported: usize,
    },
    /// The content of the file is not what was written.
    #[error("it is damaged ({0}); put a backup in its place")]
    Corrupt(String),
    /// The file is empty or missing, but its write-ahead log exists.
    #[error(
        "it is empty or missing, but its write-ahead log exists; put both back, or a backup in their place"
    )]
    OrphanedWal,
    /// The file is a copy of the bare file of a running server.
    #[error(
        "it was copied from a running server without its write-ahead log (hubbub.db-wal), so its newest messages are missing; copy both, or take a backup with 'hubbub backup'"
    )]
    MissingWal,
    /// The file was closed cleanly, but there is a write-ahead log.
    #[error("the write-ahead log beside it (hubbub.db-wal) belongs to another file; move that away")]
    ForeignWal,
    /// The file system failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// SQLite failed.
    #[error("{0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The schema could not be brought up to date.
    #[error("{0}")]
    Migration(#[from] rusqlite_migration::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}
