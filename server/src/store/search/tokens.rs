//! The words of a text, as both stores index and search them.
//!
//! A word is a run of letters and digits: in lower case, without accents, at most [`MAX_TOKEN_CHARS`]. Scripts that are
//! written without spaces are cut into pairs of neighbors; so a word of two characters is one token, and a longer one a
//! phrase of tokens. What is cut also has each character as a token of its own, after all others.

use std::{collections::HashMap, iter, ops::Range};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a token, at most. Further ones are dropped, in texts and in queries alike.
pub const MAX_TOKEN_CHARS: usize = 32;

/// Occurrences of one token that count in a text, at most: PostgreSQL keeps no more positions. Further ones are [`FILLER`].
const MAX_OCCURRENCES: u32 = 255;

/// Takes the place of a token that is not counted.
pub const FILLER: &str = ":";

/// A token with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The word that is indexed and searched.
    pub(super) word: String,
    /// Its bytes in the text.
    pub(super) bytes: Range<usize>,
    /// The token is a part of a run that is written without spaces.
    pub(super) is_cut: bool,
    /// The number of the run: tokens of one run are parts of one another's neighbors.
    pub(super) run: usize,
}

/// A character of a text, folded.
struct Folded {
    /// The character as it stands in tokens.
    letter: char,
    bytes: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of a word.
    Letter,
    /// Part of a run that is written without spaces.
    Unspaced,
    /// Between two words.
    Other,
}

/// Returns the tokens of a text in their order, without the single characters of runs that are cut.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let (mut found, mut run, mut number) = (Vec::new(), Vec::<Folded>::new(), 0);
    for folded in fold(text) {
        let continues = run.last().is_some_and(|last| last.kind == folded.kind);
        if !continues {
            finish(&mut run, number, &mut found);
            number += 1;
        }
        if folded.kind != Kind::Other {
            run.push(folded);
        }
    }
    finish(&mut run, number, &mut found);
    found
}

/// Adds the tokens of a run.
fn finish(run: &mut Vec<Folded>, number: usize, found: &mut Vec<Token>) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    let bytes = first.bytes.start..last.bytes.end;
    if first.kind == Kind::Letter {
        let word: String = run.iter().map(|folded| folded.letter).take(MAX_TOKEN_CHARS).collect();
        found.push(Token { word, bytes, is_cut: false, run: number });
    } else if let [one] = &run[..] {
        found.push(Token { word: one.letter.into(), bytes, is_cut: true, run: number });
    } else {
        found.extend(run.windows(2).map(|pair| Token {
            word: [pair[0].letter, pair[1].letter].iter().collect(),
            bytes: pair[0].bytes.start..pair[1].bytes.end,
            is_cut: true,
            run: number,
        }));
    }
    run.clear();
}

/// Returns the single characters of runs of two and more, with their bytes.
pub(super) fn single_characters(text: &str) -> Vec<(String, Range<usize>)> {
    let folded = fold(text).filter(|folded| folded.kind == Kind::Unspaced);
    folded.map(|folded| (folded.letter.into(), folded.bytes)).collect()
}

/// Returns what an index has of a text, in order: its tokens, then each single character of the runs that are cut.
pub fn indexed_words(text: &str) -> Vec<String> {
    let mut counts = HashMap::<String, u32>::new();
    let mut words: Vec<String> = Vec::new();
    for Token { word, .. } in tokens(text) {
        let count = counts.entry(word.clone()).or_default();
        *count += 1;
        words.push(if *count > MAX_OCCURRENCES { FILLER.to_owned() } else { word });
    }
    if !text.is_ascii() {
        words.push(FILLER.to_owned());
        for (single, _) in single_characters(text) {
            let count = counts.entry(single.clone()).or_default();
            *count += 1;
            if *count == 1 {
                words.push(single);
            }
        }
    }
    words
}

/// Folds a text, character by character; marks belong to the character before them. A character that stands for several, as
/// `㍿` does, becomes those, all in its place.
fn fold(text: &str) -> impl Iterator<Item = Folded> {
    let mut rest = text.char_indices().peekable();
    let characters = iter::from_fn(move || {
        let (start, first) = rest.next()?;
        let mut end = start + first.len_utf8();
        if first.is_ascii() && rest.peek().is_none_or(|(_, next)| next.is_ascii()) {
            return Some((start..end, FoldedText::Ascii(first)));
        }
        // A space or a colon takes no final of Hangul with it: it would no longer separate two words.
        let has_letter = first.is_alphanumeric() || !fold_character(&text[start..end]).is_empty();
        while let Some((at, mark)) = rest.next_if(|(_, next)| has_letter && continues_character(*next)) {
            end = at + mark.len_utf8();
        }
        Some((start..end, FoldedText::Other(fold_character(&text[start..end]))))
    });
    characters.flat_map(|(bytes, folded)| {
        let (ascii, other) = match folded {
            FoldedText::Ascii(c) => (Some(c.to_ascii_lowercase()), String::new()),
            // Something that is no part of a word separates two.
            FoldedText::Other(text) if text.is_empty() => (Some(' '), text),
            FoldedText::Other(text) => (None, text),
        };
        let all: Vec<char> = ascii.into_iter().chain(other.chars()).collect();
        all.into_iter().map(move |letter| {
            let kind = match letter {
                c if !c.is_alphanumeric() => Kind::Other,
                c if is_unspaced(c) => Kind::Unspaced,
                _ => Kind::Letter,
            };
            Folded { letter, bytes: bytes.clone(), kind }
        })
    })
}

/// The folded form of a character.
enum FoldedText {
    Ascii(char),
    Other(String),
}

/// Returns `true` for what stands after a letter and belongs to it: accents, the sounds of kana in half width, and the
/// vowels and finals of Hangul that is not composed, also in half width.
fn continues_character(c: char) -> bool {
    is_combining_mark(c)
        || matches!(c,
            '\u{ff9e}' | '\u{ff9f}' | '\u{ffc2}'..='\u{ffdc}'
            | '\u{1160}'..='\u{11ff}' | '\u{314f}'..='\u{3163}'
            | '\u{200c}' | '\u{200d}')
}

/// Folds one character: without accents, but kana keep their sound marks, which make other syllables; in lower case.
fn fold_character(text: &str) -> String {
    // Parentheses, as in `㈀`, would keep Hangul from being composed.
    let is_kept =
        |c: &char| matches!(c, '\u{3099}' | '\u{309a}') || (c.is_alphanumeric() && !is_combining_mark(*c));
    let plain: String = text.nfkd().filter(is_kept).nfc().collect();
    let upper = plain.chars().flat_map(char::to_uppercase);
    let lower = upper.flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric());
    lower.map(fold_letter).collect()
}

/// Folds letters that are no letter with a mark to Unicode, but to readers.
fn fold_letter(c: char) -> char {
    match c {
        'ø' => 'o',
        'đ' => 'd',
        'ł' => 'l',
        'ħ' => 'h',
        'ς' => 'σ',
        other => other,
    }
}

/// Returns `true` for scripts that are written without spaces between words, Chinese, Japanese, Thai, Lao, Burmese and Khmer, and
/// for Korean, whose words have endings.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3040}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn case_width_and_accents_are_folded() {
        assert_eq!(words("Crème BRÛLÉE, Straße ΣΊΣΥΦΟΣ"), ["creme", "brulee", "strasse", "σισυφοσ"]);
        assert_eq!(
            words("e\u{301}te\u{301} Ｆｕｌｌ ﬁne Ørsted Łódź İstanbul"),
            ["ete", "full", "fine", "orsted", "lodz", "istanbul"]
        );
        assert_eq!(words("Ёлка ЙОД"), ["елка", "иод"]);
    }

    #[test]
    fn chinese_japanese_and_korean_are_cut_into_pairs() {
        assert_eq!(words("我爱北京 tea茶"), ["我爱", "爱北", "北京", "tea", "茶"]);
        assert_eq!(words("ガム ｶﾞﾑ カム"), ["ガム", "ガム", "カム"]);
        assert_eq!(words("한국어를"), ["한국", "국어", "어를"]);
        assert_eq!(words("ﾡￂ ㄱㅏ ㈀ￊ ㈀\u{1161}"), ["가", "가", "겨", "가"]);
        assert_eq!(words(&"한국어".nfd().collect::<String>()), ["한국", "국어"]);
        assert_eq!(indexed_words("北京 北"), ["北京", "北", ":", "京"]);
        assert_eq!(indexed_words("tea"), ["tea"]);
    }

    #[test]
    fn everything_else_separates_words() {
        assert_eq!(words("a.b-c_d'e 1,5 #x \0 \u{202e}y"), ["a", "b", "c", "d", "e", "1", "5", "x", "y"]);
        assert_eq!(words("🎉 :) ---"), Vec::<String>::new());
        assert_eq!(
            words("gr:\u{11b4} x \u{11b4}\u{301}y"),
            ["gr", "\u{11b4}", "x", "\u{11b4}y"],
            "a final alone"
        );
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(MAX_TOKEN_CHARS)]);
    }

    #[test]
    fn repeated_word_counts_as_often_as_postgresql_counts_it() {
        let words = indexed_words(&"a ".repeat(300));
        assert_eq!((words.len(), &*words[254], &*words[255]), (300, "a", ":"));
    }

    proptest! {
        #[test]
        fn tokens_are_plain_and_their_places_are_in_the_text(text in "\\PC{0,40}") {
            for token in tokens(&text) {
                prop_assert!(text.get(token.bytes.clone()).is_some_and(|part| !part.is_empty()));
                prop_assert!(!token.word.is_empty());
                prop_assert!(token.word.chars().all(char::is_alphanumeric), "{:?}", token.word);
                prop_assert!(!token.word.chars().any(|c| c.is_ascii_uppercase()));
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = words(&text);
            let again: Vec<String> = once.iter().flat_map(|word| words(word)).collect();
            prop_assert_eq!(once, again);
        }
    }
}
