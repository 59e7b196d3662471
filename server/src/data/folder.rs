//! The data folder: private to its owner, and locked while a server or a restore uses it.

use crate::data::{durable, move_mark::MoveMark};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The store's file.
pub(crate) const STORE_FILE: &str = "hubbub.db";

/// The file of the key that signs cookies.
pub(crate) const KEY_FILE: &str = "cookie.key";

/// The folder of the files of messages.
pub(crate) const FILES_FOLDER: &str = "files";

/// The file that is locked while a process writes in the folder: the store has one writer.
const LOCK_FILE: &str = "lock";

/// The file that marks a folder whose messages move to a database.
pub(crate) const MARK_FILE: &str = "hubbub.db-moved";

/// Mode of the folder: other users cannot even list it.
pub(crate) const PRIVATE_FOLDER: u32 = 0o700;

/// A data folder that this process has for itself until the value is dropped.
pub struct DataFolder {
    path: PathBuf,
    /// Unlocks the folder when it is dropped.
    pub lock: File,
    /// The files that other users had access to.
    exposed: Vec<(PathBuf, io::Result<u32>)>,
}

impl DataFolder {
    /// Creates the folder if it does not exist, and locks it. Files that other users can read are made private.
    ///
    /// # Errors
    /// One line with the file and the reason.
    pub fn lock(path: &Path) -> Result<Self, String> {
        create(path).map_err(|error| cannot_open(path, error))?;
        let lock = lock(&path.join(LOCK_FILE))?;
        let mut folder = Self { path: path.into(), lock, exposed: Vec::new() };
        folder.make_private();
        Ok(folder)
    }

    /// Logs the files that other users had access to, with a warning for the key, which may have been read.
    pub fn log_exposed(&self) {
        for (file, result) in &self.exposed {
            let name = file.display();
            match result {
                Ok(mode) if *file == self.key_file() => {
                    tracing::warn!(mode = %format_args!("{mode:o}"), file = %name, "other users could read the key; permissions tightened");
                }
                Ok(mode) => {
                    tracing::info!(mode = %format_args!("{mode:o}"), file = %name, "permissions tightened");
                }
                Err(error) => tracing::warn!(%error, file = %name, "other users may have access"),
            }
        }
    }

    /// Returns the store's file.
    pub fn store_file(&self) -> PathBuf {
        self.path.join(STORE_FILE)
    }

    /// Returns the file of the key that signs cookies.
    pub fn key_file(&self) -> PathBuf {
        self.path.join(KEY_FILE)
    }

    /// Returns the file of the mark that the messages move to a database.
    pub fn mark_file(&self) -> PathBuf {
        self.path.join(MARK_FILE)
    }

    /// Returns the mark that the messages move, or have moved, to a database.
    ///
    /// # Errors
    /// One line with the file and the reason.
    pub fn move_mark(&self) -> Result<Option<MoveMark>, String> {
        let file = self.mark_file();
        MoveMark::read(&file).map_err(|error| cannot_open(&file, error))
    }

    /// Makes the files private. Those of older versions, and copies by an operator, may be readable for every user.
    fn make_private(&mut self) {
        let log = self.store_file();
        let mut files = vec![self.key_file(), self.path.join(LOCK_FILE)];
        files.extend(["", "-wal", "-shm", "-journal"].map(|suffix| durable::beside(&log, suffix)));
        // A folder with other files, such as a home, keeps its mode.
        if self.has_only_own_files() {
            files.push(self.path.clone());
        }
        let result = files.into_iter().map(|file| (durable::make_private(&file).transpose(), file));
        self.exposed = result.filter_map(|(result, file)| Some((file, result?))).collect();
    }

    fn has_only_own_files(&self) -> bool {
        let is_ours = |name: &str| {
            [STORE_FILE, KEY_FILE, LOCK_FILE].iter().any(|ours| name.starts_with(ours))
                || name == FILES_FOLDER
        };
        fs::read_dir(&self.path).is_ok_and(|entries| {
            entries
                .into_iter()
                .all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours)))
        })
    }
}

fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path)?;
    durable::sync_folder_of(path)
}

fn lock(path: &Path) -> Result<File, String> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(durable::PRIVATE)
        .open(path)
        .map_err(|error| cannot_open(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(cannot_open(path, "another hubbub is using this folder")),
        Err(TryLockError::Error(error)) => Err(cannot_open(path, error)),
    }
}

/// Returns one line with a file and the reason why it cannot be used.
pub fn cannot_open(path: &Path, why: impl std::fmt::Display) -> String {
    format!("cannot use {}: {why}", path.display())
}
