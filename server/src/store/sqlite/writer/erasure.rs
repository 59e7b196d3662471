//! Erasures of everything of a user.

use super::transaction::WriteTransaction;
use crate::store::{
    AccessChange, ScanPosition, SignOut, StoreResult, Subject, rules,
    sqlite::{queries, sql},
};
use app::wire::{DisplayName, Operation, UserId};

impl WriteTransaction<'_> {
    /// Begins to erase everything of a user, with what is few: the name, the rights, the devices, the
    /// links.
    pub(super) fn begin_erasure(&mut self, user: UserId) -> rusqlite::Result<()> {
        let id = user.0.cast_signed();
        let mut insert = self.transaction.prepare_cached(sql::INSERT_ERASURE)?;
        if insert.execute((id, self.at))? == 0 {
            return Ok(());
        }
        drop(insert);
        self.transaction.prepare_cached(sql::DELETE_UNUSED_DEVICE_LINK)?.execute([id])?;
        self.sign_out(user, SignOut::Everywhere)?;
        for statement in sql::DELETE_RECORDS_OF_USER {
            self.transaction.prepare_cached(statement)?.execute([id])?;
        }
        if self.transaction.prepare_cached(sql::DELETE_ROLES_OF_USER)?.execute([id])? > 0 {
            self.note_access_change(AccessChange { subject: Some(Subject::User(user)), room: None });
        }
        if queries::user(&self.transaction, user)?.is_some() {
            let changed = self.rename(user, DisplayName::generated(user))?;
            self.changed_users.extend(changed.iter().map(|user| user.id));
        } else {
            self.remove_markers_of(user)?;
        }
        self.has_purged = true;
        Ok(())
    }

    pub(super) fn note_erased(
        &mut self,
        user: UserId,
        erased: u64,
        position: Option<ScanPosition>,
    ) -> rusqlite::Result<()> {
        let id = user.0.cast_signed();
        if position.is_none() {
            self.remove_markers_of(user)?;
        }
        let (statement, value) = match position {
            Some(ScanPosition(row, _)) => (sql::UPDATE_ERASURE, row),
            None => (sql::FINISH_ERASURE, self.at.cast_signed()),
        };
        self.transaction.prepare_cached(statement)?.execute((id, value, erased)).map(drop)
    }

    /// Removes the read markers of a user. The hub must have announced the generated name before: it finds the rooms by these
    /// markers.
    fn remove_markers_of(&mut self, user: UserId) -> rusqlite::Result<()> {
        for statement in [sql::DELETE_MARKERS_OF_USER, sql::DELETE_MARKER_COUNT] {
            self.transaction.prepare_cached(statement)?.execute([user.0.cast_signed()])?;
        }
        self.read_markers.retain(|(of, _)| *of != user);
        Ok(())
    }

    /// Returns `true` if the user erases everything of theirs, or has done so.
    pub(super) fn is_erased(&self, user: UserId) -> rusqlite::Result<bool> {
        self.transaction.prepare_cached(sql::SELECT_ERASURE)?.exists([user.0.cast_signed()])
    }

    /// Checks that the author of an operation may still do it. A user whose name is cached has erased nothing.
    pub(super) fn authorize_author(
        &self,
        author: UserId,
        operation: &Operation,
    ) -> rusqlite::Result<StoreResult<()>> {
        if self.users.contains_key(&author) || !self.is_erased(author)? {
            return Ok(Ok(()));
        }
        Ok(rules::authorize_erased(operation))
    }
}
