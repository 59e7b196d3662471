//! Names: of rooms, of people, and the ids behind the latter.

use super::limits::{NAME_CHARS, ROOM_CHARS, TITLE_CHARS, TOPIC_CHARS};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// The room behind `/`.
pub const LOBBY: &str = "lobby";

/// The name of a room: 1 to 64 of `a-z 0-9 -`, not starting or ending with `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomName(Arc<str>);

/// A room's name that breaks the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRoomName;

impl fmt::Display for InvalidRoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A room's name is 1 to {ROOM_CHARS} of a-z, 0-9 and -, and neither starts nor ends with -.")
    }
}

impl std::error::Error for InvalidRoomName {}

impl RoomName {
    /// The room that everybody meets in first.
    pub fn lobby() -> Self {
        Self(LOBBY.into())
    }

    /// Whether this is the room that everybody meets in first.
    pub fn is_lobby(&self) -> bool {
        &*self.0 == LOBBY
    }

    /// Returns whether the name itself makes the room private: `p-` and 32 hexadecimal digits that cannot be guessed. Such a
    /// room is on no list, even if nothing else is known about it.
    pub fn is_private(&self) -> bool {
        let digits = self.0.strip_prefix("p-").unwrap_or_default();
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// The name as it stands in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a heading: `team-tea` is "Team tea".
    pub fn title(&self) -> String {
        let spaced = self.0.replace('-', " ");
        let mut chars = spaced.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }

    /// Where the room's page is.
    pub fn path(&self) -> String {
        if self.is_lobby() { "/".into() } else { format!("/r/{}", self.0) }
    }
}

impl FromStr for RoomName {
    type Err = InvalidRoomName;

    fn from_str(name: &str) -> Result<Self, InvalidRoomName> {
        let good = (1..=ROOM_CHARS).contains(&name.len())
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !name.starts_with('-')
            && !name.ends_with('-');
        if good { Ok(Self(name.into())) } else { Err(InvalidRoomName) }
    }
}

impl TryFrom<String> for RoomName {
    type Error = InvalidRoomName;

    fn try_from(name: String) -> Result<Self, InvalidRoomName> {
        name.parse()
    }
}

impl From<RoomName> for String {
    fn from(name: RoomName) -> Self {
        name.0.as_ref().into()
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who somebody is, whatever they call themselves: 64 random bits, written as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(pub u64);

impl UserId {
    /// The style class of this person's colour: one of twelve hues of equal lightness. The bits that make a given
    /// name have no part in it, nor in the tag: two of one name differ in both.
    pub fn hue(self) -> &'static str {
        const HUES: [&str; 12] = [
            "hue-0", "hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6", "hue-7", "hue-8", "hue-9",
            "hue-10", "hue-11",
        ];
        HUES[((self.0 >> 16 & 0xffff) % 12) as usize]
    }

    /// What stands behind the name of a guest, who has said nothing yet and has a name like another's.
    pub fn guest_tag(self) -> String {
        format!("#x{:04x}", self.0 >> 32 & 0xffff)
    }
}

impl FromStr for UserId {
    type Err = &'static str;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let digits = id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let bad = "a person's id is 16 hex digits";
        if digits { u64::from_str_radix(id, 16).map(Self).map_err(|_| bad) } else { Err(bad) }
    }
}

impl TryFrom<String> for UserId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        id.parse()
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a person is called: 1 to 32 characters, trimmed, on one line, none of them a control
/// character or one that turns the direction of the text around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(Arc<str>);

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

impl DisplayName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        one_visible_line(name, NAME_CHARS).map(|name| Self(name.into()))
    }
}

/// `text` without white space at its ends, if it is one line that shows what it is.
fn one_visible_line(text: &str, chars: usize) -> Result<&str, InvalidName> {
    let text = text.trim();
    if !text.contains(is_visible) {
        Err(InvalidName::Blank)
    } else if text.chars().any(|c| c.is_control() || is_hidden(c)) {
        Err(InvalidName::Hidden)
    } else if text.chars().count() > chars {
        Err(InvalidName::TooLong)
    } else {
        Ok(text)
    }
}

/// What a room is called by whoever made it: 1 to 48 visible characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomTitle(Arc<str>);

/// What a room is about: up to 200 visible characters on one line, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(Arc<str>);

impl RoomTitle {
    /// The title itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Topic {
    /// The topic itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomTitle {
    type Err = InvalidName;

    fn from_str(title: &str) -> Result<Self, InvalidName> {
        one_visible_line(title, TITLE_CHARS).map(|title| Self(title.into()))
    }
}

impl FromStr for Topic {
    type Err = InvalidName;

    fn from_str(topic: &str) -> Result<Self, InvalidName> {
        match one_visible_line(topic, TOPIC_CHARS) {
            Ok(topic) => Ok(Self(topic.into())),
            Err(InvalidName::Blank) => Ok(Self::default()),
            Err(bad) => Err(bad),
        }
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

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

as_string!(DisplayName RoomTitle Topic);

/// Whether `c` shows something by itself.
pub(super) fn is_visible(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_hidden(c) || needs_company(c))
}

/// Characters that show nothing or reorder their neighbours: those that may be ignored when drawn
/// (`Default_Ignorable_Code_Point` of the Unicode Character Database: soft hyphen, zero width, word joiners,
/// tags, bidi marks, embeddings, overrides and isolates), line separators, annotations, and two that are
/// drawn as nothing (braille blank, null notehead).
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Characters that mean something with others only: what emoji are built with (zero-width joiner, variation
/// selectors 15 and 16), and marks that stand on a letter.
fn needs_company(c: char) -> bool {
    matches!(c,
        '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_name_is_short_lower_case_and_has_no_hyphen_at_its_ends() {
        for good in ["a", "lobby", "team-tea", "2026", &"x".repeat(64)] {
            assert!(good.parse::<RoomName>().is_ok(), "{good} must be a room");
        }
        for bad in ["", "-a", "a-", "A", "a b", "ä", "a/b", "..", &"x".repeat(65)] {
            assert_eq!(bad.parse::<RoomName>(), Err(InvalidRoomName), "{bad} must not be a room");
        }
    }

    #[test]
    fn a_room_is_private_by_its_name_alone() {
        let is_private = |name: &str| name.parse::<RoomName>().unwrap().is_private();
        assert!(is_private(&format!("p-{}", "0123456789abcdef".repeat(2))));
        for public in ["lobby", "p-1", &format!("p-{}", "0".repeat(31)), &format!("p-{}", "0".repeat(33))] {
            assert!(!is_private(public), "{public}");
        }
        for other in [format!("p-{}", "g".repeat(32)), format!("q-{}", "0".repeat(32)), "0".repeat(34)] {
            assert!(!is_private(&other), "{other}");
        }
    }

    #[test]
    fn a_room_has_a_title_and_a_path() {
        let tea: RoomName = "team-tea".parse().unwrap();
        assert_eq!((tea.title().as_str(), tea.path().as_str()), ("Team tea", "/r/team-tea"));
        assert_eq!(RoomName::lobby().path(), "/");
    }

    #[test]
    fn a_person_id_is_16_hex_digits_both_ways() {
        let id: UserId = "00000000000000ff".parse().unwrap();
        assert_eq!((id, id.to_string().as_str()), (UserId(255), "00000000000000ff"));
        for bad in ["", "ff", "+0000000000000ff", "00000000000000FF", "00000000000000fg"] {
            assert!(bad.parse::<UserId>().is_err(), "{bad} must not be an id");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(" 小明 ".parse::<DisplayName>().unwrap().as_str(), "小明");
        assert!("字".repeat(32).parse::<DisplayName>().is_ok());
        assert_eq!("字".repeat(33).parse::<DisplayName>(), Err(InvalidName::TooLong));
    }

    #[test]
    fn a_name_that_nobody_can_see_or_that_turns_the_line_is_refused() {
        for blank in [
            "",
            " \u{3000} ",
            "\u{200b}",
            "\u{3164}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{2800}",
            "\u{301}\u{301}",
            "\0",
        ] {
            assert_eq!(blank.parse::<DisplayName>(), Err(InvalidName::Blank), "{blank:?} must be refused");
        }
        for bad in ["a\nb", "a\0", "\u{202e}nab", "\u{feff}a", "a\u{2800}", "a\u{1d173}"] {
            assert_eq!(bad.parse::<DisplayName>(), Err(InvalidName::Hidden), "{bad:?} must be refused");
        }
        for good in ["👩\u{200d}🚀 Ada", "❤\u{fe0f}", "Zoe\u{308}"] {
            assert!(good.parse::<DisplayName>().is_ok(), "{good} must be a name");
        }
    }
}
