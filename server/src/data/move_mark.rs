//! The mark of a folder whose messages move, or have moved, to a database: `hubbub.db-moved`. No server starts on such a
//! folder, since its messages would part from those of the database under the same log id.

use crate::data::durable;
use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};
use uuid::Uuid;

/// The words with which the file begins.
const UNFINISHED: &str = "moving";
const FINISHED: &str = "moved";

/// The mark of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveMark {
    /// The id of the import, which the database has too.
    pub import: Uuid,
    /// The database, without a password.
    pub database: String,
    /// The database has everything.
    pub is_finished: bool,
}

impl MoveMark {
    /// Reads the mark in `file`; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is no mark.
    pub fn read(file: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let unreadable = || io::Error::new(ErrorKind::InvalidData, "it is damaged");
        Self::parse(text.trim_end()).map(Some).ok_or_else(unreadable)
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ')?;
        let (import, database) = rest.split_once(' ')?;
        let is_finished = word == FINISHED;
        let mark = Self { import: import.parse().ok()?, database: database.into(), is_finished };
        (is_finished || word == UNFINISHED).then_some(mark)
    }

    /// Writes the mark durably.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let word = if self.is_finished { FINISHED } else { UNFINISHED };
        durable::replace(file, format!("{word} {} {}\n", self.import, self.database).as_bytes())
    }

    /// Returns why no server starts on the folder, and what to do. `file` is that of the mark.
    pub fn refusal(&self, file: &Path) -> String {
        let (database, file) = (&self.database, file.display());
        if self.is_finished {
            format!(
                "its messages have moved to {database}; start with --database, or delete {file} to go back to what is left here"
            )
        } else {
            format!(
                "its move to {database} is unfinished; run 'hubbub migrate' again, or delete {file} to give it up"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hubbub.db-moved");
        assert_eq!(MoveMark::read(&file).unwrap(), None);
        for is_finished in [false, true] {
            let mark = MoveMark {
                import: Uuid::new_v4(),
                database: "postgres://one:1,two:2/a b".into(),
                is_finished,
            };
            mark.write(&file).unwrap();
            assert_eq!(MoveMark::read(&file).unwrap(), Some(mark));
        }
        for damaged in [
            "",
            "moved",
            "moved 7 postgres://one",
            "gone 0193b3e4-7c1a-7000-8000-000000000001 postgres://one",
        ] {
            fs::write(&file, damaged).unwrap();
            assert!(MoveMark::read(&file).is_err(), "{damaged}");
        }
    }
}
