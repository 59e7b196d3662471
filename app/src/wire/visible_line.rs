//! One line of visible characters: the rule of display names, titles and topics.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A person's name that breaks the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvalidName {
    /// Nothing that one could see is left after trimming.
    Blank,
    /// It has more characters than may be.
    TooLong,
    /// It has characters that show nothing, break the line or turn it around.
    Hidden,
    /// It ends with what looks like a tag, by which the server tells users of one name apart.
    Tag,
    /// It speaks for the server.
    Reserved,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "It is blank. A name has 1 to 32 visible characters on one line.",
            Self::TooLong => "It is too long. A name has 1 to 32 visible characters on one line.",
            Self::Hidden => "It has hidden characters. A name has 1 to 32 visible characters on one line.",
            Self::Tag => "It ends like a tag (#2). Only the server gives tags.",
            Self::Reserved => "It is reserved. Choose a name that does not speak for the server.",
        })
    }
}

impl std::error::Error for InvalidName {}

/// `text` without white space at its ends, if it is one line that shows what it is.
pub(super) fn parse_single_line(text: &str, chars: usize) -> Result<&str, InvalidName> {
    let text = text.trim();
    if !text.contains(is_visible) {
        Err(InvalidName::Blank)
    } else if text.chars().any(|c| c.is_control() || is_default_ignorable(c)) {
        Err(InvalidName::Hidden)
    } else if text.chars().count() > chars {
        Err(InvalidName::TooLong)
    } else {
        Ok(text)
    }
}

macro_rules! as_string {
    ($($type:ident)*) => {$(
        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0.as_ref().into()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

pub(super) use as_string;

/// Whether `c` shows something by itself.
pub(super) fn is_visible(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_default_ignorable(c) || is_combining(c))
}

/// Characters that show nothing or reorder their neighbours: those that may be ignored when drawn
/// (`Default_Ignorable_Code_Point` of the Unicode Character Database: soft hyphen, zero width, word joiners,
/// tags, bidi marks, embeddings, overrides and isolates), line separators, annotations, and two that are
/// drawn as nothing (braille blank, null notehead).
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Characters that mean something with others only: what emoji are built with (zero-width joiner, variation
/// selectors 15 and 16), and marks that stand on a letter.
fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}
