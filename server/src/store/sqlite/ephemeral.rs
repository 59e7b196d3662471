//! The files of an ephemeral store: in a temporary folder, and unlinked as soon as every connection has opened them.
//!
//! The operating system frees unlinked files when the process ends, also when it is killed.

use super::{
    connection::configure,
    error::OpenError,
    open::{Opened, load},
    pool::ReadPool,
    schema::{initialize, migrate},
};
use crate::data::folder::PRIVATE_FOLDER;
use rusqlite::Connection;
use std::{
    env,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Opens an empty store and the connections that read it, then unlinks its files.
///
/// # Errors
/// [`OpenError`] if no temporary folder can be written.
pub(super) fn open() -> Result<(Opened, ReadPool), OpenError> {
    let folder = create_folder()?;
    let opened = open_in(&folder);
    let removed = fs::remove_dir_all(&folder);
    let opened = opened?;
    removed?;
    Ok(opened)
}

fn open_in(folder: &Path) -> Result<(Opened, ReadPool), OpenError> {
    let path = folder.join("hubbub.db");
    let mut connection = Connection::open(&path)?;
    configure(&connection)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    migrate(&mut connection)?;
    initialize(&mut connection)?;
    // A new file has no pages that could be damaged.
    let opened = Opened { is_checked: true, ..load(path, connection, true)? };
    let readers = ReadPool::filled(&opened.path)?;
    Ok((opened, readers))
}

/// Creates a private folder in the first of the usual places that can be written.
fn create_folder() -> io::Result<PathBuf> {
    let name = format!("hubbub-{}", Uuid::new_v4().simple());
    let mut first_error = None;
    for place in [env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()] {
        let folder = place.join(&name);
        match DirBuilder::new().mode(PRIVATE_FOLDER).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => {
                first_error.get_or_insert_with(|| {
                    io::Error::new(error.kind(), format!("{}: {error}", place.display()))
                });
            }
        }
    }
    Err(first_error.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
}
