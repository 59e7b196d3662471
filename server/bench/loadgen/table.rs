//! The results as a table for the terminal.

use crate::report::{Percentiles, Report};

/// Formats a heading and a row for this kind of run, with its faults.
pub fn table(report: &Report) -> String {
    let faults = report.faults;
    let mut columns = match report.kind.as_str() {
        "idle" => opened(report),
        "posts" => acknowledged(report),
        _ => delivered(report),
    };
    columns.extend([
        ("peak MiB", format!("{:.1}", report.peak_kib as f64 / 1_024.0)),
        ("lost", faults.lost.to_string()),
        ("repeated", faults.repeated.to_string()),
        ("reordered", faults.reordered.to_string()),
        ("foreign", faults.foreign.to_string()),
        ("disconnected", faults.disconnected.to_string()),
        ("refused", report.refused.to_string()),
    ]);
    let error = report.first_error.as_ref().map(|error| format!("\nfirst error: {error}"));
    rows(&columns) + &error.unwrap_or_default()
}

type Columns = Vec<(&'static str, String)>;

fn delivered(report: &Report) -> Columns {
    vec![
        ("posted", report.posted.to_string()),
        ("deliveries/s", format!("{:.0}", report.deliveries_per_second)),
        ("p50 p95 p99 max ms", percentiles(report.latency_ms)),
        ("messages/read", format!("{:.1}", report.messages_per_read)),
        ("CPU µs/delivery", format!("{:.3}", report.cpu_us_per_delivery)),
        ("generator busy, waited", format!("{:.2} {:.2}", report.generator_busy, report.generator_waited)),
    ]
}

fn acknowledged(report: &Report) -> Columns {
    vec![
        ("posted", report.posted.to_string()),
        ("acks/s", format!("{:.0}", report.acks_per_second)),
        ("ack p50 p95 p99 max ms", percentiles(report.ack_ms)),
        ("CPU s", format!("{:.2}", report.cpu_seconds)),
        ("generator busy, waited", format!("{:.2} {:.2}", report.generator_busy, report.generator_waited)),
    ]
}

fn opened(report: &Report) -> Columns {
    vec![
        ("connections", report.connections.to_string()),
        ("opens/s", format!("{:.0}", report.opens_per_second)),
        ("CPU µs/open", format!("{:.1}", report.cpu_us_per_open)),
        ("bytes/connection", format!("{:.0}", report.bytes_per_connection)),
    ]
}

fn percentiles(of: Percentiles) -> String {
    format!("{:.2} {:.2} {:.2} {:.2}", of.p50, of.p95, of.p99, of.max)
}

fn rows(columns: &[(&str, String)]) -> String {
    let line = |cell: &dyn Fn(&(&str, String)) -> String| {
        let width = |(name, value): &(&str, String)| name.chars().count().max(value.chars().count());
        let cells: Vec<String> = columns.iter().map(|it| format!("{:>1$}", cell(it), width(it))).collect();
        cells.join("  ")
    };
    format!("{}\n{}", line(&|(name, _)| (*name).to_owned()), line(&|(_, value)| value.clone()))
}
