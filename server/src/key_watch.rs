//! Takes over the keys that `hubbub rotate-key` writes, while the server runs.

use crate::{
    data::{
        cookie_key,
        key_ring::{KeyRing, SharedKeys},
    },
    store::PostgresStore,
};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Weak,
    time::Duration,
};
use tokio::time::sleep;

/// Time between two looks at the keys. A new key signs much later, so that every server knows it by then.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// The place of the keys.
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// In the database, until the store is dropped.
    Database(Weak<PostgresStore>),
}

/// The properties that distinguish one content of a file from another: its inode, size and time of change.
type FileState = (u64, u64, i64, i64);

/// Keeps `keys` as they are in `source`, as long as anybody else has them. Must be called within a Tokio runtime.
pub fn start(source: KeySource, keys: SharedKeys) {
    tokio::spawn(watch(source, keys));
}

async fn watch(source: KeySource, keys: SharedKeys) {
    let mut seen = match &source {
        KeySource::File(path) => file_state(path).ok(),
        KeySource::Database(_) => None,
    };
    let mut has_failed = false;
    while !keys.is_last() {
        sleep(WATCH_INTERVAL).await;
        let found = match &source {
            KeySource::File(path) => read_changed(path, &mut seen),
            KeySource::Database(store) => {
                let Some(store) = store.upgrade() else { return };
                match store.read_cookie_key().await {
                    Ok(bytes) => KeyRing::parse(&bytes).map(Some).map_err(|error| error.to_string()),
                    // The database is away, which is logged elsewhere.
                    Err(_) => Ok(None),
                }
            }
        };
        match found {
            Ok(Some(ring)) => {
                has_failed = false;
                if ring.to_bytes() != keys.current().to_bytes() {
                    tracing::info!(former = ring.former(), "the keys of the cookies have changed");
                    keys.replace(ring);
                }
            }
            Ok(None) => {}
            Err(error) if !has_failed => {
                has_failed = true;
                tracing::warn!(error, "reading the keys of the cookies failed; the former ones stay in use");
            }
            Err(_) => {}
        }
    }
}

/// Reads the keys if the file has changed since it was `seen`.
fn read_changed(path: &Path, seen: &mut Option<FileState>) -> Result<Option<KeyRing>, String> {
    let state = file_state(path).map_err(|error| error.to_string())?;
    if *seen == Some(state) {
        return Ok(None);
    }
    let ring = cookie_key::read(path).map_err(|error| error.to_string())?;
    *seen = Some(state);
    Ok(Some(ring))
}

fn file_state(path: &Path) -> io::Result<FileState> {
    let found = fs::metadata(path)?;
    Ok((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}
