//! The lines protocol, compared with the Go demo. A comment says where a test corrects the behavior of the demo.

use crate::{
    joining::fill,
    support::{Lines, TestServer, V1, room, within_timeout},
};
use app::wire::limits::MAX_MESSAGE_BYTES;
use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

async fn ann_and_bob(server: &TestServer) -> (Lines, Lines) {
    (Lines::join(server, "tea").await, Lines::join(server, "tea").await)
}

fn fragment(text: &[u8], opcode: Data, last: bool) -> Message {
    Message::Frame(Frame::message(text.to_vec(), OpCode::Data(opcode), last))
}

async fn code_of_close(client: &mut Lines) -> (u16, String) {
    let frame = client.closed().await.expect("a close with a code");
    (frame.code.into(), frame.reason.as_str().to_owned())
}

#[tokio::test]
async fn a_line_reaches_all_clients_including_its_author() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send_line("hello").await;
    assert_eq!((ann.expect_line().await, bob.expect_line().await), ("hello".into(), "hello".into()));
}

#[tokio::test]
async fn line_breaks_become_spaces_and_unicode_white_space_is_trimmed() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send_line("  x\ny\r\nz\t \n").await;
    assert_eq!(bob.expect_line().await, "x y z");
    ann.send_line("a\u{1b}[2Jb\u{9b}c\td").await;
    assert_eq!(bob.expect_line().await, "a\u{fffd}[2Jb\u{fffd}c\td");
    ann.send_line("\u{a0}\u{3000}\u{85}tea\u{3000}for two\u{85}\u{a0}").await;
    assert_eq!(bob.expect_line().await, "tea\u{3000}for two");
}

/// The Go demo broadcasts blank lines.
#[tokio::test]
async fn blank_lines_are_ignored() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for blank in ["", "   \n ", "\u{3000}", "\u{200b}", "\u{7}\n\0"] {
        ann.send_line(blank).await;
    }
    ann.send_line("something").await;
    assert_eq!(bob.expect_line().await, "something");
    assert_eq!(server.store().head(&room("tea")).await.unwrap(), 1);
}

/// The Go demo turns binary messages into text.
#[tokio::test]
async fn binary_is_closed_with_1003_and_not_broadcast() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send_message(Message::binary("hello")).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1003);
    fill(&server, "tea", 1).await;
    assert_eq!(bob.expect_line().await, "1");
}

/// In the Go demo one invalid message disconnects the whole room.
#[tokio::test]
async fn invalid_utf8_is_closed_with_1007_and_not_broadcast() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send_message(fragment(&[0xff, 0xfe], Data::Text, true)).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1007);
    fill(&server, "tea", 1).await;
    assert_eq!(bob.expect_line().await, "1");
}

#[tokio::test]
async fn fragments_are_joined() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send_message(fragment(b"par", Data::Text, false)).await;
    ann.send_message(Message::Ping("between".into())).await;
    ann.send_message(fragment(b"ts", Data::Continue, true)).await;
    assert_eq!(bob.expect_line().await, "parts");
}

/// The limit of the Go demo is 512 bytes.
#[tokio::test]
async fn the_longest_line_is_relayed_intact() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    let longest = "é".repeat(MAX_MESSAGE_BYTES / 2);
    ann.send_line(&format!("  {longest}  ")).await;
    assert_eq!(bob.expect_line().await, longest);
}

/// Unlike in the Go demo, the reason names the limit.
#[tokio::test]
async fn a_longer_line_is_closed_with_1009_and_not_broadcast() {
    let server = TestServer::start().await;
    let mut bob = Lines::join(&server, "tea").await;
    for bytes in [MAX_MESSAGE_BYTES + 1, 100_000] {
        let mut ann = Lines::join(&server, "tea").await;
        ann.send_line(&"x".repeat(bytes)).await;
        assert_eq!(code_of_close(&mut ann).await, (1009, "a message has at most 8192 bytes".into()));
    }
    let mut ann = Lines::join(&server, "tea").await;
    ann.send_message(fragment(&b"x".repeat(5_000), Data::Text, false)).await;
    ann.send_message(fragment(&b"x".repeat(5_000), Data::Continue, true)).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1009, "also in fragments");
    fill(&server, "tea", 1).await;
    assert_eq!(bob.expect_line().await, "1");
}

#[tokio::test]
async fn all_clients_receive_the_same_order() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for n in 0..100 {
        ann.send_line(&format!("ann {n}")).await;
        bob.send_line(&format!("bob {n}")).await;
    }
    for _ in 0..200 {
        assert_eq!(ann.expect_line().await, bob.expect_line().await);
    }
}

#[tokio::test]
async fn lines_that_wait_share_a_websocket_message() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let mut ann = Lines::join(&server, "tea").await;
    fill(&server, "tea", 200).await;
    let (mut messages, mut lines) = (0, Vec::new());
    while lines.len() < 200 {
        if let Message::Text(text) = within_timeout(ann.socket.next()).await.unwrap().unwrap() {
            messages += 1;
            lines.extend(text.split('\n').map(str::to_owned));
        }
    }
    assert!((1..=200).map(|n| n.to_string()).eq(lines), "every line once, in order");
    assert!(messages < 200, "200 lines took {messages} messages");
}

#[tokio::test]
async fn a_client_misses_no_message_after_the_101_answer() {
    let server = TestServer::start().await;
    for _ in 0..50 {
        let mut ann = Lines::join(&server, "tea").await;
        fill(&server, "tea", 1).await;
        assert_eq!(ann.expect_line().await, "1");
    }
}

/// Lines have only new messages, as in the Go demo; `hubbub.v1` corrects that.
#[tokio::test]
async fn only_new_lines_flow() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut ann = Lines::join(&server, "tea").await;
    fill(&server, "tea", 1).await;
    assert_eq!(ann.expect_line().await, "1");
}

#[tokio::test]
async fn the_default_room_is_the_lobby() {
    let server = TestServer::start().await;
    let (mut ann, _) = server.open("/ws", &[]).await.unwrap();
    let mut bob = Lines::join(&server, "lobby").await;
    bob.send_line("hello").await;
    assert_eq!(within_timeout(ann.next()).await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn a_message_stays_in_its_room() {
    let server = TestServer::start().await;
    let mut ann = Lines::join(&server, "tea").await;
    let mut bob = Lines::join(&server, "jam").await;
    ann.send_line("tea").await;
    assert_eq!(ann.expect_line().await, "tea");
    bob.send_line("jam").await;
    assert_eq!(bob.expect_line().await, "jam");
}

#[tokio::test]
async fn both_protocols_share_a_room_and_lines_have_no_line_breaks() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let mut bob = Lines::join(&server, "tea").await;
    ann.post("tea", "one\ntwo").await;
    assert_eq!(bob.expect_line().await, "one two");
    bob.send_line("three").await;
    assert_eq!(crate::support::text(&ann.events(2).await[1]), "three");
}

#[tokio::test]
async fn client_beyond_the_rate_limit_is_slowed_and_loses_nothing() {
    let server = TestServer::with(|config| config.post_rate = 10).await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    let begun = tokio::time::Instant::now();
    for n in 0..60 {
        ann.send_line(&n.to_string()).await;
    }
    for n in 0..60 {
        assert_eq!(bob.expect_line().await, n.to_string());
    }
    assert!(begun.elapsed().as_millis() >= 900, "ten beyond the burst of fifty wait for a second");
}
