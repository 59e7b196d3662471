//! Changes of display names.

use super::*;

#[test]
fn a_rename_is_sent_once_and_its_rejection_restores_the_name() {
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
fn a_rename_updates_the_author_in_the_timeline_and_nothing_else() {
    let mut session = joined_session(Transport::WebSocket);
    run(&mut session, Input::Frame(events(4..=4)));
    let User { id, .. } = user(2);
    let name: DisplayName = "Ann".parse().unwrap();
    let frame = ServerFrame::Renamed { id, name: name.clone(), ambiguous: false, tag: user(2).tag };
    let effects = run(&mut session, Input::Frame(frame));
    assert!(matches!(effects[..], [Effect::TimelineChanged, Effect::Show(ServerFrame::Renamed { .. })]));
    assert_eq!(session.timeline.visible_entries(0..1)[0].entry.author.name, name);
}

/// Returns a session whose user has requested another user's name, the ack, and the event with the name.
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
fn a_rename_is_complete_after_its_ack_and_its_event() {
    let is_complete = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Renamed));
    for event_first in [false, true] {
        let (mut session, ack, renamed) = renaming_session();
        let (first, second) = if event_first { (renamed, ack) } else { (ack, renamed) };
        assert!(!is_complete(&run(&mut session, Input::Frame(first))), "event first: {event_first}");
        let effects = run(&mut session, Input::Frame(second));
        assert!(matches!(effects.last(), Some(Effect::Renamed)), "event first: {event_first}, {effects:?}");
        assert!(session.pending_rename.is_none());
    }
}

#[test]
fn an_acknowledged_rename_completes_no_command_of_the_outbox() {
    let (mut session, ack, _) = renaming_session();
    let effects = run(&mut session, Input::Frame(ack));
    assert!(effects.is_empty(), "{effects:?}");
    assert!(session.pending_rename.is_none());
}

#[test]
fn the_new_name_of_another_user_completes_no_rename() {
    let (mut session, ack, renamed) = renaming_session();
    run(&mut session, Input::Frame(ack));
    let ServerFrame::Renamed { name, ambiguous, tag, .. } = renamed else { unreachable!() };
    let other = ServerFrame::Renamed { id: user(5).id, name, ambiguous, tag };
    let effects = run(&mut session, Input::Frame(other));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Renamed)), "{effects:?}");
}
