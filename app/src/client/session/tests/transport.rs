//! The choice between WebSocket and HTTP, heartbeats, and reconnects.

use super::*;

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
fn stream_path_names_the_last_event_and_the_other_rooms() {
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
fn an_idle_connection_is_pinged_and_a_missing_pong_ends_it() {
    let mut session = joined_session(Transport::WebSocket);
    assert!(matches!(sent(&run(&mut session, Input::Tick(15_000)))[..], [ClientFrame::Ping { n: 1 }]));
    assert!(run(&mut session, Input::Probe).is_empty(), "a pong is pending already");
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
    assert!(sent(&run(&mut session, Input::Frame(welcome("a")))).is_empty(), "its path has the position");
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
fn signing_out_a_device_ends_its_session_and_keeps_its_outbox() {
    for transport in [Transport::WebSocket, Transport::Http] {
        let mut session = joined_session(transport);
        let id = post(&mut session, 100);
        run(&mut session, Input::Wakeup);
        let last = error(None, ErrorCode::SignedOut, None);
        let effects = run(&mut session, Input::Frame(last));
        assert!(matches!(effects[..], [Effect::SignedOut, ..]), "{effects:?}");
        assert!(session.outbox.is_in_flight(id));
        let reply = run(&mut session, Input::Reply(error(Some(id), ErrorCode::SignedOut, None)));
        assert!(matches!(reply[..], [_, Effect::SignedOut, ..]), "{reply:?}");
    }
}
