//! A record beside the file that identifies it: by its inode, its time of birth and, once it is closed, its time of
//! change. A file that was restored from a copy does not match the record.

use crate::data::durable::{self, beside};
use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// The record beside the file of a store.
pub(super) struct Record {
    store: PathBuf,
    file: PathBuf,
}

impl Record {
    /// Returns the record of the file at `path`.
    pub(super) fn of(path: &Path) -> Self {
        Self { store: path.into(), file: beside(path, "-record") }
    }

    /// Records durably that this file is open.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub(super) fn note_opened(&self) -> io::Result<()> {
        let opened = opened(&fs::metadata(&self.store)?);
        if fs::read_to_string(&self.file).is_ok_and(|recorded| recorded == opened) {
            return Ok(());
        }
        durable::replace(&self.file, opened.as_bytes())
    }

    /// Records that this file is closed, and its present state. If a power cut takes the record, continuity is not proven.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub(super) fn note_closed(&self) -> io::Result<()> {
        durable::replace(&self.file, closed(&fs::metadata(&self.store)?).as_bytes())
    }

    /// Returns `true` if the record is about this file, in any state.
    pub(super) fn is_about_this_file(&self) -> bool {
        let (Ok(recorded), Ok(found)) = (fs::read_to_string(&self.file), fs::metadata(&self.store)) else {
            return false;
        };
        let recorded = recorded.split_once(' ').map_or("", |(_, identity)| identity);
        let found = file(&found);
        recorded == found || recorded.starts_with(&format!("{found} "))
    }

    /// Returns `true` if the file is the recorded one and was not written while it was closed.
    pub(super) fn proves_continuity(&self) -> bool {
        let (Ok(recorded), Ok(found)) = (fs::read_to_string(&self.file), fs::metadata(&self.store)) else {
            return false;
        };
        born(&found).is_some() && (recorded == opened(&found) || recorded == closed(&found))
    }
}

fn opened(found: &Metadata) -> String {
    format!("open {}", file(found))
}

fn closed(found: &Metadata) -> String {
    format!("closed {} changed {}.{:09} {}", file(found), found.ctime(), found.ctime_nsec(), found.len())
}

fn file(found: &Metadata) -> String {
    format!("inode {} born {}", found.ino(), born(found).unwrap_or_default())
}

/// Returns when the file was created, in nanoseconds since 1970; `None` if the file system does not know.
fn born(found: &Metadata) -> Option<u128> {
    found.created().ok()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_nanos())
}
