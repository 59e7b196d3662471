//! The session, driven by frames without a connection.

mod commands;
mod joining;
mod renaming;
mod transport;

use super::*;
use crate::{
    client::{Command, OutboxOperation},
    wire::{Event, EventBody, Files, Limits, Mentions, Message, PostingRules, User, UserId},
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
        let body = EventBody::Message {
            text: format!("message {seq}").into(),
            reply_to: None,
            mentions: Mentions::default(),
            files: Files::default(),
        };
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
        kept_hours: None,
        posting: PostingRules::default(),
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

/// Returns the frames that the driver sends.
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
    let command = Command { id, operation: OutboxOperation::post(format!("{n}")) };
    session.timeline.add_local(&command, user(1));
    session.outbox.push(command);
    id
}
