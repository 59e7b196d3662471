//! Opening the file of a store: checked, migrated and loaded.

use super::{
    backfill::{backfill_name_skeletons, backfill_titles},
    check::MAX_PAGES_CHECKED_AT_START,
    connection::{Synchronous, checkpoint, configure},
    create::create,
    epoch::Epochs,
    error::OpenError,
    files::{self, FileState},
    record::Record,
    schema::{check_pages, initialize, migrate},
    search::prepare_index,
};
use rusqlite::{Connection, OptionalExtension, config::DbConfig};
use std::{
    io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// The first schema whose files have a record beside them. An older file continues as it is.
const SCHEMA_WITH_RECORD: usize = 9;

/// No user has done anything in the store.
const IS_UNUSED: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM event) AND NOT EXISTS (SELECT 1 FROM person)
    AND NOT EXISTS (SELECT 1 FROM reading) AND NOT EXISTS (SELECT 1 FROM room)";

/// A store that is open.
pub(super) struct Opened {
    /// The file itself if the given path was a link to it.
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    /// The identity of the event log, without its epoch.
    pub(super) id: String,
    pub(super) epochs: Epochs,
    /// No user has an identity that the store knows.
    pub(super) is_unused: bool,
    /// Every page was checked.
    pub(super) is_checked: bool,
}

/// Saves the cookie key that a backup carries.
pub(super) type SaveKey<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Opens the file at `path`, and creates it if it does not exist.
pub(super) fn open(path: &Path, synchronous: Synchronous, save_key: SaveKey) -> Result<Opened, OpenError> {
    let path = files::resolve(path)?;
    let record = Record::of(&path);
    let is_continuous = match files::check(&path)? {
        FileState::Nothing => {
            create(&path)?;
            true
        }
        FileState::Store { schema } => schema < SCHEMA_WITH_RECORD || record.proves_continuity(),
    };
    let mut connection = Connection::open(&path)?;
    // A corrupt file is closed without a checkpoint, so that it stays as it was.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    configure(&connection)?;
    // The page count of the header bounds the check, so that a start takes the same time for every large file.
    let pages: u64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let is_checked = pages <= MAX_PAGES_CHECKED_AT_START;
    if is_checked {
        check_pages(&connection)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // Before the header announces a write-ahead log, so that a power cut leaves a file that matches its record.
    record.note_opened()?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous.pragma())?;
    migrate(&mut connection)?;
    take_over_backup(&mut connection, save_key)?;
    initialize(&mut connection)?;
    Ok(Opened { is_checked, ..load(path, connection, is_continuous)? })
}

/// Loads what the store keeps in memory.
pub(super) fn load(
    path: PathBuf,
    mut connection: Connection,
    is_continuous: bool,
) -> Result<Opened, OpenError> {
    backfill_name_skeletons(&mut connection)?;
    backfill_titles(&mut connection)?;
    prepare_index(&mut connection)?;
    let epochs = Epochs::open(&mut connection, is_continuous)?;
    let id = connection.query_row("SELECT id FROM log", [], |row| row.get(0))?;
    let is_unused = connection.query_row(IS_UNUSED, [], |row| row.get(0))?;
    // A crash may have left purged texts in the write-ahead log.
    checkpoint(&connection)?;
    Ok(Opened { path, connection, id, epochs, is_unused, is_checked: false })
}

/// Turns a backup in the place of the file into the store: saves its key, and changes the identity of the event log, so
/// that every client starts with the newest page. If it is interrupted, the next start does it again.
fn take_over_backup(connection: &mut Connection, save_key: SaveKey) -> Result<(), OpenError> {
    let carried =
        connection.query_row("SELECT cookie_key FROM backup", [], |row| row.get::<_, Option<Vec<u8>>>(0));
    let Some(key) = carried.optional()? else { return Ok(()) };
    if let Some(key) = key {
        save_key(&key)?;
    }
    let transaction = connection.transaction()?;
    transaction.execute("UPDATE log SET id = ?1", [Uuid::new_v4().to_string()])?;
    transaction.execute("DELETE FROM backup", [])?;
    // A link that was used after the backup must not work again.
    transaction.execute("DELETE FROM device_link", [])?;
    transaction.commit()?;
    Ok(checkpoint(connection)?)
}
