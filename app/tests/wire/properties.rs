//! Properties of every frame, text and JSON value.

use crate::strategies::{client_frames, json_values, server_frames};
use app::wire::{
    ClientFrame, DisplayName, ErrorCode, Events, InvalidText, Messages, RoomName, ServerFrame, limits,
    sanitize_for_display, to_single_line, trim_message,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

/// Removes one field of an object, or replaces its value.
fn corrupt(object: Option<&mut Value>, field: prop::sample::Index, instead: Option<Value>) {
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
        prop_assert_eq!(&frame.to_json(), &json, "the browser writes it as serde does");
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
    fn fields_of_a_later_version_are_ignored(frame in server_frames(), later in json_values()) {
        let mut value = serde_json::to_value(&frame).unwrap();
        value["of_a_later_version"] = later;
        prop_assert_eq!(serde_json::from_value::<ServerFrame>(value).unwrap(), frame);
    }

    #[test]
    fn the_browsers_decoder_reads_every_frame_of_the_server(frame in server_frames()) {
        prop_assert_eq!(ServerFrame::parse(&frame.to_json()).unwrap(), frame);
    }

    #[test]
    fn browser_decoder_accepts_and_rejects_the_same_frames_as_serde(
        frame in server_frames(),
        in_event in any::<bool>(),
        field in any::<prop::sample::Index>(),
        instead in option::of(json_values()),
    ) {
        let mut value = serde_json::to_value(&frame).unwrap();
        let corrupted = if in_event { value.pointer_mut("/events/0") } else { Some(&mut value) };
        corrupt(corrupted, field, instead);
        let json = value.to_string();
        // For the name of a variant, serde also takes its index, or an object with this name and null. The protocol has strings.
        let names = [&value["type"], &value["events"][0]["kind"], &value["code"]];
        let is_string = |name: &Value| !name.is_number() && !name.is_object();
        let expected = serde_json::from_str(&json).ok().filter(|_: &ServerFrame| names.into_iter().all(is_string));
        prop_assert_eq!(ServerFrame::parse(&json).ok(), expected, "{}", json);
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = ClientFrame::parse(&text);
        let _ = (serde_json::from_slice::<ServerFrame>(&bytes), ServerFrame::parse(&text));
        let _ = (trim_message(&text), to_single_line(&text), sanitize_for_display(&text), text.parse::<RoomName>(), text.parse::<DisplayName>());
    }

    #[test]
    fn no_json_causes_a_panic_and_every_error_is_a_sentence(value in json_values()) {
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
    fn trimmed_text_is_within_the_limit_and_trimming_is_idempotent(text in any::<String>()) {
        match trim_message(&text) {
            Ok(trimmed) => {
                prop_assert!(!trimmed.is_empty() && trimmed.len() <= limits::MAX_MESSAGE_BYTES);
                let again = trim_message(&trimmed);
                prop_assert_eq!(again.as_deref(), Ok(&*trimmed));
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
    fn displayed_text_has_no_control_characters_but_tab_and_newline(text in any::<String>()) {
        let shown = sanitize_for_display(&text);
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        prop_assert_eq!(sanitize_for_display(&shown), &*shown);
    }
}
