//! A note beside the log about the very file that was opened or closed: by its inode, its time of birth and, once it is
//! closed, its time of change. A file that was put back from a copy does not fit the note.

use crate::data::durable::{self, beside};
use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// What the note beside a log says.
pub(super) struct Record {
    log: PathBuf,
    file: PathBuf,
}

impl Record {
    /// The note beside the log at `path`.
    pub(super) fn of(path: &Path) -> Self {
        Self { log: path.into(), file: beside(path, "-record") }
    }

    /// Notes, durably, that this file is open.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(super) fn note_opened(&self) -> io::Result<()> {
        let opened = opened(&fs::metadata(&self.log)?);
        if fs::read_to_string(&self.file).is_ok_and(|noted| noted == opened) {
            return Ok(());
        }
        durable::replace(&self.file, opened.as_bytes())
    }

    /// Notes that this file is closed, and as it is now. A power cut may take the note: then continuity is not proven.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(super) fn note_closed(&self) -> io::Result<()> {
        durable::replace(&self.file, closed(&fs::metadata(&self.log)?).as_bytes())
    }

    /// Returns `true` if the note is about this very file, in whatever state.
    pub(super) fn is_about_this_file(&self) -> bool {
        let (Ok(noted), Ok(found)) = (fs::read_to_string(&self.file), fs::metadata(&self.log)) else {
            return false;
        };
        let noted = noted.split_once(' ').map_or("", |(_, noted)| noted);
        let found = file(&found);
        noted == found || noted.starts_with(&format!("{found} "))
    }

    /// Returns `true` if the file has been this one ever since the note, and was not written while it was closed.
    pub(super) fn proves_continuity(&self) -> bool {
        let (Ok(noted), Ok(found)) = (fs::read_to_string(&self.file), fs::metadata(&self.log)) else {
            return false;
        };
        born(&found).is_some() && (noted == opened(&found) || noted == closed(&found))
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

/// Nanoseconds since 1970 at which the file was made; `None` where the file system does not know.
fn born(found: &Metadata) -> Option<u128> {
    found.created().ok()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_nanos())
}
