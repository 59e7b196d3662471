//! The soak of several servers ("nodes") that share a PostgreSQL database, behind a load balancer.
//!
//! It starts a PostgreSQL cluster of its own with the default durability, N nodes, and a TCP proxy that gives each
//! connection to the next node that accepts it. Clients, and the faults of their links, are those of the soak of one server.
//! Besides these,
//!
//! - a random node is killed (`--kills`) and started again a second later,
//! - all nodes are restarted one after the other (`--restarts`),
//! - the connections that carry notifications between the nodes are cut (`--cuts`), so that notifications are lost,
//! - PostgreSQL is killed with SIGKILL and started again (`--postgres-kills`),
//! - its primary is killed and its synchronous standby promoted (`--promotions`), then the old primary becomes the new standby,
//! - the standby is killed (`--standby-kills`) and started again some seconds later: no commit ends meanwhile.
//!
//! In the end, the tables are compared with what the nodes return as well.

mod balancer;
mod faults;
mod postgres;
pub mod report;

use crate::{Settings, clients::Clients, moderate, moderator, process::Process, report::Report, settle};
use balancer::Balancer;
use clap::Args;
use faults::ClusterFaults;
use postgres::Postgres;
use report::{ClusterReport, Stored};
use std::{error::Error, io, path::PathBuf};

/// Settings that only a soak of several nodes needs
#[derive(Debug, Clone, Args)]
pub struct ClusterSettings {
    /// Number of servers that share a PostgreSQL database; 0 for one server with a data folder
    #[arg(long, default_value_t = 0)]
    pub nodes: usize,
    /// Folder with the programs of PostgreSQL; the newest in /usr/lib/postgresql by default
    #[arg(long)]
    pub postgres: Option<PathBuf>,
    /// Number of kills of PostgreSQL (SIGKILL), which is started again
    #[arg(long, default_value_t = 0)]
    pub postgres_kills: usize,
    /// Number of promotions of a synchronous standby, whose primary was killed
    #[arg(long, default_value_t = 0)]
    pub promotions: usize,
    /// Number of kills of a synchronous standby, which is started again after 15 seconds
    #[arg(long, default_value_t = 0)]
    pub standby_kills: usize,
    /// Number of cuts of the connections for notifications
    #[arg(long, default_value_t = 0)]
    pub cuts: usize,
}

impl ClusterSettings {
    fn has_standby(&self) -> bool {
        self.promotions + self.standby_kills > 0
    }
}

/// Runs the soak of several nodes.
pub async fn soak(settings: &Settings) -> Result<Report, Box<dyn Error>> {
    let database =
        Postgres::start(settings.cluster.postgres.as_deref(), settings.cluster.has_standby()).await?;
    let mut nodes = Vec::new();
    for _ in 0..settings.cluster.nodes {
        nodes.push(start_node(settings, &database).await?);
    }
    let balancer = Balancer::start(nodes.iter().map(|node| node.address).collect()).await?;
    let clients = Clients::connect(balancer.address, settings).await;
    let moderator = moderator(settings, balancer.address, ["--database", &database.url()]).await?;
    let (faults_done, moderation) = tokio::select! {
        never = clients.send_forever(settings.message_every) => match never {},
        done = async {
            tokio::join!(
                ClusterFaults::run(settings, &clients, &mut nodes, &database),
                moderate(moderator.as_ref(), settings),
            )
        } => done,
    };
    let faults_done = faults_done?;
    let settled_ms = settle(&clients, balancer.address).await;
    let (mut consistency, events) = clients.check(balancer.address).await?;
    let stored = Stored::read(&database).await?;
    consistency.lost += stored.events.abs_diff(events);
    consistency.repeated += stored.repeated_ids;
    consistency.reordered += stored.rooms_with_holes;
    let peak = nodes.iter().map(Process::peak).max().unwrap_or(0);
    let report = Report::of(settings, &clients, &faults_done.links, consistency, peak);
    let cluster = ClusterReport::new(settings, &clients, &faults_done, stored);
    Ok(Report { settled_ms, moderation, cluster: Some(cluster), ..report })
}

async fn start_node(settings: &Settings, database: &Postgres) -> io::Result<Process> {
    let environment = vec![
        ("HUBBUB_DATABASE", database.url()),
        // All clients share one network.
        ("HUBBUB_PER_NETWORK", "0".to_owned()),
    ];
    Process::start_with(tempfile::tempdir()?, settings.binary.clone(), environment).await
}
