//! Reading a whole store for another database: the rows of each table in order, in chunks.

mod rows;
mod sql;

use super::{
    check,
    connection::{Synchronous, close_as_single_file, open_reader},
    error::OpenError,
    files::{self, FileState},
    open::{self, Opened, SaveKey},
    record::Record,
};
use crate::{
    data::durable::{self, beside},
    store::{
        position,
        transfer::{Chunk, ChunkBuilder, Key, Position, Table},
    },
};
use rusqlite::{Connection, OptionalExtension};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// A store whose rows are read. No other process may write it meanwhile: the caller holds the lock of the folder.
pub struct Export {
    path: PathBuf,
    connection: Connection,
    log_id: String,
    is_unused: bool,
}

impl Export {
    /// Opens the store at `path` as the start of a server does: brings its schema up to date, takes over a backup and begins
    /// a new epoch if the file may be an older copy. Checks every page and index, and leaves a closed file.
    ///
    /// # Errors
    /// [`OpenError`]; a damaged file, and one that is not ours or too new, stays as it was.
    pub fn open(path: &Path, save_key: SaveKey) -> Result<Self, OpenError> {
        let path = files::resolve(path)?;
        if files::check(&path)? == FileState::Nothing {
            return Err(nothing());
        }
        check(&path)?;
        let Opened { connection, id, epochs, is_unused, .. } =
            open::open(&path, Synchronous::Full, save_key)?;
        let checked = check_heads(&connection);
        close_as_single_file(connection)?;
        Record::of(&path).note_closed()?;
        checked?;
        let connection = open_reader(&path)?;
        // The numbers of the rooms must not fill the memory.
        connection.pragma_update(None, "temp_store", "FILE")?;
        connection.execute_batch(sql::NUMBER_ROOMS)?;
        Ok(Self { path, connection, log_id: position::log_id(&id, epochs.present()), is_unused })
    }

    /// Returns the identity of the event log, with its present epoch.
    pub fn log_id(&self) -> &str {
        &self.log_id
    }

    /// Returns `true` if no user has an identity that the store knows.
    pub fn is_unused(&self) -> bool {
        self.is_unused
    }

    /// Returns the number of rows of each table.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read.
    pub fn counts(&self) -> Result<Vec<(Table, u64)>, OpenError> {
        let count = |table| Ok((table, self.connection.query_row(sql::count(table), [], |row| row.get(0))?));
        Table::ALL.into_iter().map(count).collect()
    }

    /// Reads the rows after a position, and passes them to `send` in chunks, until it returns `false`.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read.
    pub fn read(&self, from: Option<Position>, mut send: impl FnMut(Chunk) -> bool) -> Result<(), OpenError> {
        let skipped = from.and_then(|from| Table::ALL.iter().position(|table| *table == from.table));
        for table in &Table::ALL[skipped.unwrap_or(0)..] {
            let after = match from {
                Some(from) if from.table == *table && from.after.is_none() => continue,
                Some(from) if from.table == *table => from.after,
                _ => None,
            };
            if !self.read_table(*table, after, &mut send)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns `false` once `send` has returned it.
    fn read_table(
        &self,
        table: Table,
        after: Option<Key>,
        send: &mut impl FnMut(Chunk) -> bool,
    ) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare(sql::select(table))?;
        let (first, second) = after.unzip();
        for (at, value) in [first, second].into_iter().take(statement.parameter_count()).enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        let (mut rows, mut chunk) = (statement.raw_query(), ChunkBuilder::new(table, after));
        while let Some(row) = rows.next()? {
            rows::push(table, row, &mut chunk)?;
            if chunk.is_full() && !chunk.take().is_none_or(&mut *send) {
                return Ok(false);
            }
        }
        Ok(chunk.take().is_none_or(send))
    }

    /// Gives up the proof that this file is the newest state of its event log: if a server starts on it all the same, that
    /// begins a new epoch. Consumes the store, which another database continues now.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub fn retire(self) -> io::Result<()> {
        let record = beside(&self.path, "-record");
        durable::remove(&record)?;
        durable::sync_folder_of(&record)
    }
}

fn nothing() -> OpenError {
    io::Error::new(ErrorKind::NotFound, "there are no messages to migrate").into()
}

/// Refuses a store in which a room's newest event is not the one that the room's row names: the database would give seqs
/// again, or leave some out.
fn check_heads(connection: &Connection) -> Result<(), OpenError> {
    let found: Option<String> =
        connection.query_row(sql::SELECT_WRONG_HEAD, [], |row| row.get(0)).optional()?;
    found
        .map_or(Ok(()), |room| Err(OpenError::Corrupt(format!("the newest event of room {room} is missing"))))
}
