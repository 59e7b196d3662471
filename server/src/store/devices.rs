//! The devices on which users are signed in, and the codes that bring a lost identity back.
//!
//! A cookie names its user, its device and a generation. It is valid if the device is listed, or if the user has signed no
//! device out since the cookie was set: see [`rules::is_signed_in`]. So a guest, for whom nothing is stored, is signed in,
//! and what a sign-out stores is one number, however many devices there were.

use super::{PendingCommit, StoreResult, rules};
use app::wire::{Millis, UserId};
use async_trait::async_trait;
use std::{fmt, str::FromStr};

/// Devices of one user. With one more, the one that was seen least recently is signed out.
pub const MAX_DEVICES: u32 = 50;

/// Users whose sign-outs one read looks up.
pub const MAX_USERS_PER_SIGN_OUT_READ: usize = 1_000;

/// Hexadecimal digits of a device's id.
const ID_DIGITS: usize = 16;

/// The id of a device: random, in its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u64);

/// The text is no id of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidDeviceId;

/// The device and the generation that a cookie names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// The device.
    pub device: DeviceId,
    /// The generation of the user's cookies when the cookie was set.
    pub generation: u64,
}

/// The browser and the system of a device, as its `User-Agent` names them; each is empty if it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceLabel {
    /// The browser, or the program.
    pub browser: String,
    /// The operating system.
    pub system: String,
}

/// A device on which a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its browser and its system.
    pub label: DeviceLabel,
    /// When the user was first seen on it.
    pub added_at: Millis,
    /// When the user was last seen on it.
    pub seen_at: Millis,
}

/// The sign-ins of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignIns {
    /// The user has posted or chosen a name. A guest has no devices.
    pub is_user: bool,
    /// The generation of the user's cookies: it increases when devices are signed out.
    pub generation: u64,
    /// The devices, those seen last first.
    pub devices: Vec<Device>,
}

/// The devices to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOut {
    /// One device.
    Device(DeviceId),
    /// All devices but this one.
    Others(DeviceId),
    /// All devices.
    Everywhere,
}

/// The SHA-256 of a recovery code. A reader of the file or of a backup cannot use the code.
pub type CodeHash = [u8; 32];

/// The devices of users.
#[async_trait]
pub trait DeviceStore: Send + Sync + 'static {
    /// Returns where a user is signed in.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn sign_ins(&self, user: UserId) -> StoreResult<SignIns>;

    /// Returns those of `users` that have signed a device out, ever. Takes at most [`MAX_USERS_PER_SIGN_OUT_READ`], and
    /// ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn signed_out_users(&self, users: &[UserId]) -> StoreResult<Vec<UserId>>;

    /// Records that a user is on a device now, without a label only if the device is listed. Stores nothing for a guest, for a
    /// device that was signed out, and for a new device past the quota. Past [`MAX_DEVICES`] the device that was seen least recently is signed out.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn record_device(&self, user: UserId, sign_in: SignIn, label: Option<DeviceLabel>) -> PendingCommit<()>;

    /// Signs devices of a user out, with those that are not listed, and ends the user's open link to another device.
    /// Changes nothing if the user has no such device, or is a guest. Resolves with the generation of the user's cookies
    /// from now on.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn sign_out(&self, user: UserId, what: SignOut) -> PendingCommit<u64>;
}

/// The recovery codes of users. Each works once; a user has one at most.
#[async_trait]
pub trait RecoveryCodeStore: Send + Sync + 'static {
    /// Returns when the code of a user was created, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn recovery_code(&self, user: UserId) -> StoreResult<Option<Millis>>;

    /// Sets the code of a user, which replaces the one before. Resolves with `false` for a guest, who gets none.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`](super::StoreError::ReadOnly), [`StoreError::Backend`](super::StoreError::Backend).
    fn set_recovery_code(&self, user: UserId, hash: CodeHash) -> PendingCommit<bool>;

    /// Removes the code of a user.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn revoke_recovery_code(&self, user: UserId) -> PendingCommit<()>;

    /// Uses a code up. Resolves with its user, or with `None` if there is no such code.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn redeem_recovery_code(&self, hash: CodeHash) -> PendingCommit<Option<UserId>>;
}

impl SignIns {
    /// Returns `true` if a cookie with this sign-in is valid.
    pub fn admits(&self, sign_in: SignIn) -> bool {
        let is_listed = self.devices.iter().any(|device| device.id == sign_in.device);
        rules::is_signed_in(is_listed, sign_in.generation, self.generation)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0ID_DIGITS$x}", self.0)
    }
}

impl FromStr for DeviceId {
    type Err = InvalidDeviceId;

    fn from_str(text: &str) -> Result<Self, InvalidDeviceId> {
        let is_id = text.len() == ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| is_id).map(Self).ok_or(InvalidDeviceId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_sixteen_digits() {
        assert_eq!("00000000000000ff".parse(), Ok(DeviceId(255)));
        assert_eq!(DeviceId(255).to_string(), "00000000000000ff");
        for bad in ["", "ff", "+0000000000000ff", "00000000000000fg", "00000000000000fff"] {
            assert_eq!(bad.parse::<DeviceId>(), Err(InvalidDeviceId), "{bad}");
        }
    }
}
