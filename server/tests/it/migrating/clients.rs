//! Clients that were connected before a migration continue after it.

use super::succeeds;
use crate::{
    command::Running,
    support::{
        ConsistencyReport, Pace, TestClient, TestDatabase, TestServer, V1, events, room, within_timeout,
    },
};
use app::{
    client::OutboxOperation,
    wire::{ClientFrame, ServerFrame},
};
use server::{config::SecretUrl, serve::ShutdownOutcome};
use std::{net::SocketAddr, ops::Deref, path::Path, time::Duration};
use tokio::{net::TcpListener, time::sleep};

const BRISK: Pace =
    Pace { heartbeat_second: Duration::from_millis(100), backoff_second: Duration::from_millis(100) };

/// Returns an address below the ephemeral ports, so that no outgoing connection takes it while no server runs.
async fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(10_000..32_000)));
        if TcpListener::bind(address).await.is_ok() {
            return address;
        }
    }
}

async fn start(folder: &Path, address: SocketAddr, options: &[&str]) -> Running {
    Running::start_at(folder, &address.to_string(), &[&["--post-rate", "0"], options].concat()).await
}

fn post(text: &str) -> OutboxOperation {
    OutboxOperation::post(text)
}

#[tokio::test]
async fn postgres_clients_continue_without_a_reset() {
    let Some(database) = TestDatabase::create().await else { return };
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address().await);
    let mut server = start(folder.path(), address, &[]).await;
    let clients: Vec<TestClient> = (0..4).map(|_| TestClient::join(address, "tea", BRISK)).collect();
    for client in &clients {
        within_timeout(client.wait_until(|state| state.is_live)).await;
        (0..5).for_each(|n| client.submit(post(&format!("before {n}"))));
        within_timeout(client.wait_until(|state| state.session.outbox.is_empty())).await;
    }
    let own = clients[0].state().acknowledged[0].1;
    clients[0].submit(OutboxOperation::Edit { target: own, text: "edited".into() });
    clients[0].submit(OutboxOperation::Delete { target: own + 1 });
    within_timeout(clients[0].wait_until(|state| state.session.outbox.is_empty())).await;
    assert_eq!(server.signal("-TERM").await, Some(0));
    let before = clients[1].state().session.timeline.log().to_owned();
    // Commands of the time without a server wait in the outbox.
    clients[1].submit(post("during the migration"));
    clients[0].submit(OutboxOperation::Edit { target: own, text: "edited again".into() });

    let data = folder.path().join("hubbub-data");
    succeeds(&data, &database.url, &[]).await;
    let _server = start(folder.path(), address, &["--database", &database.url]).await;
    for client in &clients {
        client.submit(post("after"));
        within_timeout(client.wait_until(|state| state.session.outbox.is_empty())).await;
    }
    let log = within_timeout(events(address, "tea")).await.unwrap();
    assert_eq!(log.len(), 4 * 5 + 2 + 2 + 4);
    for client in &clients {
        within_timeout(client.wait_until(|state| state.has_settled(log.len() as u64))).await;
        assert_eq!(client.state().resets, 0);
        assert_eq!(client.state().session.timeline.log(), before);
    }
    let states: Vec<_> = clients.iter().map(TestClient::state).collect();
    let report = ConsistencyReport::new(&log, states.iter().map(Deref::deref));
    assert!(report.is_clean() && report.acknowledged == report.posted, "{report:?}");
    let authors: Vec<_> =
        log.iter().filter(|event| event.id == states[1].commands[0].id).map(|event| &event.author).collect();
    let last = log.iter().rfind(|event| states[1].commands.iter().any(|command| command.id == event.id));
    assert_eq!(authors, [&last.unwrap().author], "the cookie is still the same user's");
}

/// Returns the frame by which a client joins that has everything up to an event.
fn join_after(event: &app::wire::Event, log: &str) -> ClientFrame {
    ClientFrame::Join {
        room: "tea".into(),
        after: Some(event.seq),
        after_id: Some(event.id),
        log: Some(log.into()),
        limit: None,
        presence: true,
    }
}

fn log_of(client: &V1) -> &str {
    match &client.welcome {
        ServerFrame::Welcome { log, .. } => log,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn postgres_keeps_cookies_names_tags_and_read_markers() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let cookies = [server.new_user_cookie().await, server.new_user_cookie().await];
    let (mut ann, mut bob) =
        (V1::connect_as(&server, &cookies[0]).await, V1::connect_as(&server, &cookies[1]).await);
    ann.join("tea", None).await;
    bob.join("tea", None).await;
    for client in [&mut ann, &mut bob] {
        client.post("tea", "hello").await;
        client.set_name("Ann").await;
    }
    ann.post("tea", "again").await;
    ann.post("tea", "and again").await;
    let tea = room("tea");
    within_timeout(async {
        while server.store().head(&tea).await.unwrap() < 4 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    bob.send(&ClientFrame::Read { room: "tea".into(), seq: 2 }).await;
    bob.frames_until_pong().await;
    let before = server.store().events_after(&tea, 0, 10).await.unwrap();
    let mut identities = Vec::new();
    let mut log = String::new();
    for cookie in &cookies {
        let client = V1::connect_as(&server, cookie).await;
        identities.push(client.you().clone());
        log = log_of(&client).into();
    }
    assert!(
        identities.iter().all(|user| user.ambiguous) && identities[1].tag.as_deref() == Some("#2"),
        "{identities:?}"
    );
    drop((ann, bob));
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);

    succeeds(folder.path(), &database.url, &[]).await;
    let server = TestServer::with(|config| {
        config.ephemeral = false;
        config.database = Some(SecretUrl(database.url.clone()));
    })
    .await;
    for (cookie, identity) in cookies.iter().zip(&identities) {
        let client = V1::connect_as(&server, cookie).await;
        assert_eq!((client.you(), log_of(&client)), (identity, log.as_str()));
    }
    let mut bob = V1::connect_as(&server, &cookies[1]).await;
    bob.send(&join_after(&before[1], &log)).await;
    let joined = bob.expect_frame().await;
    assert!(matches!(joined, ServerFrame::Joined { reset: false, head: 4, read: 2, .. }), "{joined:?}");
    assert_eq!(bob.events(2).await, before[2..]);
    let unread = server.store().unread_counts(identities[1].id, &[(tea, 2)]).await.unwrap();
    assert_eq!(unread, [2]);
}
