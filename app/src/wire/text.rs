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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_white_space_is_trimmed_at_both_ends_only() {
        assert_eq!(tidy("\u{3000}\u{a0} hi  there\u{85}\n"), Ok("hi  there"));
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
