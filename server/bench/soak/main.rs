//! A soak: many people talk for a while in one room, while the network and the server fail.
//!
//! ```text
//! cargo run --release -p bench --bin soak -- --people 200 --seconds 60 --fault-every 1 --kills 2
//! ```
//!
//! It starts the real binary with a temporary data folder on a free port. Everybody has a client that
//! keeps what the page keeps (feed, outbox, the steps of coming back, pulse), on a road of their own
//! that can fail, and writes a message, or changes one of
//! theirs, every 2 to 5 seconds. Every so often the road of somebody fails:
//! it is cut (in the middle of a frame, more often than not), falls silent, is gone for some seconds, or
//! gets slow. The server is killed (`--kills`, SIGKILL) or restarted (`--restarts`, SIGTERM) at random
//! moments. In the end everything is mended, everybody catches up, and each feed is held against the
//! log as the HTTP API gives it.
//!
//! | column | means |
//! | --- | --- |
//! | posted, acked | messages and changes that were asked for; that the server acknowledged |
//! | delivered | messages on all screens together |
//! | lost | asked for and not in the log, in the log and not on a screen, or on a screen and not in the log |
//! | repeated | twice in the log or on a screen |
//! | reordered | on a screen in another order than in the log, or in the log in another order than asked for |
//! | reconnects | how often somebody lost the connection and came back |
//! | dark p50, p95, max | milliseconds from a lost connection to `joined`; where the road was gone, from its return |
//! | restart p50, p95, max | the same, of those whose connection the server's end has cost |
//! | peak | the most memory that the server has had, in MiB (`VmHWM`) |
//!
//! It exits with 1 where anything was lost, repeated or reordered. A seed decides the moments and the
//! victims; how the threads of the server meet them is different each time.

mod clients;
mod faults;
#[path = "../../tests/it/support/person.rs"]
mod person;
#[path = "../../tests/it/support/process.rs"]
mod process;
#[path = "../../tests/it/support/proxy.rs"]
mod proxy;
mod report;
#[path = "../../tests/it/support/verdict.rs"]
mod verdict;

use clap::Parser;
use clients::Crowd;
use faults::PageError;
use process::Process;
use report::Report;
use std::{
    error::Error,
    fs,
    io::{Write, stderr, stdout},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long everybody may take to settle in the end.
const SETTLE: Duration = Duration::from_secs(120);

/// Many people talk while the network and the server fail. Is anything lost, repeated or reordered?
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// How many people talk.
    #[arg(long, default_value_t = 200)]
    people: usize,
    /// How long they talk.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds from one message of somebody to their next, more or less.
    #[arg(long, default_value_t = 3.5)]
    message_every: f64,
    /// Seconds from one fault of the network to the next; 0 for none.
    #[arg(long, default_value_t = 1.0)]
    fault_every: f64,
    /// How often the server is killed (SIGKILL).
    #[arg(long, default_value_t = 2)]
    kills: usize,
    /// How often the server is restarted (SIGTERM).
    #[arg(long, default_value_t = 0)]
    restarts: usize,
    /// Milliseconds that a second of the clients' pulse takes: fewer notice a dead connection sooner.
    #[arg(long, default_value_t = 1_000)]
    pulse_ms: u64,
    /// Decides the moments and the victims; a random one where none is given.
    #[arg(long)]
    seed: Option<u64>,
    /// The server.
    #[arg(long, default_value = "target/release/hubbub")]
    binary: PathBuf,
    /// Where to write the figures as JSON too.
    #[arg(long)]
    json: Option<PathBuf>,
}

// One thread, so that one seed decides; the server is another process and has its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    match soak(&settings).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(stderr(), "soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was lost, repeated or reordered.
async fn soak(settings: &Settings) -> Result<bool, Box<dyn Error>> {
    let seed = settings.seed.unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    writeln!(stdout(), "seed {seed}")?;
    let mut server = Process::start(settings.binary.clone()).await?;
    let crowd = Crowd::gather(server.address, settings).await;
    let trouble = tokio::select! {
        never = crowd.talk(settings.message_every) => match never {},
        trouble = PageError::make(settings, &crowd, &mut server) => trouble?,
    };
    crowd.mend();
    let began = Instant::now();
    let settled = timeout(SETTLE, crowd.settle(server.address)).await.is_ok();
    let log = verdict::events(server.address, clients::ROOM).await?;
    let report = Report {
        seed,
        settled_ms: settled.then(|| began.elapsed().as_millis()),
        ..Report::of(settings, &crowd, &trouble, &log, server.peak())
    };
    let json = serde_json::to_string_pretty(&report)?;
    writeln!(stdout(), "{json}\n{}", report.table())?;
    if let Some(file) = &settings.json {
        fs::write(file, json)?;
    }
    Ok(settled && report.verdict.clean())
}
