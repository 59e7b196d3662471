//! Slow readers: they hold nobody up and lose nothing, held against the Go demo (S01 to S04), which
//! cuts them off and loses what they missed.

use crate::{
    heartbeat::{pass, raw_socket, settle},
    support::{Fault, Lines, Pace, Person, Proxy, TestServer, V1, Verdict, Way, events, room, soon},
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

/// Long enough that a few thousand of them fill every buffer on the way.
const LONG: usize = 4_000;

/// More than the kernel's buffers and the queue hold.
const FLOOD: usize = 5_000;

async fn flood(server: &TestServer, count: usize) {
    for _ in 0..count / 100 {
        let long = "x".repeat(LONG);
        let message = |_| NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &long);
        join_all((0..100).map(message).map(|message| server.store().append(message))).await;
        tokio::task::yield_now().await;
    }
}

async fn hears_all(person: &mut V1, count: usize) {
    let mut last = 0;
    while last < count as u64 {
        for event in person.events_at_least(1).await {
            assert_eq!(event.seq, last + 1, "in order, once");
            last = event.seq;
        }
    }
}

/// S01 to S04.
#[tokio::test]
async fn who_does_not_read_for_a_while_holds_nobody_up_and_loses_nothing() {
    let server = TestServer::start().await;
    let mut slow = V1::enter(&server, "tea").await;
    let mut quick = V1::enter(&server, "tea").await;
    let quick_hears = tokio::spawn(async move { hears_all(&mut quick, FLOOD).await });
    flood(&server, FLOOD).await;
    soon(quick_hears).await.unwrap();
    soon(hears_all(&mut slow, FLOOD)).await;
}

#[tokio::test]
async fn a_slow_reader_of_lines_loses_nothing_either() {
    let server = TestServer::start().await;
    let mut slow = Lines::enter(&server, "tea").await;
    flood(&server, FLOOD).await;
    for _ in 0..FLOOD {
        assert_eq!(slow.hear().await.len(), LONG);
    }
}

/// S03, put right: they are told, and find everything when they come back.
#[tokio::test]
async fn a_socket_that_takes_nothing_for_10_seconds_is_told_to_come_back() {
    let server = TestServer::start().await;
    let mut stuck = V1::enter(&server, "tea").await;
    flood(&server, FLOOD).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    pause();
    advance(Duration::from_secs(11)).await;
    resume();
    let (last, close) = everything_until_close(&mut stuck).await;
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1013, "too slow, come back"));
    assert!(last < FLOOD as u64, "it was cut off at {last}");

    let mut back = V1::connect(&server).await;
    let joined = back.join("tea", Some(last)).await;
    assert!(matches!(joined, ServerFrame::Joined { reset: false, .. }), "{joined:?}");
    let rest = back.events(FLOOD - last as usize).await;
    assert!((last + 1..=FLOOD as u64).eq(rest.iter().map(|event| event.seq)));
}

/// The last `seq` that came, and the close frame after it.
async fn everything_until_close(person: &mut V1) -> (u64, CloseFrame) {
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message;
    let mut last = 0;
    loop {
        match soon(person.socket.next()).await {
            Some(Ok(Message::Text(json))) => {
                if let Ok(ServerFrame::Events { events, .. }) = serde_json::from_str(&json) {
                    assert_eq!(events[0].seq, last + 1, "in order, once");
                    last = events.last().map_or(last, |event| event.seq);
                }
            }
            Some(Ok(Message::Close(Some(frame)))) => return (last, frame),
            Some(Ok(_)) => {}
            other => panic!("instead of a close frame came {other:?}"),
        }
    }
}

/// A connection that others do not notice, whatever it does.
async fn nobody_is_held_up_by(server: &TestServer, odd: impl Future<Output = ()>) {
    let mut ann = V1::enter(server, "tea").await;
    odd.await;
    flood(server, FLOOD).await;
    soon(hears_all(&mut ann, FLOOD)).await;
}

#[tokio::test]
async fn who_stops_half_way_through_a_frame_holds_nobody_up_and_is_let_go() {
    let server = TestServer::start().await;
    let mut half = raw_socket(&server, "tea").await;
    // A masked text frame of 100 bytes, of which 10 come.
    let odd =
        async { half.write_all(&[&[0x81, 0x80 | 100, 0, 0, 0, 0][..], &[b'x'; 10]].concat()).await.unwrap() };
    nobody_is_held_up_by(&server, odd).await;
    for _ in 0..4 {
        pass(20).await;
    }
    soon(async {
        while server.state.sockets.len() > 1 {
            settle().await;
        }
    })
    .await;
}

#[tokio::test]
async fn fifty_who_vanish_without_a_word_hold_nobody_up_and_are_forgotten() {
    let server = TestServer::start().await;
    let mut vanished = Vec::new();
    for _ in 0..50 {
        vanished.push(raw_socket(&server, "tea").await);
    }
    nobody_is_held_up_by(&server, async {}).await;
    for _ in 0..4 {
        pass(20).await;
    }
    soon(async {
        while !server.state.sockets.is_empty() {
            settle().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_takes_a_little_every_few_seconds_is_slow_and_not_stuck() {
    let server = TestServer::start().await;
    let mut slow = raw_socket(&server, "tea").await;
    nobody_is_held_up_by(&server, async {}).await;
    // Less than one write of the server's, in less than its patience.
    let mut taken = vec![0; 60 * 1_024];
    for _ in 0..60 {
        soon(slow.read_exact(&mut taken)).await.unwrap();
        // A pong, masked and empty: it is alive.
        slow.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.unwrap();
        pass(3).await;
    }
    assert_eq!(server.state.sockets.len(), 1, "it is still there");
}

#[tokio::test]
async fn who_reads_a_kilobyte_a_second_gets_everything_in_order_and_holds_nobody_up() {
    let server = TestServer::start().await;
    let road = Proxy::to(server.address).await;
    let pace = Pace { pulse: Duration::from_secs(1), steps: Duration::from_secs(1) };
    let slow = Person::enter(road.address, "tea", pace);
    soon(slow.until(|kept| kept.live)).await;
    let mut quick = V1::enter(&server, "tea").await;
    road.suffer(Fault::Slow(Way::Down, 1_024, Duration::from_secs(1)));
    flood(&server, 100).await;
    hears_all(&mut quick, 100).await;
    assert!(slow.kept().feed.last() < 10, "the slow one has hardly begun");
    // Time goes on by itself as long as nothing else does: 400 KB are some seven minutes.
    pause();
    slow.until(|kept| kept.feed.last() == 100).await;
    resume();
    road.suffer(Fault::Sound);
    let log = events(server.address, "tea").await.expect("the server answers");
    let verdict = Verdict::on(&log, [&*slow.kept()]);
    assert!(verdict.clean() && verdict.delivered == 100, "{verdict:?}");
}
