//! The network fails at any moment: no message is lost, repeated or reordered.

use crate::support::{
    ConsistencyReport, Direction, Fault, Pace, Proxy, TestClient, TestServer, events, within_timeout,
};
use app::{client::OutboxOperation, wire::Event};
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Duration};

/// Twenty seconds of a browser take a fifth of a second here.
const FAST: Pace =
    Pace { heartbeat_second: Duration::from_millis(50), backoff_second: Duration::from_millis(100) };

/// Links that fail at the same time.
const AT_ONCE: usize = 32;

/// A client in a room of its own, behind a link of its own.
struct MobileClient {
    client: TestClient,
    link: Proxy,
    room: String,
}

impl MobileClient {
    async fn connect(server: &TestServer, room: String) -> Self {
        let link = Proxy::to(server.address).await;
        let client = TestClient::join(link.address, &room, FAST);
        within_timeout(client.wait_until(|state| state.is_live)).await;
        Self { client, link, room }
    }

    /// Posts three messages and waits until all have arrived.
    async fn write(&self) {
        for text in ["one", "two", "three"] {
            self.client.submit(OutboxOperation::post(text));
        }
        within_timeout(self.client.wait_until(|state| state.has_settled(3))).await;
    }

    /// Asserts that each message is stored once and in order, and that the client shows exactly these.
    async fn assert_consistent(&self, server: &TestServer, what: &str) {
        let log = events(server.address, &self.room).await.expect("the server answers");
        let report = ConsistencyReport::new(&log, [&*self.client.state()]);
        let expected =
            ConsistencyReport { posted: 3, acknowledged: 3, delivered: 3, ..ConsistencyReport::default() };
        assert_eq!(report, expected, "{what}");
    }
}

/// Returns the bytes that travel in this direction while a client posts.
async fn bytes_of_writing(server: &TestServer, direction: Direction) -> usize {
    let ann = MobileClient::connect(server, "sound".into()).await;
    let before = ann.link.forwarded(direction);
    ann.write().await;
    ann.link.forwarded(direction) - before
}

async fn cut_everywhere(direction: Direction) {
    let server = &TestServer::start().await;
    let bytes = bytes_of_writing(server, direction).await;
    assert!(bytes > 200, "three messages have more than {bytes} bytes");
    let cuts = stream::iter(0..=bytes).map(async |after| {
        let ann = MobileClient::connect(server, format!("cut-{after}")).await;
        let before = ann.link.forwarded(direction);
        ann.link.inject(Fault::Cut(direction, after));
        ann.write().await;
        let what = format!("cut after {after} of {bytes} bytes {direction:?}");
        let arrived = ann.link.forwarded(direction) - before <= after;
        assert!(arrived || ann.client.state().outages.len() == 1, "{what}: it was cut once");
        ann.assert_consistent(server, &what).await;
    });
    cuts.buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_of_a_post_loses_nothing() {
    cut_everywhere(Direction::Up).await;
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_of_an_answer_loses_nothing() {
    cut_everywhere(Direction::Down).await;
}

#[tokio::test]
async fn a_black_hole_is_detected_and_the_client_reconnects() {
    let server = TestServer::start().await;
    let ann = MobileClient::connect(&server, "tea".into()).await;
    ann.link.inject(Fault::Blackhole);
    ann.write().await;
    assert_eq!(ann.client.state().outages.len(), 1, "the client reconnected once");
    ann.assert_consistent(&server, "silence").await;
}

#[tokio::test]
async fn a_slow_link_only_delays_messages() {
    let server = TestServer::start().await;
    for direction in [Direction::Up, Direction::Down] {
        let ann = MobileClient::connect(&server, format!("slow-{}", direction as usize)).await;
        ann.link.inject(Fault::Slow(direction, 16, Duration::from_millis(2)));
        ann.write().await;
        assert!(ann.client.state().outages.is_empty(), "the client stayed connected");
        ann.assert_consistent(&server, "slowness").await;
    }
}

#[tokio::test]
async fn messages_written_offline_are_sent_after_the_reconnect() {
    let server = TestServer::start().await;
    let ann = MobileClient::connect(&server, "tea".into()).await;
    ann.link.block(true);
    within_timeout(ann.client.wait_until(|state| !state.is_live)).await;
    let back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ann.link.block(false);
    };
    tokio::join!(ann.write(), back);
    ann.assert_consistent(&server, "offline").await;
}

#[tokio::test]
async fn the_audit_finds_lost_repeated_and_reordered_messages() {
    let server = TestServer::start().await;
    let ann = MobileClient::connect(&server, "tea".into()).await;
    ann.write().await;
    let log = events(server.address, "tea").await.expect("the server answers");
    let [one, two, three] = [0, 1, 2].map(|n| log[n].clone());
    let on = |events: &[Arc<Event>]| ConsistencyReport::new(events, [&*ann.client.state()]);
    assert!(on(&log).is_clean());
    assert!(on(&[one.clone(), two.clone()]).lost > 0);
    assert!(on(&[one.clone(), two.clone(), three.clone(), three.clone()]).repeated > 0);
    assert!(on(&[one, three, two]).reordered > 0);
}
