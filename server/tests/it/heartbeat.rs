//! Staying and going: pings, silence, closing, held against the Go demo (L01 to L07). Time is moved.

use crate::support::{Lines, TestServer, V1, soon};
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

/// Moves time on, and lets everybody do what is due by then.
pub async fn pass(seconds: u64) {
    // What is under way on the sockets arrives before the clock jumps.
    settle().await;
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
    settle().await;
}

/// Lets the loopback carry what was written: real time, since sockets know no other.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn next(person: &mut Lines) -> Message {
    soon(person.socket.next()).await.expect("the socket is open").expect("the socket is well")
}

/// L01: every 20 s instead of 54, for the routers of phones.
#[tokio::test]
async fn the_server_pings_every_20_seconds_with_nothing_in_it() {
    let server = TestServer::start().await;
    let mut ann = Lines::enter(&server, "tea").await;
    for _ in 0..4 {
        pass(20).await;
        assert_eq!(next(&mut ann).await, Message::Ping("".into()));
        ann.socket.flush().await.unwrap();
    }
}

/// L02, put right: in the demo only a pong counts.
#[tokio::test]
async fn who_speaks_is_alive_although_they_answer_no_ping() {
    let server = TestServer::start().await;
    let mut ann = Lines::enter(&server, "tea").await;
    for n in 0..4 {
        pass(30).await;
        // Sent without reading, so that no pong goes out.
        ann.say(&n.to_string()).await;
    }
    pass(30).await;
    for n in 0..4 {
        assert_eq!(ann.hear().await, n.to_string());
    }
}

/// L03, put right: in the demo a client's own pings do not count.
#[tokio::test]
async fn a_ping_is_answered_with_its_payload_and_counts_as_life() {
    let server = TestServer::start().await;
    let mut ann = Lines::enter(&server, "tea").await;
    for _ in 0..4 {
        pass(30).await;
        ann.send(Message::Ping("tick".into())).await;
    }
    pass(1).await;
    let mut pongs = 0;
    while pongs < 4 {
        match next(&mut ann).await {
            Message::Pong(payload) => {
                assert_eq!(payload, "tick");
                pongs += 1;
            }
            Message::Ping(_) => {}
            other => panic!("instead of a pong came {other:?}"),
        }
    }
}

/// L02 and L07.
#[tokio::test]
async fn who_is_silent_for_60_seconds_is_let_go_and_is_no_longer_here() {
    let server = TestServer::start().await;
    let mut silent = V1::enter(&server, "tea").await;
    for _ in 0..3 {
        pass(20).await;
    }
    let close = silent.closed().await.expect("told why");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "silent for 60 s"));
    let mut ann = V1::connect(&server).await;
    assert_eq!(members(&mut ann, "tea").await, 1, "only ann");
}

/// L04.
#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    let server = TestServer::start().await;
    for code in [CloseCode::Normal, CloseCode::Away, CloseCode::Library(4_321)] {
        let mut ann = Lines::enter(&server, "tea").await;
        ann.send(Message::Close(Some(CloseFrame { code, reason: "bye".into() }))).await;
        assert_eq!(ann.closed().await.map(|frame| frame.code), Some(code));
        assert!(soon(ann.socket.next()).await.is_none(), "then the connection ends");
    }
    let mut ann = Lines::enter(&server, "tea").await;
    ann.send(Message::Close(None)).await;
    assert_eq!(ann.closed().await, None, "an empty close gets an empty one");
}

/// L05.
#[tokio::test]
async fn a_close_code_that_may_not_be_sent_and_a_frame_without_a_mask_get_1002() {
    let server = TestServer::start().await;
    // FIN and close, masked with zeros, code 999; then FIN and text, unmasked, "hi".
    let frames: [&[u8]; 2] = [&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe7], &[0x81, 0x02, b'h', b'i']];
    for frame in frames {
        let mut raw = raw_socket(&server, "lobby").await;
        raw.write_all(frame).await.unwrap();
        let mut answer = [0; 4];
        soon(raw.read_exact(&mut answer)).await.unwrap();
        assert_eq!((answer[0], u16::from_be_bytes([answer[2], answer[3]])), (0x88, 1002), "{frame:?}");
    }
}

/// L07.
#[tokio::test]
async fn a_connection_that_breaks_is_forgotten() {
    let server = TestServer::start().await;
    let raw = raw_socket(&server, "lobby").await;
    let mut ann = V1::connect(&server).await;
    assert_eq!(members(&mut ann, "lobby").await, 2);
    drop(raw);
    pass(11).await;
    soon(async { while members(&mut ann, "lobby").await != 1 {} }).await;
}

/// A half-sent request may not hold a connection open for ever.
#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    let server = TestServer::start().await;
    let mut raw = TcpStream::connect(server.address).await.unwrap();
    raw.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    pass(5).await;
    let mut rest = Vec::new();
    soon(raw.read_to_end(&mut rest)).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

/// How many people `person` finds in the room.
async fn members(person: &mut V1, room: &str) -> usize {
    match person.join(room, None).await {
        ServerFrame::Joined { members, .. } => members.len(),
        other => panic!("{other:?}"),
    }
}

/// A WebSocket in lines mode, as bare TCP behind its 101.
pub async fn raw_socket(server: &TestServer, room: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // As a phone has it: what is not read is not taken from the server either.
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
        head.push(soon(raw.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    settle().await;
    raw
}
