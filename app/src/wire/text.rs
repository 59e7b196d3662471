//! The rules for the text of a message, shared by the socket, the lines mode, forms, the API and the composer.

use super::{limits::MAX_MESSAGE_BYTES, visible_line::is_visible};
use std::borrow::Cow;

/// The reason why a text cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidText {
    /// It has no visible character.
    Blank,
    /// It has more than [`MAX_MESSAGE_BYTES`] after trimming.
    TooLong {
        /// The UTF-8 bytes beyond the limit.
        over: usize,
    },
}

/// Returns `text` in its stored form, if it can be posted.
///
/// - CR LF and a lone CR become LF; control characters except LF and TAB become U+FFFD. If the text is too long then,
///   each run of them becomes one U+FFFD.
/// - Lines without a visible character are removed at both ends. A remaining single line loses the white space at both
///   ends; several lines keep the indentation of the first and lose the white space after the last.
///
/// The function is idempotent. White space is defined by Unicode.
///
/// # Errors
/// [`InvalidText`] if the result is blank or too long.
///
/// # Examples
/// ```
/// use app::wire::trim_message;
///
/// assert_eq!(trim_message("  hello\r\n").as_deref(), Ok("hello"));
/// assert_eq!(trim_message("\n  if tea {\n    drink\n  }\n").as_deref(), Ok("  if tea {\n    drink\n  }"));
/// assert!(trim_message(" \u{a0} ").is_err());
/// ```
pub fn trim_message(text: &str) -> Result<Cow<'_, str>, InvalidText> {
    let mut text = match line_feeds(text) {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)?),
        Cow::Owned(text) => Cow::Owned(trimmed(&text)?.to_owned()),
    };
    if !is_plain(&text) && text.contains(is_unwanted) {
        text = Cow::Owned(replaced(&text, false));
    }
    if text.len() > MAX_MESSAGE_BYTES && text.contains(char::REPLACEMENT_CHARACTER) {
        text = Cow::Owned(replaced(&text, true));
    }
    match text.len().saturating_sub(MAX_MESSAGE_BYTES) {
        0 => Ok(text),
        over => Err(InvalidText::TooLong { over }),
    }
}

/// Like [`trim_message`] for the lines mode: each line break becomes a space.
///
/// # Errors
/// Like [`trim_message`].
pub fn trim_single_line(text: &str) -> Result<Cow<'_, str>, InvalidText> {
    if !text.contains('\r') && !text.contains('\n') {
        return trim_message(text);
    }
    trim_message(&line_feeds(text).replace('\n', " ")).map(|text| Cow::Owned(text.into_owned()))
}

/// Returns `text` for the lines mode: each line break becomes a space.
pub fn to_single_line(text: &str) -> Cow<'_, str> {
    let text = sanitize_for_display(text);
    if text.contains('\n') { Cow::Owned(text.replace('\n', " ")) } else { text }
}

/// Returns `text` for display: line ends become LF, and control characters except TAB become U+FFFD.
///
/// Texts that an old version stored may contain control characters. A terminal would interpret them, and an HTML parser
/// drops NUL and rewrites CR, which would break hydration.
pub fn sanitize_for_display(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let text = line_feeds(text);
    if text.contains(is_unwanted) { Cow::Owned(replaced(&text, false)) } else { text }
}

/// Returns `false` if `text` has a control character other than LF and TAB. U+0080 to U+009F begin with 0xC2, as some other
/// characters do, for which it returns `false` too.
///
/// Nearly every text is plain, and this pass over the bytes is much faster than one over the characters.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte| matches!(byte, b'\n' | b'\t' | 0x20..=0x7e | 0x80..=0xc1 | 0xc3..);
    // Without an early end, so that the compiler looks at many bytes at once.
    text.bytes().fold(true, |all, byte| all & is_plain(byte))
}

fn line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns whether `c` is a control character except LF and TAB.
fn is_unwanted(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// Returns `text` with U+FFFD for each unwanted character or, with `runs`, for each run of them.
fn replaced(text: &str, runs: bool) -> String {
    let mut last = ' ';
    let mut replaced = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if is_unwanted(c) { char::REPLACEMENT_CHARACTER } else { c };
        if !(runs && c == char::REPLACEMENT_CHARACTER && last == c) {
            replaced.push(c);
        }
        last = c;
    }
    replaced
}

/// Returns `text` without blank lines at its ends.
fn trimmed(text: &str) -> Result<&str, InvalidText> {
    let first = text.find(is_visible).ok_or(InvalidText::Blank)?;
    let last = text.rfind(is_visible).ok_or(InvalidText::Blank)?;
    let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    let text = text[start..end].trim_end();
    Ok(if text.contains('\n') { text } else { text.trim_start() })
}

/// Returns whether `c` next to a name makes it part of a longer word. In scripts without spaces between words, such as
/// Chinese, Japanese, Korean particles and Thai, a name may end anywhere.
pub fn continues_word(c: char) -> bool {
    let has_no_spaces = matches!(c,
        '\u{e00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    !has_no_spaces && is_letter(c)
}

/// Returns whether `c` is a letter, a digit or a combining mark.
#[cfg(not(all(target_arch = "wasm32", feature = "hydrate")))]
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

#[cfg(all(target_arch = "wasm32", feature = "hydrate"))]
fn is_letter(c: char) -> bool {
    js_sys::RegExp::new(r"[\p{L}\p{M}\p{N}]", "u").test(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn assert_trimmed(text: &str, expected: &str) {
        assert_eq!(trim_message(text).as_deref(), Ok(expected), "{text:?}");
    }

    #[test]
    fn single_line_loses_unicode_white_space_at_both_ends() {
        assert_trimmed("\u{3000}\u{a0} hi  there\u{85}\n", "hi  there");
        assert_trimmed("\n \n   code\n\n", "code");
        assert_trimmed("\u{b}tab\there\u{c}", "tab\there");
    }

    #[test]
    fn several_lines_keep_the_indentation_of_the_first() {
        assert_trimmed("    if ready:\n        go()\n", "    if ready:\n        go()");
        assert_trimmed("\r\n \t\r\n\ta\r\n\r\n  b \u{3000}\r\n \r\n", "\ta\n\n  b");
        assert_trimmed("\u{200b}\n  a\n  b\n\u{2800}", "  a\n  b");
    }

    #[test]
    fn carriage_returns_become_line_feeds() {
        assert_trimmed("a\r\nb\rc\n\rd", "a\nb\nc\n\nd");
    }

    #[test]
    fn control_characters_become_replacement_characters() {
        assert_trimmed("a\0b\u{7}\u{1b}[2J\u{9b}c\td", "a\u{fffd}b\u{fffd}\u{fffd}[2J\u{fffd}c\td");
        assert_eq!(sanitize_for_display("a\r\nb\rc\0\td\u{1b}"), "a\nb\nc\u{fffd}\td\u{fffd}");
        assert_eq!(to_single_line("a\r\nb\n\u{1b}c\td"), "a b \u{fffd}c\td");
    }

    #[test]
    fn line_breaks_of_a_line_message_become_spaces() {
        assert_eq!(trim_single_line("  a\r\n  b\r").as_deref(), Ok("a   b"));
        assert_eq!(trim_single_line("\u{7}\n\0"), Err(InvalidText::Blank));
    }

    #[test]
    fn control_character_runs_collapse_if_text_would_be_too_long() {
        assert_trimmed(&format!("a{}b", "\u{1}".repeat(MAX_MESSAGE_BYTES - 2)), "a\u{fffd}b");
        let apart = "\u{1}x".repeat(MAX_MESSAGE_BYTES / 2);
        assert_eq!(trim_message(&apart), Err(InvalidText::TooLong { over: MAX_MESSAGE_BYTES }));
    }

    #[test]
    fn text_without_a_visible_character_is_blank() {
        for blank in [
            "",
            " \n\u{3000}",
            "\u{200b}",
            "\u{2800}",
            "\u{3164}",
            "\u{feff}",
            "\u{200d}\u{200d}",
            "\u{2060}",
            "\u{ad}",
            "\u{202e}",
            "\u{200b} \n \u{200b}",
            "\u{fe0f}",
            "\u{e0020}",
            "\0",
            "\u{7}\n\u{1b}",
        ] {
            assert_eq!(trim_message(blank), Err(InvalidText::Blank), "{blank:?}");
        }
        for shown in ["👩\u{200d}🚀", "❤\u{fe0f}", "नमस्ते", "a\u{200b}b", "می\u{200c}خواهم", ".", "\u{fffd}"]
        {
            assert_trimmed(shown, shown);
        }
    }

    #[test]
    fn limit_counts_bytes_after_trimming() {
        let fits = format!("  {}  ", "é".repeat(MAX_MESSAGE_BYTES / 2));
        assert!(trim_message(&fits).is_ok());
        assert_eq!(trim_message(&"x".repeat(MAX_MESSAGE_BYTES + 2)), Err(InvalidText::TooLong { over: 2 }));
    }

    proptest! {
        #[test]
        fn trimming_is_idempotent_and_obeys_the_rule(
            text in "([ -~]|[\\x00-\\x20\\x7f-\\xa0]|[\n\r\t ]|[a-c\u{200b}\u{2800}\u{3000}\u{fe0f}\u{301}é😀]){0,40}"
        ) {
            if let Ok(trimmed) = trim_message(&text) {
                prop_assert!(!trimmed.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
                prop_assert_eq!(trimmed.trim_end(), &*trimmed);
                let (first, last) = (trimmed.lines().next(), trimmed.lines().last());
                prop_assert!(first.is_some_and(|line| line.contains(is_visible)));
                prop_assert!(last.is_some_and(|line| line.contains(is_visible)));
                prop_assert!(trimmed.contains('\n') || trimmed.trim() == trimmed);
                let again = trim_message(&trimmed);
                prop_assert_eq!(again.as_deref(), Ok(&*trimmed));
                prop_assert_eq!(sanitize_for_display(&trimmed), &*trimmed);
            } else {
                prop_assert!(!text.contains(is_visible));
            }
        }
    }
}
