//! Any bytes as an upload: what they are is decided without a panic, a picture is refused or is within its bounds, what is kept of
//! it is a picture of the same format that does not change when it is cleaned again, and no name becomes a path.

#![no_main]

extern crate self as app;

#[path = "../../src/files/kind.rs"]
mod kind;
#[path = "../../src/files/name.rs"]
mod name;
#[path = "../../src/files/picture/mod.rs"]
mod picture;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use kind::{Kind, OTHER, is_shown};
use libfuzzer_sys::fuzz_target;
use picture::{MAX_PICTURE_BYTES, MAX_PIXELS, MAX_SIDE, prepare};
use wire::limits::{MAX_ALT_CHARS, MAX_FILE_NAME_CHARS};

fuzz_target!(|bytes: &[u8]| {
    let media_type = Kind::of(bytes).media_type();
    assert!(is_shown(media_type) || media_type == OTHER);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let clean = name::clean_name(text);
        assert!(!clean.is_empty() && clean.chars().count() <= MAX_FILE_NAME_CHARS);
        assert!(!clean.contains(['/', '\\', '\0', '\r', '\n', '"']));
        assert!(name::clean_alt(text).chars().count() <= MAX_ALT_CHARS);
    }
    assert!(bytes.len() as u64 <= MAX_PICTURE_BYTES, "libFuzzer makes short inputs");
    let Ok(kept) = prepare(bytes) else { return };
    assert!(kept.width.max(kept.height) <= MAX_SIDE);
    assert!(u64::from(kept.width) * u64::from(kept.height) <= MAX_PIXELS);
    assert_eq!(Kind::of(&kept.bytes), Kind::Picture(kept.format));
    assert!(matches!(Kind::of(&kept.thumbnail), Kind::Picture(_)));
    let again = prepare(&kept.bytes).expect("what is kept is a picture");
    assert_eq!((again.bytes, again.is_animated), (kept.bytes, kept.is_animated));
});
