//! The handling of files in backups and restores.

use super::{block_on, counted};
use crate::{
    config::Config,
    data::durable::beside,
    files::{StagedFiles, copy_contents, objects::FilePlace},
    store::file_contents,
};
use std::path::{Path, PathBuf};

/// Returns the folder with the files of a backup, beside its file.
pub(super) fn folder_of(backup: &Path) -> PathBuf {
    beside(backup, ".files")
}

/// Returns where the server of the settings has its files.
pub(super) fn place(config: &Config) -> FilePlace {
    config.files.clone().unwrap_or_else(|| FilePlace::within(&config.data))
}

/// Copies the files of the messages in a store, if there are any. Returns a sentence about them.
///
/// # Errors
/// One line with the reason.
pub(super) fn copy(store: &Path, from: &FilePlace, to: &FilePlace) -> Result<String, String> {
    let cannot_copy =
        |error: &dyn std::fmt::Display| format!("cannot copy the files from {from} to {to}: {error}");
    let contents = file_contents(store).map_err(|error| cannot_copy(&error))?;
    if contents.is_empty() {
        return Ok(String::new());
    }
    let copied = block_on(async {
        let (source, target) = (from.open()?, to.open()?);
        let copied = copy_contents(&*source.store, &*target.store, &contents).await;
        // A copy that was killed may have left something.
        if let Some(mut staged) = target.folder.map(StagedFiles::new) {
            while staged.step().map_err(|error| cannot_copy(&error))? {}
        }
        copied.map_err(|error| cannot_copy(&error))
    })??;
    let missing = match copied.missing {
        0 => String::new(),
        missing => {
            format!(" {} missing.", if missing == 1 { "1 is".into() } else { format!("{missing} are") })
        }
    };
    Ok(format!(" {to} has {}.{missing}", counted(copied.files, "file")))
}
