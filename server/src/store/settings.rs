//! The settings of the server that change while it runs.

use super::ServerRetention;
use std::{fmt, str::FromStr, sync::Arc};

/// The users who may enter the server. Users who are in stay in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerAccess {
    /// Everyone.
    #[default]
    Open,
    /// Users with an invitation.
    Invite,
    /// Users who know the password.
    Password,
}

/// The settings of the server that its administrator changes while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The users who may enter the server.
    pub access: ServerAccess,
    /// The value of `--access` that was applied last.
    pub access_flag: Option<ServerAccess>,
    /// The hash of the password, in the format of argon2.
    pub password: Option<Arc<str>>,
    /// The SHA-256 of the unused admin link, in hexadecimal digits.
    pub admin_link: Option<Arc<str>>,
    /// The name of the server in the titles of its pages.
    pub name: Option<Arc<str>>,
    /// The hue of the server's own color, in degrees.
    pub hue: Option<u16>,
    /// The server's retention of messages.
    pub retention: ServerRetention,
}

/// A setting of [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// [`Settings::access`]
    Access,
    /// [`Settings::access_flag`]
    AccessFlag,
    /// [`Settings::password`]
    Password,
    /// [`Settings::admin_link`]
    AdminLink,
    /// [`Settings::name`]
    Name,
    /// [`Settings::hue`]
    Hue,
    /// [`Settings::retention`]
    Retention,
}

/// A value that no setting, subject or role has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownValue;

impl ServerAccess {
    const NAMES: [(&'static str, Self); 3] =
        [("open", Self::Open), ("invite", Self::Invite), ("password", Self::Password)];

    /// Returns the value of a stored setting. One of a newer version closes the server.
    pub(super) fn from_column(value: &str) -> Self {
        value.parse().unwrap_or(Self::Invite)
    }
}

impl fmt::Display for ServerAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize].0)
    }
}

impl FromStr for ServerAccess {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, access)| *access).ok_or(UnknownValue)
    }
}

impl Setting {
    /// Every setting.
    const ALL: [(&'static str, Self); 7] = [
        ("access", Self::Access),
        ("access_flag", Self::AccessFlag),
        ("password", Self::Password),
        ("admin_link", Self::AdminLink),
        ("name", Self::Name),
        ("hue", Self::Hue),
        ("retention", Self::Retention),
    ];

    /// Returns the name under which it is stored.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, setting)| *setting == self).map_or("", |(name, _)| name)
    }

    /// Returns `true` if its value may be shown in the log of moderators.
    pub(super) fn is_public(self) -> bool {
        !matches!(self, Self::Password | Self::AdminLink)
    }
}

impl Settings {
    /// Adds a stored setting. Unknown ones, and values that break today's rule, are ignored.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let Some((_, setting)) = Setting::ALL.iter().find(|(known, _)| *known == name) else { return };
        match setting {
            Setting::Access => self.access = ServerAccess::from_column(value),
            Setting::AccessFlag => self.access_flag = value.parse().ok(),
            Setting::Password => self.password = Some(value.into()),
            Setting::AdminLink => self.admin_link = Some(value.into()),
            Setting::Name => self.name = Some(value.into()),
            Setting::Hue => self.hue = value.parse().ok().filter(|hue| *hue < 360),
            Setting::Retention => self.retention = ServerRetention::from_setting(Some(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_access_of_a_newer_version_closes_the_server() {
        let mut settings = Settings::default();
        settings.add("access", "by-moonlight");
        settings.add("later", "x");
        settings.add("hue", "400");
        assert_eq!(settings, Settings { access: ServerAccess::Invite, ..Settings::default() });
    }
}
