//! Strategies that generate frames and JSON.

use app::wire::{
    ClientFrame, DisplayName, ErrorCode, Event, EventBody, FileInfo, Files, Limits, Mention, MentionHint,
    Mentions, Message, PostingRules, RoomName, ServerFrame, User, UserId,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;
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

fn mentions() -> impl Strategy<Value = Mentions> {
    let mention = (any::<String>(), authors()).prop_map(|(name, user)| Mention { name: name.into(), user });
    vec(mention, 0..3).prop_map(Mentions::from_iter)
}

fn files() -> impl Strategy<Value = Files> {
    let text = || any::<String>().prop_map(Into::into);
    let pixels = || any::<Option<u32>>();
    let file = (ids(), (text(), text(), text()), any::<u64>(), (pixels(), pixels()), any::<bool>()).prop_map(
        |(id, (name, media_type, alt), size, (width, height), animated)| FileInfo {
            id,
            name,
            media_type,
            size,
            width,
            height,
            alt,
            animated,
        },
    );
    vec(file, 0..3).prop_map(Files::from_iter)
}

fn hints() -> impl Strategy<Value = Vec<MentionHint>> {
    let hint = (any::<String>(), any::<u64>()).prop_map(|(name, id)| MentionHint { name, id: UserId(id) });
    vec(hint, 0..3)
}

fn bodies() -> impl Strategy<Value = EventBody> {
    let text = || any::<String>().prop_map(Into::into);
    prop_oneof![
        (text(), option::of(any::<u64>()), mentions(), files()).prop_map(
            |(text, reply_to, mentions, files)| EventBody::Message { text, reply_to, mentions, files }
        ),
        (any::<u64>(), text(), mentions()).prop_map(|(target, text, mentions)| EventBody::Edit {
            target,
            text,
            mentions
        }),
        any::<u64>().prop_map(|target| EventBody::Delete { target }),
        any::<u64>().prop_map(|up_to| EventBody::Expire { up_to }),
        Just(EventBody::Expired),
        (any::<u64>(), text(), any::<bool>()).prop_map(|(target, emoji, on)| EventBody::React {
            target,
            emoji,
            on
        }),
    ]
}

fn events() -> impl Strategy<Value = Arc<Event>> {
    (any::<u64>(), any::<u64>(), ids(), authors(), bodies())
        .prop_map(|(seq, at, id, author, body)| Arc::new(Event { seq, at, id, author, body }))
}

fn messages() -> impl Strategy<Value = Message> {
    let changes = option::of((any::<u64>(), option::of(any::<String>())));
    let reactions = vec((1..9_u64, any::<String>().prop_map(Into::into), authors()), 0..3);
    (events(), any::<String>(), option::of(any::<u64>()), changes, (reactions, mentions(), files())).prop_map(
        |(event, text, reply_to, change, (reactions, mentions, files))| {
            let body = EventBody::Message { text: text.into(), reply_to, mentions: mentions.clone(), files };
            let mut message = Message::from_event(&Event { body, ..(*event).clone() }).unwrap();
            for (seq, emoji, user) in &reactions {
                message.reactions.apply(*seq, emoji, user, true);
            }
            match change {
                Some((at, Some(text))) => message.edit(text.into(), mentions, at),
                Some((_, None)) => message.delete(),
                None => {}
            }
            message
        },
    )
}

pub fn client_frames() -> impl Strategy<Value = ClientFrame> {
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
        (text(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::Unread { room, seq }),
        text().prop_map(|room| ClientFrame::Leave { room }),
        (ids(), text(), text(), option::of(any::<u64>()), hints(), vec(ids(), 0..3)).prop_map(
            |(id, room, text, reply_to, mentions, files)| ClientFrame::Post {
                id,
                room,
                text,
                reply_to,
                mentions,
                files
            }
        ),
        (ids(), text(), any::<u64>(), text(), hints()).prop_map(|(id, room, target, text, mentions)| {
            ClientFrame::Edit { id, room, target, text, mentions }
        }),
        (ids(), text(), any::<u64>()).prop_map(|(id, room, target)| ClientFrame::Delete { id, room, target }),
        (ids(), text(), any::<u64>(), text(), any::<bool>())
            .prop_map(|(id, room, target, emoji, on)| ClientFrame::React { id, room, target, emoji, on }),
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
        ErrorCode::SignedOut,
        ErrorCode::InvalidName,
        ErrorCode::ReadOnly,
        ErrorCode::Internal,
    ])
}

pub fn server_frames() -> impl Strategy<Value = ServerFrame> {
    let text = any::<String>;
    prop_oneof![
        (text(), text(), authors(), any::<u64>()).prop_map(|(server, log, you, heartbeat_ms)| {
            ServerFrame::Welcome { protocol: 1, server, log, you, limits: Limits::CURRENT, heartbeat_ms }
        }),
        (
            rooms(),
            (text(), text(), any::<Option<u32>>(), posting_rules()),
            any::<u64>(),
            (vec(authors(), 0..3), any::<u32>()),
            option::of((vec(messages(), 0..3), any::<bool>()))
        )
            .prop_map(
                |(room, (title, topic, kept_hours, posting), head, (members, member_count), page)| {
                    let (messages, more) = page.unzip();
                    let reset = messages.is_some();
                    ServerFrame::Joined {
                        room,
                        title,
                        topic,
                        kept_hours,
                        posting,
                        head,
                        reset,
                        members,
                        member_count,
                        read: 0,
                        messages,
                        more,
                    }
                }
            ),
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
        (
            rooms(),
            any::<u64>(),
            any::<Option<u64>>(),
            any::<Option<u32>>(),
            any::<Option<u32>>(),
            any::<bool>()
        )
            .prop_map(|(room, seq, head, unread, mentions, marked)| ServerFrame::Read {
                room,
                seq,
                head,
                unread,
                mentions,
                marked
            }),
        (rooms(), text(), text(), any::<Option<u32>>()).prop_map(|(room, title, topic, kept_hours)| {
            ServerFrame::RoomUpdated { room, title, topic, kept_hours }
        }),
        (rooms(), posting_rules()).prop_map(|(room, posting)| ServerFrame::PostingChanged { room, posting }),
        (any::<u64>(), prop::collection::btree_map(rooms(), any::<u64>(), 0..4))
            .prop_map(|(n, heads)| ServerFrame::Pong { n, heads }),
    ]
}

fn posting_rules() -> impl Strategy<Value = PostingRules> {
    (option::of(codes()), any::<Option<u64>>(), any::<Option<u32>>())
        .prop_map(|(closed, closed_ms, slow_seconds)| PostingRules { closed, closed_ms, slow_seconds })
}

/// Any JSON, with the words of the protocol in likely places.
pub fn json_values() -> impl Strategy<Value = Value> {
    let words =
        "type|join|leave|post|react|rename|ping|id|room|text|after|limit|kind|message|events|reactions";
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
