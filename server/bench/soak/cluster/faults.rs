//! Injects faults of the nodes and of their database.

use super::{ClusterSettings, postgres::Postgres};
use crate::{
    Settings,
    clients::Clients,
    faults::{FaultInjector, fail_links, seconds_in},
    process::Process,
};
use std::{
    io::{self, Write, stdout},
    time::{Duration, Instant},
};
use tokio::time::{sleep, sleep_until, timeout};

/// Ends the connections of the nodes that send or receive notifications, in the words of their last statements.
const CUT_NOTIFICATIONS: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'hubbub' AND (query LIKE 'LISTEN%' OR query LIKE '%pg_notify($1%' OR query LIKE '%names_generation FROM log%')";

/// Seconds that a killed node is gone.
const DOWN_SECONDS: std::ops::Range<f64> = 0.5..1.5;

/// The time for which the standby is away: longer than the nodes wait for a commit.
const STANDBY_PAUSE: Duration = Duration::from_secs(15);

/// The longest time that a node may take to start, while the database may be away, and to be ready.
const START_TIMEOUT: Duration = Duration::from_secs(180);

/// The pause between two attempts to start a node.
const START_DELAY: Duration = Duration::from_millis(200);

/// The time from which and the time until which something was away.
pub type Window = (Instant, Instant);

/// All injected faults.
#[derive(Default)]
pub struct ClusterFaults {
    pub links: FaultInjector,
    pub node_kills: Vec<Window>,
    pub rolling_restarts: Vec<Window>,
    pub database_kills: Vec<Window>,
    pub promotions: Vec<Window>,
    pub standby_kills: Vec<Window>,
    pub cuts: usize,
}

#[derive(Clone, Copy)]
enum NodeFault {
    Kill,
    RollingRestart,
}

#[derive(Clone, Copy)]
enum DatabaseFault {
    Kill,
    Promote,
    KillStandby,
}

/// Prints what has happened, with the seconds since the start.
struct Journal(Instant);

impl Journal {
    fn note(&self, what: &str) {
        let _ = writeln!(stdout(), "{:6.1} s  {what}", self.0.elapsed().as_secs_f64());
    }
}

impl ClusterFaults {
    /// Injects faults for the duration of the soak.
    pub async fn run(
        settings: &Settings,
        clients: &Clients,
        nodes: &mut [Process],
        database: &Postgres,
    ) -> io::Result<Self> {
        let journal = Journal(Instant::now());
        let (links, of_nodes, of_database, cuts) = tokio::join!(
            fail_links(settings, clients, settings.end()),
            fail_nodes(settings, nodes, &journal),
            fail_database(settings, database, &journal),
            cut_notifications(settings, database),
        );
        let ((node_kills, rolling_restarts), [database_kills, promotions, standby_kills]) =
            (of_nodes?, of_database?);
        journal.note("the faults end");
        Ok(Self { links, node_kills, rolling_restarts, database_kills, promotions, standby_kills, cuts })
    }

    /// Returns when the database was away.
    pub fn database(&self) -> impl Iterator<Item = &Window> {
        self.database_kills.iter().chain(&self.promotions).chain(&self.standby_kills)
    }
}

/// Returns the faults in a random order, each with its time: at even distances.
fn schedule<T>(settings: &Settings, mut faults: Vec<T>) -> impl Iterator<Item = (Instant, T)> {
    fastrand::shuffle(&mut faults);
    let (began, count) = (Instant::now(), faults.len() as f64);
    let step = settings.seconds as f64 / (count + 0.5);
    (1..)
        .zip(faults)
        .map(move |(n, fault)| (began + Duration::from_secs_f64((f64::from(n) - 0.5) * step), fault))
}

async fn fail_nodes(
    settings: &Settings,
    nodes: &mut [Process],
    journal: &Journal,
) -> io::Result<(Vec<Window>, Vec<Window>)> {
    let faults =
        [vec![NodeFault::Kill; settings.kills], vec![NodeFault::RollingRestart; settings.restarts]].concat();
    let (mut kills, mut rolling_restarts) = (Vec::new(), Vec::new());
    for (moment, fault) in schedule(settings, faults) {
        sleep_until(moment.into()).await;
        let began = Instant::now();
        match fault {
            NodeFault::Kill => {
                let victim = fastrand::usize(..nodes.len());
                nodes[victim].stop("-KILL").await?;
                // Its clients lose their connections now; later outages have other causes.
                kills.push((began, Instant::now()));
                sleep(seconds_in(DOWN_SECONDS)).await;
                start_again(&mut nodes[victim]).await?;
                journal.note(&format!("node {victim} was killed, and is back after {:.1?}", began.elapsed()));
            }
            NodeFault::RollingRestart => {
                for node in &mut *nodes {
                    node.stop("-TERM").await?;
                    start_again(node).await?;
                }
                journal.note(&format!("all nodes were restarted within {:.1?}", began.elapsed()));
                rolling_restarts.push((began, Instant::now()));
            }
        }
    }
    Ok((kills, rolling_restarts))
}

/// Starts a node as a service manager does, again and again while its database is away, and waits until it is ready.
async fn start_again(node: &mut Process) -> io::Result<()> {
    let starting = async {
        while node.restart().await.is_err() {
            sleep(START_DELAY).await;
        }
        let ready = format!("http://{}/readyz", node.address);
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            sleep(START_DELAY).await;
        }
    };
    timeout(START_TIMEOUT, starting).await.map_err(|_| io::Error::other("a node does not start"))
}

/// Returns when the primary was killed, when the standby was promoted, and when the standby was away.
async fn fail_database(
    settings: &Settings,
    database: &Postgres,
    journal: &Journal,
) -> io::Result<[Vec<Window>; 3]> {
    let ClusterSettings { postgres_kills, promotions, standby_kills, .. } = settings.cluster;
    let faults = [
        vec![DatabaseFault::Kill; postgres_kills],
        vec![DatabaseFault::Promote; promotions],
        vec![DatabaseFault::KillStandby; standby_kills],
    ];
    let mut done = [Vec::new(), Vec::new(), Vec::new()];
    for (moment, fault) in schedule(settings, faults.concat()) {
        sleep_until(moment.into()).await;
        if settings.cluster.has_standby() {
            database.wait_until_synchronous().await?;
        }
        let began = Instant::now();
        let what = match fault {
            DatabaseFault::Kill => {
                database.kill_and_start().await?;
                "PostgreSQL was killed, and writes again"
            }
            DatabaseFault::Promote => {
                database.promote().await?;
                "the standby was promoted, and writes"
            }
            DatabaseFault::KillStandby => {
                database.kill_standby(STANDBY_PAUSE).await?;
                "the standby was killed, and is synchronous again"
            }
        };
        journal.note(&format!("{what} after {:.1?}", began.elapsed()));
        done[fault as usize].push((began, Instant::now()));
        if let DatabaseFault::Promote = fault {
            database.rebuild_standby().await?;
            journal.note("the former primary is a synchronous standby");
        }
    }
    Ok(done)
}

/// Returns how often it has cut the connections.
async fn cut_notifications(settings: &Settings, database: &Postgres) -> usize {
    let mut cuts = 0;
    for (moment, ()) in schedule(settings, vec![(); settings.cluster.cuts]) {
        sleep_until(moment.into()).await;
        // The database may be away.
        cuts += usize::from(database.sql(CUT_NOTIFICATIONS).await.is_ok());
    }
    cuts
}
