//! The syntax of a query in the search field.
//!
//! Words and `"phrases"` must all be in a message, and filters must hold: `from:name`, `in:room`, `has:link`, `has:file`,
//! `has:code`, `before:2026-11-25`, `after:2026-11`. Everything else is words: there is no other syntax, so nothing else can be
//! wrong.

use super::tokens::{Token, tokens};
use app::wire::Millis;
use std::collections::{BTreeSet, HashSet};
use thiserror::Error;
use time::{Date, Month};

/// Bytes of a query, at most.
pub const MAX_QUERY_BYTES: usize = 1_024;

/// Words of a query, at most; a phrase has one for each of its words, and Chinese one for each pair of characters.
pub const MAX_QUERY_WORDS: usize = 32;

/// Names after `from:` and rooms after `in:`, at most.
pub const MAX_QUERY_FILTERS: usize = 8;

/// Milliseconds of a day.
const DAY: Millis = 24 * 60 * 60 * 1_000;

/// Tokens that stand one after the other.
pub type Phrase = Vec<String>;

/// A query as its author wrote it: names are not looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedQuery {
    /// The phrases that must be in the text.
    pub phrases: Vec<Phrase>,
    /// The names after `from:`: one of them must be the author's.
    pub from: Vec<String>,
    /// The rooms after `in:`, names or titles: the message must be in one of them.
    pub rooms: Vec<String>,
    /// The contents that the message must have.
    pub has: BTreeSet<Has>,
    /// The first millisecond after the day of `after:`.
    pub since: Option<Millis>,
    /// The first millisecond of the day of `before:`.
    pub until: Option<Millis>,
}

/// A content that a message may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Has {
    /// A link.
    Link,
    /// A file.
    File,
    /// Code, in a line or in a block.
    Code,
}

/// The reason why a query is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueryError {
    /// It has more than [`MAX_QUERY_BYTES`].
    #[error("A query has at most {MAX_QUERY_BYTES} bytes.")]
    TooLong,
    /// It has more than [`MAX_QUERY_WORDS`] or [`MAX_QUERY_FILTERS`].
    #[error("A query has at most {MAX_QUERY_WORDS} words, and {MAX_QUERY_FILTERS} names and rooms.")]
    TooManyWords,
    /// The text after `before:` or `after:` is no date.
    #[error("A date is written as 2026-11-25, 2026-11 or 2026.")]
    InvalidDate,
    /// The text after `has:` is not known.
    #[error("After has: stands link, file or code.")]
    UnknownHas,
    /// There is nothing in it that could be found.
    #[error("Write a word of letters or digits, or a filter.")]
    Empty,
}

impl Has {
    const ALL: [(&'static str, Self); 3] = [("link", Self::Link), ("file", Self::File), ("code", Self::Code)];

    /// Returns the word after `has:`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, has)| *has == self).map_or("", |(name, _)| name)
    }
}

impl ParsedQuery {
    /// Reads a query. It takes time in proportion to the bytes of the text.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY_BYTES {
            return Err(QueryError::TooLong);
        }
        let mut query = Self::default();
        for term in terms(text) {
            query.add(&term)?;
        }
        let words: usize = query.phrases.iter().map(Vec::len).sum();
        if words > MAX_QUERY_WORDS || query.from.len() + query.rooms.len() > MAX_QUERY_FILTERS {
            return Err(QueryError::TooManyWords);
        }
        // The same words once more would only cost time.
        let mut seen = HashSet::new();
        query.phrases.retain(|phrase| seen.insert(phrase.clone()));
        if query == Self::default() { Err(QueryError::Empty) } else { Ok(query) }
    }

    fn add(&mut self, term: &Term) -> Result<(), QueryError> {
        let value = term.value.trim();
        match &*term.filter {
            "from" => self.from.push(value.to_owned()),
            "in" => self.rooms.push(value.trim_start_matches('#').to_owned()),
            "has" => {
                let value = value.to_lowercase();
                let value = value.strip_suffix('s').unwrap_or(&value);
                let known = Has::ALL.iter().find(|(name, _)| *name == value);
                self.has.insert(known.ok_or(QueryError::UnknownHas)?.1);
            }
            "before" => {
                let (first, _) = days(value).ok_or(QueryError::InvalidDate)?;
                self.until = Some(self.until.map_or(first, |until| until.min(first)));
            }
            "after" => {
                let (_, end) = days(value).ok_or(QueryError::InvalidDate)?;
                self.since = Some(self.since.map_or(end, |since| since.max(end)));
            }
            _ if term.is_quoted => self.add_phrases(&term.value, |_, _| true),
            // What a user writes without a space, as `user@example.com`, stands together; but a name beside Chinese characters
            // need not.
            _ => self.add_phrases(&term.value, |one, next| {
                one.is_cut == next.is_cut && (!one.is_cut || one.run == next.run)
            }),
        }
        Ok(())
    }

    /// Adds the tokens of a text, those together of which `belongs` says so. A single character of a script without spaces
    /// stands alone: it may be within a pair.
    fn add_phrases(&mut self, text: &str, belongs: impl Fn(&Token, &Token) -> bool) {
        let is_single = |token: &Token| token.is_cut && token.word.chars().nth(1).is_none();
        let mut last: Option<Token> = None;
        for token in tokens(text) {
            let continues = last
                .as_ref()
                .is_some_and(|last| !is_single(last) && !is_single(&token) && belongs(last, &token));
            match self.phrases.last_mut().filter(|_| continues) {
                Some(phrase) => phrase.push(token.word.clone()),
                None => self.phrases.push(vec![token.word.clone()]),
            }
            last = Some(token);
        }
    }
}

/// A part of a query between spaces.
#[derive(Debug, Default)]
struct Term {
    /// In lower case; empty if there is none.
    filter: String,
    value: String,
    is_quoted: bool,
}

/// Cuts a query at its spaces, but not within quotation marks. A mark that is not closed reaches to the end.
fn terms(text: &str) -> Vec<Term> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let mut term = Term::default();
        if let Some((filter, after)) = rest.split_once([':', '：'])
            && ["from", "in", "has", "before", "after"].contains(&&*filter.to_ascii_lowercase())
            && after.starts_with(|c: char| !c.is_whitespace())
        {
            term.filter = filter.to_ascii_lowercase();
            rest = after;
        }
        if let Some((quoted, closing)) =
            rest.strip_prefix(['"', '“', '”', '„', '「']).zip(Some(['"', '”', '“', '」']))
        {
            let (value, after) = quoted.split_once(closing).unwrap_or((quoted, ""));
            (term.value, term.is_quoted, rest) = (value.to_owned(), true, after);
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            term.value = rest[..end].to_owned();
            rest = &rest[end..];
        }
        if !term.value.trim().is_empty() {
            found.push(term);
        }
        rest = rest.trim_start();
    }
    found
}

/// Returns the first millisecond of a day, a month or a year (UTC), and the first one after it.
fn days(text: &str) -> Option<(Millis, Millis)> {
    let numbers: Vec<u16> =
        text.split(['-', '/', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let first = |year: u16, month: u16, day: u16| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
        Millis::try_from(date.midnight().assume_utc().unix_timestamp()).ok().map(|seconds| seconds * 1_000)
    };
    match numbers[..] {
        [year] => Some((first(year, 1, 1)?, first(year + 1, 1, 1)?)),
        [year, 12] => Some((first(year, 12, 1)?, first(year + 1, 1, 1)?)),
        [year, month] => Some((first(year, month, 1)?, first(year, month + 1, 1)?)),
        [year, month, day] => first(year, month, day).map(|first| (first, first + DAY)),
        _ => None,
    }
    .filter(|_| numbers[0] < 9_999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> ParsedQuery {
        ParsedQuery::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn phrases(text: &str) -> Vec<String> {
        parse(text).phrases.iter().map(|phrase| phrase.join(" ")).collect()
    }

    #[test]
    fn words_and_phrases_are_told_apart() {
        assert_eq!(phrases(r#"Green tea "Earl  Grey" x"#), ["green", "tea", "earl grey", "x"]);
        assert_eq!(phrases("tea TEA \"tea\" téa"), ["tea"], "the same once more");
        assert_eq!(phrases("a@b.example don't"), ["a b example", "don t"]);
        assert_eq!(phrases("“earl grey” 「北京 茶」"), ["earl grey", "北京", "茶"]);
        assert_eq!(
            phrases("北京大学 iPhone手机 3月 茶"),
            ["北京 京大 大学", "iphone", "手机", "3", "月", "茶"]
        );
    }

    #[test]
    fn filters_have_values_and_may_have_quotation_marks() {
        let query = parse(r#"from:Ann FROM:"Ann Lee" in:#tea-house in:"Tea house" has:links has:CODE tea"#);
        assert_eq!(query.from, ["Ann", "Ann Lee"]);
        assert_eq!(query.rooms, ["tea-house", "Tea house"]);
        assert_eq!(query.has.iter().map(|has| has.name()).collect::<Vec<_>>(), ["link", "code"]);
        assert_eq!(query.phrases, [["tea"]]);
        assert_eq!(phrases("from: ann http://x.example/y"), ["from", "ann", "http x example y"]);
    }

    #[test]
    fn dates_are_days_months_and_years() {
        let query = parse("after:2026-11-24 before:2026-11-25");
        assert_eq!((query.since, query.until), (Some(1_795_564_800_000), Some(1_795_564_800_000)));
        assert_eq!(parse("before:2026-12").until, parse("after:2026-11-30").since);
        assert_eq!(parse("after:2026").since, parse("before:2027").until);
        for bad in
            ["before:x", "after:2026-13", "after:2026-02-30", "before:9999", "before:-1", "before:1.2.3.4"]
        {
            assert_eq!(ParsedQuery::parse(bad), Err(QueryError::InvalidDate), "{bad}");
        }
        assert_eq!(ParsedQuery::parse("has:money"), Err(QueryError::UnknownHas));
    }

    #[test]
    fn hostile_queries_are_words_or_are_refused() {
        assert_eq!(
            phrases(r#"NEAR(a b, 3) OR -c* ^d {e f}: g"#),
            ["near a", "b", "3", "or", "c", "d", "e", "f", "g"]
        );
        assert_eq!(phrases("\"unbalanced \0 quote"), ["unbalanced quote"]);
        assert_eq!(phrases("a\"b\"c' OR 1=1; --"), ["a", "b", "c", "or", "1 1"]);
        for (text, error) in [
            ("x".repeat(8_192), QueryError::TooLong),
            ("a ".repeat(500), QueryError::TooManyWords),
            ("in:a ".repeat(9), QueryError::TooManyWords),
            (String::new(), QueryError::Empty),
            ("\"\" \" ' 🎉".into(), QueryError::Empty),
        ] {
            assert_eq!(ParsedQuery::parse(&text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_query_panics_and_all_are_bounded(text in "(\\PC|[\\x00-\\x1f]|from:|in:|has:|before:|\"){0,60}") {
            if let Ok(query) = ParsedQuery::parse(&text) {
                prop_assert!(query.phrases.iter().map(Vec::len).sum::<usize>() <= MAX_QUERY_WORDS);
                prop_assert!(query.phrases.iter().all(|phrase| !phrase.is_empty()));
            }
        }
    }
}
