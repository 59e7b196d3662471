//! What a message's text may be, and how it is shown.

use super::limits::MESSAGE_BYTES;

/// Why a text cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadText {
    /// Nothing is left after trimming.
    Blank,
    /// More than [`MESSAGE_BYTES`] are left after trimming.
    TooLong,
}

/// The text without Unicode white space at both ends, if it can be posted.
///
/// # Errors
/// [`BadText`] where nothing or too much is left.
pub fn tidy(text: &str) -> Result<&str, BadText> {
    let text = text.trim();
    match text.len() {
        0 => Err(BadText::Blank),
        1..=MESSAGE_BYTES => Ok(text),
        _ => Err(BadText::TooLong),
    }
}

/// The text with every line break turned into a space, as the lines mode carries it.
pub fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// The text as a page shows it: line ends are `\n`, other control characters are made visible.
///
/// An HTML parser drops NUL and rewrites `\r`; shown as they are, the server's page and the
/// browser's would differ and could not be joined.
pub fn visible(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\r' => '\n',
            _ if c.is_control() => char::REPLACEMENT_CHARACTER,
            _ => c,
        })
        .collect()
}

/// Whether `text` mentions somebody of this name: `@` and the name, letters of ASCII in any case, not within
/// a longer word.
pub fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_ascii_lowercase(), format!("@{}", name.to_ascii_lowercase()));
    let is_word = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_white_space_is_trimmed_at_both_ends_only() {
        assert_eq!(tidy("\u{3000}\u{a0} hi  there\u{85}\n"), Ok("hi  there"));
    }

    #[test]
    fn somebody_is_mentioned_by_their_whole_name_in_any_case() {
        for text in ["@Ann?", "hi @ann", "(@ANN)", "嘿@Ann你好"] {
            assert!(mentions(text, "Ann"), "{text}");
        }
        for text in ["Ann", "@Anna", "me@ann", "", "@ An n"] {
            assert!(!mentions(text, "Ann"), "{text}");
        }
        assert!(mentions("@小明在吗", "小明"));
    }

    #[test]
    fn a_text_of_white_space_is_blank() {
        assert_eq!(tidy(" \n\u{3000}"), Err(BadText::Blank));
    }

    #[test]
    fn the_limit_counts_bytes_after_trimming() {
        let fits = format!("  {}  ", "é".repeat(MESSAGE_BYTES / 2));
        assert!(tidy(&fits).is_ok());
        assert_eq!(tidy(&"x".repeat(MESSAGE_BYTES + 1)), Err(BadText::TooLong));
    }

    #[test]
    fn control_characters_are_made_visible_and_line_ends_made_one() {
        assert_eq!(visible("a\r\nb\rc\0\td\u{1b}"), "a\nb\nc\u{fffd}\td\u{fffd}");
    }
}
