//! Names of users, and which of them are ambiguous.

use super::transaction::WriteTransaction;
use crate::store::{
    StoreError, StoreResult, skeleton,
    sqlite::{queries, sql},
};
use app::wire::{DisplayName, User, UserId};

/// Users that are cached. A full cache is cleared.
const MAX_CACHED_USERS: usize = 10_000;

impl WriteTransaction<'_> {
    /// Returns the author of an event. Stores a user who posts for the first time under their generated name.
    pub(super) fn author(&mut self, id: UserId) -> rusqlite::Result<User> {
        if let Some(author) = self.users.get(&id) {
            return Ok(author.clone());
        }
        if self.users.len() >= MAX_CACHED_USERS {
            self.users.clear();
        }
        if queries::user(&self.transaction, id)?.is_none() {
            let changed = self.rename(id, DisplayName::generated(id))?;
            let changed = changed.into_iter().filter(|user| user.ambiguous);
            self.changed_users.extend(changed.map(|user| user.id));
        }
        let stored = queries::user(&self.transaction, id)?.map(|(author, _)| author);
        let author = stored.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        if !self.is_erased(id)? {
            self.users.insert(id, author.clone());
        }
        Ok(author)
    }

    /// Sets the name of a user. Past the quota a user without a row gets none.
    pub(super) fn set_display_name(
        &mut self,
        id: UserId,
        name: DisplayName,
    ) -> rusqlite::Result<StoreResult<Vec<User>>> {
        if self.is_erased(id)? {
            return Ok(Err(StoreError::Erased));
        }
        if !self.take_bytes(0) && queries::user(&self.transaction, id)?.is_none() {
            return Ok(Err(StoreError::ReadOnly));
        }
        let changed = self.rename(id, name)?;
        self.changed_users.extend(changed.iter().map(|user| user.id));
        Ok(Ok(changed))
    }

    /// Sets the name of a user. Returns the users who appear differently now: the user, and at most one other at each
    /// of the two skeletons. Only the second user of a skeleton makes the first one ambiguous, and only the last but
    /// one to leave it makes the remaining one unambiguous. So a rename reads at most two users of a skeleton.
    pub(super) fn rename(&mut self, id: UserId, name: DisplayName) -> rusqlite::Result<Vec<User>> {
        let skeleton = skeleton::name_key(name.as_str());
        let old_skeleton = queries::user(&self.transaction, id)?.and_then(|(_, skeleton)| skeleton);
        let mut changed = vec![id];
        if old_skeleton.as_ref() == Some(&skeleton) {
            let mut update = self.transaction.prepare_cached(sql::UPDATE_USER_NAME)?;
            update.execute((id.0.cast_signed(), name.as_str()))?;
        } else {
            let others = queries::last_two_users(&self.transaction, &skeleton)?;
            let number = others.first().map_or(1, |(_, highest)| highest + 1);
            let mut upsert = self.transaction.prepare_cached(sql::UPSERT_USER)?;
            upsert.execute((id.0.cast_signed(), name.as_str(), &skeleton, !others.is_empty(), number))?;
            if let [(only, _)] = others[..] {
                changed.push(self.set_ambiguous(only, true)?);
            }
            if let Some(old_skeleton) = old_skeleton
                && let [(remaining, _)] = queries::last_two_users(&self.transaction, &old_skeleton)?[..]
            {
                changed.push(self.set_ambiguous(remaining, false)?);
            }
        }
        changed.iter().for_each(|changed| drop(self.users.remove(changed)));
        queries::users(&self.transaction, &changed)
    }

    fn set_ambiguous(&self, id: UserId, ambiguous: bool) -> rusqlite::Result<UserId> {
        let mut statement = self.transaction.prepare_cached(sql::SET_AMBIGUOUS)?;
        statement.execute((id.0.cast_signed(), ambiguous))?;
        Ok(id)
    }
}
