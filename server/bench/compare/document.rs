//! The report in Markdown.

use crate::{
    Settings,
    machine::Machine,
    report::{Percentiles, Report},
    runs::{Runs, wrong},
    scenario::Scenario,
    server::Server,
    target::{Goal, Target, Verdict, targets},
};
use clap::ValueEnum;

/// Returns the whole report: machine, servers, targets, figures.
pub fn document(settings: &Settings, machine: &Machine, runs: &Runs) -> String {
    let figures: String = settings.scenarios().map(|scenario| section(scenario, runs)).collect();
    format!(
        "# How fast\n\n{}\n## Servers\n\n{}\n## Against the targets\n\n{}\n## Figures\n{figures}",
        conditions(settings, machine),
        servers(settings),
        against_targets(settings, runs),
    )
}

fn conditions(settings: &Settings, machine: &Machine) -> String {
    let Machine { date, cpu, cores, kernel, rustc, load } = machine;
    let Settings { seconds, warm_up, rounds, .. } = settings;
    format!(
        "{date}, {cpu}, {cores} cores, {kernel}, {rustc}. Load before: {load}. \
         Written by `make bench`.\n\n\
         Server and load generator have one core each. Messages have 64 bytes, there is one room, every \
         connection receives everything. {seconds} s after {warm_up} s of warm-up; rounds: {rounds}, of which the median \
         counts. Latencies count from when a message was due at a fixed rate, else from when it \
         was sent. If the generator has waited for its core, the machine was busy and a figure means \
         little. Absolute figures are this machine's; the ratios count.\n"
    )
}

fn servers(settings: &Settings) -> String {
    let row = |server: &Server| {
        let version = server.missing_reason().map_or_else(|| server.version(), Into::into);
        format!("| {server} | {version} |\n")
    };
    let rows: String = Server::value_variants().iter().filter(|it| settings.wants(**it)).map(row).collect();
    format!("| server | version |\n| --- | --- |\n{rows}")
}

/// Returns the table of targets; if only some scenarios ran, only what they measure.
pub fn against_targets(settings: &Settings, runs: &Runs) -> String {
    let all = settings.only.is_empty();
    let rows: String = targets(runs).iter().filter(|it| all || it.value.is_some()).map(target).collect();
    format!("| what | figure | required | goal | |\n| --- | ---: | ---: | ---: | --- |\n{rows}")
}

fn target(target: &Target) -> String {
    let (sign, must, aim) = match target.goal {
        Goal::AtLeast(must, aim) => ("≥", must, aim),
        Goal::AtMost(must, aim) => ("≤", must, aim),
    };
    let verdict = match target.value.map(|value| target.goal.judge(value)) {
        Some(Verdict::Aim) => "goal met",
        Some(Verdict::Must) => "required met",
        Some(Verdict::Missed) => "**missed**",
        None => "not measured",
    };
    let value = target.value.map_or("".into(), short);
    format!("| {} | {value} | {sign} {} | {sign} {} | {verdict} |\n", target.name, short(must), short(aim))
}

fn section(scenario: &Scenario, runs: &Runs) -> String {
    let measured = scenario.servers.iter().filter_map(|server| Some((server, runs.of(scenario, *server)?)));
    let rows: Vec<_> = measured.map(|(server, report)| (server, columns(report))).collect();
    let Some((_, first)) = rows.first() else { return String::new() };
    let names: String = first.iter().map(|(name, _)| format!(" {name} |")).collect();
    let lines: String = first.iter().map(|_| " ---: |").collect();
    let cells =
        |columns: &Columns| columns.iter().map(|(_, value)| format!(" {value} |")).collect::<String>();
    let body: String =
        rows.iter().map(|(server, columns)| format!("| {server} |{}\n", cells(columns))).collect();
    format!("\n### {}: {}\n\n| server |{names}\n| --- |{lines}\n{body}", scenario.name, scenario.about)
}

type Columns = Vec<(&'static str, String)>;

fn columns(report: &Report) -> Columns {
    let mut columns = match report.kind.as_str() {
        "idle" => idle(report),
        "posts" => posts(report),
        _ => deliveries(report),
    };
    columns.push(("peak MiB", short(report.peak_kib as f64 / 1_024.0)));
    columns.push(("wrong", wrong(report)));
    columns
}

fn deliveries(report: &Report) -> Columns {
    vec![
        ("deliveries/s", short(report.deliveries_per_second)),
        ("p50, p95, p99, max ms", percentiles(report.latency_ms)),
        ("messages/read", short(report.messages_per_read)),
        ("CPU µs/delivery", short(report.cpu_us_per_delivery)),
        (
            "generator busy, waited",
            format!("{}, {}", short(report.generator_busy), short(report.generator_waited)),
        ),
    ]
}

fn idle(report: &Report) -> Columns {
    vec![
        ("bytes/connection", short(report.bytes_per_connection)),
        ("CPU µs/open", short(report.cpu_us_per_open)),
        ("opens/s", short(report.opens_per_second)),
    ]
}

fn posts(report: &Report) -> Columns {
    vec![
        ("posts/s", short(report.acks_per_second)),
        ("ack p50, p95, p99, max ms", percentiles(report.ack_ms)),
        ("CPU s/s", short(report.cpu_seconds / report.seconds.max(f64::MIN_POSITIVE))),
    ]
}

fn percentiles(of: Percentiles) -> String {
    [of.p50, of.p95, of.p99, of.max].map(short).join(", ")
}

/// Formats a number with three digits, or all before the point, in groups.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        small @ ..10.0 => {
            if small < 1.0 {
                3
            } else {
                2
            }
        }
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    if part.is_empty() { grouped(whole) } else { format!("{whole}.{part}") }
}

/// Groups digits by three with commas.
fn grouped(whole: &str) -> String {
    let groups = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_short() {
        let written = [0.0, 0.1234, 6.0, 6.25, 42.42, 999.6, 1_234_567.8].map(short);
        assert_eq!(written, ["0", "0.123", "6", "6.25", "42.4", "1,000", "1,234,568"]);
    }
}
