//! Opens the database, or the data folder with its lock, store and key, and creates the state from them.

use crate::{
    config::{Config, SecretUrl},
    data::{
        cookie_key,
        folder::{DataFolder, cannot_open},
        key_ring::{KeyRing, SharedKeys},
    },
    key_watch::{self, KeySource},
    state::AppState,
    store::{DatabaseUrl, Options, PostgresStore, SqliteStore, Store, Synchronous},
};
use axum_extra::extract::cookie::Key;
use std::{fmt, fs::File, sync::Arc};

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
pub async fn open(config: Config) -> Result<Startup, String> {
    let Some(SecretUrl(url)) = &config.database else { return start(config) };
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
    Ok(Startup { state: AppState::new(config, store, keys), lock: None })
}

/// Opens the data folder of the settings. Must be called within a Tokio runtime, because the hub starts to follow the
/// store.
///
/// # Errors
/// One line that names the file and says what is wrong with it.
pub fn start(config: Config) -> Result<Startup, String> {
    if config.ephemeral {
        let store =
            SqliteStore::ephemeral().map_err(|error| format!("cannot open a temporary file: {error}"))?;
        let state = AppState::new(config, Arc::new(store), Key::generate());
        return Ok(Startup { state, lock: None });
    }
    let folder = DataFolder::lock(&config.data)?;
    let store_file = folder.store_file();
    if let Some(mark) = folder.move_mark()? {
        return Err(cannot_open(&store_file, mark.refusal(&folder.mark_file())));
    }
    let key_file = folder.key_file();
    let save_key = &mut |key: &[u8]| cookie_key::restore(&key_file, key);
    let options = Options {
        synchronous: Synchronous::Full,
        max_bytes: Some(config.max_bytes).filter(|bytes| *bytes > 0),
        save_key,
    };
    let store =
        SqliteStore::open_with(&store_file, options).map_err(|error| cannot_open(&store_file, error))?;
    let keys =
        cookie_key::load(&key_file, store.is_unused()).map_err(|error| cannot_open(&key_file, error))?;
    let keys = SharedKeys::from(keys);
    key_watch::start(KeySource::File(key_file), keys.clone());
    folder.log_exposed();
    let store: Arc<dyn Store> = Arc::new(store);
    Ok(Startup { state: AppState::new(config, store, keys), lock: Some(folder.lock) })
}
