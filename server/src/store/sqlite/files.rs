//! Checks of the files at the path of a store, before SQLite opens them. An incomplete file, or another program's, is
//! refused and stays as it was.
//!
//! An open store is in WAL mode. A store that was closed cleanly is a single file in rollback mode. So the header of the
//! bare file shows whether its newest messages may be in a write-ahead log.

use super::{error::OpenError, record::Record, schema::check_schema};
use crate::data::durable::beside;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// The `PRAGMA application_id` of our files: "Hubb".
pub(super) const APPLICATION_ID: i32 = 0x4875_6262;

/// The magic bytes of a SQLite file, and offsets in its header (SQLite, Database File Format, section 1.3): the write
/// version (2 is WAL mode), then big-endian numbers.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const WRITE_VERSION_OFFSET: usize = 18;
const SCHEMA_COOKIE_OFFSET: usize = 40;
const USER_VERSION_OFFSET: usize = 60;
const APPLICATION_ID_OFFSET: usize = 68;

/// The first schema in which the file stores its own schema cookie.
const SCHEMA_WITH_COOKIE: usize = 9;

/// What is at the path of a store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// No file, or an empty one.
    Nothing,
    /// A store that can be opened.
    Store {
        /// The version of its schema.
        schema: usize,
    },
}

struct Header {
    is_wal: bool,
    schema_cookie: i32,
    schema: usize,
}

/// Resolves the symbolic links of `path`: SQLite keeps the write-ahead log beside the file itself, not beside a link.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(path.into()),
        Err(error) if path.is_symlink() => Err(io::Error::new(
            error.kind(),
            format!("it is a symbolic link that cannot be followed ({error})"),
        )),
        Err(error) => Err(error),
    }
}

/// Checks the header of the file and the files beside it.
///
/// # Errors
/// [`OpenError`] if the file is not a complete one of ours.
pub(super) fn check(path: &Path) -> Result<FileState, OpenError> {
    let wal = size_of(&beside(path, "-wal"))?;
    let has_wal_content = wal.is_some_and(|bytes| bytes > 0);
    let Some(header) = check_header(path)? else {
        return check_orphaned_wal(has_wal_content);
    };
    if has_wal_content && !header.is_wal {
        return Err(OpenError::ForeignWal);
    }
    if header.is_wal && wal.is_none() && lacks_its_wal(path, &header)? {
        return Err(OpenError::MissingWal);
    }
    Ok(FileState::Store { schema: header.schema })
}

/// Refuses to create a store where the write-ahead log of a lost file is: the messages in it would be lost with it.
fn check_orphaned_wal(has_wal_content: bool) -> Result<FileState, OpenError> {
    if has_wal_content { Err(OpenError::OrphanedWal) } else { Ok(FileState::Nothing) }
}

/// Returns `true` if the file is in WAL mode and its write-ahead log is missing. A file in WAL mode without one is one
/// of three: a copy by SQLite, which has another schema cookie; the file of a server whose write-ahead log another
/// SQLite program has checkpointed; or a copy of the bare file, which lacks the newest messages.
fn lacks_its_wal(path: &Path, header: &Header) -> Result<bool, OpenError> {
    if header.schema < SCHEMA_WITH_COOKIE {
        return Ok(false);
    }
    let is_bare = stored_cookie(path)? == Some(header.schema_cookie);
    // A program that checkpoints the write-ahead log and removes it also removes its index.
    let was_checkpointed = Record::of(path).is_about_this_file() && size_of(&beside(path, "-shm"))?.is_none();
    Ok(is_bare && !was_checkpointed)
}

/// Returns the schema cookie that the store was last opened with.
fn stored_cookie(path: &Path) -> Result<Option<i32>, OpenError> {
    const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
    let Some(text) = path.to_str() else { return Ok(None) };
    let path = utf8_percent_encode(text, RESERVED);
    // With `immutable` SQLite creates nothing beside the file.
    let uri = format!("file:{path}?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let bare = Connection::open_with_flags(uri, flags)?;
    // The check of the pages finds a corrupt one.
    Ok(bare.query_row("SELECT schema_cookie FROM log", [], |row| row.get(0)).unwrap_or_default())
}

/// Reads the header without SQLite, so that another program's file is not even opened by it.
fn check_header(path: &Path) -> Result<Option<Header>, OpenError> {
    let mut header = [0; 100];
    let read = match File::open(path) {
        Ok(file) => read_up_to(file, &mut header)?,
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    if read == 0 {
        return Ok(None);
    }
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if read < header.len() || !header.starts_with(MAGIC) || number(APPLICATION_ID_OFFSET) != APPLICATION_ID {
        return Err(OpenError::NotAHubbubDatabase);
    }
    let schema = usize::try_from(number(USER_VERSION_OFFSET)).unwrap_or(usize::MAX);
    check_schema(schema)?;
    Ok(Some(Header {
        is_wal: header[WRITE_VERSION_OFFSET] == 2,
        schema_cookie: number(SCHEMA_COOKIE_OFFSET),
        schema,
    }))
}

fn read_up_to(mut file: File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Returns the bytes of a file; `None` if it does not exist.
pub(super) fn size_of(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
