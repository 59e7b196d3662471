//! The devices and recovery codes of a [`PostgresStore`].

use super::{PostgresStore, queue::Request, rows, sql, writer::Writer};
use crate::store::{
    CodeHash, Device, DeviceId, DeviceLabel, DeviceStore, MAX_DEVICES, MAX_USERS_PER_SIGN_OUT_READ,
    Notification, PendingCommit, RecoveryCodeStore, SignIn, SignIns, SignOut, StoreResult,
};
use app::wire::{Millis, UserId};
use async_trait::async_trait;
use tokio_postgres::{Row, types::ToSql};

#[async_trait]
impl DeviceStore for PostgresStore {
    async fn sign_ins(&self, user: UserId) -> StoreResult<SignIns> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_SIGN_INS).await?;
            let parameters: [&(dyn ToSql + Sync); 2] = [&user.0.cast_signed(), &i64::from(MAX_DEVICES)];
            let rows = client.query(&statement, &parameters).await?;
            let Some(first) = rows.first() else { return Ok(SignIns::default()) };
            let devices = rows.iter().filter_map(|row| device(row).transpose());
            Ok(SignIns {
                is_user: first.try_get(0)?,
                generation: rows::number(first, 1)?,
                devices: devices.collect::<StoreResult<_>>()?,
            })
        });
        read.await
    }

    async fn signed_out_users(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        let users = &users[..users.len().min(MAX_USERS_PER_SIGN_OUT_READ)];
        let numbers: Vec<i64> = users.iter().map(|id| id.0.cast_signed()).collect();
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_SIGNED_OUT_USERS).await?;
            let rows = client.query(&statement, &[&numbers]).await?;
            rows.iter().map(|row| Ok(rows::user_id(row.try_get(0)?))).collect()
        });
        read.await
    }

    fn record_device(&self, user: UserId, sign_in: SignIn, label: Option<DeviceLabel>) -> PendingCommit<()> {
        self.queue.request(|reply| Request::RecordDevice(user, sign_in, label, reply))
    }

    fn sign_out(&self, user: UserId, what: SignOut) -> PendingCommit<u64> {
        self.queue.request(|reply| Request::SignOut(user, what, reply))
    }
}

#[async_trait]
impl RecoveryCodeStore for PostgresStore {
    async fn recovery_code(&self, user: UserId) -> StoreResult<Option<Millis>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_RECOVERY_CODE).await?;
            let row = client.query_opt(&statement, &[&user.0.cast_signed()]).await?;
            row.map(|row| rows::number(&row, 0)).transpose()
        });
        read.await
    }

    fn set_recovery_code(&self, user: UserId, hash: CodeHash) -> PendingCommit<bool> {
        self.queue.request(|reply| Request::SetRecoveryCode(user, hash, reply))
    }

    fn revoke_recovery_code(&self, user: UserId) -> PendingCommit<()> {
        self.queue.request(|reply| Request::RevokeRecoveryCode(user, reply))
    }

    fn redeem_recovery_code(&self, hash: CodeHash) -> PendingCommit<Option<UserId>> {
        self.queue.request(|reply| Request::RedeemRecoveryCode(hash, reply))
    }
}

impl Writer {
    pub(super) async fn record_device(
        &mut self,
        user: UserId,
        sign_in: SignIn,
        label: Option<&DeviceLabel>,
    ) -> StoreResult<()> {
        let (person, device) = (user.0.cast_signed(), sign_in.device.0.cast_signed());
        let (generation, most) = (rows::position(sign_in.generation), MAX_DEVICES.cast_signed());
        let (browser, system) = label.map(|label| (&*label.browser, &*label.system)).unzip();
        let shared = self.shared.clone();
        let record = "SELECT record_device($1, $2, $3, $4, $5, $6, $7, $8)";
        let row = self
            .one_row(
                record,
                &[&person, &device, &generation, &browser, &system, &most, &shared.channel, &shared.node],
            )
            .await?;
        if row.try_get(0)? {
            shared.notifier.send(Notification::SignedOut(user));
        }
        Ok(())
    }

    pub(super) async fn sign_out(&mut self, user: UserId, what: SignOut) -> StoreResult<u64> {
        let number = |device: DeviceId| Some(device.0.cast_signed());
        let (device, kept) = match what {
            SignOut::Device(device) => (number(device), None),
            SignOut::Others(kept) => (None, number(kept)),
            SignOut::Everywhere => (None, None),
        };
        let shared = self.shared.clone();
        let sign_out = "SELECT o.generation, o.ended FROM sign_out($1, $2, $3, $4, $5) o";
        let user_id = user.0.cast_signed();
        let row = self.one_row(sign_out, &[&user_id, &device, &kept, &shared.channel, &shared.node]).await?;
        if row.try_get(1)? {
            shared.notifier.send(Notification::SignedOut(user));
        }
        rows::number(&row, 0)
    }

    pub(super) async fn set_recovery_code(&mut self, user: UserId, hash: &CodeHash) -> StoreResult<bool> {
        let set = "SELECT set_recovery_code($1, $2)";
        Ok(self.one_row(set, &[&user.0.cast_signed(), &hash.as_slice()]).await?.try_get(0)?)
    }

    pub(super) async fn revoke_recovery_code(&mut self, user: UserId) -> StoreResult<()> {
        let revoke = "
            WITH revoked AS (DELETE FROM recovery_code c WHERE c.user_id = $1 RETURNING c.user_id)
            SELECT count(*) FROM revoked";
        self.one_row(revoke, &[&user.0.cast_signed()]).await.map(drop)
    }

    pub(super) async fn redeem_recovery_code(&mut self, hash: &CodeHash) -> StoreResult<Option<UserId>> {
        let redeem = "
            WITH redeemed AS (DELETE FROM recovery_code c WHERE c.hash = $1 RETURNING c.user_id)
            SELECT (SELECT r.user_id FROM redeemed r)";
        let row = self.one_row(redeem, &[&hash.as_slice()]).await?;
        Ok(row.try_get::<_, Option<i64>>(0)?.map(rows::user_id))
    }
}

/// Reads a device in the columns of [`SELECT_SIGN_INS`](sql::SELECT_SIGN_INS).
fn device(row: &Row) -> StoreResult<Option<Device>> {
    let Some(id) = row.try_get::<_, Option<i64>>(2)? else { return Ok(None) };
    let label = DeviceLabel { browser: row.try_get(3)?, system: row.try_get(4)? };
    let (added_at, seen_at) = (rows::number(row, 5)?, rows::number(row, 6)?);
    Ok(Some(Device { id: DeviceId(id.cast_unsigned()), label, added_at, seen_at }))
}
