//! Soak test: many clients talk in one room while the network and the server fail.
//!
//! ```text
//! cargo run --release -p bench --bin soak -- --clients 200 --seconds 60 --fault-every 1 --kills 2
//! ```
//!
//! It starts the real binary with a temporary data folder on a free port. Every client keeps what the page keeps
//! (timeline, outbox, backoff, heartbeat), behind a proxy that can fail, and sends or changes a message every 2 to
//! 5 seconds. At intervals the proxy of a random client
//! fails:
//! it cuts the connection (often within a frame), drops all bytes, refuses connections for some seconds, or
//! becomes slow. The server is killed (`--kills`, SIGKILL) or restarted (`--restarts`, SIGTERM) at random
//! times. In the end all faults stop, all clients catch up, and each timeline is compared with the event
//! log that the HTTP API returns.
//!
//! | column | means |
//! | --- | --- |
//! | posted, acked | commands that clients sent; that the server acknowledged |
//! | delivered | messages in all timelines together |
//! | lost | sent and not in the log, in the log and not in a timeline, or in a timeline and not in the log |
//! | repeated | twice in the log or in a timeline |
//! | reordered | in a timeline in another order than in the log, or in the log in another order than sent |
//! | removals, leaked | acknowledged removals of a reader; those after which they received what was posted later |
//! | reconnects | connections that were lost and restored |
//! | outage p50, p95, max | milliseconds from a lost connection to `joined`, without the time in which the proxy refused |
//! | restart p50, p95, max | the same for connections that ended with the server |
//! | peak | the server's peak memory in MiB (`VmHWM`) |
//!
//! With `--removals` a moderator removes a reader and lets them in again; see [`moderation`]. A reader who receives what was
//! posted after a removal is a leak.
//!
//! With `--nodes 3` several servers share a PostgreSQL database; see [`cluster`].
//!
//! The exit code is 1 if anything was lost, repeated, reordered or leaked. A seed decides the times and the
//! victims; the scheduling of the server's threads differs each time.

mod clients;
mod cluster;
#[path = "../../tests/it/support/consistency.rs"]
mod consistency;
mod faults;
mod moderation;
#[path = "../../tests/it/support/process.rs"]
mod process;
#[path = "../../tests/it/support/proxy.rs"]
mod proxy;
mod report;
#[path = "../../tests/it/support/test_client.rs"]
mod test_client;

use clap::Parser;
use clients::Clients;
use faults::FaultInjector;
use moderation::{ModerationReport, Moderator};
use process::Process;
use report::Report;
use std::{
    error::Error,
    fs,
    io::{Write, stderr, stdout},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// The longest time until all clients have caught up in the end.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);

/// Lets many clients talk while the network and the server fail, and checks that nothing is lost
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// Number of clients
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Number of rooms; each client is in one
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Seconds that they talk
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Average seconds between two messages of a client
    #[arg(long, default_value_t = 3.5)]
    message_every: f64,
    /// Seconds between two faults of the network; 0 for none
    #[arg(long, default_value_t = 1.0)]
    fault_every: f64,
    /// Number of kills of the server, or of one of the nodes (SIGKILL)
    #[arg(long, default_value_t = 2)]
    kills: usize,
    /// Number of restarts of the server, or of all nodes one after the other (SIGTERM)
    #[arg(long, default_value_t = 0)]
    restarts: usize,
    /// Number of removals of a reader by a moderator, who lets them in again
    #[arg(long, default_value_t = 0)]
    removals: usize,
    #[command(flatten)]
    cluster: cluster::ClusterSettings,
    /// Milliseconds for a second of the clients' heartbeat: fewer detect a dead connection sooner
    #[arg(long, default_value_t = 1_000)]
    pulse_ms: u64,
    /// Decides the times and the victims; random by default
    #[arg(long)]
    seed: Option<u64>,
    /// The server's binary
    #[arg(long, default_value = "target/release/hubbub")]
    binary: PathBuf,
    /// File for the results as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

// One thread, so that one seed decides; the server is another process.
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

impl Settings {
    /// Returns when the faults end, if they begin now.
    fn end(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.seconds)
    }
}

/// Runs the soak; returns `true` if nothing was lost, repeated, reordered or leaked.
async fn soak(settings: &Settings) -> Result<bool, Box<dyn Error>> {
    let seed = settings.seed.unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    writeln!(stdout(), "seed {seed}")?;
    let report =
        if settings.cluster.nodes > 0 { cluster::soak(settings).await? } else { soak_one(settings).await? };
    let report = Report { seed, ..report };
    let json = serde_json::to_string_pretty(&report)?;
    writeln!(stdout(), "{json}\n{}", report.table())?;
    if let Some(file) = &settings.json {
        fs::write(file, json)?;
    }
    let leaks = report.moderation.is_some_and(|moderation| moderation.leaks > 0 || moderation.removals == 0);
    Ok(report.settled_ms.is_some() && report.consistency.is_clean() && !leaks)
}

/// Runs the soak of one server.
async fn soak_one(settings: &Settings) -> Result<Report, Box<dyn Error>> {
    let mut server = Process::start(settings.binary.clone()).await?;
    let clients = Clients::connect(server.address, settings).await;
    let folder = server.folder.path().to_string_lossy().into_owned();
    let moderator = moderator(settings, server.address, ["--data", &folder]).await?;
    let (faults_done, moderation) = tokio::select! {
        never = clients.send_forever(settings.message_every) => match never {},
        done = async {
            tokio::join!(FaultInjector::run(settings, &clients, &mut server), moderate(moderator.as_ref(), settings))
        } => done,
    };
    let faults_done = faults_done?;
    let settled_ms = settle(&clients, server.address).await;
    let (consistency, _) = clients.check(server.address).await?;
    Ok(Report {
        settled_ms,
        moderation,
        ..Report::of(settings, &clients, &faults_done, consistency, server.peak())
    })
}

/// Returns the moderator, if there is something to remove. `store` is the option that names the store.
async fn moderator(
    settings: &Settings,
    server: SocketAddr,
    store: [&str; 2],
) -> Result<Option<Moderator>, Box<dyn Error>> {
    if settings.removals == 0 {
        return Ok(None);
    }
    Moderator::new(server, &settings.binary, store).await.map(Some)
}

async fn moderate(moderator: Option<&Moderator>, settings: &Settings) -> Option<ModerationReport> {
    Some(moderator?.run(settings).await)
}

/// Ends the faults of the links, and returns how long the clients took to catch up; `None` after a timeout.
async fn settle(clients: &Clients, server: SocketAddr) -> Option<u128> {
    clients.heal_links();
    let began = Instant::now();
    let settled = timeout(SETTLE_TIMEOUT, clients.wait_until_settled(server)).await.is_ok();
    settled.then(|| began.elapsed().as_millis())
}
