//! From settings to a state: the data folder, its lock, the log and the key.

use crate::{
    config::Config,
    data::{
        cookie_key,
        folder::{DataFolder, cannot_use},
    },
    state::AppState,
    store::{MemoryStore, Options, SqliteStore, Store, Synchronous},
};
use axum_extra::extract::cookie::Key;
use std::{fs::File, sync::Arc};

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
        let state = AppState::new(config, Arc::new(MemoryStore::new()), Key::generate());
        return Ok(Started { state, lock: None });
    }
    let folder = DataFolder::lock(&config.data)?;
    let log_file = folder.log_file();
    let key_file = folder.key_file();
    let keep_key = &mut |key: &[u8]| cookie_key::restore(&key_file, key);
    let options = Options {
        synchronous: Synchronous::Full,
        max_bytes: Some(config.max_bytes).filter(|bytes| *bytes > 0),
        keep_key,
    };
    let log = SqliteStore::open_with(&log_file, options).map_err(|error| cannot_use(&log_file, error))?;
    let key = cookie_key::load(&key_file, log.is_unused()).map_err(|error| cannot_use(&key_file, error))?;
    folder.log_exposed();
    let log: Arc<dyn Store> = Arc::new(log);
    Ok(Started { state: AppState::new(config, log, key), lock: Some(folder.lock) })
}
