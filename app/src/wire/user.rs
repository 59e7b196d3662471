//! Users: their ids, display names, and how others see them.

use super::{
    event::is_false,
    limits::MAX_NAME_CHARS,
    visible_line::{InvalidName, as_string, parse_single_line},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who it is.
    pub id: UserId,
    /// What they are called.
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
    /// Somebody whose name nobody else has.
    pub fn new(id: UserId, name: DisplayName) -> Self {
        Self { id, name, ambiguous: false, tag: None }
    }

    /// How people stand in a list: by name, letters of ASCII in any case, then by id.
    pub fn cmp_for_list(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.name.as_str().bytes(), other.name.as_str().bytes());
        let lower = |byte: u8| byte.to_ascii_lowercase();
        mine.map(lower).cmp(theirs.map(lower)).then(self.id.cmp(&other.id))
    }

    /// The name, with what tells it from another's that is alike.
    pub fn disambiguated(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{} {tag}", self.name),
            None => self.name.to_string(),
        }
    }

    /// What stands behind the name if another user's is confusable with it.
    pub fn tag(&self) -> Option<String> {
        self.tag.as_ref().map(ToString::to_string)
    }
}

/// Who somebody is, whatever they call themselves: 64 random bits, written as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(pub u64);

impl UserId {
    /// The style class of this person's colour: one of twelve hues of equal lightness. The bits that make a given
    /// name have no part in it, nor in the tag: two of one name differ in both.
    pub fn color_class(self) -> &'static str {
        const CLASSES: [&str; 12] = [
            "color-0", "color-1", "color-2", "color-3", "color-4", "color-5", "color-6", "color-7",
            "color-8", "color-9", "color-10", "color-11",
        ];
        CLASSES[((self.0 >> 16 & 0xffff) % 12) as usize]
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

impl DisplayName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
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
