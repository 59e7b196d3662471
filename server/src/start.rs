//! From settings to a state: the data folder, its lock, the log and the key.

use crate::{
    config::Config,
    identity,
    log::{Log, MemoryLog, SqliteLog},
    state::AppState,
};
use axum_extra::extract::cookie::Key;
use std::{
    fs::{self, File, TryLockError},
    path::Path,
    sync::Arc,
};

/// The log's file in the data folder.
const LOG_FILE: &str = "hubbub.db";

/// The key of the cookies, 64 random bytes.
const KEY_FILE: &str = "cookie.key";

/// Held while a server uses the folder: the log has one writer.
const LOCK_FILE: &str = "lock";

/// A state, and the lock that must live as long as the process uses the data folder.
pub struct Started {
    /// What every request can reach.
    pub state: AppState,
    /// `None` where nothing is kept.
    pub lock: Option<File>,
}

/// Opens what the settings ask for. Must be called within a Tokio runtime, since the hub begins to
/// follow the log.
///
/// # Errors
/// One line that names the file and says what is wrong with it.
pub fn start(config: Config) -> Result<Started, String> {
    if config.ephemeral {
        let state = AppState::new(config, Arc::new(MemoryLog::new()), Key::generate());
        return Ok(Started { state, lock: None });
    }
    let folder = config.data.clone();
    fs::create_dir_all(&folder).map_err(|error| cannot_use(&folder, error))?;
    let lock = lock(&folder.join(LOCK_FILE))?;
    let log_file = folder.join(LOG_FILE);
    let log: Arc<dyn Log> =
        Arc::new(SqliteLog::open(&log_file).map_err(|error| cannot_use(&log_file, error))?);
    let key_file = folder.join(KEY_FILE);
    let key = identity::key(&key_file).map_err(|error| cannot_use(&key_file, error))?;
    Ok(Started { state: AppState::new(config, log, key), lock: Some(lock) })
}

fn lock(path: &Path) -> Result<File, String> {
    let file =
        File::options().create(true).append(true).open(path).map_err(|error| cannot_use(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(cannot_use(path, "another hubbub is using this folder")),
        Err(TryLockError::Error(error)) => Err(cannot_use(path, error)),
    }
}

fn cannot_use(path: &Path, why: impl std::fmt::Display) -> String {
    format!("cannot use {}: {why}", path.display())
}
