//! The store of an installation, opened by a command: that of a data folder while no server runs, or a PostgreSQL database.

use super::{cannot_use_database, database_url, files};
use crate::{
    config::Config,
    files::{
        FileLimits, FileService,
        objects::{self, FilePlace},
    },
    folder_store::open_folder,
    secret_url::SecretUrl,
    store::{PostgresStore, Store},
};
use axum_extra::extract::cookie::Key;
use std::{fmt::Display, fs::File, sync::Arc};

/// A store that a command uses.
pub(super) struct Installation {
    pub(super) store: Arc<dyn Store>,
    /// The place of the files of messages; `None` for a database whose settings do not say it.
    pub(super) files: Option<FilePlace>,
    limits: FileLimits,
    /// The name of the store in messages.
    name: String,
    /// Keeps servers off the folder.
    _lock: Option<File>,
}

impl Installation {
    /// Opens the database, or the data folder of the settings. Creates what does not exist.
    pub(super) async fn open(config: &Config, database: Option<&SecretUrl>) -> Result<Self, String> {
        if let Some(SecretUrl(url)) = database.or(config.database.as_ref()) {
            let url = database_url(url)?;
            // An empty database gets a key, as from a server.
            let opened = PostgresStore::open(&url, Key::generate().master()).await;
            let store = opened.map_err(|error| cannot_use_database(&url, error))?;
            return Ok(Self {
                store: Arc::new(store),
                files: config.files.clone(),
                limits: config.file_limits(),
                name: format!("the database {url}"),
                _lock: None,
            });
        }
        let (folder, store, _) = open_folder(&config.data, None)?;
        let name = folder.store_file().display().to_string();
        Ok(Self {
            store: Arc::new(store),
            files: Some(files::place(config)),
            limits: config.file_limits(),
            name,
            _lock: Some(folder.lock),
        })
    }

    /// Opens the place of the files; one that ends with the process if there is none.
    pub(super) fn open_files(&self) -> Result<Arc<FileService>, String> {
        let objects = self.files.as_ref().map_or_else(|| Ok(objects::in_memory().into()), FilePlace::open)?;
        Ok(Arc::new(FileService::new(self.store.clone(), objects, self.limits)))
    }

    /// Returns one line about a failure of the store.
    pub(super) fn cannot_use(&self, error: impl Display) -> String {
        format!("cannot use {}: {error}", self.name)
    }
}
