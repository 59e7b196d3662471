//! The subcommands of the operator: `hubbub backup`, `hubbub check`, `hubbub health` and `hubbub restore`.

mod backup;
mod check;
mod health;
mod restore;

use crate::config::Config;
use clap::Subcommand;
use std::path::PathBuf;

/// A command that runs instead of the server.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Write everything to FILE, while a server may be running: the messages, and the key that signs the cookies.
    Backup {
        /// The file to write; keep it as private as the data folder.
        file: PathBuf,
        /// Replace FILE if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Check every page and index of the data folder's messages, while a server may be running.
    ///
    /// A server checks its messages itself: a small file at its start, a large one in the background afterwards. If the
    /// file is damaged, the server still reads it but stores nothing more.
    Check,
    /// Ask the server at the address of --addr, or of HUBBUB_ADDR, whether it is alive: for containers without a shell.
    Health,
    /// Replace the data folder's messages by the backup FILE, while no server is running.
    Restore {
        /// A file that `hubbub backup` wrote.
        file: PathBuf,
        /// Replace the messages of the folder; they are kept in another file.
        #[arg(long)]
        force: bool,
    },
}

impl Command {
    /// Runs the command with the other settings. Returns a line for the operator.
    ///
    /// # Errors
    /// One line with the reason; nothing has changed then.
    pub fn run(&self, config: &Config) -> Result<String, String> {
        let data = &config.data;
        match self {
            Self::Backup { file, force } => backup::run(data, file, *force),
            Self::Check => check::run(data),
            Self::Health => health::run(&config.addr),
            Self::Restore { file, force } => restore::run(data, file, *force),
        }
    }
}

/// Returns the count with its noun: `1 event`, `2 events`.
fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
