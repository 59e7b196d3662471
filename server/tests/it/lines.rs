//! The lines mode, held against the Go demo: each test names the behaviour of the demo that it keeps
//! or puts right (M01 to M12 are its messages, C01 its read limit).

use crate::{
    joining::fill,
    support::{Lines, TestServer, V1, room, soon},
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
    (Lines::enter(server, "tea").await, Lines::enter(server, "tea").await)
}

fn fragment(text: &[u8], opcode: Data, last: bool) -> Message {
    Message::Frame(Frame::message(text.to_vec(), OpCode::Data(opcode), last))
}

async fn code_of_close(person: &mut Lines) -> (u16, String) {
    let frame = person.closed().await.expect("a close with a code");
    (frame.code.into(), frame.reason.as_str().to_owned())
}

/// M01, and the ends of M02.
#[tokio::test]
async fn a_line_reaches_everybody_and_its_author_too() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.say("hello").await;
    assert_eq!((ann.hear().await, bob.hear().await), ("hello".into(), "hello".into()));
}

/// M02.
#[tokio::test]
async fn line_breaks_become_spaces_and_unicode_white_space_is_trimmed() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.say("  x\ny\r\nz\t \n").await;
    assert_eq!(bob.hear().await, "x y z");
    ann.say("a\u{1b}[2Jb\u{9b}c\td").await;
    assert_eq!(bob.hear().await, "a\u{fffd}[2Jb\u{fffd}c\td");
    ann.say("\u{a0}\u{3000}\u{85}tea\u{3000}for two\u{85}\u{a0}").await;
    assert_eq!(bob.hear().await, "tea\u{3000}for two");
}

/// M03, put right: the demo broadcasts them.
#[tokio::test]
async fn blank_lines_are_ignored() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for blank in ["", "   \n ", "\u{3000}", "\u{200b}", "\u{7}\n\0"] {
        ann.say(blank).await;
    }
    ann.say("something").await;
    assert_eq!(bob.hear().await, "something");
    assert_eq!(server.store().heads(&[room("tea")]), [1]);
}

/// M04, put right: the demo makes text of it.
#[tokio::test]
async fn binary_is_refused_with_1003_and_nobody_hears_of_it() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send(Message::binary("hello")).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1003);
    fill(&server, "tea", 1).await;
    assert_eq!(bob.hear().await, "1");
}

/// M05, put right: in the demo one such message disconnects the whole room.
#[tokio::test]
async fn text_that_is_no_utf8_is_refused_with_1007_and_nobody_hears_of_it() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send(fragment(&[0xff, 0xfe], Data::Text, true)).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1007);
    fill(&server, "tea", 1).await;
    assert_eq!(bob.hear().await, "1");
}

/// M06.
#[tokio::test]
async fn fragments_are_put_together() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    ann.send(fragment(b"par", Data::Text, false)).await;
    ann.send(Message::Ping("between".into())).await;
    ann.send(fragment(b"ts", Data::Continue, true)).await;
    assert_eq!(bob.hear().await, "parts");
}

/// M07 and C01, with our limit in place of the demo's 512 bytes.
#[tokio::test]
async fn the_longest_line_is_relayed_intact() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    let longest = "é".repeat(MAX_MESSAGE_BYTES / 2);
    ann.say(&format!("  {longest}  ")).await;
    assert_eq!(bob.hear().await, longest);
}

/// M08, put right: the reason names the limit.
#[tokio::test]
async fn a_longer_line_is_refused_with_1009_and_a_reason_and_nobody_hears_of_it() {
    let server = TestServer::start().await;
    let mut bob = Lines::enter(&server, "tea").await;
    for bytes in [MAX_MESSAGE_BYTES + 1, 100_000] {
        let mut ann = Lines::enter(&server, "tea").await;
        ann.say(&"x".repeat(bytes)).await;
        assert_eq!(code_of_close(&mut ann).await, (1009, "a message has at most 8192 bytes".into()));
    }
    let mut ann = Lines::enter(&server, "tea").await;
    ann.send(fragment(&b"x".repeat(5_000), Data::Text, false)).await;
    ann.send(fragment(&b"x".repeat(5_000), Data::Continue, true)).await;
    assert_eq!(code_of_close(&mut ann).await.0, 1009, "also in fragments");
    fill(&server, "tea", 1).await;
    assert_eq!(bob.hear().await, "1");
}

/// M09.
#[tokio::test]
async fn everybody_hears_the_same_order() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for n in 0..100 {
        ann.say(&format!("ann {n}")).await;
        bob.say(&format!("bob {n}")).await;
    }
    for _ in 0..200 {
        assert_eq!(ann.hear().await, bob.hear().await);
    }
}

/// M10.
#[tokio::test]
async fn lines_that_wait_share_a_websocket_message() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let mut ann = Lines::enter(&server, "tea").await;
    fill(&server, "tea", 200).await;
    let (mut messages, mut lines) = (0, Vec::new());
    while lines.len() < 200 {
        if let Message::Text(text) = soon(ann.socket.next()).await.unwrap().unwrap() {
            messages += 1;
            lines.extend(text.split('\n').map(str::to_owned));
        }
    }
    assert!((1..=200).map(|n| n.to_string()).eq(lines), "every line once, in order");
    assert!(messages < 200, "200 lines took {messages} messages");
}

#[tokio::test]
async fn who_has_the_answer_to_their_upgrade_misses_nothing_from_then_on() {
    let server = TestServer::start().await;
    for _ in 0..50 {
        let mut ann = Lines::enter(&server, "tea").await;
        fill(&server, "tea", 1).await;
        assert_eq!(ann.hear().await, "1");
    }
}

/// M12, put right by v1; lines have only what is new, as in the demo.
#[tokio::test]
async fn only_new_lines_flow() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut ann = Lines::enter(&server, "tea").await;
    fill(&server, "tea", 1).await;
    assert_eq!(ann.hear().await, "1");
}

#[tokio::test]
async fn without_a_room_it_is_the_lobby() {
    let server = TestServer::start().await;
    let (mut ann, _) = server.open("/ws", &[]).await.unwrap();
    let mut bob = Lines::enter(&server, "lobby").await;
    bob.say("hello").await;
    assert_eq!(soon(ann.next()).await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn what_is_said_in_one_room_is_not_heard_in_another() {
    let server = TestServer::start().await;
    let mut ann = Lines::enter(&server, "tea").await;
    let mut bob = Lines::enter(&server, "jam").await;
    ann.say("tea").await;
    assert_eq!(ann.hear().await, "tea");
    bob.say("jam").await;
    assert_eq!(bob.hear().await, "jam");
}

#[tokio::test]
async fn both_modes_hear_each_other_and_lines_have_no_line_breaks() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    let mut bob = Lines::enter(&server, "tea").await;
    ann.post("tea", "one\ntwo").await;
    assert_eq!(bob.hear().await, "one two");
    bob.say("three").await;
    assert_eq!(crate::support::text(&ann.events(2).await[1]), "three");
}

#[tokio::test]
async fn who_posts_too_fast_is_read_more_slowly_and_loses_nothing() {
    let server = TestServer::with(|config| config.post_rate = 10).await;
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    let begun = tokio::time::Instant::now();
    for n in 0..60 {
        ann.say(&n.to_string()).await;
    }
    for n in 0..60 {
        assert_eq!(bob.hear().await, n.to_string());
    }
    assert!(begun.elapsed().as_millis() >= 900, "ten beyond the burst of fifty wait for a second");
}
