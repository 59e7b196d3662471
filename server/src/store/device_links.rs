//! Links that sign a user in on another device, as they are stored: by the hash of their secret.

use super::{PendingCommit, StoreResult};
use app::wire::UserId;
use async_trait::async_trait;
use std::time::Duration;

/// Links of all users together, used ones included. More are rejected, so that no user's link expires early because
/// others create many.
pub const MAX_DEVICE_LINKS: u32 = 10_000;

/// The SHA-256 of a link's secret. A reader of the file or of a backup cannot use the link.
pub type LinkHash = [u8; 32];

/// All [`MAX_DEVICE_LINKS`] links are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyLinks;

/// The reason why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// It was used already.
    Used,
    /// It is too old, was replaced, or was never created.
    Expired,
}

/// The links to other devices. Each works once.
#[async_trait]
pub trait DeviceLinkStore: Send + Sync + 'static {
    /// Creates a link that works for `lifetime`. It replaces the unused link of `user`. Removes a bounded number of
    /// expired links.
    ///
    /// # Errors
    /// [`TooManyLinks`] in the inner result; [`StoreError::ReadOnly`](super::StoreError::ReadOnly) or
    /// [`StoreError::Backend`](super::StoreError::Backend) in the outer one.
    fn create_device_link(
        &self,
        hash: LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> PendingCommit<Result<(), TooManyLinks>>;

    /// Returns the user of a link without using it.
    ///
    /// # Errors
    /// [`LinkError`] in the inner result; [`StoreError::Backend`](super::StoreError::Backend) in the outer one.
    async fn device_link(&self, hash: LinkHash) -> StoreResult<Result<UserId, LinkError>>;

    /// Uses a link. Returns its user.
    ///
    /// # Errors
    /// [`LinkError`] in the inner result; [`StoreError::Backend`](super::StoreError::Backend) in the outer one.
    fn redeem_device_link(&self, hash: LinkHash) -> PendingCommit<Result<UserId, LinkError>>;
}
