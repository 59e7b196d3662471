//! Coming into a room: what one gets of the past, and that nothing falls between past and present.

use crate::{
    heartbeat::pass,
    support::{TestServer, V1, room, soon, text},
};
use app::wire::{ClientFrame, ErrorCode, Event, Message, Millis, Seq, ServerFrame, UserId, limits};
use futures_util::future::join_all;
use server::store::NewEvent;
use std::sync::Arc;
use uuid::Uuid;

/// Puts `count` messages into the room without the detour over a socket.
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
        other => panic!("instead of a page came {other:?}"),
    }
}

fn assert_catches_up(joined: &ServerFrame, head: Seq) {
    assert!(
        matches!(joined, ServerFrame::Joined { head: at, reset: false, messages: None, more: None, .. } if *at == head),
        "{joined:?}"
    );
}

async fn join_with(
    person: &mut V1,
    after: Option<Seq>,
    log: Option<&str>,
    limit: Option<u32>,
) -> ServerFrame {
    let log = log.map(Into::into);
    person
        .say(&ClientFrame::Join { room: "tea".into(), after, after_id: None, log, limit, presence: true })
        .await;
    person.hear().await
}

#[tokio::test]
async fn a_message_reaches_everybody_in_the_room_and_its_author_too() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = (V1::enter(&server, "tea").await, V1::enter(&server, "tea").await);
    let id = ann.post("tea", "  hello  ").await;
    for person in [&mut bob, &mut ann] {
        let heard = person.events(1).await;
        assert_eq!((heard[0].seq, heard[0].id, text(&heard[0])), (1, id, "hello"));
    }
}

#[tokio::test]
async fn the_welcome_says_everything_that_a_client_must_know() {
    let server = TestServer::start().await;
    let ann = V1::connect(&server).await;
    let ServerFrame::Welcome { protocol: 1, server: version, log, you, limits, heartbeat_ms } = ann.welcome
    else {
        panic!("{:?}", ann.welcome)
    };
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert_eq!(log, server.store().id());
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
async fn who_comes_new_gets_the_newest_fifty_and_then_what_happens() {
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
async fn who_comes_new_may_ask_for_another_number_of_messages_within_the_limit() {
    let server = TestServer::start().await;
    fill(&server, "tea", 600).await;
    let mut ann = V1::connect(&server).await;
    for limit in [1, limits::MAX_PAGE_SIZE] {
        let (_, messages, more) = page(join_with(&mut ann, None, None, Some(limit)).await);
        assert_eq!((messages.len(), more), (limit as usize, true));
    }
    for wrong in [0, limits::MAX_PAGE_SIZE + 1] {
        let refused = join_with(&mut ann, None, None, Some(wrong)).await;
        assert!(matches!(refused, ServerFrame::Error { code: ErrorCode::BadRequest, .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn who_comes_back_gets_every_event_since_and_then_what_happens() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1_200).await;
    let mut ann = V1::connect(&server).await;
    assert_catches_up(&ann.join("tea", Some(10)).await, 1_200);
    assert_eq!(seqs(&ann.events(1_190).await), (11..=1_200).collect::<Vec<_>>());
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [1_201]);
}

#[tokio::test]
async fn who_missed_nothing_is_sent_nothing_of_the_past() {
    let server = TestServer::start().await;
    fill(&server, "tea", 3).await;
    let mut ann = V1::connect(&server).await;
    assert_catches_up(&join_with(&mut ann, Some(3), Some(server.store().id()), None).await, 3);
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [4]);
}

#[tokio::test]
async fn nothing_falls_between_the_past_and_the_present_while_the_room_is_busy() {
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
        assert_eq!(last, head, "the page reaches to the head");
        while last < 420 {
            let heard = late.events_at_least(1).await;
            assert_eq!(heard[0].seq, last + 1, "no seam, no repeat");
            assert!(seqs(&heard).windows(2).all(|pair| pair[1] == pair[0] + 1), "no hole: {heard:?}");
            last = heard.last().unwrap().seq;
        }
    }
    soon(busy).await.unwrap();
}

#[tokio::test]
async fn ten_thousand_missed_events_come_one_by_one_and_one_more_makes_a_new_page() {
    let server = TestServer::start().await;
    fill(&server, "tea", 10_001).await;
    let mut ann = V1::connect(&server).await;
    let (head, messages, more) = page(ann.join("tea", Some(0)).await);
    assert_eq!((head, messages.len(), more), (10_001, 50, true));
    assert_catches_up(&ann.join("tea", Some(1)).await, 10_001);
    assert_eq!(seqs(&ann.events(10_000).await), (2..=10_001).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_comes_from_another_log_or_from_beyond_the_end_starts_afresh() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let mut ann = V1::connect(&server).await;
    for (after, log) in [(3, Some("another")), (6, None), (Seq::MAX, Some(server.store().id()))] {
        let (head, messages, more) = page(join_with(&mut ann, Some(after), log, None).await);
        assert_eq!((head, messages.len(), more), (5, 5, false), "after {after} of {log:?}");
    }
}

#[tokio::test]
async fn a_room_that_is_joined_again_begins_where_the_second_join_says() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let mut ann = V1::enter(&server, "tea").await;
    assert_catches_up(&ann.join("tea", Some(3)).await, 5);
    assert_eq!(seqs(&ann.events(2).await), [4, 5]);
    fill(&server, "tea", 1).await;
    assert_eq!(seqs(&ann.events(1).await), [6], "and nothing comes twice");
}

#[tokio::test]
async fn a_connection_may_be_in_many_rooms_and_hears_of_each() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    ann.join("jam", None).await;
    fill(&server, "jam", 1).await;
    fill(&server, "tea", 1).await;
    let rooms = [ann.hear().await, ann.hear().await].map(|frame| match frame {
        ServerFrame::Events { room, .. } => room,
        other => panic!("{other:?}"),
    });
    assert_eq!(rooms, [room("jam"), room("tea")]);
}

#[tokio::test]
async fn a_connection_joins_at_most_a_hundred_rooms_and_lives_on() {
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
    ann.say(&join("one-more")).await;
    let refused = ann.hear().await;
    assert!(matches!(refused, ServerFrame::Error { code: ErrorCode::BadRequest, .. }), "{refused:?}");
    ann.join("room0", Some(0)).await;
    ann.say(&ClientFrame::Leave { room: "room0".into() }).await;
    ann.join("one-more", Some(0)).await;
}

#[tokio::test]
async fn who_has_left_hears_nothing_more_and_can_leave_only_once() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    let leave = ClientFrame::Leave { room: "tea".into() };
    ann.say(&leave).await;
    ann.say(&leave).await;
    let refused = ann.hear().await;
    assert!(
        matches!(refused, ServerFrame::Error { id: None, code: ErrorCode::NotJoined, .. }),
        "{refused:?}"
    );
    fill(&server, "tea", 1).await;
    ann.say(&ClientFrame::Ping { n: 5 }).await;
    let next = ann.hear().await;
    assert!(matches!(next, ServerFrame::Pong { n: 5, ref heads } if heads.is_empty()), "{next:?}");
}

#[tokio::test]
async fn a_room_that_cannot_be_is_refused_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let mut ann = V1::connect(&server).await;
    for bad in ["", "Tea", "-tea", "te a", "../etc", &"x".repeat(65)] {
        ann.say(&ClientFrame::Join {
            room: bad.into(),
            after: None,
            after_id: None,
            log: None,
            limit: None,
            presence: true,
        })
        .await;
        let refused = ann.hear().await;
        assert!(
            matches!(refused, ServerFrame::Error { code: ErrorCode::NoSuchRoom, .. }),
            "{bad}: {refused:?}"
        );
    }
    ann.join("tea", None).await;
}

#[tokio::test]
async fn members_are_people_however_many_tabs_they_have() {
    let server = TestServer::start().await;
    let cookie = server.somebody().await;
    let mut tabs = [V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await];
    for tab in &mut tabs {
        tab.join("tea", None).await;
    }
    let mut bob = V1::connect(&server).await;
    let ServerFrame::Joined { members, .. } = bob.join("tea", None).await else { unreachable!() };
    assert_eq!(members.len(), 2, "{members:?}");
    drop(tabs);
    // A moment's patience for those who come right back, and they are gone.
    pass(11).await;
    let alone = async {
        while !matches!(bob.join("tea", None).await, ServerFrame::Joined { members, .. } if members.len() == 1)
        {
        }
    };
    soon(alone).await;
}

#[tokio::test]
async fn times_are_milliseconds_since_1970() {
    let server = TestServer::start().await;
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as Millis;
    let before = now();
    fill(&server, "tea", 1).await;
    let at = server.store().read_after(&room("tea"), 0, 1).await.unwrap()[0].at;
    assert!((before..=now()).contains(&at), "{at}");
}
