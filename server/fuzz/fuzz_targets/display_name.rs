//! Any text as a display name: the rule for names accepts what it has made, and so does the skeleton, which never
//! depends on the white space that the rule takes away.

#![no_main]

extern crate self as app;

#[allow(dead_code, unused_imports, reason = "the server uses the rest")]
#[path = "../../src/store/name_policy.rs"]
mod name_policy;
#[allow(dead_code, unused_imports, reason = "the server uses the rest")]
#[path = "../../src/store/skeleton/mod.rs"]
mod skeleton;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use name_policy::choose_name;
use skeleton::name_key;
use wire::DisplayName;

fuzz_target!(|text: &str| {
    let Ok(name) = text.parse::<DisplayName>() else { return };
    assert_eq!(name.as_str().parse(), Ok(name.clone()), "the rule accepts what it has made");
    if let Ok(chosen) = choose_name(text) {
        assert_eq!(chosen, name);
        assert_eq!(choose_name(chosen.as_str()), Ok(chosen));
    }
    let key = name_key(name.as_str());
    assert!(!key.is_empty());
    assert_eq!(name_key(text.trim()), key, "the rule changes no skeleton");
    if key.chars().all(|c| c.is_ascii_alphabetic()) {
        assert_eq!(name_key(&key), key, "the skeleton of a skeleton of letters is itself");
    }
});
