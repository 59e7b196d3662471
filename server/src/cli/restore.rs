//! `hubbub restore FILE`.

use super::counted;
use crate::{
    data::{
        durable,
        folder::{DataFolder, cannot_open},
    },
    store::restore,
};
use std::{fs, path::Path};

pub(super) fn run(data: &Path, file: &Path, is_forced: bool) -> Result<String, String> {
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
    let (summary, kept) = restore(file, &log, is_forced).map_err(|error| cannot_open(file, error))?;
    // The restored messages get a log id of their own: they part from no database.
    durable::remove(&folder.mark_file()).map_err(|error| cannot_open(&folder.mark_file(), error))?;
    let (events, rooms) = (counted(summary.events, "event"), counted(summary.rooms, "room"));
    let kept = kept.map(|kept| format!(" The former ones are in {}.", kept.display())).unwrap_or_default();
    Ok(format!("{} has {events} in {rooms} now.{kept}", log.display()))
}
