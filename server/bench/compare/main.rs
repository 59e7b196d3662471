//! How fast Hubbub is against peers, on this machine and in one go.
//!
//! ```text
//! make bench
//! make bench ARGS="--only closed-1000,rate-40 --servers hubbub,go --seconds 5"
//! ```
//!
//! Every run has a fresh server on one core and `flood` on another, one after the other. The report with
//! its raw figures goes to `server/bench/`; that of a part of it to `target/bench/`. It exits with 1 where
//! anything of Hubbub's was lost, repeated, out of order, cut off or refused.

mod document;
mod machine;
#[path = "../loadgen/report.rs"]
mod report;
mod runs;
mod scenario;
mod server;
mod target;

use clap::Parser;
use machine::Machine;
use runs::Runs;
use scenario::{SCENARIOS, Scenario};
use server::{FOLDER, Server};
use std::{
    fs,
    io::{self, Error, Write, stderr, stdout},
    path::Path,
    process::ExitCode,
};

/// How fast is Hubbub against peers?
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// The scenarios to run, comma-separated; all of them without it.
    #[arg(long, value_delimiter = ',', value_parser = SCENARIOS.map(|scenario| scenario.name))]
    only: Vec<String>,
    /// The servers to run, comma-separated; all of them without it.
    #[arg(long, value_delimiter = ',', value_enum)]
    servers: Vec<Server>,
    /// Seconds that each run measures.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before that.
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// How often everything is run; the middle one by its figure counts.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// How often a run is tried while others keep the machine busy; the calmest counts.
    #[arg(long, default_value_t = 2)]
    attempts: usize,
    /// The CPU of the server.
    #[arg(long, default_value_t = 0)]
    server_cpu: usize,
    /// The CPU of the load generator.
    #[arg(long, default_value_t = 1)]
    flood_cpu: usize,
}

impl Settings {
    fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> {
        let only = self.only.clone();
        SCENARIOS.iter().filter(move |it| only.is_empty() || only.iter().any(|name| name == it.name))
    }

    fn wants(&self, server: Server) -> bool {
        self.servers.is_empty() || self.servers.contains(&server)
    }

    /// Those of a scenario that are wanted and here.
    fn servers_of(&self, scenario: &Scenario) -> Vec<Server> {
        let here = |server: &Server| self.wants(*server) && server.absent().is_none();
        scenario.servers.iter().copied().filter(here).collect()
    }

    /// Where the report goes: the one that is kept shows everything.
    fn folder(&self) -> &'static Path {
        let whole = self.only.is_empty() && self.servers.is_empty() && self.seconds >= 10.0;
        Path::new(if whole { "server/bench" } else { FOLDER })
    }
}

fn main() -> ExitCode {
    let settings = Settings::parse();
    match bench(&settings) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing of Hubbub's was wrong.
fn bench(settings: &Settings) -> io::Result<bool> {
    let machine = Machine::here();
    if machine.cores < 2 {
        return Err(Error::other("server and load generator need a core each, and there is one"));
    }
    let runs = Runs::make(settings)?;
    let folder = settings.folder();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("report.md"), document::document(settings, &machine, &runs))?;
    let raw = serde_json::json!({ "machine": machine, "runs": runs });
    fs::write(folder.join("report.json"), serde_json::to_string_pretty(&raw)? + "\n")?;
    writeln!(
        stdout(),
        "\n{}\n{}",
        document::against_targets(settings, &runs),
        folder.join("report.md").display()
    )?;
    Ok(runs.unclean().count() == 0)
}
