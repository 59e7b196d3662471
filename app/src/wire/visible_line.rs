//! The common rule of display names, titles and topics: one line of visible characters.

use super::json::{FromJson, Json};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The reason why a display name, a title or a topic is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvalidName {
    /// It has no visible character.
    Blank,
    /// It has too many characters.
    TooLong,
    /// It has hidden characters, line breaks or characters that change the direction of the text.
    Hidden,
    /// It ends like a tag, which only the server assigns.
    Tag,
    /// It is reserved because users could mistake it for the server.
    Reserved,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "The name is blank. A name has 1 to 32 visible characters on one line.",
            Self::TooLong => "The name is too long. A name has 1 to 32 visible characters on one line.",
            Self::Hidden => {
                "The name has hidden characters. A name has 1 to 32 visible characters on one line."
            }
            Self::Tag => "The name ends like a tag (#2). Only the server assigns tags.",
            Self::Reserved => "The name is reserved. Choose another name.",
        })
    }
}

impl std::error::Error for InvalidName {}

impl FromJson for InvalidName {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.text()? {
            "Blank" => Some(Self::Blank),
            "TooLong" => Some(Self::TooLong),
            "Hidden" => Some(Self::Hidden),
            "Tag" => Some(Self::Tag),
            "Reserved" => Some(Self::Reserved),
            _ => None,
        }
    }
}

/// Returns `text` without white space at its ends, if it is one line of visible characters.
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

/// Returns whether `c` is visible by itself.
pub(super) fn is_visible(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_default_ignorable(c) || is_combining(c))
}

/// Returns whether `c` is invisible or reorders its neighbors: `Default_Ignorable_Code_Point` of the Unicode Character
/// Database (soft hyphen, zero width, word joiners, tags, bidi marks, embeddings, overrides and isolates), line
/// separators, annotations, and two characters with an empty glyph (braille blank, null notehead).
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns whether `c` only modifies other characters: the parts of emoji sequences (zero-width joiner, variation
/// selectors 15 and 16) and combining marks.
fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}
