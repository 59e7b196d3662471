//! Any text as a frame of the server: the browser's decoder and the derived one agree, and a decoded frame survives a
//! round trip.

#![no_main]

#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use wire::ServerFrame;

fuzz_target!(|text: &str| {
    // The browser's decoder skips unknown fields; the derived one also rejects numbers out of range in them.
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return };
    let derived = serde_json::from_str::<ServerFrame>(text).ok();
    let decoded = ServerFrame::parse(text).ok();
    // The derived one also takes a list in place of an object, and a number for a type.
    if decoded.is_some() || !(text.contains('[') || value["type"].is_number()) {
        assert_eq!(decoded, derived);
    }
    if let Some(frame) = decoded.filter(|frame| *frame != ServerFrame::Unknown) {
        assert_eq!(ServerFrame::parse(&frame.to_json()).ok(), Some(frame));
    }
});
