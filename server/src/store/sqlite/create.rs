//! Making a new log: whole, beside its place, then renamed. A power cut leaves no log or an empty one.

use super::files::APPLICATION_ID;
use super::schema::{OpenError, configure, migrate, settle};
use crate::data::durable::{self, PRIVATE, beside};
use rusqlite::Connection;
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Makes an empty log at `path`, where nothing or an empty file is.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let new = beside(path, ".new");
    clear(&new)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&new)?;
    let mut connection = Connection::open(&new)?;
    configure(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&mut connection)?;
    settle(&mut connection)?;
    connection.close().map_err(|(_, error)| error)?;
    put(&new, path)
}

/// Puts a whole log in its place. Whatever an older file left beside it must not be taken for its own.
pub(super) fn put(new: &Path, path: &Path) -> Result<(), OpenError> {
    File::open(new)?.sync_all()?;
    durable::remove(&beside(path, "-journal"))?;
    durable::rename(new, path)?;
    Ok(())
}

/// Removes what an unfinished attempt left.
pub(super) fn clear(new: &Path) -> Result<(), OpenError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        durable::remove(&beside(new, suffix))?;
    }
    Ok(())
}
