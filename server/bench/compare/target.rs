//! The targets of the figures.

use crate::{
    report::Report,
    runs::Runs,
    scenario::SCENARIOS,
    server::Server::{self, Ephemeral, Go, Hubbub, RawWrites},
};
use Goal::{AtLeast, AtMost};

/// A figure and its target.
pub struct Target {
    /// The description.
    pub name: &'static str,
    /// The figure, if it was measured.
    pub value: Option<f64>,
    /// The required value and the goal.
    pub goal: Goal,
}

/// The required value and the goal, and which direction is better.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// More is better.
    AtLeast(f64, f64),
    /// Less is better.
    AtMost(f64, f64),
}

/// The comparison of a figure with its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches the goal.
    Aim,
    /// It reaches the required value.
    Must,
    /// It misses the required value.
    Missed,
}

impl Goal {
    /// Compares a figure with its target.
    pub fn judge(self, value: f64) -> Verdict {
        let (must, aim) = match self {
            AtLeast(must, aim) => (value >= must, value >= aim),
            AtMost(must, aim) => (value <= must, value <= aim),
        };
        match (must, aim) {
            (_, true) => Verdict::Aim,
            (true, false) => Verdict::Must,
            (false, false) => Verdict::Missed,
        }
    }
}

/// Returns all targets with the figures of these runs.
pub fn targets(runs: &Runs) -> Vec<Target> {
    let flat_out = |name, scenario, peer, goal| {
        let value = ratio(
            figure(runs, scenario, Hubbub, |report| report.deliveries_per_second),
            figure(runs, peer, Go, |report| report.deliveries_per_second),
        );
        Target { name, value, goal }
    };
    let one = |name, scenario, of: fn(&Report) -> f64, goal| Target {
        name,
        value: figure(runs, scenario, Hubbub, of),
        goal,
    };
    let against = |name, scenario, peer, of: fn(&Report) -> f64, goal| Target {
        name,
        value: ratio(figure(runs, scenario, Hubbub, of), figure(runs, scenario, peer, of)),
        goal,
    };
    vec![
        flat_out(
            "deliveries/s, 1,000 connections, against Go",
            "closed-1000",
            "closed-1000",
            AtLeast(6.0, 9.0),
        ),
        flat_out("deliveries/s, 100 connections, against Go", "closed-100", "closed-100", AtLeast(6.0, 8.0)),
        flat_out(
            "deliveries/s, 5,000 connections, against Go",
            "closed-5000",
            "closed-5000",
            AtLeast(6.0, 8.0),
        ),
        flat_out(
            "deliveries/s in v1, 1,000, against Go's lines",
            "v1-1000",
            "closed-1000",
            AtLeast(4.0, 6.0),
        ),
        flat_out("deliveries/s in v1, 100, against Go's lines", "v1-100", "closed-100", AtLeast(4.0, 6.0)),
        flat_out(
            "deliveries/s in v1, 5,000, against Go's lines",
            "v1-5000",
            "closed-5000",
            AtLeast(4.0, 6.0),
        ),
        against(
            "CPU for a delivery at 40/s to 1,000, against raw writes",
            "rate-40",
            RawWrites,
            |report| report.cpu_us_per_delivery,
            AtMost(1.15, 1.05),
        ),
        one("p99 at 800/s to 1,000, ms", "rate-800", |report| report.latency_ms.p99, AtMost(50.0, 25.0)),
        one(
            "not delivered at 800/s to 1,000",
            "rate-800",
            |report| report.faults.lost as f64,
            AtMost(0.0, 0.0),
        ),
        against(
            "p99 at 20/s to 1,000, disk against memory",
            "rate-20",
            Ephemeral,
            |report| report.latency_ms.p99,
            AtMost(1.5, 1.2),
        ),
        one(
            "bytes of an idle connection",
            "idle",
            |report| report.bytes_per_connection,
            AtMost(6_000.0, 4_500.0),
        ),
        one("CPU for an opened connection, µs", "idle", |report| report.cpu_us_per_open, AtMost(80.0, 60.0)),
        one(
            "durable posts/s, 64 under way",
            "posts",
            |report| report.acks_per_second,
            AtLeast(10_000.0, 30_000.0),
        ),
        Target {
            name: "runs of Hubbub with anything lost, repeated, reordered, cut off or refused",
            value: Some(runs.failed_runs().count() as f64),
            goal: AtMost(0.0, 0.0),
        },
    ]
}

fn figure(runs: &Runs, scenario: &str, server: Server, of: fn(&Report) -> f64) -> Option<f64> {
    let scenario = SCENARIOS.iter().find(|it| it.name == scenario)?;
    runs.of(scenario, server).map(of)
}

fn ratio(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    other.filter(|other| *other > 0.0).and_then(|other| Some(one? / other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_both_ways() {
        assert_eq!(AtLeast(6.0, 9.0).judge(9.0), Verdict::Aim);
        assert_eq!(AtLeast(6.0, 9.0).judge(8.9), Verdict::Must);
        assert_eq!(AtLeast(6.0, 9.0).judge(5.9), Verdict::Missed);
        assert_eq!(AtMost(50.0, 25.0).judge(25.0), Verdict::Aim);
        assert_eq!(AtMost(50.0, 25.0).judge(50.1), Verdict::Missed);
        assert_eq!(AtMost(0.0, 0.0).judge(f64::NAN), Verdict::Missed);
    }

    #[test]
    fn a_ratio_needs_both_figures() {
        assert_eq!(ratio(Some(6.0), Some(2.0)), Some(3.0));
        assert_eq!(ratio(Some(6.0), Some(0.0)), None);
        assert_eq!(ratio(None, Some(2.0)), None);
    }
}
