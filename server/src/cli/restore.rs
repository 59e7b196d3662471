//! `hubbub restore FILE`.

use super::{counted, files};
use crate::{
    config::Config,
    data::{
        durable,
        folder::{DataFolder, cannot_open},
    },
    files::objects::FilePlace,
    store::{file_contents, restore},
};
use std::{fs, path::Path};

pub(super) fn run(config: &Config, file: &Path, is_forced: bool) -> Result<String, String> {
    let data = &config.data;
    // First, so that a missing backup does not create a data folder.
    fs::metadata(file).map_err(|error| cannot_open(file, error))?;
    let folder = DataFolder::lock(data)?;
    let log = folder.store_file();
    let has_messages = fs::metadata(&log).is_ok_and(|found| found.len() > 0);
    if has_messages && !is_forced {
        return Err(cannot_open(
            &log,
            "it has messages already; --force replaces them and keeps them in another file",
        ));
    }
    let saved = files::folder_of(file);
    let about_files = if saved.is_dir() {
        // Before the messages, so that no message shows a file that is not there.
        files::copy(file, &FilePlace::Folder(saved), &files::place(config))?
    } else {
        // What cannot be read is reported by the restore itself.
        let has_files = file_contents(file).is_ok_and(|contents| !contents.is_empty());
        if has_files && !is_forced {
            return Err(cannot_open(
                &saved,
                "it has the files of the messages; --force restores these without them",
            ));
        }
        String::new()
    };
    let (summary, kept) = restore(file, &log, is_forced).map_err(|error| cannot_open(file, error))?;
    // The restored messages get a log id of their own: they part from no database.
    durable::remove(&folder.mark_file()).map_err(|error| cannot_open(&folder.mark_file(), error))?;
    let (events, rooms) = (counted(summary.events, "event"), counted(summary.rooms, "room"));
    let kept = kept.map(|kept| format!(" The former ones are in {}.", kept.display())).unwrap_or_default();
    Ok(format!("{} has {events} in {rooms} now.{about_files}{kept}", log.display()))
}
