//! Restarts of the real binary while clients post.

use crate::support::{ClientState, ConsistencyReport, Pace, Process, TestClient, events, within_timeout};
use app::client::OutboxOperation;
use std::{
    io::{Write, stdout},
    ops::Deref,
    time::Duration,
};
use tokio::time::sleep;

const CLIENTS: usize = 50;
const TALKERS: usize = 10;
const REAL: Pace = Pace { heartbeat_second: Duration::from_secs(1), backoff_second: Duration::from_secs(1) };

/// Lets some of the clients post until the future is dropped.
async fn talk(clients: &[TestClient]) {
    for n in 0.. {
        for client in &clients[..TALKERS] {
            client.submit(OutboxOperation::post(format!("message {n}")));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn all(clients: &[TestClient], mut is_met: impl FnMut(&ClientState) -> bool) {
    for client in clients {
        within_timeout(client.wait_until(&mut is_met)).await;
    }
}

fn print_outages(signal: &str, clients: &[TestClient]) {
    let mut outages: Vec<Duration> =
        clients.iter().flat_map(|client| client.state().outages.clone()).map(|(_, took)| took).collect();
    outages.sort_unstable();
    let (p50, p95) = (outages[outages.len() / 2], outages[outages.len() * 95 / 100]);
    let _ = writeln!(stdout(), "{signal}: {CLIENTS} clients are live again, p50 {p50:.0?}, p95 {p95:.0?}");
}

async fn restart_by(signal: &str) {
    let mut server = Process::start(env!("CARGO_BIN_EXE_hubbub").into()).await.expect("it starts");
    let clients: Vec<TestClient> =
        (0..CLIENTS).map(|_| TestClient::join(server.address, "tea", REAL)).collect();
    all(&clients, |state| state.is_live).await;
    let restart = async {
        sleep(Duration::from_millis(500)).await;
        server.stop(signal).await.expect("it ends");
        server.restart().await.expect("it starts again");
        all(&clients, |state| !state.outages.is_empty()).await;
    };
    tokio::select! {
        () = talk(&clients) => {}
        () = restart => {}
    }
    all(&clients, |state| state.session.outbox.is_empty()).await;
    let log = events(server.address, "tea").await.expect("it answers");
    all(&clients, |state| state.has_settled(log.len() as u64)).await;
    print_outages(signal, &clients);
    let states: Vec<_> = clients.iter().map(TestClient::state).collect();
    let report = ConsistencyReport::new(&log, states.iter().map(Deref::deref));
    assert!(report.is_clean() && report.posted >= 10 * TALKERS, "{report:?}");
    assert!(states.iter().all(|state| state.resets == 0 && state.gaps == 0), "every client resumed");
}

#[tokio::test]
async fn restart_during_posts_loses_repeats_and_reorders_nothing() {
    restart_by("-TERM").await;
}

#[tokio::test]
async fn crash_during_posts_loses_repeats_and_reorders_nothing() {
    restart_by("-KILL").await;
}
