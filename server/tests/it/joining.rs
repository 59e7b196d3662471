//! Joining a room: the history that a client gets, without a gap before the live events.

use crate::{
    heartbeat::advance_time,
    support::{TestServer, V1, room, text, within_timeout},
};
use app::wire::{ClientFrame, ErrorCode, Event, Message, Millis, Seq, ServerFrame, UserId, limits};
use futures_util::future::join_all;
use server::store::NewEvent;
use std::sync::Arc;
use uuid::Uuid;

/// Appends `count` messages to the room without a connection.
pub async fn fill(server: &TestServer, room_name: &str, count: usize) {
    let message = |n: usize| NewEvent::message(Uuid::now_v7(), room(room_name), UserId(7), &n.to_string());
    let appended = join_all((1..=count).map(|n| server.store().append(message(n)))).await;
    assert!(appended.iter().all(Result::is_ok));
}

fn seqs(events: &[Arc<Event>]) -> Vec<Seq> {
    events.iter().map(|event| event.seq).collect()
}

fn page(joined: ServerFrame) -> (Seq, Vec<Message>, bool) {
    match joined {
        ServerFrame::Joined { head, reset: true, messages: Some(messages), more: Some(more), .. } => {
            (head, messages, more)
        }
        other => panic!("expected a page, got {other:?}"),
    }
}

fn assert_catches_up(joined: &ServerFrame, head: Seq) {
    assert!(
        matches!(joined, ServerFrame::Joined { head: at, reset: false, messages: None, more: None, .. } if *at == head),
        "{joined:?}"
    );
}

async fn join_with(
    client: &mut V1,
    after: Option<Seq>,
    log: Option<&str>,
    limit: Option<u32>,
) -> ServerFrame {
    let log = log.map(Into::into);
    client
        .send(&ClientFrame::Join { room: "tea".into(), after, after_id: None, log, limit, presence: true })
        .await;
    client.expect_frame().await
}

#[tokio::test]
async fn message_reaches_all_clients_in_the_room_including_its_author() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    let id = ann.post("tea", "  hello  ").await;
    for client in [&mut bob, &mut ann] {
        let received = client.events(1).await;
        assert_eq!((received[0].seq, received[0].id, text(&received[0])), (1, id, "hello"));
    }
}

#[tokio::test]
async fn the_welcome_has_the_log_the_user_and_the_limits() {
    let server = TestServer::start().await;
    let ann = V1::connect(&server).await;
    let ServerFrame::Welcome { protocol: 1, server: version, log, you, limits, heartbeat_ms } = ann.welcome
    else {
        panic!("{:?}", ann.welcome)
    };
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert_eq!(log, server.store().log_id());
    assert_eq!(you.name, app::wire::DisplayName::generated(you.id));
    assert_eq!((limits.message_bytes, limits.name_chars, limits.catch_up), (8_192, 32, 10_000));
    assert!(heartbeat_ms > 0);
}

#[tokio::test]
async fn an_empty_room_is_joined_with_an_empty_page() {
    let server = TestServer::start().await;
    let mut ann = V1::connect(&server).await;
    let joined = ann.join("team-tea", None).await;
    let ServerFrame::Joined { ref title, read: 0, ref members, .. } = joined else { panic!("{joined:?}") };
    assert_eq!((title.as_str(), members.len()), ("Team tea", 1));
    assert_eq!(page(joined), (0, vec![], false));
}

#[tokio::test]
async fn new_client_gets_the_newest_50_messages_and_then_live_events() {
    let server = TestServer::start().await;
    fill(&server, "tea", 60).await;
    let mut ann = V1::connect(&server).await;
    let (head, messages, more) = page(ann.join("tea", None).await);
    assert_eq!((head, messages.len(), more), (60, 50, true));
    assert_eq!(messages.iter().map(|message| message.seq).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [61]);
}

#[tokio::test]
async fn a_new_client_may_ask_for_another_page_size_within_the_limit() {
    let server = TestServer::start().await;
    fill(&server, "tea", 600).await;
    let mut ann = V1::connect(&server).await;
    for limit in [1, limits::MAX_PAGE_SIZE] {
        let (_, messages, more) = page(join_with(&mut ann, None, None, Some(limit)).await);
        assert_eq!((messages.len(), more), (limit as usize, true));
    }
    for wrong in [0, limits::MAX_PAGE_SIZE + 1] {
        let error = join_with(&mut ann, None, None, Some(wrong)).await;
        assert!(matches!(error, ServerFrame::Error { code: ErrorCode::BadRequest, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn returning_client_gets_each_missed_event_and_then_live_events() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1_200).await;
    let mut ann = V1::connect(&server).await;
    assert_catches_up(&ann.join("tea", Some(10)).await, 1_200);
    assert_eq!(seqs(&ann.events(1_190).await), (11..=1_200).collect::<Vec<_>>());
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [1_201]);
}

#[tokio::test]
async fn a_client_that_missed_nothing_gets_no_history() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut ann = V1::connect(&server).await;
    assert_catches_up(&join_with(&mut ann, Some(3), Some(server.store().log_id()), None).await, 3);
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [4]);
}

#[tokio::test]
async fn joining_a_busy_room_leaves_no_gap_before_live_events() {
    let server = TestServer::start().await;
    fill(&server, "tea", 20).await;
    let busy = tokio::spawn({
        let log = server.state.store.clone();
        async move {
            for n in 0..400 {
                let text = format!("busy {n}");
                let message = NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &text);
                log.append(message).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..10 {
        let mut late = V1::connect(&server).await;
        let (head, messages, _) = page(late.join("tea", None).await);
        let mut last = messages.last().map_or(0, |message| message.seq);
        assert_eq!(last, head, "the page ends at the head");
        while last < 420 {
            let received = late.events_at_least(1).await;
            assert_eq!(received[0].seq, last + 1, "no seam, no repeat");
            assert!(seqs(&received).windows(2).all(|pair| pair[1] == pair[0] + 1), "no hole: {received:?}");
            last = received.last().unwrap().seq;
        }
    }
    within_timeout(busy).await.unwrap();
}

#[tokio::test]
async fn page_resets_only_if_more_than_ten_thousand_events_are_missed() {
    let server = TestServer::start().await;
    fill(&server, "tea", 10_001).await;
    let mut ann = V1::connect(&server).await;
    let (head, messages, more) = page(ann.join("tea", Some(0)).await);
    assert_eq!((head, messages.len(), more), (10_001, 50, true));
    assert_catches_up(&ann.join("tea", Some(1)).await, 10_001);
    assert_eq!(seqs(&ann.events(10_000).await), (2..=10_001).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_position_of_another_log_or_beyond_the_end_resets_the_page() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let mut ann = V1::connect(&server).await;
    for (after, log) in [(3, Some("another")), (6, None), (Seq::MAX, Some(server.store().log_id()))] {
        let (head, messages, more) = page(join_with(&mut ann, Some(after), log, None).await);
        assert_eq!((head, messages.len(), more), (5, 5, false), "after {after} of {log:?}");
    }
}

#[tokio::test]
async fn rejoining_a_room_starts_at_the_second_position() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    assert_catches_up(&ann.join("tea", Some(3)).await, 5);
    assert_eq!(seqs(&ann.events(2).await), [4, 5]);
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [6], "no event is repeated");
}

#[tokio::test]
async fn a_connection_receives_the_events_of_all_its_rooms() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.join("jam", None).await;
    fill(&server, "jam", 1).await;
    fill(&server, "tea", 1).await;
    let rooms = [ann.expect_frame().await, ann.expect_frame().await].map(|frame| match frame {
        ServerFrame::Events { room, .. } => room,
        other => panic!("{other:?}"),
    });
    assert_eq!(rooms, [room("jam"), room("tea")]);
}

#[tokio::test]
async fn a_connection_joins_at_most_a_hundred_rooms_and_stays_open() {
    let server = TestServer::start().await;
    let mut ann = V1::connect(&server).await;
    for n in 0..limits::MAX_JOINED_ROOMS {
        ann.join(&format!("room{n}"), Some(0)).await;
    }
    let join = |room: &str| ClientFrame::Join {
        room: room.into(),
        after: None,
        after_id: None,
        log: None,
        limit: None,
        presence: false,
    };
    ann.send(&join("one-more")).await;
    let error = ann.expect_frame().await;
    assert!(matches!(error, ServerFrame::Error { code: ErrorCode::BadRequest, .. }), "{error:?}");
    ann.join("room0", Some(0)).await;
    ann.send(&ClientFrame::Leave { room: "room0".into() }).await;
    ann.join("one-more", Some(0)).await;
}

#[tokio::test]
async fn leaving_a_room_ends_its_events_and_works_once() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let leave = ClientFrame::Leave { room: "tea".into() };
    ann.send(&leave).await;
    ann.send(&leave).await;
    let error = ann.expect_frame().await;
    assert!(matches!(error, ServerFrame::Error { id: None, code: ErrorCode::NotJoined, .. }), "{error:?}");
    fill(&server, "tea", 1).await;
    ann.send(&ClientFrame::Ping { n: 5 }).await;
    let next = ann.expect_frame().await;
    assert!(matches!(next, ServerFrame::Pong { n: 5, ref heads } if heads.is_empty()), "{next:?}");
}

#[tokio::test]
async fn an_invalid_room_is_rejected_and_the_connection_stays_open() {
    let server = TestServer::start().await;
    let mut ann = V1::connect(&server).await;
    for bad in ["", "Tea", "-tea", "te a", "../etc", &"x".repeat(65)] {
        ann.send(&ClientFrame::Join {
            room: bad.into(),
            after: None,
            after_id: None,
            log: None,
            limit: None,
            presence: true,
        })
        .await;
        let error = ann.expect_frame().await;
        assert!(matches!(error, ServerFrame::Error { code: ErrorCode::NoSuchRoom, .. }), "{bad}: {error:?}");
    }
    ann.join("tea", None).await;
}

#[tokio::test]
async fn members_are_users_however_many_tabs_they_have() {
    let server = TestServer::start().await;
    let cookie = server.new_user_cookie().await;
    let mut tabs = [V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await];
    for tab in &mut tabs {
        tab.join("tea", None).await;
    }
    let mut bob = V1::connect(&server).await;
    let ServerFrame::Joined { members, .. } = bob.join("tea", None).await else { unreachable!() };
    assert_eq!(members.len(), 2, "{members:?}");
    drop(tabs);
    // They leave after the grace period for reconnects.
    advance_time(11).await;
    let alone = async {
        while !matches!(bob.join("tea", None).await, ServerFrame::Joined { members, .. } if members.len() == 1)
        {
        }
    };
    within_timeout(alone).await;
}

#[tokio::test]
async fn times_are_milliseconds_since_1970() {
    let server = TestServer::start().await;
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as Millis;
    let before = now();
    fill(&server, "tea", 1).await;
    let at = server.store().events_after(&room("tea"), 0, 1).await.unwrap()[0].at;
    assert!((before..=now()).contains(&at), "{at}");
}
