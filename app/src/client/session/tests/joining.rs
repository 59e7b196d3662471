//! Joining the room, gaps, resets and read markers.

use super::*;

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
fn no_such_room_reloads_the_page_unless_the_room_was_joined() {
    let no_such_room = || Input::Frame(error(None, ErrorCode::NoSuchRoom, None));
    assert!(run(&mut joined_session(Transport::WebSocket), no_such_room()).is_empty());
    let mut session = session();
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    assert!(matches!(run(&mut session, no_such_room())[..], [Effect::Reload]));
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
fn reset_replaces_timeline_and_read_marker_of_another_log() {
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
fn remote_read_marker_advances_the_marker_of_its_room_only() {
    let mut session = joined_session(Transport::WebSocket);
    for (name, seq, position) in [("work", 9, 3), ("tea", 2, 3), ("tea", 7, 7)] {
        let room = name.parse().unwrap();
        let frame = ServerFrame::Read { room, seq, head: None, unread: None, mentions: None, marked: false };
        let effects = run(&mut session, Input::Frame(frame));
        assert!(matches!(effects[..], [Effect::Show(ServerFrame::Read { .. })]));
        assert_eq!(session.read_marker.position(), position, "{name} at {seq}");
    }
}

#[test]
fn mark_is_sent_at_once_and_again_until_the_server_has_it() {
    let mut session = joined_session(Transport::WebSocket);
    session.read_marker.mark_unread(2);
    let is_mark = |frames: &[ClientFrame]| matches!(frames, [ClientFrame::Unread { seq: 2, .. }]);
    assert!(is_mark(&sent(&run(&mut session, Input::Wakeup))));
    assert!(sent(&run(&mut session, Input::Wakeup)).is_empty());
    run(&mut session, Input::Unanswered);
    assert!(is_mark(&sent(&run(&mut session, Input::Wakeup))));
    run(&mut session, Input::Frame(joined(3, None)));
    assert!(is_mark(&sent(&run(&mut session, Input::Wakeup))));
    let frame = ServerFrame::Read {
        room: room(),
        seq: 1,
        head: Some(3),
        unread: Some(2),
        mentions: None,
        marked: true,
    };
    run(&mut session, Input::Frame(frame));
    run(&mut session, Input::Frame(joined(3, None)));
    assert!(!is_mark(&sent(&run(&mut session, Input::Wakeup))));
    assert_eq!(session.read_marker.position(), 1);
}

#[test]
fn a_mark_of_another_device_moves_the_position_back() {
    let mut session = joined_session(Transport::WebSocket);
    let frame = ServerFrame::Read {
        room: room(),
        seq: 1,
        head: Some(3),
        unread: Some(2),
        mentions: None,
        marked: true,
    };
    run(&mut session, Input::Frame(frame));
    assert_eq!(session.read_marker.position(), 1);
    assert!(sent(&run_at(&mut session, Input::Wakeup, 20_000)).is_empty(), "it is not reported");
}

#[test]
fn a_join_reports_the_read_marker_unless_the_server_has_it() {
    for (read, is_reported) in [(0, true), (3, false)] {
        let mut session = session();
        session.open(Transport::WebSocket);
        run(&mut session, Input::Frame(welcome("a")));
        let mut frame = joined(3, None);
        if let ServerFrame::Joined { read: marker, .. } = &mut frame {
            *marker = read;
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

#[test]
fn a_failed_join_ends_the_connection_and_a_later_error_does_not() {
    let mut session = session();
    session.open(Transport::WebSocket);
    run(&mut session, Input::Frame(welcome("a")));
    assert!(disconnects(&run(&mut session, Input::Frame(error(None, ErrorCode::Internal, None)))));
    let mut session = joined_session(Transport::WebSocket);
    assert!(run(&mut session, Input::Frame(error(None, ErrorCode::Internal, None))).is_empty());
}
