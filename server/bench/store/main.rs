//! The store alone: fills it with the messages of years, and measures it.
//!
//! ```text
//! cargo run --release -p bench --bin store -- fill --data target/years --messages 2000000
//! cargo run --release -p bench --bin store -- measure --data target/years
//! cargo run --release -p bench --bin store -- database --url postgres://…
//! cargo run --release -p bench --bin store -- search --messages 1000000 [--url postgres://…]
//! ```
//!
//! `measure` prints the events committed a second, alone and in groups, with a sync of the disk
//! for every commit (`FULL`, as in Hubbub) and only at checkpoints (`NORMAL`, for comparison), whether
//! concurrent readers slow the writer down, and the latency of a page. `database` prints the events committed a second by
//! several servers into one PostgreSQL database, and the time of a sync of this disk beside them. `search` prints how fast
//! messages are indexed, how long queries take, and what the index costs those who post.

mod appends;
mod database;
mod fill;
mod pages;
mod quantiles;
mod search;

use clap::Parser;
use std::{
    error::Error,
    io::{Write, stderr},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Parser)]
#[command(about = "Fills a store, and measures it")]
enum Command {
    /// Fill a data folder for `hubbub --data`
    Fill {
        /// The data folder
        #[command(flatten)]
        folder: Folder,
        /// Number of messages
        #[arg(long, default_value_t = 2_000_000)]
        messages: u64,
        /// Number of rooms; the first has half of the messages
        #[arg(long, default_value_t = 10)]
        rooms: u64,
        /// Number of authors
        #[arg(long, default_value_t = 200)]
        users: u64,
    },
    /// Measure appends, reads and pages; adds messages to the folder
    Measure {
        /// The data folder, filled before
        #[command(flatten)]
        folder: Folder,
        /// Seconds for each measurement of appends
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Measure appends of several servers into a PostgreSQL database; adds messages to it
    Database {
        /// The database, as for `hubbub --database`
        #[arg(long)]
        url: String,
        /// Number of servers
        #[arg(long, default_value_t = 2)]
        servers: usize,
        /// Seconds for each measurement
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Measure the search: indexing, queries, and what they cost; fills the folder or the database first
    Search {
        /// The data folder
        #[arg(long, default_value = "target/search")]
        data: PathBuf,
        /// The database instead, as for `hubbub --database`
        #[arg(long)]
        url: Option<String>,
        /// Number of messages
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
    },
}

#[derive(clap::Args)]
struct Folder {
    #[arg(long, default_value = "target/years")]
    data: PathBuf,
}

/// The result of a command; an error is printed as one line.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Fill { folder, messages, rooms, users } => {
            fill::fill(&folder.data, messages, rooms, users).await
        }
        Command::Measure { folder, seconds } => measure(&folder.data, seconds).await,
        Command::Search { data, url, messages } => search::measure(&data, url.as_deref(), messages).await,
        Command::Database { url, servers, seconds } => database::measure(&url, servers, seconds).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "store: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(data: &std::path::Path, seconds: f64) -> Outcome {
    appends::measure(seconds).await?;
    appends::measure_with_readers(data, seconds).await?;
    pages::measure(data).await
}
