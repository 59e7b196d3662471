//! `hubbub backup FILE`.

use super::{counted, files};
use crate::{
    config::Config,
    data::folder::{KEY_FILE, STORE_FILE, cannot_open},
    files::objects::FilePlace,
    store::back_up,
};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

pub(super) fn run(config: &Config, file: &Path, is_forced: bool) -> Result<String, String> {
    let data = &config.data;
    let to = target(data, file, is_forced).map_err(|why| cannot_open(file, why))?;
    let key_file = data.join(KEY_FILE);
    let key = match fs::read(&key_file) {
        Ok(key) => Some(key),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(cannot_open(&key_file, error)),
    };
    let log = data.join(STORE_FILE);
    let summary = back_up(&log, key.as_deref(), &to)
        .map_err(|error| format!("cannot back up {} to {}: {error}", log.display(), file.display()))?;
    // After the messages: a file that comes in between belongs to none of them.
    let about_files = files::copy(&to, &files::place(config), &FilePlace::Folder(files::folder_of(&to)))?;
    let (events, rooms) = (counted(summary.events, "event"), counted(summary.rooms, "room"));
    let file = file.display();
    Ok(format!(
        "{file} has {events} in {rooms} and the key that signs the cookies: keep it as private as the data folder.{about_files}"
    ))
}

/// Returns the path to write to, unless it is a file that must stay.
fn target(data: &Path, file: &Path, is_forced: bool) -> Result<PathBuf, String> {
    let name = file.file_name().ok_or("it is not a file name")?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|error| format!("its folder: {error}"))?;
    let to = folder.join(name);
    if to.is_dir() {
        return Err("it is a folder; name a file".into());
    }
    let is_in_use = fs::canonicalize(data).is_ok_and(|data| data == folder)
        && name.to_str().is_none_or(|name| {
            name == "lock" || [STORE_FILE, KEY_FILE].iter().any(|own| name.starts_with(own))
        });
    if is_in_use {
        return Err("the server uses this file; choose another name".into());
    }
    if to.symlink_metadata().is_ok() && !is_forced {
        return Err("it exists; --force replaces it".into());
    }
    Ok(to)
}
