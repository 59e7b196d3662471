//! The users present on each of the processes that share the store.

use super::StoreResult;
use crate::limits::network::Network;
use app::wire::{Millis, RoomName, User, UserId};
use async_trait::async_trait;

/// Users of other processes that one read returns. Further ones are only counted.
pub const MAX_PRESENT_ELSEWHERE: u32 = 1_000;

/// Milliseconds for which it is known from which network a user came: a day.
pub const RECENT_NETWORK_AGE: Millis = 24 * 60 * 60 * 1_000;

/// Users whose networks are known. More displace those who came first.
pub const MAX_RECENT_NETWORKS: u32 = 100_000;

/// The users of a room who are present on other processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresentElsewhere {
    /// At most [`MAX_PRESENT_ELSEWHERE`] of them, under their present names.
    pub users: Vec<User>,
    /// The number of further users.
    pub uncounted: u32,
}

/// The changes of the users present in a room of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPresence {
    /// The room.
    pub room: RoomName,
    /// The users who are present now. Users who were recorded before may be repeated.
    pub joined: Vec<UserId>,
    /// The users who are not present any more.
    pub left: Vec<UserId>,
}

/// The users present, of each process. What a process has recorded is forgotten when it ends: at once, or at most 15
/// seconds after it was killed.
#[async_trait]
pub trait PresenceStore: Send + Sync + 'static {
    /// Returns `true` if several processes may share the store. Otherwise nothing has to be recorded.
    fn shares_presence(&self) -> bool;

    /// Returns `true` if other processes share the store now, or were killed in the last seconds.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn has_others(&self) -> StoreResult<bool>;

    /// Records changes of this process, and notifies the others.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend); the caller repeats the changes later.
    async fn record_presence(&self, changes: &[RoomPresence]) -> StoreResult<()>;

    /// Returns the users present in `room` on other processes.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn present_elsewhere(&self, room: &RoomName) -> StoreResult<PresentElsewhere>;

    /// Records from which networks users came, if several processes may share the store. Users who erase everything are left
    /// out.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn record_networks(&self, seen: &[(UserId, Network)]) -> StoreResult<()>;

    /// Removes records that are older than [`RECENT_NETWORK_AGE`] or beyond [`MAX_RECENT_NETWORKS`]: 10,000 at a time.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn remove_old_networks(&self) -> StoreResult<()>;

    /// Returns the network that was recorded for a user last; `None` if that was more than [`RECENT_NETWORK_AGE`] ago.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn recent_network(&self, user: UserId) -> StoreResult<Option<Network>>;
}
