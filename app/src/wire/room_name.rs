//! The names of rooms.

use super::limits::MAX_ROOM_NAME_CHARS;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// The name of the room at `/`.
pub const LOBBY: &str = "lobby";

/// The name of a room: 1 to 64 of `a-z 0-9 -`, not starting or ending with `-`.
///
/// # Examples
/// ```
/// use app::wire::{InvalidRoomName, RoomName};
///
/// let room: RoomName = "team-tea".parse()?;
/// assert_eq!(room.title(), "Team tea");
/// assert_eq!(room.path(), "/r/team-tea");
/// assert_eq!("Team Tea".parse::<RoomName>(), Err(InvalidRoomName));
/// # Ok::<(), InvalidRoomName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomName(Arc<str>);

/// The error for a string that is not a room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRoomName;

impl fmt::Display for InvalidRoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "A room name has 1 to {MAX_ROOM_NAME_CHARS} of a-z, 0-9 and -, and does not start or end with -."
        )
    }
}

impl std::error::Error for InvalidRoomName {}

impl RoomName {
    /// Returns the name of the lobby, the room at `/`.
    pub fn lobby() -> Self {
        Self(LOBBY.into())
    }

    /// Returns whether this is the lobby.
    pub fn is_lobby(&self) -> bool {
        &*self.0 == LOBBY
    }

    /// Returns whether the name makes the room private: `p-` or `m-` and 32 hexadecimal digits, which cannot be guessed.
    /// No list shows such a room, even before it is created.
    pub fn is_private(&self) -> bool {
        self.is_unguessable("p-") || self.is_members_only()
    }

    /// Returns whether only members may enter the room, because its name is `m-` and 32 hexadecimal digits. No message
    /// creates such a room, so that one that a user may not see is like one that does not exist.
    pub fn is_members_only(&self) -> bool {
        self.is_unguessable("m-")
    }

    fn is_unguessable(&self, prefix: &str) -> bool {
        let digits = self.0.strip_prefix(prefix).unwrap_or_default();
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Returns the name as it appears in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a title derived from the name: `team-tea` becomes "Team tea".
    pub fn title(&self) -> String {
        let spaced = self.0.replace('-', " ");
        let mut chars = spaced.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }

    /// Returns the path of the room's page.
    pub fn path(&self) -> String {
        if self.is_lobby() { "/".into() } else { format!("/r/{}", self.0) }
    }
}

impl FromStr for RoomName {
    type Err = InvalidRoomName;

    fn from_str(name: &str) -> Result<Self, InvalidRoomName> {
        let good = (1..=MAX_ROOM_NAME_CHARS).contains(&name.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_name_is_short_lowercase_and_without_hyphens_at_its_ends() {
        for good in ["a", "lobby", "team-tea", "2026", &"x".repeat(64)] {
            assert!(good.parse::<RoomName>().is_ok(), "{good} must be a room");
        }
        for bad in ["", "-a", "a-", "A", "a b", "ä", "a/b", "..", &"x".repeat(65)] {
            assert_eq!(bad.parse::<RoomName>(), Err(InvalidRoomName), "{bad} must not be a room");
        }
    }

    #[test]
    fn name_alone_makes_a_room_private() {
        let is_private = |name: &str| name.parse::<RoomName>().unwrap().is_private();
        let digits = "0123456789abcdef".repeat(2);
        assert!(is_private(&format!("p-{digits}")) && is_private(&format!("m-{digits}")));
        let is_members_only = |name: &str| name.parse::<RoomName>().unwrap().is_members_only();
        assert!(is_members_only(&format!("m-{digits}")) && !is_members_only(&format!("p-{digits}")));
        for public in ["lobby", "p-1", &format!("p-{}", "0".repeat(31)), &format!("p-{}", "0".repeat(33))] {
            assert!(!is_private(public), "{public}");
        }
        for other in [format!("p-{}", "g".repeat(32)), format!("q-{}", "0".repeat(32)), "0".repeat(34)] {
            assert!(!is_private(&other), "{other}");
        }
    }

    #[test]
    fn room_name_has_a_title_and_a_path() {
        let tea: RoomName = "team-tea".parse().unwrap();
        assert_eq!((tea.title().as_str(), tea.path().as_str()), ("Team tea", "/r/team-tea"));
        assert_eq!(RoomName::lobby().path(), "/");
    }
}
