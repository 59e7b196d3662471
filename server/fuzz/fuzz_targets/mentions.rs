//! Any text with any names: the places for names are bounded, the parts of the text are the text, and exactly the names that
//! the server finds at those places are shown as mentions, none of them within a word, in code or in a link.

#![no_main]

extern crate self as app;

#[allow(dead_code, reason = "the server uses the rest")]
#[path = "../../src/mentions/choose.rs"]
mod choose;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/markup/mod.rs"]
mod markup;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use choose::{ChosenUsers, FoundUsers, choose_all, names_to_find};
use libfuzzer_sys::fuzz_target;
use markup::{
    Content, MAX_ROOM_LINKS, MentionPlace, Part, References, Span, is_plain, mention_places, parse,
};
use wire::{
    Mentions, User, UserId,
    limits::{MAX_MENTIONS, MAX_NAME_CHARS},
};

/// Names that one read looks up.
const MAX_NAMES: usize = 64;

fn user(id: u64) -> User {
    User::new(UserId(id), "Ann".parse().expect("a name"))
}

/// Checks the parts of the spans, and counts the mentions and the rooms in them.
fn check<'a>(spans: &'a [Span], references: &mut References<'a>, counts: &mut (usize, usize)) {
    for (at, span) in spans.iter().enumerate().filter(|(_, span)| is_plain(span)) {
        let mut rest = &*span.text;
        for part in references.parts(spans, at) {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text).expect("the parts are in order"),
                Part::Mention(mention) => {
                    counts.0 += 1;
                    let name = rest.strip_prefix(['@', '＠']).expect("the mark");
                    rest = name.strip_prefix(&*mention.name).expect("the name");
                }
                Part::Room(name, room) => {
                    counts.1 += 1;
                    assert_eq!(name, room.as_str());
                    rest = rest.strip_prefix('#').and_then(|rest| rest.strip_prefix(name)).expect("the room");
                }
            }
        }
        assert!(rest.is_empty());
    }
}

fuzz_target!(|input: (&str, u8, u8)| {
    let (text, chosen, found) = input;
    let places = mention_places(text);
    assert!(places.len() <= MAX_MENTIONS);
    let candidates: Vec<&str> = places.iter().flat_map(MentionPlace::candidates).collect();
    for candidate in &candidates {
        assert!((1..=MAX_NAME_CHARS).contains(&candidate.chars().count()));
        assert!(candidate.trim() == *candidate && !candidate.contains(['@', '＠', '\n']));
    }
    // Some of the candidates are chosen by the author, some are found.
    let some = |bits: u8, from: u64| {
        let picked = candidates.iter().enumerate().filter(move |(at, _)| bits >> (at % 8) & 1 == 1);
        picked.map(move |(at, name)| ((*name).to_owned(), UserId(from + at as u64 % 5)))
    };
    let chosen: ChosenUsers = some(chosen, 1).collect();
    let names = names_to_find(&places, &chosen, MAX_NAMES);
    assert!(names.len() <= MAX_NAMES);
    let by_name = some(found, 10).filter(|(name, _)| names.contains(name)).collect();
    let users = (1..20).map(|id| (UserId(id), user(id))).collect();
    let mentions: Mentions =
        choose_all(&places, &chosen, &FoundUsers { by_name, users }).into_iter().collect();
    assert!(mentions.iter().count() <= MAX_MENTIONS);

    let blocks = parse(text);
    let (mut references, mut counts) = (References::new(&mentions), (0, 0));
    for block in &blocks {
        match &block.content {
            Content::Paragraph(spans) => check(spans, &mut references, &mut counts),
            Content::List(items) => {
                items.iter().for_each(|item| check(&item.spans, &mut references, &mut counts));
            }
            Content::Code { .. } => {}
        }
    }
    assert!(counts.0 <= MAX_MENTIONS && counts.1 <= MAX_ROOM_LINKS);
    assert_eq!(mentions.is_empty(), counts.0 == 0, "every name that was found is shown");
});
