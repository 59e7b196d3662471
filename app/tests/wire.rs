//! The words on the wire: they survive the way there and back, and nothing that comes in can do harm.

use app::wire::{
    ClientFrame, DisplayName, ErrorCode, Event, EventBody, Events, InvalidText, Limits, Message, Messages,
    RoomName, ServerFrame, User, UserId, limits, sanitize_for_display, to_single_line, trim_message,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn rooms() -> impl Strategy<Value = RoomName> {
    "[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?".prop_map(|name| name.parse().unwrap())
}

fn ids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn authors() -> impl Strategy<Value = User> {
    let names = "\\PC{1,32}".prop_filter_map("a good name", |name| name.parse::<DisplayName>().ok());
    let tags = option::of("#[1-9][0-9]{0,3}".prop_map(Into::into));
    (any::<u64>(), names, any::<bool>(), tags).prop_map(|(id, name, ambiguous, tag)| User {
        id: UserId(id),
        name,
        ambiguous,
        tag,
    })
}

fn bodies() -> impl Strategy<Value = EventBody> {
    let text = || any::<String>().prop_map(Into::into);
    prop_oneof![
        (text(), option::of(any::<u64>())).prop_map(|(text, reply_to)| EventBody::Message { text, reply_to }),
        (any::<u64>(), text()).prop_map(|(target, text)| EventBody::Edit { target, text }),
        any::<u64>().prop_map(|target| EventBody::Delete { target }),
    ]
}

fn events() -> impl Strategy<Value = Arc<Event>> {
    (any::<u64>(), any::<u64>(), ids(), authors(), bodies())
        .prop_map(|(seq, at, id, author, body)| Arc::new(Event { seq, at, id, author, body }))
}

fn messages() -> impl Strategy<Value = Message> {
    let changes = option::of((any::<u64>(), option::of(any::<String>())));
    (events(), any::<String>(), option::of(any::<u64>()), changes).prop_map(
        |(event, text, reply_to, change)| {
            let body = EventBody::Message { text: text.into(), reply_to };
            let mut message = Message::from_event(&Event { body, ..(*event).clone() }).unwrap();
            match change {
                Some((at, Some(text))) => message.edit(text.into(), at),
                Some((_, None)) => message.delete(),
                None => {}
            }
            message
        },
    )
}

fn client_frames() -> impl Strategy<Value = ClientFrame> {
    let text = any::<String>;
    prop_oneof![
        (
            text(),
            option::of(any::<u64>()),
            option::of(ids()),
            option::of(text()),
            option::of(any::<u32>()),
            any::<bool>()
        )
            .prop_map(|(room, after, after_id, log, limit, presence)| ClientFrame::Join {
                room,
                after,
                after_id,
                log,
                limit,
                presence
            }),
        text().prop_map(|room| ClientFrame::Typing { room }),
        (text(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::Read { room, seq }),
        text().prop_map(|room| ClientFrame::Leave { room }),
        (ids(), text(), text(), option::of(any::<u64>()))
            .prop_map(|(id, room, text, reply_to)| ClientFrame::Post { id, room, text, reply_to }),
        (ids(), text(), any::<u64>(), text()).prop_map(|(id, room, target, text)| ClientFrame::Edit {
            id,
            room,
            target,
            text
        }),
        (ids(), text(), any::<u64>()).prop_map(|(id, room, target)| ClientFrame::Delete { id, room, target }),
        (ids(), text()).prop_map(|(id, name)| ClientFrame::Rename { id, name }),
        any::<u64>().prop_map(|n| ClientFrame::Ping { n }),
    ]
}

fn codes() -> impl Strategy<Value = ErrorCode> {
    prop::sample::select(vec![
        ErrorCode::BadRequest,
        ErrorCode::UnknownType,
        ErrorCode::Blank,
        ErrorCode::TooLong,
        ErrorCode::RateLimited,
        ErrorCode::NoSuchRoom,
        ErrorCode::NotJoined,
        ErrorCode::NoSuchMessage,
        ErrorCode::NotAllowed,
        ErrorCode::InvalidName,
        ErrorCode::ReadOnly,
        ErrorCode::Internal,
    ])
}

fn server_frames() -> impl Strategy<Value = ServerFrame> {
    let text = any::<String>;
    prop_oneof![
        (text(), text(), authors(), any::<u64>()).prop_map(|(server, log, you, heartbeat_ms)| {
            ServerFrame::Welcome { protocol: 1, server, log, you, limits: Limits::CURRENT, heartbeat_ms }
        }),
        (
            rooms(),
            (text(), text()),
            any::<u64>(),
            (vec(authors(), 0..3), any::<u32>()),
            option::of((vec(messages(), 0..3), any::<bool>()))
        )
            .prop_map(|(room, (title, topic), head, (members, member_count), page)| {
                let (messages, more) = page.unzip();
                let reset = messages.is_some();
                ServerFrame::Joined {
                    room,
                    title,
                    topic,
                    head,
                    reset,
                    members,
                    member_count,
                    read: 0,
                    messages,
                    more,
                }
            }),
        (rooms(), vec(events(), 0..4)).prop_map(|(room, events)| ServerFrame::Events { room, events }),
        (ids(), option::of((rooms(), any::<u64>())), any::<bool>()).prop_map(|(id, place, dup)| {
            let (room, seq) = place.unzip();
            ServerFrame::Ack { id, room, seq, dup }
        }),
        (option::of(text()), codes(), text(), option::of(any::<u64>()))
            .prop_map(|(id, code, message, retry_ms)| ServerFrame::Error { id, code, message, retry_ms }),
        authors().prop_map(|User { id, name, ambiguous, tag }| ServerFrame::Renamed {
            id,
            name,
            ambiguous,
            tag
        }),
        (rooms(), vec(authors(), 0..3), vec(any::<u64>().prop_map(UserId), 0..3), any::<u32>())
            .prop_map(|(room, here, gone, count)| ServerFrame::Presence { room, here, gone, count }),
        (rooms(), authors()).prop_map(|(room, user)| ServerFrame::Typing { room, user }),
        (rooms(), any::<u64>(), any::<Option<u64>>(), any::<Option<u32>>())
            .prop_map(|(room, seq, head, unread)| ServerFrame::Read { room, seq, head, unread }),
        (rooms(), text(), text()).prop_map(|(room, title, topic)| ServerFrame::RoomUpdated {
            room,
            title,
            topic
        }),
        (any::<u64>(), prop::collection::btree_map(rooms(), any::<u64>(), 0..4))
            .prop_map(|(n, heads)| ServerFrame::Pong { n, heads }),
    ]
}

/// Any JSON at all, with the words of the protocol in likely places.
fn anything() -> impl Strategy<Value = Value> {
    let words = "type|join|leave|post|rename|ping|id|room|text|after|limit|kind|message|events";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let key = prop_oneof![words, any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// One field is missing, or is something else.
fn spoil(object: Option<&mut Value>, field: prop::sample::Index, instead: Option<Value>) {
    let Some(fields) = object.and_then(Value::as_object_mut) else { return };
    let name = fields.keys().nth(field.index(fields.len())).unwrap().clone();
    match instead {
        Some(value) => fields.insert(name, value),
        None => fields.remove(&name),
    };
}

proptest! {
    #[test]
    fn client_frames_survive_a_round_trip(frame in client_frames()) {
        let json = serde_json::to_string(&frame).unwrap();
        prop_assert_eq!(ClientFrame::parse(&json), Ok(frame));
    }

    #[test]
    fn server_frames_survive_a_round_trip(frame in server_frames()) {
        prop_assert_eq!(serde_json::from_str::<ServerFrame>(&frame.to_json()).unwrap(), frame);
    }

    #[test]
    fn a_frame_is_one_json_object_with_a_type_and_no_line_break(frame in server_frames()) {
        let json = frame.to_json();
        prop_assert!(!json.contains('\n'));
        prop_assert!(serde_json::from_str::<Value>(&json).unwrap()["type"].is_string());
    }

    #[test]
    fn fields_of_a_later_version_are_ignored(frame in server_frames(), later in anything()) {
        let mut value = serde_json::to_value(&frame).unwrap();
        value["of_a_later_version"] = later;
        prop_assert_eq!(serde_json::from_value::<ServerFrame>(value).unwrap(), frame);
    }

    #[test]
    fn a_browser_reads_what_the_server_says(frame in server_frames()) {
        prop_assert_eq!(ServerFrame::parse(&frame.to_json()).unwrap(), frame);
    }

    #[test]
    fn a_browser_takes_and_refuses_the_same_as_everybody_else(
        frame in server_frames(),
        in_event in any::<bool>(),
        field in any::<prop::sample::Index>(),
        instead in option::of(anything()),
    ) {
        let mut value = serde_json::to_value(&frame).unwrap();
        let spoiled = if in_event { value.pointer_mut("/events/0") } else { Some(&mut value) };
        spoil(spoiled, field, instead);
        let json = value.to_string();
        // serde takes a number for a tag too, as the place of a variant; no tag of the protocol is a number.
        let tags = [&value["type"], &value["events"][0]["kind"]];
        let expected = serde_json::from_str(&json).ok().filter(|_: &ServerFrame| !tags.iter().any(|tag| tag.is_number()));
        prop_assert_eq!(ServerFrame::parse(&json).ok(), expected, "{}", json);
    }

    #[test]
    fn no_bytes_can_do_harm(bytes in vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = ClientFrame::parse(&text);
        let _ = (serde_json::from_slice::<ServerFrame>(&bytes), ServerFrame::parse(&text));
        let _ = (trim_message(&text), to_single_line(&text), sanitize_for_display(&text), text.parse::<RoomName>(), text.parse::<DisplayName>());
    }

    #[test]
    fn no_json_can_do_harm_and_what_is_wrong_is_said_in_a_sentence(value in anything()) {
        let json = value.to_string();
        if let Err(malformed) = ClientFrame::parse(&json) {
            prop_assert!(malformed.message.ends_with('.'), "{}", malformed.message);
            prop_assert!(matches!(malformed.code, ErrorCode::BadRequest | ErrorCode::UnknownType));
            prop_assert!(malformed.id.is_none_or(|id| id.len() <= 64));
        }
        let _ = serde_json::from_str::<ServerFrame>(&json);
        let _ = serde_json::from_str::<Events>(&json);
        let _ = serde_json::from_str::<Messages>(&json);
    }

    #[test]
    fn a_tidy_text_is_within_the_limit_and_stays_as_it_is(text in any::<String>()) {
        match trim_message(&text) {
            Ok(kept) => {
                prop_assert!(!kept.is_empty() && kept.len() <= limits::MAX_MESSAGE_BYTES);
                let again = trim_message(&kept);
                prop_assert_eq!(again.as_deref(), Ok(&*kept));
            }
            Err(InvalidText::Blank) => {
                let shown = format!("{text}.");
                prop_assert!(trim_message(&shown).is_ok_and(|shown| shown.ends_with('.')));
            },
            Err(InvalidText::TooLong { .. }) => {
                prop_assert!(sanitize_for_display(&text).len() > limits::MAX_MESSAGE_BYTES);
            },
        }
    }

    #[test]
    fn displayed_text_has_no_control_characters_except_tabs_and_line_feeds(text in any::<String>()) {
        let shown = sanitize_for_display(&text);
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        prop_assert_eq!(sanitize_for_display(&shown), &*shown);
    }
}

#[test]
fn deep_nesting_is_malformed_and_no_overflow() {
    let deep = "[".repeat(limits::MAX_FRAME_BYTES);
    assert_eq!(ClientFrame::parse(&deep).unwrap_err().code, ErrorCode::BadRequest);
}

#[test]
fn the_frames_are_those_of_the_protocol() {
    let id: Uuid = "01939d3e-0000-7000-8000-000000000001".parse().unwrap();
    let ann = User::new(UserId(0xa), "Ann".parse().unwrap());
    let tea: RoomName = "tea".parse().unwrap();
    let ambiguous = User { ambiguous: true, tag: Some("#2".into()), ..ann.clone() };
    let event = Event {
        seq: 7,
        at: 1_795_446_540_000,
        id,
        author: ann.clone(),
        body: EventBody::Message { text: "hi".into(), reply_to: Some(3) },
    };
    let author = json!({"id": "000000000000000a", "name": "Ann"});
    let message = json!({"seq": 7, "at": 1_795_446_540_000_u64, "id": id, "author": author, "text": "hi", "reply_to": 3});
    let mut told = message.clone();
    told["kind"] = "message".into();
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
                head: 7,
                reset: true,
                members: vec![ann.clone()],
                member_count: 1,
                read: 0,
                messages: Message::from_event(&event).map(|message| vec![message]),
                more: Some(false),
            },
            json!({"type": "joined", "room": "tea", "title": "Tea", "topic": "Green, mostly", "head": 7, "reset": true, "members": [author], "member_count": 1, "read": 0,
                "messages": [message], "more": false}),
        ),
        (
            ServerFrame::Events { room: tea.clone(), events: vec![Arc::new(event)] },
            json!({"type": "events", "room": "tea", "events": [told]}),
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
            ServerFrame::Read { room: tea.clone(), seq: 7, head: Some(9), unread: Some(2) },
            json!({"type": "read", "room": "tea", "seq": 7, "head": 9, "unread": 2}),
        ),
        (
            ServerFrame::RoomUpdated { room: tea.clone(), title: "Tea time".into(), topic: String::new() },
            json!({"type": "room_updated", "room": "tea", "title": "Tea time", "topic": ""}),
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
fn client_frames_are_those_of_the_protocol() {
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
