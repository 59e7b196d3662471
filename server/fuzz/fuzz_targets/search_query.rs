//! Any query and any text: the query is refused or bounded, its words have nothing that a database could take for syntax, what is
//! found in the text is in it, and a text is found by its own words.

#![no_main]

extern crate self as app;

#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/store/search/excerpt.rs"]
mod excerpt;
#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/store/search/query.rs"]
mod query;
#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/store/search/tokens.rs"]
mod tokens;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use excerpt::{MAX_EXCERPT_CHARS, excerpt, find_phrases, has_phrases};
use libfuzzer_sys::fuzz_target;
use query::{MAX_QUERY_BYTES, MAX_QUERY_FILTERS, MAX_QUERY_WORDS, ParsedQuery};
use tokens::{FILLER, MAX_TOKEN_CHARS, indexed_words};

fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() && !c.is_ascii_uppercase())
        && (1..=MAX_TOKEN_CHARS).contains(&word.chars().count())
}

fuzz_target!(|input: (&str, &str)| {
    let (text, written) = input;
    assert!(indexed_words(text).iter().all(|word| word == FILLER || is_plain(word)));
    if let Ok(query) = ParsedQuery::parse(written) {
        assert!(written.len() <= MAX_QUERY_BYTES);
        let words: Vec<&String> = query.phrases.iter().flatten().collect();
        assert!(words.len() <= MAX_QUERY_WORDS && words.iter().all(|word| is_plain(word)));
        assert!(query.from.len() + query.rooms.len() <= MAX_QUERY_FILTERS);
        let mut end = 0;
        let places = find_phrases(text, &query.phrases);
        assert_eq!(places.is_some(), has_phrases(text, &query.phrases));
        for place in places.unwrap_or_default() {
            assert!(place.start >= end && text.get(place.clone()).is_some_and(|part| !part.is_empty()));
            end = place.end;
        }
        let shown: usize = excerpt(text, &query.phrases).iter().map(|part| part.text.chars().count()).sum();
        assert!(shown <= MAX_EXCERPT_CHARS + 4);
    }
    // Filters and phrases aside, a text is found by what it says.
    let plain = text.replace([':', '：', '"', '“', '”', '„', '「', '」'], " ");
    if let Ok(own) = ParsedQuery::parse(&plain) {
        assert!(find_phrases(text, &own.phrases).is_some() && find_phrases(&plain, &own.phrases).is_some());
        let indexed = indexed_words(&plain);
        assert!(own.phrases.iter().flatten().all(|word| indexed.contains(word)));
    }
});
