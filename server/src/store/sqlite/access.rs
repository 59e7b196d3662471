//! The rights of users in a [`SqliteStore`], and the lists of moderators.

use super::{
    SqliteStore, WriteCommand, WriteOutput, access_queries as queries, connection::configure,
    error::OpenError, schema::check_schema,
};
use crate::store::{
    AccessChange, AccessChanges, AccessStore, EntryRequest, LinkError, LinkHash, LogEntry,
    MAX_ACCESS_CHANGES, MAX_ROOMS_PER_READ, Moderation, ModerationStore, PendingCommit, Report, Role, Scope,
    Setting, Settings, Standing, StoreResult, StoredInvitation, StoredRestriction, now,
};
use app::wire::{RoomName, Seq, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The changes of access that were committed last, with the generation after them.
#[derive(Debug, Default)]
pub(super) struct AccessHistory {
    generation: AtomicU64,
    /// Sections under this lock are short and never wait.
    changes: Mutex<VecDeque<AccessChange>>,
}

impl AccessHistory {
    /// Adds a change, before it is acknowledged.
    pub(super) fn add(&self, change: AccessChange) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.len() == MAX_ACCESS_CHANGES {
            changes.pop_front();
        }
        changes.push_back(change);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn after(&self, since: u64) -> AccessChanges {
        let generation = self.generation.load(Ordering::Acquire);
        if generation == since {
            return AccessChanges { generation, changes: Some(Vec::new()) };
        }
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have moved on before the lock was taken.
        let generation = self.generation.load(Ordering::Acquire);
        let missed = usize::try_from(generation - since).unwrap_or(usize::MAX);
        let known = changes.len().checked_sub(missed);
        AccessChanges {
            generation,
            changes: known.map(|known| changes.iter().skip(known).cloned().collect()),
        }
    }
}

impl SqliteStore {
    /// Stores the hash of a new admin link in the file at `path`, while a server may be running.
    ///
    /// # Errors
    /// [`OpenError`] if there is no file of this version.
    pub fn set_admin_link(path: &Path, hash: &str) -> Result<(), OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        configure(&connection)?;
        check_schema(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)?;
        let set = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
        connection.execute(set, (Setting::AdminLink.name(), hash)).map(drop)?;
        Ok(())
    }
}

#[async_trait]
impl AccessStore for SqliteStore {
    async fn settings(&self) -> StoreResult<Settings> {
        self.readers.read(queries::settings).await
    }

    async fn standings(&self, entry_requests: &[EntryRequest]) -> StoreResult<Vec<Standing>> {
        let entry_requests = entry_requests[..entry_requests.len().min(MAX_ROOMS_PER_READ)].to_vec();
        let (at, generation) = (now(), self.access.generation());
        let read = self.readers.read(move |db| {
            let standing =
                |entry_request| Ok(Standing { generation, ..queries::standing(db, entry_request, at)? });
            entry_requests.iter().map(standing).collect()
        });
        read.await
    }

    fn moderate(&self, moderation: Moderation) -> PendingCommit<()> {
        self.commit(WriteCommand::Moderate(Box::new(moderation)), |_| Some(()))
    }

    fn set(&self, setting: Setting, value: Option<Arc<str>>) -> PendingCommit<()> {
        self.commit(WriteCommand::Set(setting, value), |_| Some(()))
    }

    fn redeem_admin_link(&self, secret: LinkHash, user: UserId) -> PendingCommit<bool> {
        self.commit(WriteCommand::RedeemAdminLink(secret, user), |output| match output {
            WriteOutput::AdminLinkRedeemed(is_redeemed) => Some(is_redeemed),
            _ => None,
        })
    }

    fn admit(&self, user: UserId) -> PendingCommit<()> {
        self.commit(WriteCommand::Admit(user), |_| Some(()))
    }

    async fn access_changes(&self, since: u64) -> StoreResult<AccessChanges> {
        Ok(self.access.after(since))
    }
}

#[async_trait]
impl ModerationStore for SqliteStore {
    async fn roles(&self, scope: &Scope, at_least: Role, after: UserId) -> StoreResult<Vec<(UserId, Role)>> {
        let scope = scope.clone();
        self.readers.read(move |db| queries::roles(db, &scope, at_least, after)).await
    }

    async fn restrictions(&self, scope: &Scope) -> StoreResult<Vec<StoredRestriction>> {
        let scope = scope.clone();
        self.readers.read(move |db| queries::restrictions(db, &scope, now())).await
    }

    async fn invitations(&self, scope: &Scope) -> StoreResult<Vec<StoredInvitation>> {
        let scope = scope.clone();
        self.readers.read(move |db| queries::invitations(db, &scope, now())).await
    }

    async fn invitation(&self, hash: LinkHash) -> StoreResult<Result<StoredInvitation, LinkError>> {
        self.readers.read(move |db| queries::invitation(db, &hash, now())).await
    }

    fn redeem_invitation(
        &self,
        hash: LinkHash,
        user: UserId,
    ) -> PendingCommit<Result<Option<RoomName>, LinkError>> {
        self.commit(WriteCommand::RedeemInvitation(hash, user), |output| match output {
            WriteOutput::InvitationRedeemed(redeemed) => Some(redeemed),
            _ => None,
        })
    }

    async fn log(&self, scope: &Scope, before: Option<u64>) -> StoreResult<Vec<LogEntry>> {
        let scope = scope.clone();
        self.readers.read(move |db| queries::log(db, &scope, before)).await
    }

    fn report(&self, user: UserId, room: RoomName, seq: Seq, reason: String) -> PendingCommit<()> {
        self.commit(WriteCommand::Report { user, room, seq, reason }, |_| Some(()))
    }

    async fn reports(&self, scope: &Scope) -> StoreResult<Vec<Report>> {
        let scope = scope.clone();
        self.readers.read(move |db| queries::reports(db, &scope)).await
    }

    fn set_blocked(&self, user: UserId, other: UserId, is_blocked: bool) -> PendingCommit<()> {
        self.commit(WriteCommand::SetBlocked { user, other, is_blocked }, |_| Some(()))
    }

    async fn blocked(&self, user: UserId) -> StoreResult<Vec<UserId>> {
        self.readers.read(move |db| queries::blocked(db, user)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_known_one_by_one_until_there_are_too_many() {
        let history = AccessHistory::default();
        let change = |n| AccessChange { subject: Some(crate::store::Subject::User(UserId(n))), room: None };
        assert_eq!(history.after(0), AccessChanges { generation: 0, changes: Some(Vec::new()) });
        for n in 0..MAX_ACCESS_CHANGES as u64 {
            history.add(change(n));
        }
        let all = history.after(0);
        assert_eq!(all.generation, MAX_ACCESS_CHANGES as u64);
        assert_eq!(all.changes.map(|changes| changes.len()), Some(MAX_ACCESS_CHANGES));
        history.add(change(7));
        assert_eq!(history.after(0).changes, None, "the first one is forgotten");
        assert_eq!(history.after(MAX_ACCESS_CHANGES as u64).changes, Some(vec![change(7)]));
    }
}
