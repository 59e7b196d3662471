//! The report of the nodes and of their database, with counts from its tables.

use super::{faults::ClusterFaults, postgres::Postgres};
use crate::{
    Settings,
    clients::Clients,
    report::{Outage, Percentiles, all_outages},
};
use serde::Serialize;
use std::{
    io,
    time::{Duration, Instant},
};

/// The time after which the nodes have noticed that the database is back.
const RECOVERY_TIME: Duration = Duration::from_secs(2);

/// The report of the nodes and of their database.
#[derive(Debug, Serialize)]
pub struct ClusterReport {
    pub nodes: usize,
    pub rooms: usize,
    /// Outages of clients by the death of a node while the database answered, and while it was away.
    pub death_ms: Percentiles,
    pub death_without_database_ms: Percentiles,
    pub node_kills: usize,
    /// Outages of clients during rolling restarts while the database answered.
    pub rolling_ms: Percentiles,
    pub rolling_restarts: usize,
    /// The time for which the database was away, from its death to its first commit.
    pub database_kills_ms: Percentiles,
    pub promotions_ms: Percentiles,
    pub standby_kills: usize,
    pub cuts: usize,
    pub stored: Stored,
}

/// Counts from the tables.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Stored {
    pub events: usize,
    /// Ids of commands that were stored more than once.
    pub repeated_ids: usize,
    /// Rooms whose `seq`s are not 1, 2, 3 …
    pub rooms_with_holes: usize,
}

impl Stored {
    /// Reads the tables.
    pub async fn read(database: &Postgres) -> io::Result<Self> {
        let sql = "SELECT count(*), count(*) - count(DISTINCT id), (SELECT count(*) FROM (
            SELECT FROM event GROUP BY room HAVING max(seq) <> count(*) OR min(seq) <> 1) h) FROM event";
        let row = database.sql(sql).await?;
        let numbers: Vec<usize> = row.split('|').filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [events, repeated_ids, rooms_with_holes] => Ok(Self { events, repeated_ids, rooms_with_holes }),
            _ => Err(io::Error::other(format!("an unexpected answer: {row}"))),
        }
    }
}

impl ClusterReport {
    /// Collects the results.
    pub fn new(settings: &Settings, clients: &Clients, faults_done: &ClusterFaults, stored: Stored) -> Self {
        let outages = all_outages(clients, &faults_done.links);
        let without_database = |outage: &&Outage| {
            let is_in = |&&(from, until): &&(Instant, Instant)| {
                outage.from <= until + RECOVERY_TIME && outage.from + outage.took >= from
            };
            faults_done.database().any(|window| is_in(&window))
        };
        let by = |windows: &[(Instant, Instant)]| {
            outages
                .iter()
                .filter(|outage| windows.iter().any(|window| outage.was_caused_by(*window)))
                .collect()
        };
        let deaths: Vec<&Outage> = by(&faults_done.node_kills);
        let (without, with) = deaths.into_iter().partition::<Vec<_>, _>(without_database);
        let rolling: Vec<&Outage> = by(&faults_done.rolling_restarts);
        let times = |windows: &[(Instant, Instant)]| {
            Percentiles::of_times(windows.iter().map(|(from, until)| *until - *from).collect())
        };
        Self {
            nodes: settings.cluster.nodes,
            rooms: settings.rooms,
            death_ms: Percentiles::of(with.into_iter()),
            death_without_database_ms: Percentiles::of(without.into_iter()),
            node_kills: faults_done.node_kills.len(),
            rolling_ms: Percentiles::of(rolling.into_iter().filter(|outage| !without_database(outage))),
            rolling_restarts: faults_done.rolling_restarts.len(),
            database_kills_ms: times(&faults_done.database_kills),
            promotions_ms: times(&faults_done.promotions),
            standby_kills: faults_done.standby_kills.len(),
            cuts: faults_done.cuts,
            stored,
        }
    }

    /// Formats the results, a line for each kind of fault.
    pub fn lines(&self) -> String {
        let of = |times: Percentiles| {
            format!("p50 {} p95 {} max {} ms, of {}", times.p50, times.p95, times.max, times.count)
        };
        [
            format!("{} nodes, {} rooms, {} events stored", self.nodes, self.rooms, self.stored.events),
            format!("nodes killed: {}; clients dark: {}", self.node_kills, of(self.death_ms)),
            format!("  while the database was away: {}", of(self.death_without_database_ms)),
            format!("rolling restarts: {}; clients dark: {}", self.rolling_restarts, of(self.rolling_ms)),
            format!("PostgreSQL killed; away: {}", of(self.database_kills_ms)),
            format!("standby promoted; away: {}", of(self.promotions_ms)),
            format!("standby killed: {}; notifications cut: {}", self.standby_kills, self.cuts),
        ]
        .join("\n")
    }
}
