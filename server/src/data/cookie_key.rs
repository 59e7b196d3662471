//! The key that signs the identity cookies: 64 random bytes in the data folder.

use crate::data::durable;
use axum_extra::extract::cookie::Key;
use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

/// Bytes of a whole key.
const KEY_BYTES: usize = 64;

/// Reads the key in `path`, or makes one there. `log_is_unused` says that no user has an identity yet. The file is
/// private. A key that is cut off is refused: this program writes whole keys alone, so only the operator can know where
/// the rest is.
///
/// # Errors
/// Where the file cannot be read or written, or is cut off.
pub fn load(path: &Path, log_is_unused: bool) -> io::Result<Key> {
    match fs::read(path) {
        Ok(bytes) if bytes.len() >= KEY_BYTES => {
            Key::try_from(bytes.as_slice()).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
        }
        Ok(bytes) => Err(io::Error::new(ErrorKind::InvalidData, cut_off(bytes.len()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !log_is_unused {
                tracing::warn!("cookie.key is missing: a new one is made, and every user becomes a new one");
            }
            make(path)
        }
        Err(error) => Err(error),
    }
}

/// Puts `key` in `path`. Another key that was there is kept beside it, as `cookie.key.before-restore`.
///
/// # Errors
/// Where the folder cannot be written.
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

fn make(path: &Path) -> io::Result<Key> {
    let key = Key::generate();
    durable::replace(path, key.master())?;
    Ok(key)
}

fn cut_off(bytes: usize) -> String {
    format!(
        "it is cut off ({bytes} of {KEY_BYTES} bytes); put its copy from a backup in its place, or delete it: every user is a new one then"
    )
}
