//! The keys that sign the identity cookies, in a file: of the data folder, or of the operator.

use crate::data::{
    durable,
    key_ring::{KEY_BYTES, KeyRing},
};
use axum_extra::extract::cookie::Key;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

/// Bytes of a file that are read, at most: more than a ring has.
const MAX_READ_BYTES: u64 = 4 * 1_024;

/// Reads the keys in `path`, or creates one there. `store_is_unused` means that no user exists yet. The file is private.
/// A truncated key is an error: this program only writes complete keys, so only the operator can find the rest.
///
/// # Errors
/// The file cannot be read or written, or is truncated.
pub fn load(path: &Path, store_is_unused: bool) -> io::Result<KeyRing> {
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

/// Reads the keys in `path`.
///
/// # Errors
/// The file cannot be read, or is truncated.
pub fn read(path: &Path) -> io::Result<KeyRing> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_READ_BYTES).read_to_end(&mut bytes)?;
    if bytes.len() < KEY_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, truncated(bytes.len())));
    }
    KeyRing::parse(&bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Replaces the keys in `path`.
///
/// # Errors
/// The folder cannot be written; the file is unchanged then.
pub fn write(path: &Path, ring: &KeyRing) -> io::Result<()> {
    durable::replace(path, &ring.to_bytes())
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

fn create(path: &Path) -> io::Result<KeyRing> {
    let ring = KeyRing::from(Key::generate());
    write(path, &ring)?;
    Ok(ring)
}

fn truncated(bytes: usize) -> String {
    format!(
        "it is truncated ({bytes} of {KEY_BYTES} bytes); restore it from a backup, or delete it: every user becomes a new one then"
    )
}
