//! Devices and recovery codes.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    CodeHash, DeviceLabel, MAX_DEVICES, SignIn, SignOut, StoreError, rules,
    sqlite::{devices::sign_in_state, rows, sql},
};
use app::wire::UserId;
use rusqlite::OptionalExtension;

impl WriteTransaction<'_> {
    /// Records that a user is on a device now; without a label only if it is listed. A device that was signed out is not listed again, and a guest has no devices.
    /// Past the bound the device that was seen least recently is signed out.
    pub(super) fn record_device(
        &mut self,
        user: UserId,
        sign_in: SignIn,
        label: Option<&DeviceLabel>,
    ) -> rusqlite::Result<()> {
        let (person, device) = (user.0.cast_signed(), sign_in.device.0.cast_signed());
        let (browser, system) = label.map(|label| (&*label.browser, &*label.system)).unzip();
        let row = (device, person, self.at, browser, system);
        if self.transaction.prepare_cached(sql::UPDATE_DEVICE)?.execute(row)? > 0 {
            return Ok(());
        }
        let Some(label) = label else { return Ok(()) };
        let (is_user, generation) = sign_in_state(&self.transaction, user)?;
        let may_be_listed = is_user && rules::is_signed_in(false, sign_in.generation, generation);
        if !may_be_listed
            || self.is_erased(user)?
            || !self.take_bytes(label.browser.len() + label.system.len())
        {
            return Ok(());
        }
        self.transaction.prepare_cached(sql::INSERT_DEVICE)?.execute(row)?;
        let mut delete = self.transaction.prepare_cached(sql::DELETE_EXCESS_DEVICES)?;
        let excess = delete.execute((person, device, MAX_DEVICES - 1))?;
        drop(delete);
        if excess > 0 { self.end_generation(user) } else { Ok(()) }
    }

    /// Signs devices out. Returns the generation of the user's cookies from now on.
    pub(super) fn sign_out(&mut self, user: UserId, what: SignOut) -> rusqlite::Result<u64> {
        let person = user.0.cast_signed();
        let (is_user, generation) = sign_in_state(&self.transaction, user)?;
        if !is_user {
            return Ok(generation);
        }
        let has_ended = match what {
            SignOut::Device(device) => {
                let mut delete = self.transaction.prepare_cached(sql::DELETE_DEVICE)?;
                delete.execute((person, device.0.cast_signed()))? > 0
            }
            SignOut::Others(_) | SignOut::Everywhere => {
                let kept = match what {
                    SignOut::Others(device) => Some(device.0.cast_signed()),
                    _ => None,
                };
                self.transaction.prepare_cached(sql::DELETE_DEVICES)?.execute((person, kept))?;
                true
            }
        };
        if !has_ended {
            return Ok(generation);
        }
        self.end_generation(user)?;
        Ok(generation + 1)
    }

    /// Begins the next generation of a user's cookies. The open link to another device ends too.
    fn end_generation(&mut self, user: UserId) -> rusqlite::Result<()> {
        let person = user.0.cast_signed();
        self.transaction.prepare_cached(sql::UPSERT_SIGN_OUT)?.execute([person])?;
        self.transaction.prepare_cached(sql::DELETE_UNUSED_DEVICE_LINK)?.execute([person])?;
        self.signed_out.push(user);
        Ok(())
    }

    /// Sets the recovery code of a user; a guest gets none.
    pub(super) fn set_recovery_code(
        &mut self,
        user: UserId,
        hash: &CodeHash,
    ) -> rusqlite::Result<WriteResult> {
        if !sign_in_state(&self.transaction, user)?.0 || self.is_erased(user)? {
            return Ok(Ok(WriteOutput::CodeSet(false)));
        }
        if !self.take_bytes(hash.len()) {
            return Ok(Err(StoreError::ReadOnly));
        }
        let mut upsert = self.transaction.prepare_cached(sql::UPSERT_RECOVERY_CODE)?;
        upsert.execute((user.0.cast_signed(), hash, self.at))?;
        Ok(Ok(WriteOutput::CodeSet(true)))
    }

    pub(super) fn revoke_recovery_code(&self, user: UserId) -> rusqlite::Result<()> {
        let mut delete = self.transaction.prepare_cached(sql::DELETE_RECOVERY_CODE)?;
        delete.execute([user.0.cast_signed()]).map(drop)
    }

    /// Uses a recovery code up.
    pub(super) fn redeem_recovery_code(&self, hash: &CodeHash) -> rusqlite::Result<Option<UserId>> {
        let mut redeem = self.transaction.prepare_cached(sql::REDEEM_RECOVERY_CODE)?;
        redeem.query_row([hash], |row| row.get(0).map(rows::user_id)).optional()
    }
}
