//! Slow clients: they delay no other client and lose no message. The Go demo disconnects them and loses what they missed.

use crate::{
    heartbeat::{advance_time, flush_sockets, raw_socket},
    support::{
        ConsistencyReport, Direction, Fault, Lines, Pace, Proxy, TestClient, TestServer, V1, events, room,
        within_timeout,
    },
};
use app::wire::{ServerFrame, UserId};
use futures_util::future::join_all;
use server::store::NewEvent;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{advance, pause, resume},
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use uuid::Uuid;

/// A text so long that a few thousand of them fill every buffer.
const LONG: usize = 4_000;

/// More messages than the kernel's buffers and the queue hold.
const FLOOD: usize = 3_000;

async fn flood(server: &TestServer, count: usize) {
    for _ in 0..count / 100 {
        let long = "x".repeat(LONG);
        let message = |_| NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &long);
        join_all((0..100).map(message).map(|message| server.store().append(message))).await;
        tokio::task::yield_now().await;
    }
}

async fn receives_all(client: &mut V1, count: usize) {
    let mut last = 0;
    while last < count as u64 {
        for event in client.events_at_least(1).await {
            assert_eq!(event.seq, last + 1, "in order, once");
            last = event.seq;
        }
    }
}

#[tokio::test]
async fn a_client_that_pauses_reading_delays_no_one_and_loses_nothing() {
    let server = TestServer::alone().await;
    let mut slow = V1::connect_and_join(&server, "tea").await;
    let mut quick = V1::connect_and_join(&server, "tea").await;
    let quick_hears = tokio::spawn(async move { receives_all(&mut quick, FLOOD).await });
    flood(&server, FLOOD).await;
    within_timeout(quick_hears).await.unwrap();
    within_timeout(receives_all(&mut slow, FLOOD)).await;
}

#[tokio::test]
async fn a_slow_lines_client_loses_nothing() {
    let server = TestServer::alone().await;
    let mut slow = Lines::join(&server, "tea").await;
    flood(&server, FLOOD).await;
    for _ in 0..FLOOD {
        assert_eq!(slow.expect_line().await.len(), LONG);
    }
}

/// Unlike in the Go demo, the client gets a close reason, and finds every message after it reconnects.
#[tokio::test]
async fn client_that_takes_no_byte_for_10_s_is_closed_with_a_reason() {
    let server = TestServer::alone().await;
    let mut stuck = V1::connect_and_join(&server, "tea").await;
    flood(&server, FLOOD).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    pause();
    advance(Duration::from_secs(11)).await;
    resume();
    let (last, close) = everything_until_close(&mut stuck).await;
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1013, "too slow, come back"));
    assert!(last < FLOOD as u64, "closed at {last}");

    let mut back = V1::connect(&server).await;
    let joined = back.join("tea", Some(last)).await;
    assert!(matches!(joined, ServerFrame::Joined { reset: false, .. }), "{joined:?}");
    let rest = back.events(FLOOD - last as usize).await;
    assert!((last + 1..=FLOOD as u64).eq(rest.iter().map(|event| event.seq)));
}

/// Returns the last `seq` that arrived, and the close frame after it.
async fn everything_until_close(client: &mut V1) -> (u64, CloseFrame) {
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message;
    let mut last = 0;
    loop {
        match within_timeout(client.socket.next()).await {
            Some(Ok(Message::Text(json))) => {
                if let Ok(ServerFrame::Events { events, .. }) = serde_json::from_str(&json) {
                    assert_eq!(events[0].seq, last + 1, "in order, once");
                    last = events.last().map_or(last, |event| event.seq);
                }
            }
            Some(Ok(Message::Close(Some(frame)))) => return (last, frame),
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}

/// Checks that `connection`, of any behavior, delays no other client.
async fn delays_no_one(server: &TestServer, connection: impl Future<Output = ()>) {
    let mut ann = V1::connect_and_join(server, "tea").await;
    connection.await;
    flood(server, FLOOD).await;
    within_timeout(receives_all(&mut ann, FLOOD)).await;
}

#[tokio::test]
async fn client_that_stops_within_a_frame_delays_no_one_and_is_closed() {
    let server = TestServer::alone().await;
    let mut half = raw_socket(&server, "tea").await;
    // A masked text frame of 100 bytes, of which 10 are sent.
    let connection =
        async { half.write_all(&[&[0x81, 0x80 | 100, 0, 0, 0, 0][..], &[b'x'; 10]].concat()).await.unwrap() };
    delays_no_one(&server, connection).await;
    for _ in 0..4 {
        advance_time(20).await;
    }
    within_timeout(async {
        while server.state.sockets.len() > 1 {
            flush_sockets().await;
        }
    })
    .await;
}

#[tokio::test]
async fn fifty_vanished_clients_delay_no_one_and_are_removed() {
    let server = TestServer::alone().await;
    let mut vanished = Vec::new();
    for _ in 0..50 {
        vanished.push(raw_socket(&server, "tea").await);
    }
    delays_no_one(&server, async {}).await;
    for _ in 0..4 {
        advance_time(20).await;
    }
    within_timeout(async {
        while !server.state.sockets.is_empty() {
            flush_sockets().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_takes_few_bytes_is_slow_and_not_timed_out() {
    let server = TestServer::alone().await;
    let mut slow = raw_socket(&server, "tea").await;
    delays_no_one(&server, async {}).await;
    // Less than one write of the server, in less than its write timeout.
    let mut taken = vec![0; 60 * 1_024];
    for _ in 0..60 {
        within_timeout(slow.read_exact(&mut taken)).await.unwrap();
        // An empty masked pong counts as activity.
        slow.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.unwrap();
        advance_time(3).await;
    }
    assert_eq!(server.state.sockets.len(), 1, "the connection is still open");
}

#[tokio::test]
async fn a_client_of_a_kilobyte_a_second_gets_everything_in_order() {
    let server = TestServer::alone().await;
    let proxy = Proxy::to(server.address).await;
    let pace = Pace { heartbeat_second: Duration::from_secs(1), backoff_second: Duration::from_secs(1) };
    let slow = TestClient::join(proxy.address, "tea", pace);
    within_timeout(slow.wait_until(|state| state.is_live)).await;
    let mut quick = V1::connect_and_join(&server, "tea").await;
    proxy.inject(Fault::Slow(Direction::Down, 1_024, Duration::from_secs(1)));
    flood(&server, 100).await;
    receives_all(&mut quick, 100).await;
    assert!(slow.state().session.timeline.last() < 10, "the slow client has hardly begun");
    // The paused clock advances while all tasks are idle: 400 KB take about seven minutes.
    pause();
    slow.wait_until(|state| state.session.timeline.last() == 100).await;
    resume();
    proxy.inject(Fault::None);
    let log = events(server.address, "tea").await.expect("the server answers");
    let report = ConsistencyReport::new(&log, [&*slow.state()]);
    assert!(report.is_clean() && report.delivered == 100, "{report:?}");
}
