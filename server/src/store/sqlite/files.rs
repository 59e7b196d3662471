//! What lies at the path of a log, looked at before SQLite sees it: a file that is not whole, or another program's, is
//! refused and stays as it was.
//!
//! A log that is open is in WAL mode; one that was closed cleanly is a single file in rollback mode. So the header of
//! the bare file says whether its newest messages may be in a write-ahead log.

use super::{
    record::Record,
    schema::{KNOWN_SCHEMA, OpenError},
};
use crate::data::durable::beside;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// `PRAGMA application_id` of our files: "Hubb".
pub(super) const APPLICATION_ID: i32 = 0x4875_6262;

/// What every SQLite file starts with (SQLite, Database File Format, section 1.3), and where that header has what we
/// need: the write version (2: WAL mode), then big-endian numbers.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const WRITE_VERSION_AT: usize = 18;
const SCHEMA_COOKIE_AT: usize = 40;
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;

/// The first schema in which the file knows its own schema cookie.
const SCHEMA_WITH_COOKIE: usize = 9;

/// What lies there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A log that can be opened.
    Store {
        /// Its schema.
        schema: usize,
    },
}

struct Header {
    is_wal: bool,
    schema_cookie: i32,
    schema: usize,
}

/// The file that `path` leads to: SQLite keeps what belongs to a log beside the file itself, not beside a link to it.
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

/// Looks at the file and at what lies beside it.
///
/// # Errors
/// [`OpenError`] for whatever is no whole log of ours.
pub(super) fn check(path: &Path) -> Result<Found, OpenError> {
    let wal = size_of(&beside(path, "-wal"))?;
    let has_wal_content = wal.is_some_and(|bytes| bytes > 0);
    let Some(header) = header(path)? else {
        // A new log has no write-ahead log: messages that lie in one would be thrown away with it.
        return if has_wal_content { Err(OpenError::OnlyWal) } else { Ok(Found::Nothing) };
    };
    if has_wal_content && !header.is_wal {
        return Err(OpenError::ForeignWal);
    }
    if header.is_wal && wal.is_none() && is_without_its_wal(path, &header)? {
        return Err(OpenError::WithoutWal);
    }
    Ok(Found::Store { schema: header.schema })
}

/// A log in WAL mode that has no write-ahead log beside it is one of three: SQLite's own copy, which has another
/// schema cookie; the file that a server left behind, whose write-ahead log another SQLite program has folded in; or a
/// copy of the bare file, which lacks what had not been folded in.
fn is_without_its_wal(path: &Path, header: &Header) -> Result<bool, OpenError> {
    if header.schema < SCHEMA_WITH_COOKIE {
        return Ok(false);
    }
    let is_bare = stored_cookie(path)? == Some(header.schema_cookie);
    // A program that folds the write-ahead log in removes its index too.
    let was_folded_in = Record::of(path).is_about_this_file() && size_of(&beside(path, "-shm"))?.is_none();
    Ok(is_bare && !was_folded_in)
}

/// The schema cookie that the log was last opened with.
fn stored_cookie(path: &Path) -> Result<Option<i32>, OpenError> {
    const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
    let Some(text) = path.to_str() else { return Ok(None) };
    let path = utf8_percent_encode(text, RESERVED);
    // Immutable: nothing is made beside the file.
    let uri = format!("file:{path}?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let bare = Connection::open_with_flags(uri, flags)?;
    // A damaged one is found out by the check of all its pages.
    Ok(bare.query_row("SELECT schema_cookie FROM log", [], |row| row.get(0)).unwrap_or_default())
}

/// Reads the header by hand, so that another program's file is not even opened.
fn header(path: &Path) -> Result<Option<Header>, OpenError> {
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
    if read < header.len() || !header.starts_with(MAGIC) || number(APPLICATION_ID_AT) != APPLICATION_ID {
        return Err(OpenError::NotOurs);
    }
    let schema = usize::try_from(number(USER_VERSION_AT)).unwrap_or(usize::MAX);
    check_schema(schema)?;
    Ok(Some(Header {
        is_wal: header[WRITE_VERSION_AT] == 2,
        schema_cookie: number(SCHEMA_COOKIE_AT),
        schema,
    }))
}

pub(super) fn check_schema(found: usize) -> Result<(), OpenError> {
    if found > KNOWN_SCHEMA { Err(OpenError::Newer { found, known: KNOWN_SCHEMA }) } else { Ok(()) }
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

/// Bytes of a file; `None` if there is none.
pub(super) fn size_of(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
