//! A text without its markup, in one line: for quotes of replies and for notifications.

use super::{Content, parse};

/// Bytes of a text that are parsed for each character wanted: markup may hide most of them.
const PARSED_BYTES_PER_CHAR: usize = 8;

/// Characters of a message that a reply to it shows, at most.
const MAX_EXCERPT_CHARS: usize = 120;

/// Returns the beginning of a text as a reply to it shows it.
pub fn excerpt(text: &str) -> String {
    plain_text(text, MAX_EXCERPT_CHARS)
}

/// Returns the beginning of `text` without its markup, with each run of white space as one space. It has at most
/// `max_chars` characters, the last of them an ellipsis if something is left out.
pub fn plain_text(text: &str, max_chars: usize) -> String {
    let begin = &text[..text.floor_char_boundary(max_chars * PARSED_BYTES_PER_CHAR)];
    let mut plain = String::new();
    let mut push = |part: &str| {
        plain.push_str(part);
        plain.push(' ');
    };
    for block in parse(begin) {
        match block.content {
            Content::Paragraph(spans) => push(&spans.iter().map(|span| &*span.text).collect::<String>()),
            Content::Code { text, .. } => push(&text),
            Content::List(items) => {
                for item in items {
                    push(&item.spans.iter().map(|span| &*span.text).collect::<String>());
                }
            }
        }
    }
    let mut line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_cut = begin.len() < text.len() || line.chars().count() > max_chars;
    if is_cut {
        let end = line.char_indices().nth(max_chars - 1).map_or(line.len(), |(at, _)| at);
        line.truncate(end);
        line.truncate(line.trim_end().len());
        line.push('…');
    }
    line
}
