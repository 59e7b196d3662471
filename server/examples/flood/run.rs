//! One run: open, warm up, measure, settle.

use crate::{
    Pace, Settings,
    crowd::{Crowd, Tally},
    latency::Latency,
    process::{Cpu, Process},
    report::{Report, Spread},
};
use std::{fs, io};

/// Descriptors that are no connections.
const OTHER_FILES: usize = 32;
/// After the last connection is open: a server may register it after its answer. In µs.
const REST: u64 = 1_000_000;
/// Who hears nothing for so long hears nothing more. In µs.
const QUIET: u64 = 5_000_000;

/// Runs it, and says what came of it.
///
/// # Errors
/// Where not everybody could connect, or the server's process cannot be looked at.
pub fn run(settings: &Settings) -> io::Result<Report> {
    enough_files(settings.connections)?;
    let mut crowd = Crowd::new(settings)?;
    let server = settings.pid.map(Process);
    let mut report = Report {
        kind: kind(settings).into(),
        mode: format!("{:?}", settings.mode).to_lowercase(),
        connections: settings.connections,
        senders: settings.senders,
        payload: settings.payload.into(),
        ..Report::default()
    };
    open(&mut crowd, settings, server, &mut report)?;
    if !settings.idle {
        post(&mut crowd, settings, server, &mut report)?;
    }
    report.posted = crowd.order.posted();
    report.faults = crowd.faults();
    report.refused = crowd.tally.refused;
    report.first_trouble = crowd.first_trouble.take();
    report.peak_kib = server.map_or(Ok(0), Process::peak)?;
    Ok(report)
}

fn kind(settings: &Settings) -> &'static str {
    match settings.pace() {
        _ if settings.idle => "idle",
        Pace::Closed => "closed",
        Pace::Rate(_) => "rate",
        Pace::Posts { .. } => "posts",
    }
}

/// Refuses where the system would refuse in the middle.
fn enough_files(connections: usize) -> io::Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX);
    let needed = connections + OTHER_FILES;
    if needed <= limit {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{connections} connections need {needed} open files, and the limit is {limit}; raise it: ulimit -n {needed}"
    )))
}

/// Opens all connections, and measures what each costs.
fn open(
    crowd: &mut Crowd,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    let before = server.map(|server| Ok::<_, io::Error>((server.cpu()?, server.anonymous()?))).transpose()?;
    let began = crowd.now();
    crowd.open(settings)?;
    let connections = settings.connections as f64;
    report.opens_per_second = connections * 1e6 / (crowd.now() - began) as f64;
    crowd.serve_until(crowd.now() + REST)?;
    if let (Some(server), Some((cpu, memory))) = (server, before) {
        report.cpu_us_per_open = server.cpu()?.since(&cpu) / connections;
        report.bytes_per_connection = 1_024.0 * (server.anonymous()? as f64 - memory as f64) / connections;
    }
    Ok(())
}

/// What was counted at some moment.
struct Moment {
    at: u64,
    tally: Tally,
    server: Option<Cpu>,
    own: Cpu,
}

impl Moment {
    fn now(crowd: &Crowd, server: Option<Process>) -> io::Result<Self> {
        Ok(Self {
            at: crowd.now(),
            tally: crowd.tally,
            server: server.map(Process::cpu).transpose()?,
            own: Process(std::process::id()).cpu()?,
        })
    }
}

/// Lets the senders post, measures, and waits until everything has arrived.
fn post(
    crowd: &mut Crowd,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    crowd.post_from_now();
    crowd.serve_until(crowd.now() + micros(settings.warm_up))?;
    let from = Moment::now(crowd, server)?;
    crowd.latency.measure(from.at);
    crowd.ack_latency.measure(from.at);
    crowd.serve_until(from.at + micros(settings.seconds))?;
    let to = Moment::now(crowd, server)?;
    crowd.stop_posting();
    compare(&from, &to, report);
    crowd.settle(QUIET)?;
    report.latency_ms = spread(&mut crowd.latency);
    report.ack_ms = spread(&mut crowd.ack_latency);
    Ok(())
}

/// What has happened between two moments.
fn compare(from: &Moment, to: &Moment, report: &mut Report) {
    let micros = (to.at - from.at) as f64;
    report.seconds = micros / 1e6;
    report.deliveries = to.tally.delivered - from.tally.delivered;
    let deliveries = report.deliveries as f64;
    report.deliveries_per_second = deliveries / report.seconds;
    report.messages_per_read = deliveries / (to.tally.reads - from.tally.reads).max(1) as f64;
    report.acks_per_second = (to.tally.acknowledged - from.tally.acknowledged) as f64 / report.seconds;
    report.flood_busy = to.own.since(&from.own) / micros;
    if let (Some(from), Some(to)) = (&from.server, &to.server) {
        let cpu = to.since(from);
        report.cpu_seconds = cpu / 1e6;
        report.cpu_us_per_delivery = cpu / deliveries.max(1.0);
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

fn spread(latency: &mut Latency) -> Spread {
    let [p50, p95, p99, max] = [50.0, 95.0, 99.0, 100.0].map(|percent| latency.percentile(percent));
    Spread { p50, p95, p99, max }
}
