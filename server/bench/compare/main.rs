//! Compares Hubbub with its peers on this machine, in one run.
//!
//! ```text
//! make bench
//! make bench ARGS="--only closed-1000,rate-40 --servers hubbub,go --seconds 5"
//! ```
//!
//! Each run has a new server on one core and `loadgen` on another. The report with
//! its raw figures goes to `server/bench/`, a partial one to `target/bench/`. The exit code is 1 if any
//! of Hubbub's runs had a fault.

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
use server::{Server, WORK_FOLDER};
use std::{
    fs,
    io::{self, Error, Write, stderr, stdout},
    path::Path,
    process::ExitCode,
};

/// Compares Hubbub with its peers
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// Scenarios to run, comma-separated; all by default
    #[arg(long, value_delimiter = ',', value_parser = SCENARIOS.map(|scenario| scenario.name))]
    only: Vec<String>,
    /// Servers to run, comma-separated; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    servers: Vec<Server>,
    /// Seconds to measure in each run
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of warm-up before that
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Rounds; the median by its figure counts
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Attempts for a run while the machine is busy; the least disturbed counts
    #[arg(long, default_value_t = 2)]
    attempts: usize,
    /// CPU of the server
    #[arg(long, default_value_t = 0)]
    server_cpu: usize,
    /// CPU of the load generator
    #[arg(long, default_value_t = 1)]
    generator_cpu: usize,
}

impl Settings {
    fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> {
        let only = self.only.clone();
        SCENARIOS.iter().filter(move |it| only.is_empty() || only.iter().any(|name| name == it.name))
    }

    fn wants(&self, server: Server) -> bool {
        self.servers.is_empty() || self.servers.contains(&server)
    }

    /// Returns the selected servers of a scenario that can be started.
    fn servers_of(&self, scenario: &Scenario) -> Vec<Server> {
        let here = |server: &Server| self.wants(*server) && server.missing_reason().is_none();
        scenario.servers.iter().copied().filter(here).collect()
    }

    /// Returns the folder of the report: only a complete one replaces the committed report.
    fn folder(&self) -> &'static Path {
        let whole = self.only.is_empty() && self.servers.is_empty() && self.seconds >= 10.0;
        Path::new(if whole { "server/bench" } else { WORK_FOLDER })
    }
}

fn main() -> ExitCode {
    let settings = Settings::parse();
    match bench(&settings) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(stderr(), "compare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs and reports; returns `true` if no run of Hubbub had a fault.
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
    Ok(runs.failed_runs().count() == 0)
}
