//! The matches of a query in a text, and the part of the text to show.

use super::{
    query::Phrase,
    tokens::{Token, single_characters, tokens},
};
use std::ops::Range;

/// Characters of an excerpt, at most, without its ellipses.
pub const MAX_EXCERPT_CHARS: usize = 240;

/// Characters before the first match, at most, if the excerpt does not begin with the text.
const CONTEXT_CHARS: usize = 60;

/// A word that is longer may be cut at the end.
const MAX_CUT_WORD_CHARS: usize = 24;

/// A part of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptPart {
    /// Its text.
    pub text: String,
    /// The query matches it.
    pub is_match: bool,
}

/// Returns `true` if every phrase stands in a text.
pub fn has_phrases(text: &str, phrases: &[Phrase]) -> bool {
    if phrases.is_empty() {
        return true;
    }
    let (words, singles) = (tokens(text), single_characters(text));
    let has_phrase = |phrase: &Phrase| {
        let mut places = words.windows(phrase.len().max(1));
        places.any(|place| is_phrase(place, phrase))
            || matches!(&phrase[..], [one] if singles.iter().any(|(single, _)| single == one))
    };
    phrases.iter().all(has_phrase)
}

fn is_phrase(place: &[Token], phrase: &Phrase) -> bool {
    place.iter().map(|token| &token.word).eq(phrase)
}

/// Returns where each phrase stands in a text, in order and without overlaps; `None` if one of them does not.
pub(super) fn find_phrases(text: &str, phrases: &[Phrase]) -> Option<Vec<Range<usize>>> {
    let (words, singles) = (tokens(text), single_characters(text));
    let mut found = Vec::new();
    for phrase in phrases {
        let before = found.len();
        let places = words.windows(phrase.len().max(1));
        found.extend(
            places
                .filter(|place| is_phrase(place, phrase))
                .filter_map(|place| Some(place.first()?.bytes.start..place.last()?.bytes.end)),
        );
        if let [one] = &phrase[..] {
            found.extend(singles.iter().filter(|(single, _)| single == one).map(|(_, bytes)| bytes.clone()));
        }
        if found.len() == before {
            return None;
        }
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    Some(merged)
}

/// Returns the part of a text around the first match, in one line, with its matches.
pub fn excerpt(text: &str, phrases: &[Phrase]) -> Vec<ExcerptPart> {
    let matches = find_phrases(text, phrases).unwrap_or_default();
    let first = matches.first().map_or(0, |first| first.start);
    let before = text[..first].char_indices().rev().take(CONTEXT_CHARS).last().map_or(first, |(at, _)| at);
    let start =
        if text[..first].chars().count() > CONTEXT_CHARS { after_space(text, before, first) } else { 0 };
    let end = text[start..].char_indices().nth(MAX_EXCERPT_CHARS);
    let end = end.map_or(text.len(), |(at, _)| before_space(text, start + at));
    let mut parts = Vec::new();
    let mut push = |range: Range<usize>, is_match: bool| {
        if !range.is_empty() {
            parts.push(ExcerptPart { text: one_line(&text[range]), is_match });
        }
    };
    let mut at = start;
    for found in matches {
        let found = found.start.clamp(at, end)..found.end.clamp(at, end);
        push(at..found.start, false);
        push(found.clone(), true);
        at = found.end;
    }
    push(at..end, false);
    if start > 0 {
        parts.insert(0, ExcerptPart { text: "… ".into(), is_match: false });
    }
    if end < text.len() {
        parts.push(ExcerptPart { text: " …".into(), is_match: false });
    }
    parts
}

/// Returns the place after the first space of a range, so that no word is cut; the start without one.
fn after_space(text: &str, start: usize, end: usize) -> usize {
    text[start..end].find(char::is_whitespace).map_or(start, |space| {
        let rest = &text[start + space..end];
        end - rest.trim_start().len()
    })
}

/// Returns the last space before a place if the place is in a word and the space is not far, so that no word is cut; else the
/// place.
fn before_space(text: &str, end: usize) -> usize {
    if text[end..].starts_with(char::is_whitespace) {
        return end;
    }
    let near = text[..end].char_indices().rev().take(MAX_CUT_WORD_CHARS).last().map_or(end, |(at, _)| at);
    text[near..end].rfind(char::is_whitespace).map_or(end, |space| near + space)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::query::ParsedQuery, *};
    use proptest::prelude::*;

    /// Returns an excerpt with brackets around its matches.
    fn marked(text: &str, query: &str) -> String {
        let phrases = ParsedQuery::parse(query).unwrap().phrases;
        let mark = |part: ExcerptPart| if part.is_match { format!("[{}]", part.text) } else { part.text };
        excerpt(text, &phrases).into_iter().map(mark).collect()
    }

    #[test]
    fn matches_are_marked_as_they_are_written() {
        assert_eq!(marked("Green Tea, tea\nand téa", "tea"), "Green [Tea], [tea] and [téa]");
        assert_eq!(marked("an earl of Earl Grey's", "\"earl grey\""), "an earl of [Earl Grey]'s");
        assert_eq!(marked("我爱北京大学", "北京大学 爱"), "我[爱北京大学]");
        assert_eq!(marked("我爱北京", "京"), "我爱北[京]");
        assert_eq!(marked("<b>tea</b>", "tea"), "<b>[tea]</b>");
    }

    #[test]
    fn a_long_text_is_cut_around_its_first_match() {
        let text = format!("{} tea {}", "word ".repeat(200), "more ".repeat(200));
        let cut = marked(&text, "tea");
        assert!(cut.starts_with("… word") && cut.contains("[tea]") && cut.ends_with(" …"), "{cut}");
        assert!(cut.chars().count() <= MAX_EXCERPT_CHARS + 6, "{cut}");
        assert!(cut.ends_with("more …"), "no word is cut: {cut}");
    }

    #[test]
    fn a_text_without_one_of_the_phrases_does_not_match() {
        let phrases = ParsedQuery::parse("green tea").unwrap().phrases;
        assert_eq!(find_phrases("green coffee", &phrases), None);
        assert_eq!(find_phrases("tea, green", &phrases), Some(vec![0..3, 5..10]));
    }

    proptest! {
        #[test]
        fn every_word_of_a_text_is_found_in_it(text in "[a-zäß東京都がー .é]{0,40}") {
            if let Ok(ParsedQuery { phrases, .. }) = ParsedQuery::parse(&text.replace(':', " ")) {
                prop_assert!(find_phrases(&text, &phrases).is_some(), "{:?}", phrases);
            }
        }

        #[test]
        fn an_excerpt_is_a_part_of_the_text(text in "\\PC{0,400}", query in "\\PC{1,5}") {
            if let Ok(ParsedQuery { phrases, .. }) = ParsedQuery::parse(&query) {
                let parts: String = excerpt(&text, &phrases).iter().map(|part| &*part.text).collect();
                prop_assert!(parts.chars().count() <= MAX_EXCERPT_CHARS + 4);
            }
        }
    }
}
