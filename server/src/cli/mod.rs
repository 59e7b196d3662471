//! The subcommands of the operator: `hubbub admin-link`, `backup`, `check`, `health`, `migrate` and `restore`.

mod admin_link;
mod backup;
mod check;
mod health;
mod migrate;
mod restore;

use crate::{net::ListenAddr, origin::PublicUrl, secret_url::SecretUrl};
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// A command that runs instead of the server.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Print a link that makes its first user the administrator, while a server may be running. An earlier link ends.
    AdminLink,
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
    /// Copy the data folder into an empty PostgreSQL database, while no server is running.
    ///
    /// Clients, cookies and read markers continue there. If it is interrupted, the same command continues; no server
    /// starts on the database before it is complete, and none on the folder from then on.
    Migrate {
        /// The database, as postgres://USER:PASSWORD@HOST/NAME.
        #[arg(long, env = "HUBBUB_MIGRATE_TO", hide_env_values = true, value_name = "URL")]
        to: SecretUrl,
        /// Remove what an unfinished migration has left in the database, and start over.
        #[arg(long)]
        force: bool,
    },
    /// Replace the data folder's messages by the backup FILE, while no server is running.
    Restore {
        /// A file that `hubbub backup` wrote.
        file: PathBuf,
        /// Replace the messages of the folder; they are kept in another file.
        #[arg(long)]
        force: bool,
    },
}

/// The server that a command is about.
#[derive(Debug, Clone, Copy)]
pub struct Installation<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// Where it listens.
    pub address: &'a ListenAddr,
    /// The database that it uses instead of the folder.
    pub database: Option<&'a SecretUrl>,
    /// The address under which users see it.
    pub public_url: Option<&'a PublicUrl>,
}

impl Command {
    /// Runs the command. Returns lines for the operator.
    ///
    /// # Errors
    /// One line with the reason; nothing has changed then.
    pub fn run(&self, installation: &Installation<'_>) -> Result<String, String> {
        let data = installation.data;
        match self {
            Self::AdminLink => admin_link::run(installation),
            Self::Backup { file, force } => backup::run(data, file, *force),
            Self::Check => check::run(data),
            Self::Health => health::run(installation.address),
            Self::Migrate { to: SecretUrl(url), force } => migrate::run(data, url, *force),
            Self::Restore { file, force } => restore::run(data, file, *force),
        }
    }
}

/// Returns the count with its noun: `1 event`, `2 events`.
fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
