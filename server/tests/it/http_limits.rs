//! The limits of HTTP connections in time and bytes.

use crate::{
    heartbeat::{advance_time, flush_sockets},
    joining::fill,
    support::{TestServer, within_timeout},
};
use server::{limits::network::Network, serve::ShutdownOutcome};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// More bytes than hyper, the kernel on both sides and one answer hold together.
const PIPELINED: usize = 200;

/// Connects a client with a small receive buffer, so that unread bytes wait in the server.
async fn client(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1_024).unwrap();
    within_timeout(socket.connect(server.address)).await.unwrap()
}

fn request(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n")
}

/// Connects a client that requests more than the buffers hold and reads nothing.
async fn stalled(server: &TestServer) -> TcpStream {
    fill(server, "tea", 1_000).await;
    let mut stalled = client(server).await;
    let all = request("/api/rooms/tea/events?limit=1000", "").repeat(PIPELINED);
    within_timeout(stalled.write_all(all.as_bytes())).await.unwrap();
    flush_sockets().await;
    stalled
}

/// Connects a client that requests an event stream and reads nothing.
async fn stalled_stream(server: &TestServer) -> TcpStream {
    fill(server, "tea", 20_000).await;
    let mut stalled = client(server).await;
    let stream = request("/api/rooms/tea/events", "accept: text/event-stream\r\n");
    within_timeout(stalled.write_all(stream.as_bytes())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stalled
}

async fn until_no_connection_is_open(server: &TestServer) {
    within_timeout(async {
        while !server.state.sockets.is_empty() {
            flush_sockets().await;
        }
    })
    .await;
}

/// Returns all bytes that the server sends until it closes.
async fn until_closed(client: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset ends the stream too.
    let _ = within_timeout(client.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_client_that_reads_no_answer_is_closed_after_10_s() {
    let server = TestServer::alone().await;
    let _client = stalled(&server).await;
    advance_time(9).await;
    assert_eq!(server.state.sockets.len(), 1, "it has a second left");
    advance_time(2).await;
    until_no_connection_is_open(&server).await;
}

#[tokio::test]
async fn unread_event_stream_is_closed_and_its_permit_is_released() {
    let server = TestServer::with(|config| config.max_connections = 1).await;
    let _client = stalled_stream(&server).await;
    assert!(server.state.connection_limit.try_acquire(Network::Local).is_err(), "it holds the only place");
    advance_time(11).await;
    until_no_connection_is_open(&server).await;
    assert!(server.state.connection_limit.try_acquire(Network::Local).is_ok());
}

#[tokio::test]
async fn client_that_reads_below_8_kib_per_s_is_closed_after_30_s() {
    let server = TestServer::alone().await;
    let mut slow = stalled(&server).await;
    let mut taken = vec![0; 30 * 1_024];
    for _ in 0..5 {
        within_timeout(slow.read_exact(&mut taken)).await.unwrap();
        advance_time(6).await;
    }
    advance_time(1).await;
    until_no_connection_is_open(&server).await;
}

#[tokio::test]
async fn a_client_above_the_minimum_rate_is_not_closed() {
    let server = TestServer::alone().await;
    let mut slow = stalled(&server).await;
    let mut taken = vec![0; 200 * 1_024];
    for _ in 0..8 {
        within_timeout(slow.read_exact(&mut taken)).await.unwrap();
        advance_time(8).await;
    }
    assert_eq!(server.state.sockets.len(), 1);
}

#[tokio::test]
async fn an_event_stream_without_events_stays_open() {
    let server = TestServer::alone().await;
    let mut idle = client(&server).await;
    let stream = request("/api/rooms/tea/events", "accept: text/event-stream\r\n");
    idle.write_all(stream.as_bytes()).await.unwrap();
    let mut received = [0; 1_024];
    assert!(within_timeout(idle.read(&mut received)).await.unwrap() > 0, "the stream begins");
    for _ in 0..10 {
        advance_time(15).await;
        assert!(within_timeout(idle.read(&mut received)).await.unwrap() > 0, "keep-alive comments come");
    }
}

#[tokio::test]
async fn a_stop_waits_one_second_for_an_unread_answer() {
    let server = TestServer::alone().await;
    let _client = stalled(&server).await;
    let start = Instant::now();
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn stop_does_not_wait_for_unread_streams_or_partial_requests() {
    let server = TestServer::alone().await;
    let _stream = stalled_stream(&server).await;
    let mut half = client(&server).await;
    half.write_all(b"POST /api/rooms/tea/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx")
        .await
        .unwrap();
    flush_sockets().await;
    let start = Instant::now();
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_idle_connection_is_served_after_75_s_and_closed_after_90() {
    let server = TestServer::alone().await;
    let mut idle = client(&server).await;
    for _ in 0..2 {
        idle.write_all(request("/healthz", "").as_bytes()).await.unwrap();
        let mut answer = [0; 1_024];
        let read = within_timeout(idle.read(&mut answer)).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
        advance_time(75).await;
    }
    advance_time(16).await;
    assert_eq!(until_closed(&mut idle).await, "");
}

#[tokio::test]
async fn partial_header_expires_after_5_s_even_on_an_idle_connection() {
    let server = TestServer::alone().await;
    let mut half = client(&server).await;
    half.write_all(request("/healthz", "").as_bytes()).await.unwrap();
    assert!(within_timeout(half.read(&mut [0; 1_024])).await.unwrap() > 0);
    advance_time(60).await;
    half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    advance_time(4).await;
    half.write_all(b"x: y\r\n").await.unwrap();
    advance_time(2).await;
    assert_eq!(until_closed(&mut half).await, "");
    until_no_connection_is_open(&server).await;
}

#[tokio::test]
async fn a_header_beyond_32_kib_is_rejected_with_431() {
    let server = TestServer::alone().await;
    let empty = request("/healthz", "connection: close\r\nx: \r\n").len();
    for (bytes, status) in [(32 * 1_024, "200"), (32 * 1_024 + 1, "431"), (400_000, "431")] {
        let mut big = within_timeout(TcpStream::connect(server.address)).await.unwrap();
        let header = format!("connection: close\r\nx: {}\r\n", "y".repeat(bytes - empty));
        within_timeout(big.write_all(request("/healthz", &header).as_bytes())).await.unwrap();
        let answer = until_closed(&mut big).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes}: {answer:.60}");
    }
}

#[tokio::test]
async fn a_request_with_more_than_64_headers_is_rejected_with_431() {
    let server = TestServer::alone().await;
    for (headers, status) in [(64, "200"), (65, "431")] {
        let mut many = within_timeout(TcpStream::connect(server.address)).await.unwrap();
        let header = "connection: close\r\n".to_owned() + &"x: y\r\n".repeat(headers - 2);
        many.write_all(request("/healthz", &header).as_bytes()).await.unwrap();
        let answer = until_closed(&mut many).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers}: {answer:.60}");
    }
}
