//! Any text as a frame of a client: parsing never panics, an error has a sentence to answer with, and a parsed frame
//! survives a round trip.

#![no_main]

#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use wire::ClientFrame;

fuzz_target!(|text: &str| {
    match ClientFrame::parse(text) {
        Ok(frame) => {
            let json = serde_json::to_string(&frame).expect("a frame is always JSON");
            assert_eq!(ClientFrame::parse(&json), Ok(frame));
        }
        Err(malformed) => assert!(!malformed.message.is_empty()),
    }
});
