//! Connections to the file of a store, and the settings that all of them share.

use rusqlite::{Connection, OpenFlags};
use std::{path::Path, time::Duration};

/// The time that a statement waits for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements that a connection keeps: all of them.
const STATEMENT_CACHE: usize = 64;

/// When a commit is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Before it is acknowledged: the guarantee of Hubbub.
    Full,
    /// Some time later; a loss of power may take the last commits. For measurements only.
    Normal,
}

impl Synchronous {
    /// Returns the value of `PRAGMA synchronous`.
    pub(super) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

/// Applies the settings of every connection. `secure_delete` overwrites deleted and replaced content with zeros.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "secure_delete", "ON")
}

/// Writes the write-ahead log into the file and truncates it.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Closes a connection and leaves one file in rollback mode, which needs no other file beside it. While another process reads
/// the file, SQLite keeps the write-ahead log, and the header says so.
pub(super) fn close_as_single_file(connection: Connection) -> rusqlite::Result<()> {
    checkpoint(&connection)?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.close().map_err(|(_, error)| error)
}
