//! Links to other devices.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    LinkHash, MAX_DEVICE_LINKS, StoreError, TooManyLinks,
    sqlite::{device_links::link_user, sql},
};
use app::wire::{Millis, UserId};
use std::time::Duration;

impl WriteTransaction<'_> {
    /// Creates a link. The links that have expired are removed step by step, so that each link pays for two.
    pub(super) fn create_device_link(
        &mut self,
        hash: &LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> rusqlite::Result<WriteResult> {
        if self.is_erased(user)? {
            return Ok(Err(StoreError::Erased));
        }
        let person = user.0.cast_signed();
        self.transaction.prepare_cached(sql::DELETE_UNUSED_DEVICE_LINK)?.execute([person])?;
        self.transaction.prepare_cached(sql::DELETE_EXPIRED_DEVICE_LINKS)?.execute([self.at])?;
        let count: u32 =
            self.transaction.prepare_cached(sql::COUNT_DEVICE_LINKS)?.query_row([], |row| row.get(0))?;
        if count >= MAX_DEVICE_LINKS {
            return Ok(Ok(WriteOutput::LinkCreated(Err(TooManyLinks))));
        }
        if !self.take_bytes(hash.len()) {
            return Ok(Err(StoreError::ReadOnly));
        }
        let expires = self.at.saturating_add(lifetime.as_millis() as Millis);
        let mut insert = self.transaction.prepare_cached(sql::INSERT_DEVICE_LINK)?;
        insert.execute((hash, person, self.at, expires))?;
        Ok(Ok(WriteOutput::LinkCreated(Ok(()))))
    }

    /// Uses a link. Another user of it gets an error from then on.
    pub(super) fn redeem_device_link(&self, hash: &LinkHash) -> rusqlite::Result<WriteResult> {
        let user = link_user(&self.transaction, hash, self.at)?;
        if user.is_ok() {
            self.transaction.prepare_cached(sql::USE_DEVICE_LINK)?.execute((hash, self.at))?;
        }
        Ok(Ok(WriteOutput::LinkRedeemed(user)))
    }
}
