//! Frames with the JSON that the protocol gives them.

use app::wire::{
    ClientFrame, ErrorCode, Event, EventBody, Files, Limits, Mention, Mentions, Message, PostingRules,
    RoomName, ServerFrame, User, UserId, limits,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

#[test]
fn deep_nesting_is_malformed_and_overflows_no_stack() {
    let deep = "[".repeat(limits::MAX_FRAME_BYTES);
    assert_eq!(ClientFrame::parse(&deep).unwrap_err().code, ErrorCode::BadRequest);
}

#[test]
fn server_frames_have_the_json_of_the_protocol() {
    let id: Uuid = "01939d3e-0000-7000-8000-000000000001".parse().unwrap();
    let ann = User::new(UserId(0xa), "Ann".parse().unwrap());
    let tea: RoomName = "tea".parse().unwrap();
    let ambiguous = User { ambiguous: true, tag: Some("#2".into()), ..ann.clone() };
    let mention = |name: &str| Mention { name: name.into(), user: ann.clone() };
    let event = Event {
        seq: 7,
        at: 1_795_446_540_000,
        id,
        author: ann.clone(),
        body: EventBody::Message {
            text: "hi @Ann".into(),
            reply_to: Some(3),
            mentions: Mentions::from_iter([mention("Ann"), mention("")]),
            files: Files::default(),
        },
    };
    let author = json!({"id": "000000000000000a", "name": "Ann"});
    let message = json!({"seq": 7, "at": 1_795_446_540_000_u64, "id": id, "author": author, "text": "hi @Ann", "reply_to": 3,
        "mentions": [{"name": "Ann", "user": author}, {"user": author}]});
    let mut in_events = message.clone();
    in_events["kind"] = "message".into();
    let frames = [
        (
            ServerFrame::Welcome {
                protocol: 1,
                server: "0.1.0".into(),
                log: "L".into(),
                you: ann.clone(),
                limits: Limits::CURRENT,
                heartbeat_ms: 15_000,
            },
            json!({"type": "welcome", "protocol": 1, "server": "0.1.0", "log": "L", "you": author, "heartbeat_ms": 15_000,
                "limits": {"message_bytes": 8_192, "name_chars": 32, "catch_up": 10_000}}),
        ),
        (
            ServerFrame::Joined {
                room: tea.clone(),
                title: "Tea".into(),
                topic: "Green, mostly".into(),
                kept_hours: None,
                posting: PostingRules { slow_seconds: Some(60), ..PostingRules::default() },
                head: 7,
                reset: true,
                members: vec![ann.clone()],
                member_count: 1,
                read: 0,
                messages: Message::from_event(&event).map(|message| vec![message]),
                more: Some(false),
            },
            json!({"type": "joined", "room": "tea", "title": "Tea", "topic": "Green, mostly", "slow_seconds": 60, "head": 7, "reset": true, "members": [author], "member_count": 1, "read": 0,
                "messages": [message], "more": false}),
        ),
        (
            ServerFrame::Events { room: tea.clone(), events: vec![Arc::new(event)] },
            json!({"type": "events", "room": "tea", "events": [in_events]}),
        ),
        (
            ServerFrame::Ack { id, room: Some(tea.clone()), seq: Some(7), dup: false },
            json!({"type": "ack", "id": id, "room": "tea", "seq": 7, "dup": false}),
        ),
        (
            ServerFrame::Error {
                id: None,
                code: ErrorCode::RateLimited,
                message: "Wait.".into(),
                retry_ms: Some(50),
            },
            json!({"type": "error", "id": null, "code": "rate_limited", "message": "Wait.", "retry_ms": 50}),
        ),
        (
            ServerFrame::Renamed {
                id: UserId(0xa),
                name: "Ann".parse().unwrap(),
                ambiguous: false,
                tag: None,
            },
            json!({"type": "renamed", "id": "000000000000000a", "name": "Ann"}),
        ),
        (
            ServerFrame::Renamed {
                id: ambiguous.id,
                name: ambiguous.name.clone(),
                ambiguous: true,
                tag: ambiguous.tag.clone(),
            },
            json!({"type": "renamed", "id": "000000000000000a", "name": "Ann", "ambiguous": true, "tag": "#2"}),
        ),
        (
            ServerFrame::Presence {
                room: tea.clone(),
                here: vec![ambiguous],
                gone: vec![UserId(0xb)],
                count: 201,
            },
            json!({"type": "presence", "room": "tea", "gone": ["000000000000000b"], "count": 201,
                "here": [{"id": "000000000000000a", "name": "Ann", "ambiguous": true, "tag": "#2"}]}),
        ),
        (
            ServerFrame::Typing { room: tea.clone(), user: ann },
            json!({"type": "typing", "room": "tea", "user": author}),
        ),
        (
            ServerFrame::Read {
                room: tea.clone(),
                seq: 7,
                head: Some(9),
                unread: Some(2),
                mentions: Some(1),
                marked: true,
            },
            json!({"type": "read", "room": "tea", "seq": 7, "head": 9, "unread": 2, "mentions": 1, "marked": true}),
        ),
        (
            ServerFrame::PostingChanged {
                room: tea.clone(),
                posting: PostingRules {
                    closed: Some(ErrorCode::Muted),
                    closed_ms: Some(60_000),
                    slow_seconds: None,
                },
            },
            json!({"type": "posting_changed", "room": "tea", "closed": "muted", "closed_ms": 60_000}),
        ),
        (
            ServerFrame::RoomUpdated {
                room: tea.clone(),
                title: "Tea time".into(),
                topic: String::new(),
                kept_hours: Some(24),
            },
            json!({"type": "room_updated", "room": "tea", "title": "Tea time", "topic": "", "kept_hours": 24}),
        ),
        (
            ServerFrame::Pong { n: 5, heads: [(tea, 7)].into() },
            json!({"type": "pong", "n": 5, "heads": {"tea": 7}}),
        ),
    ];
    for (frame, expected) in frames {
        assert_eq!(serde_json::to_value(&frame).unwrap(), expected);
    }
}

#[test]
fn client_frames_have_the_json_of_the_protocol() {
    let join = |presence| ClientFrame::Join {
        room: "tea".into(),
        after: Some(7),
        after_id: None,
        log: None,
        limit: None,
        presence,
    };
    for (json, frame) in [
        (r#"{"type":"join","room":"tea","after":7}"#, join(true)),
        (r#"{"type":"join","room":"tea","after":7,"presence":false}"#, join(false)),
        (r#"{"type":"typing","room":"tea"}"#, ClientFrame::Typing { room: "tea".into() }),
        (r#"{"type":"read","room":"tea","seq":7}"#, ClientFrame::Read { room: "tea".into(), seq: 7 }),
        (r#"{"type":"unread","room":"tea","seq":7}"#, ClientFrame::Unread { room: "tea".into(), seq: 7 }),
    ] {
        assert_eq!(ClientFrame::parse(json), Ok(frame.clone()));
        assert_eq!(serde_json::to_string(&frame).unwrap(), json);
    }
}

#[test]
fn unknown_frames_of_a_newer_server_are_skipped() {
    let frame: ServerFrame = serde_json::from_value(json!({"type": "dance", "steps": [1]})).unwrap();
    assert_eq!(frame, ServerFrame::Unknown);
    let event: Event = serde_json::from_value(json!({"seq": 1, "at": 1, "id": Uuid::nil(), "kind": "poll",
        "author": {"id": "000000000000000a", "name": "Ann"}, "options": ["a"]}))
    .unwrap();
    assert_eq!(event.body, EventBody::Unknown);
    let later = json!({"seq": 1, "at": 1, "id": Uuid::nil(), "kind": "poll", "text": [{"a": 1}], "target": "b",
        "author": {"id": "000000000000000a", "name": "Ann"}, "reply_to": -1.5});
    let frame = json!({"type": "events", "room": "tea", "events": [later]}).to_string();
    let Ok(ServerFrame::Events { events, .. }) = ServerFrame::parse(&frame) else { panic!("{frame}") };
    assert_eq!((events[0].seq, &events[0].body), (1, &EventBody::Unknown));
    assert_eq!(serde_json::from_value::<ErrorCode>(json!("tea_is_cold")).unwrap(), ErrorCode::Unknown);
}
