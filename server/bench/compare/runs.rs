//! The runs: one server and one scenario each, one after the other.

use crate::{
    Settings,
    report::Report,
    scenario::Scenario,
    server::{Server, WORK_FOLDER, sibling},
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Error, Write, stdout},
    process::{Command, Stdio},
};

/// One run and its results.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The measured server.
    #[serde(serialize_with = "as_text")]
    pub server: Server,
    /// The round, from 1.
    pub round: usize,
    /// The figures, or the error.
    pub figures: Result<Report, String>,
}

/// All runs.
#[derive(Debug, Default, Serialize)]
pub struct Runs(pub Vec<Run>);

impl Runs {
    /// Runs the selected scenarios and prints a line for each.
    pub fn make(settings: &Settings) -> io::Result<Self> {
        fs::create_dir_all(WORK_FOLDER)?;
        let mut runs = Vec::new();
        for scenario in settings.scenarios() {
            writeln!(stdout(), "\n{}: {}", scenario.name, scenario.about)?;
            for round in 1..=settings.rounds {
                for server in settings.servers_of(scenario) {
                    let figures =
                        measure_with_retries(settings, scenario, server).map_err(|error| error.to_string());
                    writeln!(stdout(), "  {server:<10}{}", line(&figures))?;
                    runs.push(Run { scenario: scenario.name, server, round, figures });
                }
            }
        }
        Ok(Self(runs))
    }

    /// Returns the figures of a server in a scenario: those of the median round.
    pub fn of(&self, scenario: &Scenario, server: Server) -> Option<&Report> {
        let of_these = self.0.iter().filter(|run| run.scenario == scenario.name && run.server == server);
        let mut figures: Vec<&Report> = of_these.filter_map(|run| run.figures.as_ref().ok()).collect();
        figures.sort_by(|one, other| (scenario.figure)(one).total_cmp(&(scenario.figure)(other)));
        figures.get(figures.len() / 2).copied()
    }

    /// Returns Hubbub's runs that failed or had any fault.
    pub fn failed_runs(&self) -> impl Iterator<Item = &Run> {
        let succeeded = |run: &Run| run.figures.as_ref().is_ok_and(Report::is_clean);
        self.0.iter().filter(move |run| run.server.is_ours() && !succeeded(run))
    }
}

/// Share of the time that the generator may have waited for its core.
const MAX_WAITED: f64 = 0.05;

/// Repeats a measurement while the machine is busy, and returns the one that waited least.
fn measure_with_retries(settings: &Settings, scenario: &Scenario, server: Server) -> io::Result<Report> {
    let mut best = measure(settings, scenario, server)?;
    for _ in 1..settings.attempts {
        if best.generator_waited <= MAX_WAITED {
            break;
        }
        let again = measure(settings, scenario, server)?;
        if again.generator_waited < best.generator_waited {
            best = again;
        }
    }
    Ok(best)
}

/// Starts a new server and runs the load generator against it.
fn measure(settings: &Settings, scenario: &Scenario, server: Server) -> io::Result<Report> {
    let running = server.start(settings.server_cpu)?;
    let mut generator = Command::new("taskset");
    generator.args(["-c", &settings.generator_cpu.to_string()]).arg(sibling("loadgen")?);
    generator.args(["--json", "--addr", &running.address.to_string(), "--pid", &running.pid().to_string()]);
    generator.args(["--seconds", &settings.seconds.to_string(), "--warm-up", &settings.warm_up.to_string()]);
    generator.args(scenario.arguments.split(' '));
    let output = generator.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    // The exit code is 1 after faults, with figures all the same.
    serde_json::from_slice(&output.stdout)
        .map_err(|_| Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Formats a run as a line.
fn line(figures: &Result<Report, String>) -> String {
    let report = match figures {
        Ok(report) => report,
        Err(why) => return why.clone(),
    };
    let figures = match report.kind.as_str() {
        "idle" => format!("{:.0} bytes, {:.1} µs/open", report.bytes_per_connection, report.cpu_us_per_open),
        "posts" => format!("{:.0} posts/s, ack p99 {:.2} ms", report.acks_per_second, report.ack_ms.p99),
        _ => format!(
            "{:.0} deliveries/s, p99 {:.2} ms, {:.3} µs/delivery",
            report.deliveries_per_second, report.latency_ms.p99, report.cpu_us_per_delivery
        ),
    };
    let figures = match report.generator_waited {
        waited if waited > MAX_WAITED => {
            format!("{figures}; the core was busy for {:.0} %", 100.0 * waited)
        }
        _ => figures,
    };
    if report.is_clean() { figures } else { format!("{figures}; {}", wrong(report)) }
}

/// Formats the faults.
pub fn wrong(report: &Report) -> String {
    let faults = report.faults;
    let counts = [
        (faults.lost, "lost"),
        (faults.repeated, "repeated"),
        (faults.reordered, "reordered"),
        (faults.foreign, "foreign"),
        (faults.disconnected, "disconnected"),
        (report.refused, "refused"),
    ];
    let faults = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { "0".into() } else { faults.join(", ") }
}

fn as_text<S: serde::Serializer>(server: &Server, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(server)
}
