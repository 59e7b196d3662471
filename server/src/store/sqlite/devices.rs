//! The devices and recovery codes of a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, rows, sql};
use crate::store::{
    CodeHash, Device, DeviceId, DeviceLabel, DeviceStore, MAX_USERS_PER_SIGN_OUT_READ, PendingCommit,
    RecoveryCodeStore, SignIn, SignIns, SignOut, StoreResult,
};
use app::wire::{Millis, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

#[async_trait]
impl DeviceStore for SqliteStore {
    async fn sign_ins(&self, user: UserId) -> StoreResult<SignIns> {
        self.readers.read(move |db| sign_ins(db, user)).await
    }

    async fn signed_out_users(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let users = users[..users.len().min(MAX_USERS_PER_SIGN_OUT_READ)].to_vec();
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_SIGN_OUT)?;
            let has_row =
                users.into_iter().map(|user| Ok(statement.exists([user.0.cast_signed()])?.then_some(user)));
            has_row.filter_map(Result::transpose).collect()
        });
        read.await
    }

    fn record_device(&self, user: UserId, sign_in: SignIn, label: Option<DeviceLabel>) -> PendingCommit<()> {
        self.commit(WriteCommand::RecordDevice(user, sign_in, label), |output| match output {
            WriteOutput::None => Some(()),
            _ => None,
        })
    }

    fn sign_out(&self, user: UserId, what: SignOut) -> PendingCommit<u64> {
        self.commit(WriteCommand::SignOut(user, what), |output| match output {
            WriteOutput::Generation(generation) => Some(generation),
            _ => None,
        })
    }
}

#[async_trait]
impl RecoveryCodeStore for SqliteStore {
    async fn recovery_code(&self, user: UserId) -> StoreResult<Option<Millis>> {
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_RECOVERY_CODE)?;
            statement.query_row([user.0.cast_signed()], |row| row.get(0)).optional()
        });
        read.await
    }

    fn set_recovery_code(&self, user: UserId, hash: CodeHash) -> PendingCommit<bool> {
        self.commit(WriteCommand::SetRecoveryCode(user, hash), |output| match output {
            WriteOutput::CodeSet(is_set) => Some(is_set),
            _ => None,
        })
    }

    fn revoke_recovery_code(&self, user: UserId) -> PendingCommit<()> {
        self.commit(WriteCommand::RevokeRecoveryCode(user), |output| match output {
            WriteOutput::None => Some(()),
            _ => None,
        })
    }

    fn redeem_recovery_code(&self, hash: CodeHash) -> PendingCommit<Option<UserId>> {
        self.commit(WriteCommand::RedeemRecoveryCode(hash), |output| match output {
            WriteOutput::Recovered(user) => Some(user),
            _ => None,
        })
    }
}

/// Returns whether a user has a row, and the generation of their cookies.
pub(super) fn sign_in_state(db: &Connection, user: UserId) -> rusqlite::Result<(bool, u64)> {
    let mut statement = db.prepare_cached(sql::SELECT_SIGN_IN_STATE)?;
    statement.query_row([user.0.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn sign_ins(db: &Connection, user: UserId) -> rusqlite::Result<SignIns> {
    let (is_user, generation) = sign_in_state(db, user)?;
    let mut statement = db.prepare_cached(sql::SELECT_DEVICES)?;
    let devices = statement.query_map([user.0.cast_signed()], |row| {
        let label = DeviceLabel { browser: row.get(1)?, system: row.get(2)? };
        let id = DeviceId(rows::user_id(row.get(0)?).0);
        Ok(Device { id, label, added_at: row.get(3)?, seen_at: row.get(4)? })
    })?;
    Ok(SignIns { is_user, generation, devices: devices.collect::<rusqlite::Result<_>>()? })
}
