//! Opening the file: ours or nobody's, not newer than this program, brought up to date.

use super::{reader, sql, writer};
use crate::log::catalogue::Catalogue;
use app::wire::Millis;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use rusqlite_migration::{M, Migrations};
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    time::Duration,
};
use uuid::Uuid;

/// `PRAGMA application_id` of our files: "Hubb".
const APPLICATION_ID: i32 = 0x4875_6262;

/// What every SQLite file starts with (SQLite, Database File Format, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where that header keeps the application id and the user version, both big-endian.
const APPLICATION_ID_AT: usize = 68;
const USER_VERSION_AT: usize = 60;

/// How long a statement waits for a lock that somebody's backup tool holds.
const BUSY_WAIT: Duration = Duration::from_secs(5);

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
];

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
    pub(super) connection: Connection,
    pub(super) id: String,
    pub(super) catalogue: Catalogue,
}

/// When what was committed is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Before it is acknowledged: what Hubbub promises.
    Full,
    /// Some time later; a loss of power may take the last commits. Only to be measured against.
    Normal,
}

pub(super) fn open(path: &Path, synchronous: Synchronous) -> Result<Opened, OpenError> {
    look(path)?;
    let mut connection = Connection::open(path)?;
    // Closed without a word where it is damaged, so that what lies there stays as it was.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    prepare(&connection)?;
    check(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    make_ours(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous.pragma())?;
    migrate(&mut connection)?;
    let id = identity(&connection)?;
    writer::fill_in_keys(&mut connection)?;
    writer::fill_in_title_keys(&mut connection)?;
    let catalogue = catalogue(&connection)?;
    Ok(Opened { connection, id, catalogue })
}

impl Synchronous {
    fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// Writes whose file this is, where that is not yet so: in a new one, and in one whose making was cut off
/// and has just been rolled back. Before WAL, so that it stands in the file itself, where `look` finds it.
fn make_ours(connection: &Connection) -> rusqlite::Result<()> {
    let found: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if found == APPLICATION_ID {
        return Ok(());
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// Looks at every page once, before anything is served from them. On two cores: 57 ms for 200,000 messages
/// (37 MB), 0.55 s for two million.
fn check(connection: &Connection) -> Result<(), OpenError> {
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

/// Reads the header by hand, so that somebody else's file is not even opened.
fn look(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; 100];
    let read = match File::open(path) {
        Ok(mut file) => read_up_to(&mut file, &mut header)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    if read == 0 {
        return look_beside(path);
    }
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if read < header.len() || !header.starts_with(MAGIC) || number(APPLICATION_ID_AT) != APPLICATION_ID {
        return Err(OpenError::NotOurs);
    }
    check_version(usize::try_from(number(USER_VERSION_AT)).unwrap_or(usize::MAX))
}

/// A new log has no write-ahead log. Messages that lie in one would be thrown away with it.
fn look_beside(path: &Path) -> Result<(), OpenError> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    match fs::metadata(&wal) {
        Ok(found) if found.len() > 0 => {
            Err(OpenError::Damaged("it is empty or missing, but its write-ahead log is there".into()))
        }
        _ => Ok(()),
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

fn check_version(found: usize) -> Result<(), OpenError> {
    let known = STEPS.len();
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(()) }
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let found: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    check_version(found)?;
    if found < STEPS.len() {
        Migrations::from_slice(STEPS).to_latest(connection)?;
        // The header that `look` reads is the file's own, not the one in the WAL.
        connection.pragma_query(None, "wal_checkpoint", |_| Ok(()))?;
    }
    Ok(())
}

fn identity(connection: &Connection) -> rusqlite::Result<String> {
    let fresh = Uuid::new_v4().to_string();
    connection.execute("INSERT INTO log (id) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM log)", [fresh])?;
    connection.query_row("SELECT id FROM log", [], |row| row.get(0))
}

fn catalogue(connection: &Connection) -> rusqlite::Result<Catalogue> {
    let mut statement = connection.prepare(sql::ROOMS)?;
    let mut rows = statement.query([])?;
    let mut catalogue = Catalogue::default();
    while let Some(row) = rows.next()? {
        let at: Option<Millis> = row.get(2)?;
        catalogue.found(
            reader::room_name(row, 0)?,
            row.get(1)?,
            at.unwrap_or_default(),
            reader::about(row, 3)?,
        );
    }
    Ok(catalogue)
}
