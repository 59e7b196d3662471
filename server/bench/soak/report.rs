//! The figures.

use crate::{
    Settings,
    clients::Crowd,
    faults::{Faults, PageError},
    person::Kept,
    proxy::Way,
    verdict::Verdict,
};
use app::wire::Event;
use serde::Serialize;
use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

/// Within how long somebody notices that the connection is lost.
const NOTICED: Duration = Duration::from_millis(500);

/// What came of a soak.
#[derive(Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub people: usize,
    pub seconds: u64,
    pub faults: Faults,
    pub kills: usize,
    pub restarts: usize,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub reconnects: usize,
    /// Gaps that clients saw and asked to be filled; times that they had to start afresh.
    pub gaps: usize,
    pub resets: usize,
    pub dark_ms: Spread,
    pub restart_ms: Spread,
    /// What went over the wire to all clients.
    pub sent_mib: usize,
    pub server_peak_kib: u64,
    /// How long it took in the end until everybody had everything; none where they never had.
    pub settled_ms: Option<u128>,
}

/// How milliseconds spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub count: usize,
    pub p50: u128,
    pub p95: u128,
    pub max: u128,
}

/// A time without connection.
struct Dark {
    from: Instant,
    took: Duration,
}

impl Report {
    /// Takes stock.
    pub fn of(
        settings: &Settings,
        crowd: &Crowd,
        trouble: &PageError,
        log: &[Arc<Event>],
        peak: u64,
    ) -> Self {
        let kept = crowd.kept();
        let dark: Vec<Dark> =
            kept.iter().enumerate().flat_map(|(n, kept)| dark_times(n, kept, trouble)).collect();
        let by_restart = dark.iter().filter(|dark| trouble.ends.iter().any(|end| dark.is_of(*end)));
        let sent: usize = (0..settings.people).map(|member| crowd.road(member).carried(Way::Down)).sum();
        Self {
            seed: 0,
            people: settings.people,
            seconds: settings.seconds,
            faults: trouble.faults,
            kills: settings.kills,
            restarts: settings.restarts,
            verdict: Verdict::on(log, kept.iter().map(Deref::deref)),
            reconnects: dark.len(),
            gaps: kept.iter().map(|kept| kept.gaps).sum(),
            resets: kept.iter().map(|kept| kept.resets).sum(),
            dark_ms: Spread::of(dark.iter()),
            restart_ms: Spread::of(by_restart),
            sent_mib: sent >> 20,
            server_peak_kib: peak,
            settled_ms: None,
        }
    }

    /// The figures that matter, a heading and a row.
    pub fn table(&self) -> String {
        let verdict = self.verdict;
        let spread = |of: Spread| format!("{} {} {}", of.p50, of.p95, of.max);
        let columns = [
            ("posted", verdict.posted.to_string()),
            ("acked", verdict.acknowledged.to_string()),
            ("delivered", verdict.delivered.to_string()),
            ("lost", verdict.lost.to_string()),
            ("repeated", verdict.repeated.to_string()),
            ("reordered", verdict.reordered.to_string()),
            ("reconnects", self.reconnects.to_string()),
            ("dark p50 p95 max", spread(self.dark_ms)),
            ("restart p50 p95 max", spread(self.restart_ms)),
            ("peak", format!("{:.1}", self.server_peak_kib as f64 / 1_024.0)),
        ];
        let row = |cells: Vec<String>| cells.join("  ");
        let width = |name: &str, value: &str| name.len().max(value.len());
        let names = columns.iter().map(|(name, value)| format!("{name:>0$}", width(name, value))).collect();
        let values = columns.iter().map(|(name, value)| format!("{value:>0$}", width(name, value))).collect();
        format!("{}\n{}", row(names), row(values))
    }
}

/// When somebody was without connection: where the road was gone, from its return.
fn dark_times(member: usize, kept: &Kept, trouble: &PageError) -> impl Iterator<Item = Dark> {
    let dark = move |&(lost, took): &(Instant, Duration)| {
        let back = lost + took;
        let gone = trouble
            .gone
            .iter()
            .filter(|(who, from, until)| *who == member && *from <= back && lost <= *until);
        let from = gone.map(|(_, _, until)| *until).fold(lost, Instant::max);
        Dark { from, took: back.saturating_duration_since(from) }
    };
    kept.blackouts.iter().map(dark)
}

impl Dark {
    /// Whether it began with that end of the server, which some notice when it is back already.
    fn is_of(&self, (at, back): (Instant, Instant)) -> bool {
        self.from >= at && self.from <= back + NOTICED
    }
}

impl Spread {
    fn of<'a>(dark: impl Iterator<Item = &'a Dark>) -> Self {
        let mut times: Vec<u128> = dark.map(|dark| dark.took.as_millis()).collect();
        times.sort_unstable();
        let at =
            |percent: usize| times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or(0);
        Self { count: times.len(), p50: at(50), p95: at(95), max: at(100) }
    }
}
