//! The data folder: made for its owner alone, locked while a server or a restore uses it.

use crate::data::durable;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The log's file.
pub(crate) const LOG_FILE: &str = "hubbub.db";

/// The key of the cookies.
pub(crate) const KEY_FILE: &str = "cookie.key";

/// Held while a process writes in the folder: the log has one writer.
const LOCK_FILE: &str = "lock";

/// Mode of the folder: other users cannot even list it.
const PRIVATE_FOLDER: u32 = 0o700;

/// A data folder that this process has for itself until the value is dropped.
pub struct DataFolder {
    path: PathBuf,
    /// Dropped, it unlocks the folder.
    pub lock: File,
    /// What other users had access to.
    exposed: Vec<(PathBuf, io::Result<u32>)>,
}

impl DataFolder {
    /// Makes the folder if it does not exist, and locks it. Files that other users may read are made private.
    ///
    /// # Errors
    /// One line that names the file and says what is wrong with it.
    pub fn lock(path: &Path) -> Result<Self, String> {
        make(path).map_err(|error| cannot_use(path, error))?;
        let lock = lock(&path.join(LOCK_FILE))?;
        let mut folder = Self { path: path.into(), lock, exposed: Vec::new() };
        folder.make_private();
        Ok(folder)
    }

    /// Logs which files other users had access to. A key that was readable may have been read: that deserves a warning.
    pub fn log_exposed(&self) {
        for (file, mended) in &self.exposed {
            let name = file.display();
            match mended {
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

    /// The file of the log.
    pub fn log_file(&self) -> PathBuf {
        self.path.join(LOG_FILE)
    }

    /// The file of the key that signs cookies.
    pub fn key_file(&self) -> PathBuf {
        self.path.join(KEY_FILE)
    }

    /// Older versions left the messages readable for every user of the machine; an operator's copy may be so too.
    fn make_private(&mut self) {
        let log = self.log_file();
        let mut files = vec![self.key_file(), self.path.join(LOCK_FILE)];
        files.extend(["", "-wal", "-shm", "-journal"].map(|suffix| durable::beside(&log, suffix)));
        // A folder that holds other things too, such as a home, keeps its mode.
        if self.holds_nothing_else() {
            files.push(self.path.clone());
        }
        let mended = files.into_iter().map(|file| (durable::make_private(&file).transpose(), file));
        self.exposed = mended.filter_map(|(mended, file)| Some((file, mended?))).collect();
    }

    fn holds_nothing_else(&self) -> bool {
        let is_ours = |name: &str| [LOG_FILE, KEY_FILE, LOCK_FILE].iter().any(|ours| name.starts_with(ours));
        fs::read_dir(&self.path).is_ok_and(|entries| {
            entries
                .into_iter()
                .all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours)))
        })
    }
}

fn make(path: &Path) -> io::Result<()> {
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
        .map_err(|error| cannot_use(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(cannot_use(path, "another hubbub is using this folder")),
        Err(TryLockError::Error(error)) => Err(cannot_use(path, error)),
    }
}

/// One line that names a file and says what is wrong with it.
pub fn cannot_use(path: &Path, why: impl std::fmt::Display) -> String {
    format!("cannot use {}: {why}", path.display())
}
