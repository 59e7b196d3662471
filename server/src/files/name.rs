//! Names of files: text that a person reads, and never a path.

use app::wire::{
    limits::{MAX_ALT_CHARS, MAX_FILE_NAME_CHARS},
    sanitize_for_display, to_single_line,
};

/// The name of a file whose name has nothing visible.
const UNNAMED: &str = "file";

/// Returns a name without folders, control characters, directions and characters that file systems refuse, and of at most
/// [`MAX_FILE_NAME_CHARS`] characters; a longer one is cut before its extension.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String =
        last.chars().filter(|c| !is_hidden(*c)).map(|c| if is_reserved(c) { '_' } else { c }).collect();
    let is_margin = |c: char| c.is_whitespace() || c == '.';
    let trimmed = kept.trim_matches(is_margin);
    if trimmed.is_empty() {
        return UNNAMED.into();
    }
    let chars: Vec<char> = trimmed.chars().collect();
    if chars.len() <= MAX_FILE_NAME_CHARS {
        return trimmed.into();
    }
    const MAX_EXTENSION_CHARS: usize = 12;
    let dot = chars.iter().rposition(|c| *c == '.').filter(|dot| chars.len() - dot <= MAX_EXTENSION_CHARS);
    let extension = &chars[dot.unwrap_or(chars.len())..];
    let stem: String = chars[..MAX_FILE_NAME_CHARS - extension.len()].iter().collect();
    // It may be cut after a space or a dot, as no name ends.
    stem.trim_end_matches(is_margin).chars().chain(extension.iter().copied()).collect()
}

/// Returns a description in one line, of at most [`MAX_ALT_CHARS`] characters.
pub fn clean_alt(alt: &str) -> String {
    let line = to_single_line(&sanitize_for_display(alt)).to_string();
    line.trim().chars().take(MAX_ALT_CHARS).collect::<String>().trim_end().into()
}

/// Control characters, and those without a width or that turn the direction of a text (`cod.exe` that reads `exe.doc`).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_reserved(c: char) -> bool {
    matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_no_path_and_hides_nothing() {
        for (name, clean) in [
            ("tea.png", "tea.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\windows\\cmd.exe", "cmd.exe"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("..", "file"),
            (" . hidden. ", "hidden"),
            ("", "file"),
            ("\u{200b}", "file"),
            ("图片 1.jpg", "图片 1.jpg"),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = clean_name(&format!("{}.jpeg", "字".repeat(300)));
        assert_eq!((name.chars().count(), name.ends_with("字.jpeg")), (MAX_FILE_NAME_CHARS, true));
        assert_eq!(clean_name(&"x".repeat(300)).len(), MAX_FILE_NAME_CHARS);
        for name in [
            format!("{} {}", "x".repeat(MAX_FILE_NAME_CHARS - 1), "y".repeat(9)),
            format!("x{}y.png", ".".repeat(300)),
        ] {
            assert_eq!(clean_name(&clean_name(&name)), clean_name(&name));
        }
        let alt = clean_alt(&format!("{} b", "a".repeat(MAX_ALT_CHARS - 1)));
        assert_eq!(clean_alt(&alt), alt);
        assert_eq!(clean_alt(&format!(" a\nb {}", "c".repeat(900))).chars().count(), MAX_ALT_CHARS);
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_never_empty(name in any::<String>()) {
            let clean = clean_name(&name);
            prop_assert!(!clean.is_empty() && !clean.contains(['/', '\\', '\n', '\r', '\0', '"']));
            prop_assert_eq!(clean_name(&clean), clean);
        }
    }
}
