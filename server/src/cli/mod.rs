//! The subcommands of the operator: `hubbub admin-link`, `backup`, `check`, `health`, `migrate`, `restore` and
//! `rotate-key`.

mod admin_link;
mod backup;
mod check;
mod health;
mod migrate;
mod restore;
mod rotate_key;

use crate::{net::ListenAddr, origin::PublicUrl, secret_url::SecretUrl, store::DatabaseUrl};
use clap::Subcommand;
use std::{
    fmt::Display,
    path::{Path, PathBuf},
};
use tokio::runtime::Builder;

/// A command that runs instead of the server.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Print a link that makes its first user the administrator, while a server may be running. An earlier link ends.
    AdminLink {
        /// The PostgreSQL database of the server.
        #[arg(long, env = "HUBBUB_DATABASE", hide_env_values = true, value_name = "URL")]
        database: Option<SecretUrl>,
    },
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
    /// Make a new key that signs the cookies, while servers may be running. No user is signed out.
    ///
    /// The new key signs a minute later, when every server has it. Cookies of the former keys are valid for a year, and browsers
    /// that come back get new ones. Of the former keys eight are kept.
    RotateKey {
        /// The PostgreSQL database that has the key.
        #[arg(long, env = "HUBBUB_DATABASE", hide_env_values = true, value_name = "URL")]
        database: Option<SecretUrl>,
        /// The file that has the key, if it is neither in the data folder nor in the database. Copy it to every server
        /// afterwards.
        #[arg(long, env = "HUBBUB_COOKIE_KEY_FILE", value_name = "FILE")]
        cookie_key_file: Option<PathBuf>,
        /// Minutes until the new key signs: every server must have it by then. 1 by default, and 60 with
        /// --cookie-key-file.
        #[arg(long, value_name = "MINUTES")]
        delay: Option<u32>,
        /// Make a new key although the last one does not sign yet, or although the oldest one must be dropped, which signs out
        /// the users who still have a cookie of it.
        #[arg(long)]
        force: bool,
    },
}

/// The settings of the server that a command needs.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// The address of the server.
    pub addr: &'a ListenAddr,
    /// The database, if the server uses one.
    pub database: Option<&'a SecretUrl>,
    /// The file with the key, if the database does not have it.
    pub cookie_key_file: Option<&'a Path>,
    /// The address under which users see it.
    pub public_url: Option<&'a PublicUrl>,
}

impl Command {
    /// Runs the command on the folder of the settings, or asks the server at their address. Returns lines for the operator.
    ///
    /// # Errors
    /// One line with the reason; nothing has changed then.
    pub fn run(&self, settings: Settings<'_>) -> Result<String, String> {
        let data = settings.data;
        match self {
            Self::AdminLink { database } => admin_link::run(settings, database.as_ref()),
            Self::Backup { file, force } => backup::run(data, file, *force),
            Self::Check => check::run(data),
            Self::Health => health::run(settings.addr),
            Self::Migrate { to: SecretUrl(url), force } => migrate::run(data, url, *force),
            Self::Restore { file, force } => restore::run(data, file, *force),
            Self::RotateKey { database, cookie_key_file, delay, force } => {
                rotate_key::run(settings, database.as_ref(), cookie_key_file.as_deref(), *delay, *force)
            }
        }
    }
}

/// Returns the count with its noun: `1 event`, `2 events`.
fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Parses the value of `--database`.
fn database_url(url: &str) -> Result<DatabaseUrl, String> {
    url.parse().map_err(|error| format!("cannot use --database: {error}"))
}

/// Returns the line that says why a database cannot be used.
fn cannot_use_database(url: &DatabaseUrl, error: impl Display) -> String {
    format!("cannot use the database {url}: {error}")
}

/// Runs the work of a command on this thread.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| format!("cannot start: {error}"))?.block_on(work))
}
