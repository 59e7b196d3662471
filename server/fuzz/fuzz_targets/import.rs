//! Any bytes as lines of an archive: parsing never panics, an accepted event has a text that users could have posted, names that
//! stay in their line and files that an upload could have, and it survives a round trip.

#![no_main]

extern crate self as app;

/// As the server has them.
#[path = "."]
mod files {
    #[allow(dead_code, reason = "uploads use the rest")]
    #[path = "../../src/files/kind.rs"]
    mod kind;
    #[path = "../../src/files/name.rs"]
    mod name;

    pub use kind::OTHER;
    pub use name::{clean_alt, clean_name};
}
#[path = "../../src/hexadecimal.rs"]
mod hexadecimal;
#[path = "../../src/archive/line.rs"]
mod line;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use line::{Line, parse_line};
use wire::{EventBody, Seq, limits::MAX_FILES, trim_message};

/// The latest time.
const LATEST: u64 = 1_800_000_000_000;

fn check(line: &Line, seq: Seq) {
    let Line { event, contents } = line;
    assert!(event.seq == seq && event.at <= LATEST);
    if let EventBody::Message { text, mentions, .. } | EventBody::Edit { text, mentions, .. } = &event.body {
        assert!(text.is_empty() || trim_message(text).as_deref() == Ok(&**text));
        assert!(!text.is_empty() || mentions.is_empty());
        assert!(mentions.iter().all(|mention| !mention.name.contains('\n')));
    }
    let mut count = 0;
    if let EventBody::Message { text, files, .. } = &event.body {
        count = files.iter().count();
        assert!(count <= MAX_FILES && (count == 0 || !text.is_empty()));
        assert!(files.iter().all(|file| *file.media_type == *files::OTHER && file.pixels().is_none()));
        assert!(files.iter().all(|file| files::clean_name(&file.name) == *file.name));
        assert!(files.iter().all(|file| !file.alt.contains('\n')));
    }
    assert_eq!(contents.len(), count);
    let json = line.to_json().expect("an event is always JSON");
    assert_eq!(parse_line(json.as_bytes(), seq, LATEST).as_ref(), Ok(line));
}

fuzz_target!(|archive: &[u8]| {
    for (line, seq) in archive.split(|byte| *byte == b'\n').zip(1..) {
        match parse_line(line, seq, LATEST) {
            Ok(line) => check(&line, seq),
            Err(why) => return assert!(!why.is_empty()),
        }
    }
});
