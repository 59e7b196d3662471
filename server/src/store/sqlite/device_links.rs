//! The links to other devices of a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, rows, sql};
use crate::store::{DeviceLinkStore, LinkError, LinkHash, PendingCommit, StoreResult, TooManyLinks, now};
use app::wire::{Millis, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use std::time::Duration;

#[async_trait]
impl DeviceLinkStore for SqliteStore {
    fn create_device_link(
        &self,
        hash: LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> PendingCommit<Result<(), TooManyLinks>> {
        self.commit(WriteCommand::CreateDeviceLink(hash, user, lifetime), |output| match output {
            WriteOutput::LinkCreated(created) => Some(created),
            _ => None,
        })
    }

    async fn device_link(&self, hash: LinkHash) -> StoreResult<Result<UserId, LinkError>> {
        self.readers.read(move |db| link_user(db, &hash, now())).await
    }

    fn redeem_device_link(&self, hash: LinkHash) -> PendingCommit<Result<UserId, LinkError>> {
        self.commit(WriteCommand::RedeemDeviceLink(hash), |output| match output {
            WriteOutput::LinkRedeemed(redeemed) => Some(redeemed),
            _ => None,
        })
    }
}

/// Returns the user of a link that works at `at`.
pub(super) fn link_user(
    db: &Connection,
    hash: &LinkHash,
    at: Millis,
) -> rusqlite::Result<Result<UserId, LinkError>> {
    let mut statement = db.prepare_cached(sql::SELECT_DEVICE_LINK)?;
    let link = |row: &Row<'_>| Ok((rows::user_id(row.get(0)?), row.get(1)?));
    let found: Option<(UserId, bool)> = statement.query_row((hash, at), link).optional()?;
    Ok(match found {
        None => Err(LinkError::Expired),
        Some((_, true)) => Err(LinkError::Used),
        Some((user, false)) => Ok(user),
    })
}
