//! The log by itself: filled with as many messages as years bring, and measured.
//!
//! ```text
//! cargo run --release -p bench --bin store -- fill --data target/years --messages 2000000
//! cargo run --release -p bench --bin store -- measure --data target/years
//! ```
//!
//! `measure` prints how many events a second are committed, alone and in groups, with the disk synced
//! at every commit (`FULL`, what Hubbub does) and only now and then (`NORMAL`, for comparison), whether
//! readers who catch up are in the writer's way, and how long a server on this log takes for a page.

mod appends;
mod fill;
mod pages;
mod quantiles;

use clap::Parser;
use std::{
    error::Error,
    io::{Write, stderr},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Parser)]
#[command(about = "Fill a log, and measure it")]
enum Asked {
    /// Fill a data folder, so that a hubbub can be started on it (`--data`).
    Fill {
        /// The data folder.
        #[command(flatten)]
        folder: Folder,
        /// Messages in all.
        #[arg(long, default_value_t = 2_000_000)]
        messages: u64,
        /// Rooms that they are spread over, the first of them getting half.
        #[arg(long, default_value_t = 10)]
        rooms: u64,
        /// People who have written them.
        #[arg(long, default_value_t = 200)]
        people: u64,
    },
    /// Measure appends, reads and pages; the folder gets some messages more.
    Measure {
        /// The data folder, filled before.
        #[command(flatten)]
        folder: Folder,
        /// Seconds for each figure of appending.
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
}

#[derive(clap::Args)]
struct Folder {
    #[arg(long, default_value = "target/years")]
    data: PathBuf,
}

/// A measurement that could not be taken says why in a line.
type Measured = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Asked::parse() {
        Asked::Fill { folder, messages, rooms, people } => {
            fill::fill(&folder.data, messages, rooms, people).await
        }
        Asked::Measure { folder, seconds } => measure(&folder.data, seconds).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "log: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(data: &std::path::Path, seconds: f64) -> Measured {
    appends::measure(seconds).await?;
    appends::measure_with_readers(data, seconds).await?;
    pages::measure(data).await
}
