//! The data folder that is copied: its lock, its mark and its key.

use crate::{
    data::{
        cookie_key,
        folder::{DataFolder, STORE_FILE, cannot_open},
        move_mark::MoveMark,
    },
    store::{DatabaseUrl, Export},
};
use std::{
    fmt::Display,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Refuses a folder without messages, which a lock would create.
pub(super) fn check_exists(data: &Path) -> Result<(), String> {
    let file = data.join(STORE_FILE);
    fs::metadata(&file).map(drop).map_err(|error| match error.kind() {
        ErrorKind::NotFound => cannot_open(&file, "there are no messages to migrate"),
        _ => cannot_open(&file, error),
    })
}

/// A locked data folder.
pub(super) struct Source {
    folder: DataFolder,
    store_file: PathBuf,
    mark: Option<MoveMark>,
}

impl Source {
    /// Locks the folder and reads its mark.
    pub(super) fn lock(data: &Path) -> Result<Self, String> {
        let folder = DataFolder::lock(data)?;
        let mark = folder.move_mark()?;
        Ok(Self { store_file: folder.store_file(), folder, mark })
    }

    /// Opens the messages, and saves the key that a backup carries.
    pub(super) fn open(&self) -> Result<Export, String> {
        let key_file = self.folder.key_file();
        let save_key = &mut |key: &[u8]| -> io::Result<()> { cookie_key::restore(&key_file, key) };
        Export::open(&self.store_file, save_key).map_err(|error| self.cannot_read(error))
    }

    /// Returns the keys that sign the cookies. Creates one if no user has an identity.
    pub(super) fn cookie_key(&self, is_unused: bool) -> Result<Vec<u8>, String> {
        let file = self.folder.key_file();
        let key = if is_unused { cookie_key::load(&file, true) } else { cookie_key::read(&file) };
        let key = key.map_err(|error| match error.kind() {
            ErrorKind::NotFound => cannot_open(
                &file,
                "it is missing; put it back, or start and stop a server, which creates one: every user becomes a new one then",
            ),
            _ => cannot_open(&file, error),
        })?;
        Ok(key.to_bytes())
    }

    /// Returns the mark of a finished migration.
    pub(super) fn finished_mark(&self) -> Option<&MoveMark> {
        self.mark.as_ref().filter(|mark| mark.is_finished)
    }

    /// Returns the import of the mark.
    pub(super) fn marked_import(&self) -> Option<Uuid> {
        self.mark.as_ref().map(|mark| mark.import)
    }

    /// Returns `true` if the folder has the mark of this import.
    pub(super) fn is_marked(&self, import: Uuid) -> bool {
        self.marked_import() == Some(import)
    }

    /// Marks the folder, so that no server starts on it.
    pub(super) fn mark(&mut self, import: Uuid, url: &DatabaseUrl, is_finished: bool) -> Result<(), String> {
        let (mark, file) =
            (MoveMark { import, database: url.to_string(), is_finished }, self.folder.mark_file());
        mark.write(&file).map_err(|error| cannot_open(&file, error))?;
        self.mark = Some(mark);
        Ok(())
    }

    /// Returns why the folder of this mark is not copied.
    pub(super) fn refusal(&self, mark: &MoveMark) -> String {
        cannot_open(&self.store_file, mark.refusal(&self.folder.mark_file()))
    }

    /// Returns one line about a failure of the folder.
    pub(super) fn cannot_read(&self, error: impl Display) -> String {
        cannot_open(&self.store_file, error)
    }

    /// Returns what to do after the migration, in two lines.
    pub(super) fn advice(&self) -> String {
        format!(
            "Start with --database and this URL.\n{} is a backup from now on: no server starts on it while {} exists.",
            self.store_file.display(),
            self.folder.mark_file().display()
        )
    }
}
