//! Backups: complete copies of a store, taken while a server writes it, and their restore.

use super::{
    connection::{configure, open_reader},
    create::{move_into_place, remove_leftovers},
    error::OpenError,
    files::{self, FileState},
    schema::{check_pages, migrate},
};
use crate::{
    data::durable::{self, PRIVATE, beside},
    store::ContentHash,
};
use rusqlite::Connection;
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

const SELECT_CONTENTS: &str = "
    SELECT hash FROM content c WHERE EXISTS (SELECT 1 FROM file f WHERE f.content = c.hash AND f.posted = 1)";

/// The contents of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The number of events in all rooms.
    pub events: u64,
    /// The number of rooms.
    pub rooms: u64,
    /// The size of the file in bytes.
    pub bytes: u64,
}

/// Writes a copy of the store at `store` to `to`, with the cookie key if there is one. The copy is of one moment,
/// checked page by page and private. It appears at `to` only when it is complete and on disk.
///
/// # Errors
/// Fails if the store is incomplete or cannot be read, or if the copy cannot be written; `to` stays as it was.
pub fn back_up(store: &Path, key: Option<&[u8]>, to: &Path) -> Result<Summary, OpenError> {
    let store = files::resolve(store)?;
    if files::check(&store)? == FileState::Nothing {
        return Err(io::Error::new(ErrorKind::NotFound, "there are no messages to back up").into());
    }
    let new = beside(to, ".partial");
    let summary = copy(&store, &new, key).inspect_err(|_| drop(remove_leftovers(&new)))?;
    move_into_place(&new, to)?;
    Ok(summary)
}

/// Puts the backup or other copy `from` in the place of the store at `store`. The next start gives it a new identity,
/// so that clients start with the newest page, and saves its key. Returns the path of the former file, if there was
/// one. With `is_forced` it accepts a copy whose newest messages may be missing.
///
/// # Errors
/// Fails if the copy is incomplete or the folder cannot be written; the former file stays in its place.
pub fn restore(from: &Path, store: &Path, is_forced: bool) -> Result<(Summary, Option<PathBuf>), OpenError> {
    let from = files::resolve(from)?;
    match files::check(&from) {
        Ok(FileState::Nothing) => {
            return Err(io::Error::new(ErrorKind::NotFound, "it is empty or missing").into());
        }
        Err(OpenError::MissingWal) if is_forced => {}
        other => {
            other?;
        }
    }
    let store = files::resolve(store)?;
    let new = beside(&store, ".new");
    let summary = copy(&from, &new, None).inspect_err(|_| drop(remove_leftovers(&new)))?;
    let kept = keep_former(&store)?;
    move_into_place(&new, &store)?;
    // They belong to the former file, whose copies are kept.
    for suffix in ["-wal", "-shm"] {
        durable::remove(&beside(&store, suffix))?;
    }
    Ok((summary, kept))
}

/// Returns the contents of the files that messages of a store show. A store of an earlier version has none.
///
/// # Errors
/// Fails if the store cannot be read.
pub fn file_contents(store: &Path) -> Result<Vec<ContentHash>, OpenError> {
    let store = files::resolve(store)?;
    if files::check(&store)? == FileState::Nothing {
        return Ok(Vec::new());
    }
    let connection = open_reader(&store)?;
    if !connection.table_exists(None, "content")? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare(SELECT_CONTENTS)?;
    let contents = select.query_map([], |row| row.get(0))?;
    Ok(contents.collect::<Result<_, _>>()?)
}

/// Links a file and its write-ahead log to other names, so that it can be replaced atomically.
fn keep_former(store: &Path) -> Result<Option<PathBuf>, OpenError> {
    if files::size_of(store)?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let kept = beside(store, &format!(".before-restore-{now}"));
    fs::hard_link(store, &kept)?;
    let wal = beside(store, "-wal");
    if files::size_of(&wal)?.is_some() {
        fs::hard_link(&wal, beside(&kept, "-wal"))?;
    }
    durable::sync_folder_of(&kept)?;
    Ok(Some(kept))
}

/// Copies a store as of one moment, marks the copy as a backup and checks it.
fn copy(from: &Path, to: &Path, key: Option<&[u8]>) -> Result<Summary, OpenError> {
    remove_leftovers(to)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(to)?;
    let target =
        to.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the name is not UTF-8"))?;
    open_reader(from)?.execute("VACUUM INTO ?1", [target])?;
    let mut copy = Connection::open(to)?;
    configure(&copy)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    migrate(&mut copy)?;
    mark_as_backup(&mut copy, key)?;
    check_pages(&copy)?;
    let count = |query: &str| copy.query_row(query, [], |row| row.get::<_, u64>(0));
    let (events, rooms) = (count("SELECT count(*) FROM event")?, count("SELECT count(*) FROM room")?);
    copy.close().map_err(|(_, error)| error)?;
    Ok(Summary { events, rooms, bytes: fs::metadata(to)?.len() })
}

/// Stores `key` in the copy; without one the copy keeps the key that it has.
fn mark_as_backup(copy: &mut Connection, key: Option<&[u8]>) -> rusqlite::Result<()> {
    let transaction = copy.transaction()?;
    if key.is_some() {
        transaction.execute("DELETE FROM backup", [])?;
    }
    transaction.execute(
        "INSERT INTO backup (cookie_key) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM backup)",
        [key],
    )?;
    transaction.commit()
}
