//! Links that sign a user in on another device. Each works once, for ten minutes, also across a restart.

use crate::{
    secret::{hash, new_secret},
    store::{DeviceLinkStore, LinkError, StoreResult, TooManyLinks},
};
use app::wire::UserId;
use std::time::Duration;

/// The time for which a link works.
const LINK_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Creates a link for `user` and returns its secret: 122 random bits, safe in a URL. It replaces the user's unused link.
///
/// # Errors
/// Those of [`DeviceLinkStore::create_device_link`].
pub async fn create(
    store: &(impl DeviceLinkStore + ?Sized),
    user: UserId,
) -> StoreResult<Result<String, TooManyLinks>> {
    let (secret, hash) = new_secret();
    let created = store.create_device_link(hash, user, LINK_LIFETIME).await?;
    Ok(created.map(|()| secret))
}

/// Returns the user of a link without using it.
///
/// # Errors
/// Those of [`DeviceLinkStore::device_link`].
pub async fn peek(
    store: &(impl DeviceLinkStore + ?Sized),
    secret: &str,
) -> StoreResult<Result<UserId, LinkError>> {
    store.device_link(hash(secret)).await
}

/// Uses a link. Returns its user.
///
/// # Errors
/// Those of [`DeviceLinkStore::redeem_device_link`].
pub async fn redeem(
    store: &(impl DeviceLinkStore + ?Sized),
    secret: &str,
) -> StoreResult<Result<UserId, LinkError>> {
    store.redeem_device_link(hash(secret)).await
}
