//! Pings, the idle timeout and the close, compared with the Go demo, with the clock advanced.

use crate::support::{Lines, TestServer, V1, within_timeout};
use app::wire::ServerFrame;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{advance, pause, resume},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Advances the clock, and lets all tasks run that are due by then.
pub async fn advance_time(seconds: u64) {
    // Bytes that are on the way arrive before the clock advances.
    flush_sockets().await;
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
    flush_sockets().await;
}

/// Waits until the loopback has delivered the written bytes. Sockets run in real time.
pub async fn flush_sockets() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn next(client: &mut Lines) -> Message {
    within_timeout(client.socket.next()).await.expect("the socket is open").expect("the socket has no error")
}

/// The Go demo pings every 54 s. The shorter interval is for the routers of phones.
#[tokio::test]
async fn the_server_sends_an_empty_ping_every_20_seconds() {
    let server = TestServer::alone().await;
    let mut ann = Lines::join(&server, "tea").await;
    for _ in 0..4 {
        advance_time(20).await;
        assert_eq!(next(&mut ann).await, Message::Ping("".into()));
        ann.socket.flush().await.unwrap();
    }
}

/// In the Go demo only a pong counts.
#[tokio::test]
async fn any_message_counts_as_activity_without_pongs() {
    let server = TestServer::alone().await;
    let mut ann = Lines::join(&server, "tea").await;
    for n in 0..4 {
        advance_time(30).await;
        // Sent without reading, so that the client sends no pong.
        ann.send_line(&n.to_string()).await;
    }
    advance_time(30).await;
    for n in 0..4 {
        assert_eq!(ann.expect_line().await, n.to_string());
    }
}

/// In the Go demo a client's own pings do not count.
#[tokio::test]
async fn a_ping_is_answered_with_its_payload_and_counts_as_activity() {
    let server = TestServer::alone().await;
    let mut ann = Lines::join(&server, "tea").await;
    for _ in 0..4 {
        advance_time(30).await;
        ann.send_message(Message::Ping("tick".into())).await;
    }
    advance_time(1).await;
    let mut pongs = 0;
    while pongs < 4 {
        match next(&mut ann).await {
            Message::Pong(payload) => {
                assert_eq!(payload, "tick");
                pongs += 1;
            }
            Message::Ping(_) => {}
            other => panic!("expected a pong, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_connection_without_activity_is_closed_after_60_seconds() {
    let server = TestServer::alone().await;
    let mut silent = V1::connect_and_join(&server, "tea").await;
    for _ in 0..3 {
        advance_time(20).await;
    }
    let close = silent.closed().await.expect("a close reason");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "silent for 60 s"));
    let mut ann = V1::connect(&server).await;
    assert_eq!(members(&mut ann, "tea").await, 1, "only ann");
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_own_code() {
    let server = TestServer::alone().await;
    for code in [CloseCode::Normal, CloseCode::Away, CloseCode::Library(4_321)] {
        let mut ann = Lines::join(&server, "tea").await;
        ann.send_message(Message::Close(Some(CloseFrame { code, reason: "bye".into() }))).await;
        assert_eq!(ann.closed().await.map(|frame| frame.code), Some(code));
        assert!(within_timeout(ann.socket.next()).await.is_none(), "the connection ends afterwards");
    }
    let mut ann = Lines::join(&server, "tea").await;
    ann.send_message(Message::Close(None)).await;
    assert_eq!(ann.closed().await, None, "an empty close gets an empty one");
}

#[tokio::test]
async fn invalid_close_code_or_unmasked_frame_is_closed_with_1002() {
    let server = TestServer::alone().await;
    // FIN and close, masked with zeros, code 999; then FIN and text, unmasked, "hi".
    let frames: [&[u8]; 2] = [&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe7], &[0x81, 0x02, b'h', b'i']];
    for frame in frames {
        let mut raw = raw_socket(&server, "lobby").await;
        raw.write_all(frame).await.unwrap();
        let mut answer = [0; 4];
        within_timeout(raw.read_exact(&mut answer)).await.unwrap();
        assert_eq!((answer[0], u16::from_be_bytes([answer[2], answer[3]])), (0x88, 1002), "{frame:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_removed() {
    let server = TestServer::alone().await;
    let raw = raw_socket(&server, "lobby").await;
    let mut ann = V1::connect(&server).await;
    assert_eq!(members(&mut ann, "lobby").await, 2);
    drop(raw);
    advance_time(11).await;
    within_timeout(async { while members(&mut ann, "lobby").await != 1 {} }).await;
}

/// A partial request does not hold a connection open forever.
#[tokio::test]
async fn a_request_that_never_ends_is_closed() {
    let server = TestServer::alone().await;
    let mut raw = TcpStream::connect(server.address).await.unwrap();
    raw.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    advance_time(5).await;
    let mut rest = Vec::new();
    within_timeout(raw.read_to_end(&mut rest)).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

/// Returns the number of members that `client` gets on joining.
async fn members(client: &mut V1, room: &str) -> usize {
    match client.join(room, None).await {
        ServerFrame::Joined { members, .. } => members.len(),
        other => panic!("{other:?}"),
    }
}

/// Opens a WebSocket of the lines protocol. Returns the TCP stream after the 101 answer.
pub async fn raw_socket(server: &TestServer, room: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // A small buffer, as on a phone: unread bytes soon block the server.
    socket.set_recv_buffer_size(16 * 1_024).unwrap();
    let mut raw = socket.connect(server.address).await.unwrap();
    let request = format!(
        "GET /ws?room={room} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    raw.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within_timeout(raw.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    flush_sockets().await;
    raw
}
