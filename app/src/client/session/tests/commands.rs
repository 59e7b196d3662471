//! Commands of the outbox, their replies, and typing signals.

use super::*;

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
fn a_command_is_sent_again_after_the_delay_if_the_store_failed() {
    let mut session = joined_session(Transport::WebSocket);
    let id = post(&mut session, 100);
    run(&mut session, Input::Wakeup);
    let effects = run(&mut session, Input::Frame(error(Some(id), ErrorCode::Internal, Some(1_000))));
    assert!(matches!(effects[..], [Effect::RetryIn(1_000)]));
    session.outbox.reset_in_flight();
    assert!(
        matches!(&sent(&run(&mut session, Input::Wakeup))[..], [ClientFrame::Post { id: sent, .. }] if *sent == id)
    );
}

#[test]
fn a_rejected_command_fails_and_the_next_one_is_sent() {
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
    session.outbox.push(Command { id, operation: OutboxOperation::Delete { target: 2 } });
    run(&mut session, Input::Wakeup);
    let effects = run(&mut session, Input::Frame(error(Some(id), ErrorCode::NoSuchMessage, None)));
    assert!(matches!(effects[0], Effect::Complete(done, None) if done == id));
    assert!(session.outbox.is_empty());
}

#[test]
fn ack_of_an_applied_event_removes_the_pending_entry() {
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
