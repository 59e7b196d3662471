//! The command line: the settings of a server, or a command of the operator, as `hubbub admin-link`, `backup`, `check`,
//! `export`, `health`, `import`, `migrate`, `restore` and `rotate-key`.

mod admin_link;
mod backup;
mod check;
mod export;
mod files;
mod health;
mod import;
mod installation;
mod migrate;
mod progress;
mod restore;
mod rotate_key;

use crate::{config::Config, secret_url::SecretUrl, store::DatabaseUrl};
use app::wire::RoomName;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, builder::Resettable};
use std::{env, ffi::OsStr, fmt::Display, path::PathBuf};
use tokio::runtime::Builder;

/// Group chat in one binary. Start it, open the printed link, share it.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "hubbub",
    version,
    max_term_width = 110,
    after_help = "Stop it at any time with Ctrl-C or SIGTERM: no message is lost."
)]
pub struct CommandLine {
    /// A command that runs instead of the server.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The settings.
    #[command(flatten)]
    pub config: Config,
}

impl CommandLine {
    /// Reads the command line and the environment. An empty variable counts as unset: Compose files and unit files leave such
    /// behind.
    ///
    /// # Errors
    /// An invalid setting, or the answer to `--help` and `--version`.
    pub fn read() -> Result<Self, clap::Error> {
        let is_empty = |name: &OsStr| {
            env::var_os(name).is_some_and(|value| value.as_encoded_bytes().trim_ascii().is_empty())
        };
        let mut command = Self::clap_command();
        let settings = command.get_arguments();
        let empty = settings.filter(|setting| setting.get_env().is_some_and(is_empty));
        for id in empty.map(|setting| setting.get_id().clone()).collect::<Vec<_>>() {
            command = command.mut_arg(id, |setting| setting.env(Resettable::Reset));
        }
        Self::from_arg_matches(&command.try_get_matches()?)
    }

    /// Returns the description of the command line. Help shows no values of the environment, and a negative number is an invalid
    /// value rather than an unknown flag.
    pub(crate) fn clap_command() -> clap::Command {
        Self::command().mut_args(|arg| {
            let takes_values = arg.get_action().takes_values();
            arg.hide_env_values(true).allow_negative_numbers(takes_values)
        })
    }
}

/// A command that runs instead of the server.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Print a link that makes its first user the administrator, while a server may be running. An earlier link ends.
    AdminLink {
        /// The PostgreSQL database of the server.
        #[arg(long, env = "HUBBUB_DATABASE", hide_env_values = true, value_name = "URL")]
        database: Option<SecretUrl>,
    },
    /// Write everything to FILE, while a server may be running: the messages, and the key that signs the cookies. The files of
    /// messages go into the folder FILE.files.
    Backup {
        /// The file to write; keep it as private as the data folder.
        file: PathBuf,
        /// Replace FILE if it exists. Files that are in FILE.files are not copied again.
        #[arg(long)]
        force: bool,
    },
    /// Check every page and index of the data folder's messages, while a server may be running.
    ///
    /// A server checks its messages itself: a small file at its start, a large one in the background afterwards. If the
    /// file is damaged, the server still reads it but stores nothing more.
    Check,
    /// Write a room into one file, a ZIP archive with JSON Lines, Markdown and the files of its messages: from the data folder
    /// while no server is running, or from a PostgreSQL database, whose files are at --files.
    ///
    /// The page of a room offers the same download while the server runs.
    Export {
        /// The name of the room, as in its address.
        room: RoomName,
        /// The file to write: ROOM.zip by default. Keep it as private as the messages in it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The PostgreSQL database that has the room.
        #[arg(long, env = "HUBBUB_DATABASE", hide_env_values = true, value_name = "URL")]
        database: Option<SecretUrl>,
        /// Replace the file if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Ask the server at the address of --addr, or of HUBBUB_ADDR, whether it is alive: for containers without a shell.
    Health,
    /// Add an exported room: to the data folder while no server is running, or to a PostgreSQL database.
    ///
    /// Messages keep their ids, authors, times and order. What is there already is not added again, so the same command
    /// continues an interrupted import, and adds what a newer archive of the room has more. Files go where the server keeps
    /// them (--files), within its limits: --max-file and --files-quota, before the command or in the environment.
    Import {
        /// A file that `hubbub export` or the page of a room has written.
        file: PathBuf,
        /// Another name for the room.
        #[arg(long, value_name = "NAME")]
        room: Option<RoomName>,
        /// The PostgreSQL database to use.
        #[arg(long, env = "HUBBUB_DATABASE", hide_env_values = true, value_name = "URL")]
        database: Option<SecretUrl>,
    },
    /// Copy the data folder into an empty PostgreSQL database, while no server is running.
    ///
    /// Clients, cookies and read markers continue there. If it is interrupted, the same command continues; no server
    /// starts on the database before it is complete, and none on the folder from then on. With --files the files of messages are
    /// copied there.
    Migrate {
        /// The database, as postgres://USER:PASSWORD@HOST/NAME.
        #[arg(long, env = "HUBBUB_MIGRATE_TO", hide_env_values = true, value_name = "URL")]
        to: SecretUrl,
        /// Remove what an unfinished migration has left in the database, and start over.
        #[arg(long)]
        force: bool,
    },
    /// Replace the data folder's messages by the backup FILE, while no server is running. Their files are in FILE.files.
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

impl Command {
    /// Runs the command on the data folder of the settings, or asks the server at their address. Returns lines for the operator.
    ///
    /// # Errors
    /// One line with the reason; nothing has changed then.
    pub fn run(&self, config: &Config) -> Result<String, String> {
        match self {
            Self::AdminLink { database } => admin_link::run(config, database.as_ref()),
            Self::Backup { file, force } => backup::run(config, file, *force),
            Self::Check => check::run(&config.data),
            Self::Export { room, out, database, force } => {
                export::run(config, database.as_ref(), room, out.as_deref(), *force)
            }
            Self::Health => health::run(&config.addr),
            Self::Import { file, room, database } => {
                import::run(config, database.as_ref(), file, room.as_ref())
            }
            Self::Migrate { to: SecretUrl(url), force } => migrate::run(config, url, *force),
            Self::Restore { file, force } => restore::run(config, file, *force),
            Self::RotateKey { database, cookie_key_file, delay, force } => {
                rotate_key::run(config, database.as_ref(), cookie_key_file.as_deref(), *delay, *force)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_valid() {
        CommandLine::clap_command().debug_assert();
    }
}
