//! The key that signs the identity cookies: 64 random bytes in the data folder.

use crate::data::durable;
use axum_extra::extract::cookie::Key;
use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

/// Bytes of a complete key.
const KEY_BYTES: usize = 64;

/// Reads the key in `path`, or creates one there. `store_is_unused` means that no user exists yet. The file is private.
/// A truncated key is an error: this program only writes complete keys, so only the operator can find the rest.
///
/// # Errors
/// The file cannot be read or written, or is truncated.
pub fn load(path: &Path, store_is_unused: bool) -> io::Result<Key> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !store_is_unused {
                tracing::warn!("cookie.key is missing: creating a new one; every user becomes a new one");
            }
            create(path)
        }
        found => found,
    }
}

/// Reads the key in `path`.
///
/// # Errors
/// The file cannot be read, or is truncated.
pub fn read(path: &Path) -> io::Result<Key> {
    let bytes = fs::read(path)?;
    if bytes.len() < KEY_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, truncated(bytes.len())));
    }
    Key::try_from(bytes.as_slice()).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Writes `key` to `path`. Another key that was there is kept as `cookie.key.before-restore`.
///
/// # Errors
/// The folder cannot be written.
pub fn restore(path: &Path, key: &[u8]) -> io::Result<()> {
    match fs::read(path) {
        Ok(present) if present == key => return Ok(()),
        Ok(present) if !present.is_empty() => {
            durable::replace(&durable::beside(path, ".before-restore"), &present)?;
        }
        _ => {}
    }
    durable::replace(path, key)
}

fn create(path: &Path) -> io::Result<Key> {
    let key = Key::generate();
    durable::replace(path, key.master())?;
    Ok(key)
}

fn truncated(bytes: usize) -> String {
    format!(
        "it is truncated ({bytes} of {KEY_BYTES} bytes); restore it from a backup, or delete it: every user becomes a new one then"
    )
}
