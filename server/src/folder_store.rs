//! The store of a data folder, for servers and for commands.

use crate::{
    data::{
        cookie_key,
        folder::{DataFolder, cannot_open},
        key_ring::KeyRing,
    },
    store::{Options, SqliteStore, Synchronous},
};
use std::path::Path;

/// Locks a data folder, and opens its store and its key; creates what does not exist. The store has the quota `max_bytes`.
///
/// # Errors
/// One line that names the file and says what is wrong with it.
pub fn open_folder(
    data: &Path,
    max_bytes: Option<u64>,
) -> Result<(DataFolder, SqliteStore, KeyRing), String> {
    let folder = DataFolder::lock(data)?;
    let store_file = folder.store_file();
    if let Some(mark) = folder.move_mark()? {
        return Err(cannot_open(&store_file, mark.refusal(&folder.mark_file())));
    }
    let key_file = folder.key_file();
    let save_key = &mut |key: &[u8]| cookie_key::restore(&key_file, key);
    let options = Options { synchronous: Synchronous::Full, max_bytes, save_key };
    let store =
        SqliteStore::open_with(&store_file, options).map_err(|error| cannot_open(&store_file, error))?;
    let keys =
        cookie_key::load(&key_file, store.is_unused()).map_err(|error| cannot_open(&key_file, error))?;
    Ok((folder, store, keys))
}
