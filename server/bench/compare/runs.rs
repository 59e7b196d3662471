//! The runs: one server, one scenario, one after the other.

use crate::{
    Settings,
    report::Report,
    scenario::Scenario,
    server::{FOLDER, Server, sibling},
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Error, Write, stdout},
    process::{Command, Stdio},
};

/// One run and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The scenario's name.
    pub scenario: &'static str,
    /// Who was measured.
    #[serde(serialize_with = "as_text")]
    pub server: Server,
    /// 1 for the first time.
    pub round: usize,
    /// The figures; none where there are none, and why.
    pub figures: Result<Report, String>,
}

/// All runs.
#[derive(Debug, Default, Serialize)]
pub struct Runs(pub Vec<Run>);

impl Runs {
    /// Makes those that are wanted, and tells what comes of each.
    pub fn make(settings: &Settings) -> io::Result<Self> {
        fs::create_dir_all(FOLDER)?;
        let mut runs = Vec::new();
        for scenario in settings.scenarios() {
            writeln!(stdout(), "\n{}: {}", scenario.name, scenario.about)?;
            for round in 1..=settings.rounds {
                for server in settings.servers_of(scenario) {
                    let figures =
                        measure_calmly(settings, scenario, server).map_err(|error| error.to_string());
                    writeln!(stdout(), "  {server:<10}{}", line(&figures))?;
                    runs.push(Run { scenario: scenario.name, server, round, figures });
                }
            }
        }
        Ok(Self(runs))
    }

    /// The figures of a server in a scenario: those of the round in the middle.
    pub fn of(&self, scenario: &Scenario, server: Server) -> Option<&Report> {
        let of_these = self.0.iter().filter(|run| run.scenario == scenario.name && run.server == server);
        let mut figures: Vec<&Report> = of_these.filter_map(|run| run.figures.as_ref().ok()).collect();
        figures.sort_by(|one, other| (scenario.figure)(one).total_cmp(&(scenario.figure)(other)));
        figures.get(figures.len() / 2).copied()
    }

    /// Runs of ours in which anything was lost, repeated, out of order, cut off or refused, or that failed.
    pub fn unclean(&self) -> impl Iterator<Item = &Run> {
        let clean = |run: &Run| run.figures.as_ref().is_ok_and(Report::clean);
        self.0.iter().filter(move |run| run.server.is_ours() && !clean(run))
    }
}

/// How much of the time the generator may have waited for its core.
const CALM: f64 = 0.05;

/// Measures again while others keep the machine busy, and takes the calmest.
fn measure_calmly(settings: &Settings, scenario: &Scenario, server: Server) -> io::Result<Report> {
    let mut calmest = measure(settings, scenario, server)?;
    for _ in 1..settings.attempts {
        if calmest.flood_waited <= CALM {
            break;
        }
        let again = measure(settings, scenario, server)?;
        if again.flood_waited < calmest.flood_waited {
            calmest = again;
        }
    }
    Ok(calmest)
}

/// Starts the server afresh and floods it.
fn measure(settings: &Settings, scenario: &Scenario, server: Server) -> io::Result<Report> {
    let running = server.start(settings.server_cpu)?;
    let mut flood = Command::new("taskset");
    flood.args(["-c", &settings.flood_cpu.to_string()]).arg(sibling("loadgen")?);
    flood.args(["--json", "--addr", &running.address.to_string(), "--pid", &running.pid().to_string()]);
    flood.args(["--seconds", &settings.seconds.to_string(), "--warm-up", &settings.warm_up.to_string()]);
    flood.args(scenario.arguments.split(' '));
    let output = flood.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    // It ends with 1 where it has found something wrong, and with its figures.
    serde_json::from_slice(&output.stdout)
        .map_err(|_| Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// A run in a line.
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
    let figures = match report.flood_waited {
        waited if waited > CALM => format!("{figures}; others had the core for {:.0} %", 100.0 * waited),
        _ => figures,
    };
    if report.clean() { figures } else { format!("{figures}; {}", wrong(report)) }
}

/// What was wrong, in words.
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
    let said = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let said: Vec<String> = said.collect();
    if said.is_empty() { "0".into() } else { said.join(", ") }
}

fn as_text<S: serde::Serializer>(server: &Server, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(server)
}
