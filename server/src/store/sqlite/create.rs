//! Creation of a new file: complete beside its place, then renamed. A power cut leaves no file or a complete one.

use super::{
    connection::configure,
    error::OpenError,
    files::APPLICATION_ID,
    schema::{initialize, migrate},
};
use crate::data::durable::{self, PRIVATE, beside};
use rusqlite::Connection;
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Creates an empty store at `path`, where no file or an empty one is.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let new = beside(path, ".new");
    remove_leftovers(&new)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&new)?;
    let mut connection = Connection::open(&new)?;
    configure(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    set_application_id(&connection)?;
    migrate(&mut connection)?;
    initialize(&mut connection)?;
    connection.close().map_err(|(_, error)| error)?;
    move_into_place(&new, path)
}

fn set_application_id(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Moves a complete file into its place. A journal that an older file left there must not be taken for its own.
pub(super) fn move_into_place(new: &Path, path: &Path) -> Result<(), OpenError> {
    File::open(new)?.sync_all()?;
    durable::remove(&beside(path, "-journal"))?;
    durable::rename(new, path)?;
    Ok(())
}

/// Removes the files of an unfinished attempt.
pub(super) fn remove_leftovers(new: &Path) -> Result<(), OpenError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        durable::remove(&beside(new, suffix))?;
    }
    Ok(())
}
