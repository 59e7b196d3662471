//! The session, driven by frames without a connection.

use super::*;
use crate::{
    client::{Command, Operation},
    wire::{Event, EventBody, Limits, Message, User, UserId},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

fn user(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

fn room() -> RoomName {
    "tea".parse().unwrap()
}

fn events(seqs: std::ops::RangeInclusive<Seq>) -> ServerFrame {
    let event = |seq: Seq| {
        let body = EventBody::Message { text: format!("message {seq}").into(), reply_to: None };
        Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: user(2), body })
    };
    ServerFrame::Events { room: room(), events: seqs.map(event).collect() }
}

fn welcome(log: &str) -> ServerFrame {
    ServerFrame::Welcome {
        protocol: 1,
        server: String::new(),
        log: log.into(),
        you: user(1),
        limits: Limits::CURRENT,
        heartbeat_ms: 15_000,
    }
}

fn joined(head: Seq, messages: Option<Vec<Message>>) -> ServerFrame {
    ServerFrame::Joined {
        room: room(),
        title: "Tea".into(),
        topic: String::new(),
        head,
        reset: messages.is_some(),
        members: Vec::new(),
        member_count: 0,
        read: 0,
        messages,
        more: Some(false),
    }
}

fn error(id: Option<CommandId>, code: ErrorCode, retry_ms: Option<u64>) -> ServerFrame {
    ServerFrame::Error { id: id.map(|id| id.to_string()), code, message: String::new(), retry_ms }
}

/// A session at `seq` 3 of the log `a`, without a connection.
fn session() -> Session {
    Session::new(room(), Timeline::new("a".into(), 3, Vec::new()), ReadMarker::new(3))
}

/// A session that has joined its room over `transport`.
fn joined_session(transport: Transport) -> Session {
    let mut session = session();
    session.open(transport);
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    run(&mut session, Input::Wakeup);
    session
}

fn run(session: &mut Session, input: Input) -> Vec<Effect> {
    run_at(session, input, 10_000)
}

fn run_at(session: &mut Session, input: Input, now: Millis) -> Vec<Effect> {
    let mut effects = Vec::new();
    session.handle(input, now, &mut effects);
    effects
}

/// The frames that the driver sends.
fn sent(effects: &[Effect]) -> Vec<ClientFrame> {
    let frame = |effect: &Effect| if let Effect::Send(frame) = effect { Some(frame.clone()) } else { None };
    effects.iter().filter_map(frame).collect()
}

fn disconnects(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Disconnect))
}

fn is_join_after(frames: &[ClientFrame], seq: Seq) -> bool {
    matches!(frames, [ClientFrame::Join { after, presence: true, .. }] if *after == Some(seq))
}

fn post(session: &mut Session, n: u128) -> CommandId {
    let id = Uuid::from_u128(n);
    let command = Command { id, operation: Operation::Post { text: format!("{n}").into() } };
    session.timeline.add_local(&command, user(1));
    session.outbox.push(command);
    id
}

#[test]
fn a_welcome_is_answered_with_a_join_after_the_last_event() {
    let mut session = session();
    session.open(Transport::WebSocket);
    post(&mut session, 100);
    assert!(sent(&run(&mut session, Input::Wakeup)).is_empty(), "nothing is sent before the room is joined");
    let effects = run(&mut session, Input::Frame(welcome("a")));
    assert!(is_join_after(&sent(&effects), 3));
    assert!(session.is_welcomed() && !session.is_joined());
}

#[test]
fn a_joined_session_sends_the_outbox_one_by_one() {
    let mut session = joined_session(Transport::WebSocket);
    let (first, second) = (post(&mut session, 100), post(&mut session, 101));
    let effects = run(&mut session, Input::Wakeup);
    assert!(matches!(&sent(&effects)[..], [ClientFrame::Post { id, .. }] if *id == first));
    let ack = ServerFrame::Ack { id: first, room: Some(room()), seq: Some(4), dup: false };
    let effects = run(&mut session, Input::Frame(ack));
    assert!(matches!(&effects[..], [Effect::Complete(id, Some(4)), Effect::Send(_)] if *id == first));
    assert!(matches!(&sent(&effects)[..], [ClientFrame::Post { id, .. }] if *id == second));
}

#[test]
fn a_lost_connection_sends_the_first_command_again() {
    let mut session = joined_session(Transport::WebSocket);
    let id = post(&mut session, 100);
    run(&mut session, Input::Wakeup);
    session.close(20_000, 0.5);
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    let frames = sent(&run(&mut session, Input::Wakeup));
    assert!(frames.iter().any(|frame| matches!(frame, ClientFrame::Post { id: sent, .. } if *sent == id)));
}

#[test]
fn a_gap_rejoins_after_the_last_event_before_it() {
    let mut session = joined_session(Transport::WebSocket);
    assert!(sent(&run(&mut session, Input::Frame(events(4..=5)))).is_empty());
    let effects = run(&mut session, Input::Frame(events(7..=8)));
    assert!(is_join_after(&sent(&effects), 5));
    assert_eq!(session.timeline.last(), 5);
}

#[test]
fn a_head_that_is_not_reached_by_the_next_pong_rejoins() {
    let mut session = joined_session(Transport::WebSocket);
    let pong = |n| ServerFrame::Pong { n, heads: BTreeMap::from([(room(), 4)]) };
    assert!(sent(&run(&mut session, Input::Frame(pong(1)))).is_empty(), "the event may still arrive");
    assert!(is_join_after(&sent(&run(&mut session, Input::Frame(pong(2)))), 3));
    run(&mut session, Input::Frame(events(4..=4)));
    assert!(sent(&run(&mut session, Input::Frame(pong(3)))).is_empty());
}

#[test]
fn a_reset_replaces_the_timeline_and_the_read_marker_of_another_log() {
    let mut session = session();
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("b")));
    let effects = run(&mut session, Input::Frame(joined(2, Some(Vec::new()))));
    assert!(matches!(effects[0], Effect::TimelineReset { count: 0, has_older: false }));
    assert_eq!((session.timeline.log(), session.timeline.last()), ("b", 2));
    assert_eq!(session.read_marker.position(), 0);
    assert!(session.is_joined());
}

#[test]
fn the_first_join_of_a_connection_follows_the_other_rooms() {
    let mut session = session();
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    let follows = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::Follow));
    assert!(follows(run(&mut session, Input::Frame(joined(3, None)))));
    assert!(!follows(run(&mut session, Input::Frame(joined(3, None)))), "a rejoin after a gap");
    let frame = session.follow(&"work".parse().unwrap(), 9);
    let is_passive = matches!(frame, ClientFrame::Join { after: Some(9), presence: false, .. });
    assert!(is_passive);
}

#[test]
fn a_joined_stream_over_http_is_stored_and_follows_no_room() {
    for (transport, is_http) in [(Transport::Http, true), (Transport::WebSocket, false)] {
        let mut session = session();
        session.transport = TransportChoice::blocked(0);
        session.open(transport);
        run(&mut session, Input::Frame(welcome("a")));
        let effects = run(&mut session, Input::Frame(joined(3, None)));
        let is_stored = |effect: &Effect| matches!(effect, Effect::StoreTransport { is_socket_blocked } if *is_socket_blocked == is_http);
        assert!(effects.iter().any(is_stored), "{transport:?}");
        let follows = effects.iter().any(|effect| matches!(effect, Effect::Follow));
        assert_eq!(follows, !is_http, "the address of a stream names the other rooms");
        let effects = run(&mut session, Input::Frame(joined(3, None)));
        assert!(!effects.iter().any(is_stored), "a rejoin after a gap");
    }
}

#[test]
fn the_path_of_a_stream_names_the_last_event_and_the_other_rooms() {
    let mut session = session();
    let path = "/api/rooms/tea/frames?after=3&log=a&also=";
    assert_eq!(session.stream_path(&[]), path);
    assert_eq!(session.stream_path(&[("work".parse().unwrap(), 9)]), format!("{path}work.9,"));
    session.timeline.apply_events(&match events(4..=4) {
        ServerFrame::Events { events, .. } => events,
        _ => Vec::new(),
    });
    let id = Uuid::from_u128(4);
    assert_eq!(session.stream_path(&[]), format!("/api/rooms/tea/frames?after=4&after_id={id}&log=a&also="));
}

#[test]
fn a_rate_limited_command_is_sent_again_after_the_delay() {
    let mut session = joined_session(Transport::WebSocket);
    let id = post(&mut session, 100);
    run(&mut session, Input::Wakeup);
    for (retry_ms, delay) in
        [(Some(700), 700), (None, RETRY_DELAY_MS), (Some(99_000_000), MAX_RETRY_DELAY_MS)]
    {
        let effects = run(&mut session, Input::Frame(error(Some(id), ErrorCode::RateLimited, retry_ms)));
        assert!(matches!(effects[..], [Effect::RetryIn(ms)] if ms == delay), "{retry_ms:?}");
    }
    session.outbox.reset_in_flight();
    assert_eq!(sent(&run(&mut session, Input::Wakeup)).len(), 1);
}

#[test]
fn a_refused_command_fails_and_the_next_one_is_sent() {
    let mut session = joined_session(Transport::WebSocket);
    let (first, second) = (post(&mut session, 100), post(&mut session, 101));
    run(&mut session, Input::Wakeup);
    let effects = run(&mut session, Input::Frame(error(Some(first), ErrorCode::TooLong, None)));
    assert!(matches!(effects[0], Effect::Reject(id, ErrorCode::TooLong) if id == first));
    assert!(matches!(&sent(&effects)[..], [ClientFrame::Post { id, .. }] if *id == second));
}

#[test]
fn a_deletion_of_a_deleted_message_is_complete() {
    let mut session = joined_session(Transport::WebSocket);
    let id = Uuid::from_u128(100);
    session.outbox.push(Command { id, operation: Operation::Delete { target: 2 } });
    run(&mut session, Input::Wakeup);
    let effects = run(&mut session, Input::Frame(error(Some(id), ErrorCode::NoSuchMessage, None)));
    assert!(matches!(effects[0], Effect::Complete(done, None) if done == id));
    assert!(session.outbox.is_empty());
}

#[test]
fn a_rename_is_sent_once_and_its_refusal_restores_the_name() {
    let mut session = joined_session(Transport::WebSocket);
    let (id, previous) = (Uuid::from_u128(7), user(1).name);
    let name: DisplayName = "Ann".parse().unwrap();
    session.pending_rename = Some(PendingRename { id, name, previous: previous.clone() });
    assert!(matches!(sent(&run(&mut session, Input::Wakeup))[..], [ClientFrame::Rename { .. }]));
    assert!(sent(&run(&mut session, Input::Wakeup)).is_empty());
    let effects = run(&mut session, Input::Frame(error(Some(id), ErrorCode::RateLimited, None)));
    assert!(matches!(&effects[..], [Effect::RenameRejected { previous: name, .. }] if *name == previous));
    assert!(session.pending_rename.is_none());
}

#[test]
fn a_renamed_user_has_the_new_name_in_the_timeline_and_nothing_else_changes() {
    let mut session = joined_session(Transport::WebSocket);
    run(&mut session, Input::Frame(events(4..=4)));
    let User { id, .. } = user(2);
    let name: DisplayName = "Ann".parse().unwrap();
    let frame = ServerFrame::Renamed { id, name: name.clone(), ambiguous: false, tag: user(2).tag };
    let effects = run(&mut session, Input::Frame(frame));
    assert!(matches!(effects[..], [Effect::TimelineChanged, Effect::Show(ServerFrame::Renamed { .. })]));
    assert_eq!(session.timeline.visible_entries(0..1)[0].entry.author.name, name);
}

#[test]
fn the_marker_of_another_device_advances_the_marker_of_its_room_only() {
    let mut session = joined_session(Transport::WebSocket);
    for (name, seq, position) in [("work", 9, 3), ("tea", 2, 3), ("tea", 7, 7)] {
        let frame = ServerFrame::Read { room: name.parse().unwrap(), seq, head: None, unread: None };
        let effects = run(&mut session, Input::Frame(frame));
        assert!(matches!(effects[..], [Effect::Show(ServerFrame::Read { .. })]));
        assert_eq!(session.read_marker.position(), position, "{name} at {seq}");
    }
}

#[test]
fn a_join_reports_the_read_marker_unless_the_server_has_it() {
    for (read, is_reported) in [(0, true), (3, false)] {
        let mut session = session();
        session.open(Transport::WebSocket);
        run(&mut session, Input::Frame(welcome("a")));
        let mut frame = joined(3, None);
        if let ServerFrame::Joined { read: known, .. } = &mut frame {
            *known = read;
        }
        run(&mut session, Input::Frame(frame));
        let frames = sent(&run(&mut session, Input::Wakeup));
        assert_eq!(
            matches!(frames[..], [ClientFrame::Read { seq: 3, .. }]),
            is_reported,
            "read up to {read}"
        );
    }
}

/// A session whose user has asked for the name of another user, and the frames that answer.
fn renaming_session() -> (Session, ServerFrame, ServerFrame) {
    let mut session = joined_session(Transport::WebSocket);
    let (id, name) = (Uuid::from_u128(7), user(9).name);
    let previous = session.connection.user.clone().expect("the server has welcomed the user");
    session.pending_rename = Some(PendingRename { id, name: name.clone(), previous: previous.name });
    run(&mut session, Input::Wakeup);
    let ack = ServerFrame::Ack { id, room: None, seq: None, dup: false };
    (session, ack, ServerFrame::Renamed { id: previous.id, name, ambiguous: true, tag: None })
}

#[test]
fn a_rename_is_done_once_the_server_has_taken_and_shown_the_name() {
    let is_done = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Renamed));
    for shown_first in [false, true] {
        let (mut session, ack, renamed) = renaming_session();
        let (first, second) = if shown_first { (renamed, ack) } else { (ack, renamed) };
        assert!(!is_done(&run(&mut session, Input::Frame(first))), "shown first: {shown_first}");
        let effects = run(&mut session, Input::Frame(second));
        assert!(matches!(effects.last(), Some(Effect::Renamed)), "shown first: {shown_first}, {effects:?}");
        assert!(session.pending_rename.is_none());
    }
}

#[test]
fn an_acknowledged_rename_is_no_command_of_the_outbox() {
    let (mut session, ack, _) = renaming_session();
    let effects = run(&mut session, Input::Frame(ack));
    assert!(effects.is_empty(), "{effects:?}");
    assert!(session.pending_rename.is_none());
}

#[test]
fn the_new_name_of_another_user_ends_no_rename() {
    let (mut session, ack, renamed) = renaming_session();
    run(&mut session, Input::Frame(ack));
    let ServerFrame::Renamed { name, ambiguous, tag, .. } = renamed else { unreachable!() };
    let other = ServerFrame::Renamed { id: user(5).id, name, ambiguous, tag };
    let effects = run(&mut session, Input::Frame(other));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Renamed)), "{effects:?}");
}

#[test]
fn an_ack_of_an_event_that_was_applied_removes_the_pending_entry() {
    let mut session = joined_session(Transport::WebSocket);
    let id = post(&mut session, 100);
    run(&mut session, Input::Wakeup);
    let ack = ServerFrame::Ack { id, room: Some(room()), seq: Some(2), dup: true };
    let effects = run(&mut session, Input::Frame(ack));
    assert!(matches!(effects[..], [Effect::Complete(done, Some(2)), Effect::TimelineChanged] if done == id));
    assert!(!session.timeline.has_pending(id), "its event does not arrive again");
}

#[test]
fn a_typing_signal_is_sent_once_and_only_in_a_joined_room() {
    let mut session = session();
    session.open(Transport::WebSocket);
    session.typing.on_input(10_000);
    assert!(sent(&run(&mut session, Input::Wakeup)).is_empty());
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    let is_typing = |frame: &ClientFrame| matches!(frame, ClientFrame::Typing { .. });
    assert!(sent(&run(&mut session, Input::Wakeup)).iter().any(is_typing));
    assert!(!sent(&run(&mut session, Input::Wakeup)).iter().any(is_typing));
}

#[test]
fn a_failed_join_ends_the_connection_and_a_later_error_does_not() {
    let mut session = session();
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    assert!(disconnects(&run(&mut session, Input::Frame(error(None, ErrorCode::Internal, None)))));
    let mut session = joined_session(Transport::WebSocket);
    assert!(run(&mut session, Input::Frame(error(None, ErrorCode::Internal, None))).is_empty());
}

#[test]
fn silence_is_pinged_and_a_missing_pong_ends_the_connection() {
    let mut session = joined_session(Transport::WebSocket);
    assert!(matches!(sent(&run(&mut session, Input::Tick(15_000)))[..], [ClientFrame::Ping { n: 1 }]));
    assert!(run(&mut session, Input::Probe).is_empty(), "an answer is awaited already");
    assert!(disconnects(&run(&mut session, Input::Tick(5_000))));
}

#[test]
fn a_handshake_that_times_out_switches_to_http() {
    let mut session = session();
    session.open(Transport::WebSocket);
    assert!(!disconnects(&run(&mut session, Input::Tick(3_000))));
    assert!(disconnects(&run(&mut session, Input::Tick(1_000))));
    let (end, delay) = session.close(14_000, 1.0);
    assert_eq!((end, delay.as_millis()), (ConnectionEnd::TimedOut, 250));
    assert_eq!(session.transport.next(), Transport::Http);
}

#[test]
fn a_stream_over_http_is_neither_probed_nor_rejoined() {
    let mut session = session();
    session.transport = TransportChoice::blocked(0);
    session.open(Transport::Http);
    assert!(
        sent(&run(&mut session, Input::Frame(welcome("a")))).is_empty(),
        "its address says where it begins"
    );
    run(&mut session, Input::Frame(joined(3, None)));
    assert!(run(&mut session, Input::Probe).is_empty());
    assert!(disconnects(&run(&mut session, Input::Frame(events(9..=9)))), "a gap needs another stream");
}

#[test]
fn a_websocket_that_succeeds_beside_http_ends_the_stream() {
    let mut session = session();
    session.transport = TransportChoice::blocked(0);
    session.open(Transport::Http);
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    let effects = run_at(&mut session, Input::Tick(1_000), 30_000);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ProbeSocket)));
    session.transport.probe_succeeded();
    assert!(disconnects(&run(&mut session, Input::Wakeup)));
    assert!(matches!(session.close(40_000, 0.0).0, ConnectionEnd::Lasted(30_000)));
    assert_eq!(session.transport.next(), Transport::WebSocket);
}

#[test]
fn a_socket_that_cannot_be_opened_switches_to_http() {
    let mut session = session();
    session.open(Transport::WebSocket);
    assert_eq!(session.fail(0, 0.0).0, ConnectionEnd::TimedOut);
    assert_eq!(session.transport.next(), Transport::Http);
}

#[test]
fn the_delays_grow_until_a_connection_has_joined() {
    let mut session = session();
    let delays = [250, 500, 1_000].map(|expected| {
        session.open(Transport::WebSocket);
        (session.close(0, 1.0).1.as_millis(), expected)
    });
    assert!(delays.iter().all(|(delay, expected)| delay == expected), "{delays:?}");
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    assert_eq!(session.close(0, 1.0).1.as_millis(), 250);
}

#[test]
fn a_rejected_origin_is_shown_until_a_request_succeeds() {
    let mut session = joined_session(Transport::Http);
    session.transport = TransportChoice::blocked(0);
    let effects = run(&mut session, Input::OriginRejected);
    assert!(matches!(
        effects[..],
        [Effect::ShowOrigin { is_rejected: true }, Effect::RetryIn(RETRY_DELAY_MS)]
    ));
    let pong = ServerFrame::Pong { n: 1, heads: BTreeMap::new() };
    let effects = run(&mut session, Input::Reply(pong));
    assert!(matches!(effects[..], [Effect::ShowOrigin { is_rejected: false }]));
}

#[test]
fn a_reply_does_not_prove_that_the_stream_is_alive() {
    let mut session = session();
    session.transport = TransportChoice::blocked(u64::MAX / 2);
    session.open(Transport::Http);
    run(&mut session, Input::Frame(welcome("a")));
    run(&mut session, Input::Frame(joined(3, None)));
    run(&mut session, Input::Tick(15_000));
    run(&mut session, Input::Reply(ServerFrame::Pong { n: 1, heads: BTreeMap::new() }));
    assert!(disconnects(&run(&mut session, Input::Tick(5_000))));
}

#[test]
fn an_unanswered_request_sends_everything_again() {
    let mut session = joined_session(Transport::Http);
    let id = Uuid::from_u128(7);
    let name: DisplayName = "Ann".parse().unwrap();
    session.pending_rename = Some(PendingRename { id, name: name.clone(), previous: name });
    session.transport = TransportChoice::blocked(0);
    run(&mut session, Input::Wakeup);
    assert!(matches!(run(&mut session, Input::Unanswered)[..], [Effect::RetryIn(RETRY_DELAY_MS)]));
    let frames = sent(&run_at(&mut session, Input::Wakeup, 20_000));
    assert!(matches!(frames[..], [ClientFrame::Rename { .. }, ClientFrame::Read { seq: 3, .. }]));
}
