//! Users: their ids and display names.

use super::{
    event::is_false,
    limits::MAX_NAME_CHARS,
    visible_line::{InvalidName, as_string, is_visible, parse_single_line},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

/// A user as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id of the user.
    pub id: UserId,
    /// The display name.
    pub name: DisplayName,
    /// Another user has the same name, or one that is confusable with it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ambiguous: bool,
    /// With `alike`: the mark that distinguishes them, such as `#2`. The first user of a name has none, and no two users of
    /// confusable names have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Arc<str>>,
}

impl User {
    /// Creates a user whose name is unambiguous.
    pub fn new(id: UserId, name: DisplayName) -> Self {
        Self { id, name, ambiguous: false, tag: None }
    }

    /// Compares two users for a list: by name, ignoring ASCII case, then by id.
    pub fn cmp_for_list(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.name.as_str().bytes(), other.name.as_str().bytes());
        let lower = |byte: u8| byte.to_ascii_lowercase();
        mine.map(lower).cmp(theirs.map(lower)).then(self.id.cmp(&other.id))
    }

    /// Returns the name, followed by the tag if there is one.
    pub fn disambiguated(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{} {tag}", self.name),
            None => self.name.to_string(),
        }
    }

    /// Returns the tag that distinguishes the user from others with a confusable name.
    pub fn tag(&self) -> Option<String> {
        self.tag.as_ref().map(ToString::to_string)
    }
}

/// The id of a user: 64 random bits, written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(pub u64);

impl UserId {
    /// Returns the style class of the user's color: one of twelve hues of equal lightness. It depends on other bits
    /// than the generated name and the tag, so that users with the same name differ in color and tag.
    pub fn color_class(self) -> &'static str {
        const CLASSES: [&str; 12] = [
            "color-0", "color-1", "color-2", "color-3", "color-4", "color-5", "color-6", "color-7",
            "color-8", "color-9", "color-10", "color-11",
        ];
        CLASSES[((self.0 >> 16 & 0xffff) % 12) as usize]
    }

    /// Returns the tag of a guest: a user who has not posted yet and has a confusable name.
    pub fn guest_tag(self) -> String {
        format!("#x{:04x}", self.0 >> 32 & 0xffff)
    }
}

impl FromStr for UserId {
    type Err = &'static str;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let digits = id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let invalid = "a user id is 16 hexadecimal digits";
        if digits { u64::from_str_radix(id, 16).map(Self).map_err(|_| invalid) } else { Err(invalid) }
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

/// A display name: 1 to 32 visible characters on one line, trimmed, without control characters and without characters
/// that change the direction of the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first visible characters of its first two words, for a tile.
    pub fn initials(&self) -> String {
        self.0.split_whitespace().filter_map(|word| word.chars().find(|c| is_visible(*c))).take(2).collect()
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        parse_single_line(name, MAX_NAME_CHARS).map(|name| Self(name.into()))
    }
}

as_string!(DisplayName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_id_is_parsed_from_and_written_as_16_hex_digits() {
        let id: UserId = "00000000000000ff".parse().unwrap();
        assert_eq!((id, id.to_string().as_str()), (UserId(255), "00000000000000ff"));
        for bad in ["", "ff", "+0000000000000ff", "00000000000000FF", "00000000000000fg"] {
            assert!(bad.parse::<UserId>().is_err(), "{bad} must not be an id");
        }
    }

    #[test]
    fn display_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(" 小明 ".parse::<DisplayName>().unwrap().as_str(), "小明");
        assert!("字".repeat(32).parse::<DisplayName>().is_ok());
        assert_eq!("字".repeat(33).parse::<DisplayName>(), Err(InvalidName::TooLong));
    }

    #[test]
    fn initials_are_of_the_first_two_words() {
        for (name, initials) in [
            ("Noble Koala", "NK"),
            ("ann", "a"),
            ("小明", "小"),
            ("a b c", "ab"),
            ("👩\u{200d}🚀 Ada", "👩A"),
        ] {
            assert_eq!(name.parse::<DisplayName>().unwrap().initials(), initials);
        }
    }

    #[test]
    fn invisible_and_direction_changing_names_are_rejected() {
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
            assert_eq!(blank.parse::<DisplayName>(), Err(InvalidName::Blank), "{blank:?} must be rejected");
        }
        for bad in ["a\nb", "a\0", "\u{202e}nab", "\u{feff}a", "a\u{2800}", "a\u{1d173}"] {
            assert_eq!(bad.parse::<DisplayName>(), Err(InvalidName::Hidden), "{bad:?} must be rejected");
        }
        for good in ["👩\u{200d}🚀 Ada", "❤\u{fe0f}", "Zoe\u{308}"] {
            assert!(good.parse::<DisplayName>().is_ok(), "{good} must be a name");
        }
    }
}
