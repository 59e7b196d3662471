//! This version reads and writes every example of PROTOCOL.md.

use app::wire::{ClientFrame, ErrorCode, Event, Events, Message, Messages, Rooms, ServerFrame, User};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Debug};

const PROTOCOL: &str = include_str!("../../PROTOCOL.md");

/// Returns the lines of all code blocks whose info string is `json` and `kind`.
fn examples(kind: &str) -> Vec<&str> {
    let fence = format!("```json {kind}\n");
    let blocks = PROTOCOL.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert!(!lines.is_empty(), "there are examples of {kind}");
    lines
}

/// Reads each example and writes it again: the JSON may differ only in fields that have a default.
fn check<T: DeserializeOwned + Serialize + Debug>(kind: &str) -> Vec<T> {
    let check = |line: &str| {
        let parsed: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{kind}: {line}: {error}"));
        let example: Value = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), example, "{kind}");
        parsed
    };
    examples(kind).into_iter().map(check).collect()
}

fn types(kind: &str) -> BTreeSet<String> {
    let json = examples(kind).into_iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    json.filter_map(|frame| Some(frame["type"].as_str()?.to_owned())).collect()
}

#[test]
fn client_frames_parse() {
    check::<ClientFrame>("client");
    for line in examples("client") {
        assert!(ClientFrame::parse(line).is_ok(), "{line}");
    }
    let all =
        ["delete", "edit", "join", "leave", "ping", "post", "react", "read", "rename", "typing", "unread"];
    assert_eq!(types("client"), all.map(Into::into).into());
}

#[test]
fn server_frames_parse_in_both_decoders() {
    for (frame, line) in check::<ServerFrame>("server").into_iter().zip(examples("server")) {
        assert_ne!(frame, ServerFrame::Unknown, "{line}");
        assert_eq!(ServerFrame::parse(line).ok(), Some(frame), "{line}");
    }
    let all = [
        "ack",
        "error",
        "events",
        "joined",
        "pong",
        "posting_changed",
        "presence",
        "read",
        "removed",
        "renamed",
        "room_updated",
        "typing",
        "welcome",
    ];
    assert_eq!(types("server"), all.map(Into::into).into());
}

#[test]
fn users_events_messages_and_answers_parse() {
    check::<User>("user");
    check::<Event>("event");
    check::<Message>("message");
    check::<Rooms>("rooms");
    check::<Messages>("messages");
    check::<Events>("events");
}

#[test]
fn every_listed_error_code_is_known() {
    let section = PROTOCOL.split("## Error codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let codes: Vec<&str> =
        rows.flat_map(|cell| cell.split(", ")).map(|code| code.trim_matches('`')).collect();
    assert_eq!(codes.len(), 19);
    for code in codes {
        let known: ErrorCode = serde_json::from_value(code.into()).unwrap();
        assert_ne!(known, ErrorCode::Unknown, "{code}");
    }
}
