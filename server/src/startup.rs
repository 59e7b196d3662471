//! Opens the database, or the data folder with its lock, store and key, and creates the state from them.

use crate::{
    config::{Config, SecretUrl},
    data::{
        cookie_key,
        folder::cannot_open,
        key_ring::{KeyRing, SharedKeys},
    },
    files::objects::{self, FilePlace},
    folder_store::open_folder,
    key_watch::{self, KeySource},
    state::AppState,
    store::{DatabaseUrl, PostgresStore, SqliteStore, Store},
};
use axum_extra::extract::cookie::Key;
use std::{fmt, fs::File, sync::Arc};

/// Bytes of the files of a server that keeps nothing: they are in memory.
const MAX_EPHEMERAL_FILE_BYTES: u64 = 256 * 1_024 * 1_024;

/// A state, and the lock that must be held while the process uses the data folder.
pub struct Startup {
    /// The state that all handlers share.
    pub state: AppState,
    /// `None` for a server without a data folder.
    pub lock: Option<File>,
}

/// Opens the database of the settings, or their data folder. Must be called within a Tokio runtime.
///
/// # Errors
/// One line that names the database or the file and says what is wrong with it.
pub async fn open(mut config: Config) -> Result<Startup, String> {
    let Some(SecretUrl(url)) = config.database.clone() else { return start(config) };
    let url: DatabaseUrl = url.parse().map_err(|error| format!("cannot use --database: {error}"))?;
    let cannot_use = |error: &dyn fmt::Display| format!("cannot use the database {url}: {error}");
    let file = config.cookie_key_file.as_deref();
    let key =
        file.map(|file| cookie_key::read(file).map_err(|error| cannot_open(file, error))).transpose()?;
    // With a key in a file, the database gets none.
    let new_key = if key.is_some() { Vec::new() } else { Key::generate().master().to_vec() };
    let opened = PostgresStore::open(&url, &new_key).await;
    let store = Arc::new(opened.map_err(|error| cannot_use(&error))?);
    let (keys, source) = match (key, file) {
        (Some(key), Some(file)) => (key, KeySource::File(file.into())),
        _ if store.cookie_key().is_empty() => {
            return Err(cannot_use(&"its key for cookies is in a file; name that with --cookie-key-file"));
        }
        _ => {
            let keys = KeyRing::parse(store.cookie_key()).map_err(|error| cannot_use(&error))?;
            (keys, KeySource::Database(Arc::downgrade(&store)))
        }
    };
    let keys = SharedKeys::from(keys);
    key_watch::start(source, keys.clone());
    let objects = match &config.files {
        Some(place) => place.open()?,
        None => {
            // A folder here would be another one than that of the next server.
            config.max_file = 0;
            objects::in_memory().into()
        }
    };
    Ok(Startup { state: AppState::new(config, store, keys, objects), lock: None })
}

/// Opens the data folder of the settings. Must be called within a Tokio runtime, because the hub starts to follow the
/// store.
///
/// # Errors
/// One line that names the file and says what is wrong with it.
pub fn start(mut config: Config) -> Result<Startup, String> {
    if config.ephemeral {
        let store =
            SqliteStore::ephemeral().map_err(|error| format!("cannot open a temporary file: {error}"))?;
        config.files_quota = config.files_quota.min(MAX_EPHEMERAL_FILE_BYTES);
        let state = AppState::new(config, Arc::new(store), Key::generate(), objects::in_memory());
        return Ok(Startup { state, lock: None });
    }
    let (folder, store, keys) = open_folder(&config.data, Some(config.max_bytes).filter(|bytes| *bytes > 0))?;
    let keys = SharedKeys::from(keys);
    key_watch::start(KeySource::File(folder.key_file()), keys.clone());
    folder.log_exposed();
    let objects = config.files.clone().unwrap_or_else(|| FilePlace::within(&config.data)).open()?;
    let store: Arc<dyn Store> = Arc::new(store);
    Ok(Startup { state: AppState::new(config, store, keys, objects), lock: Some(folder.lock) })
}
