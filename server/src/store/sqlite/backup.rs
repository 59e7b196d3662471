//! Backups: whole copies of a log, made while a server writes it, and put back as its next past.

use super::{
    create::{clear, put},
    files::{self, Found},
    schema::{OpenError, check_pages, configure, migrate, open_reader},
};
use crate::data::durable::{self, PRIVATE, beside};
use rusqlite::Connection;
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// What a backup has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Events of all rooms.
    pub events: u64,
    /// Rooms.
    pub rooms: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes a copy of the log at `log` to `to`, with the key of the cookies if there is one. The copy is of one moment,
/// checked page by page, private, and appears at `to` only when it is whole and on disk.
///
/// # Errors
/// Where the log cannot be read or is not whole, or the copy cannot be written; `to` is as it was then.
pub fn back_up(log: &Path, key: Option<&[u8]>, to: &Path) -> Result<Summary, OpenError> {
    let log = files::resolve(log)?;
    if files::check(&log)? == Found::Nothing {
        return Err(io::Error::new(ErrorKind::NotFound, "there are no messages to back up").into());
    }
    let new = beside(to, ".partial");
    let summary = copy(&log, &new, key).inspect_err(|_| drop(clear(&new)))?;
    put(&new, to)?;
    Ok(summary)
}

/// Puts the backup or other copy `from` in the place of the log at `log`. The next start gives it a new identity, so
/// that clients begin with the newest page, and puts its key in place. Returns where the former log is kept, if there
/// was one. With `is_forced` a copy is taken whose newest messages may be missing.
///
/// # Errors
/// Where the copy is no whole log, or the folder cannot be written; the former log is in its place then.
pub fn restore(from: &Path, log: &Path, is_forced: bool) -> Result<(Summary, Option<PathBuf>), OpenError> {
    let from = files::resolve(from)?;
    match files::check(&from) {
        Ok(Found::Nothing) => {
            return Err(io::Error::new(ErrorKind::NotFound, "it is empty or missing").into());
        }
        Err(OpenError::WithoutWal) if is_forced => {}
        other => {
            other?;
        }
    }
    let log = files::resolve(log)?;
    let new = beside(&log, ".new");
    let summary = copy(&from, &new, None).inspect_err(|_| drop(clear(&new)))?;
    let kept = keep(&log)?;
    put(&new, &log)?;
    // Those of the former log; its copies are kept.
    for suffix in ["-wal", "-shm"] {
        durable::remove(&beside(&log, suffix))?;
    }
    Ok((summary, kept))
}

/// Links a log and its write-ahead log to other names, so that it can be replaced at once.
fn keep(log: &Path) -> Result<Option<PathBuf>, OpenError> {
    if files::size_of(log)?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let kept = beside(log, &format!(".before-restore-{now}"));
    fs::hard_link(log, &kept)?;
    let wal = beside(log, "-wal");
    if files::size_of(&wal)?.is_some() {
        fs::hard_link(&wal, beside(&kept, "-wal"))?;
    }
    durable::sync_folder_of(&kept)?;
    Ok(Some(kept))
}

/// Copies a log as it is at one moment, marks the copy as a backup and checks it.
fn copy(from: &Path, to: &Path, key: Option<&[u8]>) -> Result<Summary, OpenError> {
    clear(to)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(to)?;
    let target =
        to.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "its name is not UTF-8"))?;
    open_reader(from)?.execute("VACUUM INTO ?1", [target])?;
    let mut copy = Connection::open(to)?;
    configure(&copy)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    migrate(&mut copy)?;
    mark(&mut copy, key)?;
    check_pages(&copy)?;
    let count = |query: &str| copy.query_row(query, [], |row| row.get::<_, u64>(0));
    let (events, rooms) = (count("SELECT count(*) FROM event")?, count("SELECT count(*) FROM room")?);
    copy.close().map_err(|(_, error)| error)?;
    Ok(Summary { events, rooms, bytes: fs::metadata(to)?.len() })
}

/// Lets the copy carry `key`, or else the key that it carries already.
fn mark(copy: &mut Connection, key: Option<&[u8]>) -> rusqlite::Result<()> {
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
