//! The results.

use crate::{
    Settings,
    clients::Clients,
    cluster::report::ClusterReport,
    consistency::ConsistencyReport,
    faults::{FaultInjector, Faults},
    moderation::ModerationReport,
    proxy::Direction,
    test_client::ClientState,
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The time within which a client detects a lost connection.
const DETECTION_TIME: Duration = Duration::from_millis(500);

/// The results of a soak.
#[derive(Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub clients: usize,
    pub seconds: u64,
    pub faults: Faults,
    pub kills: usize,
    pub restarts: usize,
    #[serde(flatten)]
    pub consistency: ConsistencyReport,
    pub reconnects: usize,
    /// Gaps that clients saw and had filled; resets of their timelines.
    pub gaps: usize,
    pub resets: usize,
    pub outage_ms: Percentiles,
    pub restart_ms: Percentiles,
    /// Bytes sent to all clients, in MiB.
    pub sent_mib: usize,
    pub server_peak_kib: u64,
    /// Milliseconds until all clients had caught up in the end; none after a timeout.
    pub settled_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<ModerationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterReport>,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub count: usize,
    pub p50: u128,
    pub p95: u128,
    pub max: u128,
}

/// A time without a connection.
pub struct Outage {
    pub from: Instant,
    pub took: Duration,
}

impl Report {
    /// Collects the results.
    pub fn of(
        settings: &Settings,
        clients: &Clients,
        faults_done: &FaultInjector,
        consistency: ConsistencyReport,
        peak: u64,
    ) -> Self {
        let states = clients.states();
        let outage = all_outages(clients, faults_done);
        let by_restart =
            outage.iter().filter(|outage| faults_done.ends.iter().any(|end| outage.was_caused_by(*end)));
        let sent: usize =
            (0..settings.clients).map(|member| clients.link(member).forwarded(Direction::Down)).sum();
        Self {
            seed: 0,
            clients: settings.clients,
            seconds: settings.seconds,
            faults: faults_done.faults,
            kills: settings.kills,
            restarts: settings.restarts,
            consistency,
            reconnects: outage.len(),
            gaps: states.iter().map(|state| state.gaps).sum(),
            resets: states.iter().map(|state| state.resets).sum(),
            outage_ms: Percentiles::of(outage.iter()),
            restart_ms: Percentiles::of(by_restart),
            sent_mib: sent >> 20,
            server_peak_kib: peak,
            settled_ms: None,
            moderation: None,
            cluster: None,
        }
    }

    /// Formats the main results as a heading and a row.
    pub fn table(&self) -> String {
        let consistency = self.consistency;
        let percentiles = |of: Percentiles| format!("{} {} {}", of.p50, of.p95, of.max);
        let moderation = self.moderation.unwrap_or_default();
        let columns = [
            ("posted", consistency.posted.to_string()),
            ("acked", consistency.acknowledged.to_string()),
            ("delivered", consistency.delivered.to_string()),
            ("lost", consistency.lost.to_string()),
            ("repeated", consistency.repeated.to_string()),
            ("reordered", consistency.reordered.to_string()),
            ("removals", moderation.removals.to_string()),
            ("leaked", moderation.leaks.to_string()),
            ("reconnects", self.reconnects.to_string()),
            ("outage p50 p95 max", percentiles(self.outage_ms)),
            ("restart p50 p95 max", percentiles(self.restart_ms)),
            ("peak", format!("{:.1}", self.server_peak_kib as f64 / 1_024.0)),
        ];
        let row = |cells: Vec<String>| cells.join("  ");
        let width = |name: &str, value: &str| name.len().max(value.len());
        let names = columns.iter().map(|(name, value)| format!("{name:>0$}", width(name, value))).collect();
        let values = columns.iter().map(|(name, value)| format!("{value:>0$}", width(name, value))).collect();
        let cluster =
            self.cluster.as_ref().map(|cluster| format!("\n{}", cluster.lines())).unwrap_or_default();
        format!("{}\n{}{cluster}", row(names), row(values))
    }
}

/// Returns the outages of all clients.
pub fn all_outages(clients: &Clients, faults_done: &FaultInjector) -> Vec<Outage> {
    let states = clients.states();
    states.iter().enumerate().flat_map(|(n, state)| outages(n, state, faults_done)).collect()
}

/// Returns the outages of a client, without the time in which its proxy refused.
fn outages(member: usize, state: &ClientState, faults_done: &FaultInjector) -> impl Iterator<Item = Outage> {
    let outage = move |&(lost, took): &(Instant, Duration)| {
        let back = lost + took;
        let gone = faults_done
            .gone
            .iter()
            .filter(|(who, from, until)| *who == member && *from <= back && lost <= *until);
        let from = gone.map(|(_, _, until)| *until).fold(lost, Instant::max);
        Outage { from, took: back.saturating_duration_since(from) }
    };
    state.outages.iter().map(outage)
}

impl Outage {
    /// Returns `true` if this restart caused it; some clients detect it after the restart.
    pub fn was_caused_by(&self, (at, back): (Instant, Instant)) -> bool {
        self.from >= at && self.from <= back + DETECTION_TIME
    }
}

impl Percentiles {
    pub fn of<'a>(outage: impl Iterator<Item = &'a Outage>) -> Self {
        Self::of_times(outage.map(|outage| outage.took).collect())
    }

    pub fn of_times(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let times: Vec<u128> = times.iter().map(Duration::as_millis).collect();
        let at =
            |percent: usize| times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or(0);
        Self { count: times.len(), p50: at(50), p95: at(95), max: at(100) }
    }
}
