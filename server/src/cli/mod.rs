//! What an operator does with the data folder: `hubbub backup` and `hubbub restore`.

mod backup;
mod restore;

use clap::Subcommand;
use std::path::{Path, PathBuf};

/// What to do instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Write everything to FILE, while a server may be running: the messages, and the key that says who is who.
    Backup {
        /// The file to write; keep it as private as the data folder.
        file: PathBuf,
        /// Replace FILE if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Put the backup FILE in the place of the data folder's messages, while no server is running.
    Restore {
        /// A file that `hubbub backup` wrote.
        file: PathBuf,
        /// Replace the messages that the folder has; they are kept beside.
        #[arg(long)]
        force: bool,
    },
}

impl Command {
    /// Carries it out on the folder `data`. Returns a line for the operator.
    ///
    /// # Errors
    /// One line that says what is wrong; nothing has changed then.
    pub fn run(&self, data: &Path) -> Result<String, String> {
        match self {
            Self::Backup { file, force } => backup::run(data, file, *force),
            Self::Restore { file, force } => restore::run(data, file, *force),
        }
    }
}

/// `1 event`, `2 events`.
fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
