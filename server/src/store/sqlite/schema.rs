//! Opening the file: ours or nobody's, not newer than this program, brought up to date.

use super::{
    create::create,
    epoch::Epochs,
    files::{self, Found},
    queries,
    record::Record,
    sql,
    writer::{self, BUSY_WAIT},
};
use crate::store::room_index::Catalogue;
use app::wire::Millis;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, config::DbConfig};
use rusqlite_migration::{M, Migrations};
use std::{
    io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// The schema, a step for each version. Steps are never changed, only added.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/1-events.sql")),
    M::up(include_str!("../../../migrations/2-changes.sql")),
    M::up(include_str!("../../../migrations/3-people-and-rooms.sql")),
    M::up(include_str!("../../../migrations/4-owners-and-keys.sql")),
    M::up(include_str!("../../../migrations/5-visits.sql")),
    M::up(include_str!("../../../migrations/6-private-names.sql")),
    M::up(include_str!("../../../migrations/7-tags.sql")),
    M::up(include_str!("../../../migrations/8-titles.sql")),
    M::up(include_str!("../../../migrations/9-folder.sql")),
];

/// The newest schema that this program knows.
pub(super) const KNOWN_SCHEMA: usize = STEPS.len();

/// The first schema whose files have a note about them: an older one is continued as it is.
const SCHEMA_WITH_RECORD: usize = 9;

/// A log in which nobody has done anything.
const IS_UNUSED: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM event) AND NOT EXISTS (SELECT 1 FROM person)
    AND NOT EXISTS (SELECT 1 FROM reading) AND NOT EXISTS (SELECT 1 FROM room)";

/// Why the log's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is something else.
    #[error("it is not a Hubbub log")]
    NotOurs,
    /// A newer Hubbub has written it.
    #[error("a newer version of Hubbub has written it (schema {found}, this one knows {known})")]
    Newer {
        /// Its schema.
        found: usize,
        /// The newest schema that this program knows.
        known: usize,
    },
    /// Its bytes are not those that were written.
    #[error("it is damaged ({0}); put a backup in its place")]
    Damaged(String),
    /// It is empty or missing, and has left its write-ahead log behind.
    #[error(
        "it is empty or missing, but its write-ahead log is there; put both back, or a backup in their place"
    )]
    OnlyWal,
    /// It is a copy of the bare file of a running server.
    #[error(
        "it was copied from a running server without its write-ahead log (hubbub.db-wal), so its newest messages are missing; copy both, or take a backup with 'hubbub backup'"
    )]
    WithoutWal,
    /// It was closed cleanly, yet there is a write-ahead log.
    #[error("the write-ahead log beside it (hubbub.db-wal) belongs to another file; move that away")]
    ForeignWal,
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// SQLite refused.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The schema could not be brought up to date.
    #[error("{0}")]
    Migration(#[from] rusqlite_migration::Error),
}

/// What opening found.
pub(super) struct Opened {
    /// The file itself, where `path` was a link to it.
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    /// The identity of the log, without its epoch.
    pub(super) id: String,
    pub(super) epochs: Epochs,
    pub(super) catalogue: Catalogue,
    /// No user has an identity that the log knows of.
    pub(super) is_unused: bool,
}

/// Keeps the key that a backup carries.
pub(super) type KeepKey<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// When what was committed is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Before it is acknowledged: what Hubbub promises.
    Full,
    /// Some time later; a loss of power may take the last commits. Only to be measured against.
    Normal,
}

pub(super) fn open(path: &Path, synchronous: Synchronous, keep_key: KeepKey) -> Result<Opened, OpenError> {
    let path = files::resolve(path)?;
    let record = Record::of(&path);
    let is_continuous = match files::check(&path)? {
        Found::Nothing => {
            create(&path)?;
            true
        }
        Found::Store { schema } => schema < SCHEMA_WITH_RECORD || record.proves_continuity(),
    };
    let mut connection = Connection::open(&path)?;
    // Closed without a word where it is damaged, so that what lies there stays as it was.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    configure(&connection)?;
    check_pages(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // Before the header says that there is a write-ahead log, so that a power cut leaves a file that fits its note.
    record.note_opened()?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous.pragma())?;
    migrate(&mut connection)?;
    take_over_backup(&mut connection, keep_key)?;
    settle(&mut connection)?;
    writer::fill_in_keys(&mut connection)?;
    writer::fill_in_title_keys(&mut connection)?;
    let epochs = Epochs::open(&mut connection, is_continuous)?;
    let id = connection.query_row("SELECT id FROM log", [], |row| row.get(0))?;
    let catalogue = catalogue(&connection)?;
    let is_unused = connection.query_row(IS_UNUSED, [], |row| row.get(0))?;
    // A crash may have left replaced texts in the write-ahead log.
    fold_in(&connection)?;
    Ok(Opened { path, connection, id, epochs, catalogue, is_unused })
}

impl Synchronous {
    fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

/// What holds for every connection. Whatever a connection deletes or replaces is overwritten with zeros.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "secure_delete", "ON")
}

/// Looks at every page once, before anything is served from them. On two cores: 57 ms for 200,000 messages
/// (37 MB), 0.55 s for two million.
pub(super) fn check_pages(connection: &Connection) -> Result<(), OpenError> {
    let found: String =
        connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(damaged)?;
    if found == "ok" {
        Ok(())
    } else {
        // The first line may be a heading.
        let words = found.lines().find(|line| !line.starts_with("***")).unwrap_or(&found);
        Err(OpenError::Damaged(words.into()))
    }
}

fn damaged(error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => OpenError::Damaged(error.to_string()),
        _ => error.into(),
    }
}

pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let found: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    files::check_schema(found)?;
    if found < KNOWN_SCHEMA {
        Migrations::from_slice(STEPS).to_latest(connection)?;
        fold_in(connection)?;
    }
    Ok(())
}

/// Gives the log an identity if it has none, and makes it know its own schema cookie. The cookie is random, so that no
/// copy that SQLite makes has the same by chance.
pub(super) fn settle(connection: &mut Connection) -> Result<(), OpenError> {
    let fresh = Uuid::new_v4().to_string();
    connection.execute("INSERT INTO log (id) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM log)", [fresh])?;
    let stored: Option<i32> = connection.query_row("SELECT schema_cookie FROM log", [], |row| row.get(0))?;
    let present: i32 = connection.pragma_query_value(None, "schema_version", |row| row.get(0))?;
    if stored == Some(present) {
        return Ok(());
    }
    let cookie = i32::from_be_bytes(Uuid::new_v4().as_bytes()[..4].try_into().unwrap_or_default()) >> 2;
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "schema_version", cookie)?;
    transaction.execute("UPDATE log SET schema_cookie = ?1", [cookie])?;
    transaction.commit()?;
    Ok(fold_in(connection)?)
}

/// A backup that lies in the place of the log becomes the log: its key goes to its place, and the log gets a new
/// identity, so that every client begins with the newest page. Whatever moment this is cut off at, it is done again.
fn take_over_backup(connection: &mut Connection, keep_key: KeepKey) -> Result<(), OpenError> {
    let carried =
        connection.query_row("SELECT cookie_key FROM backup", [], |row| row.get::<_, Option<Vec<u8>>>(0));
    let Some(key) = carried.optional()? else { return Ok(()) };
    if let Some(key) = key {
        keep_key(&key)?;
    }
    let transaction = connection.transaction()?;
    transaction.execute("UPDATE log SET id = ?1", [Uuid::new_v4().to_string()])?;
    transaction.execute("DELETE FROM backup", [])?;
    transaction.commit()?;
    Ok(fold_in(connection)?)
}

/// Writes the write-ahead log into the file, whose header and schema must be true by themselves.
pub(super) fn fold_in(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn catalogue(connection: &Connection) -> rusqlite::Result<Catalogue> {
    let mut statement = connection.prepare(sql::ROOMS)?;
    let mut rows = statement.query([])?;
    let mut catalogue = Catalogue::default();
    while let Some(row) = rows.next()? {
        let at: Option<Millis> = row.get(2)?;
        catalogue.found(
            queries::room_name(row, 0)?,
            row.get(1)?,
            at.unwrap_or_default(),
            queries::about(row, 3)?,
        );
    }
    Ok(catalogue)
}
