//! The rights of users: actions of moderators, invitations, reports and blocks.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::{
    hexadecimal,
    store::{
        AccessChange, EntryRequest, Invitation, LinkHash, MAX_BLOCKED, MAX_INVITATIONS, MAX_LOG_ENTRIES,
        MAX_REPORTS, MAX_REPORTS_PER_USER, MAX_RESTRICTIONS, MAX_ROLES, Moderation, NewEvent,
        RestrictionKind, Role, Setting, Standing, StoreError, StoreResult, Subject,
        rules::{self, Effect},
        sqlite::access_queries as queries,
    },
};
use app::wire::{RoomName, Seq, UserId};
use rusqlite::OptionalExtension;
use std::time::Duration;

/// Users and rooms whose rights are cached. A full cache is cleared.
const MAX_CACHED_RIGHTS: usize = 10_000;

const COUNT_ROLES: &str = "SELECT count(*) FROM role WHERE room = ?1";

/// Bytes of a row beside its reason.
const ENTRY_BYTES: usize = 64;

impl WriteTransaction<'_> {
    /// Checks that the author of an event may write in its room, and waits long enough between posts. Users without
    /// restrictions are read once.
    pub(super) fn check_access(&mut self, new: &NewEvent) -> rusqlite::Result<StoreResult<()>> {
        let key = (new.author, new.room.clone());
        if self.unrestricted.contains(&key) {
            return Ok(Ok(()));
        }
        let standing = self.standing(new.author, Some(&new.room))?;
        if let Err(refused) = rules::may_write(&new.room, &standing, &new.operation) {
            return Ok(Err(refused));
        }
        if let Some(interval) = rules::pace(&new.room, &standing, &new.operation) {
            return self.keep_pace(new, interval);
        }
        if rules::is_unrestricted(&new.room, &standing) {
            if self.unrestricted.len() >= MAX_CACHED_RIGHTS {
                self.unrestricted.clear();
            }
            self.unrestricted.insert(key);
        }
        Ok(Ok(()))
    }

    /// Returns the rights of a user, including this transaction's own changes.
    pub(super) fn standing(&self, user: UserId, room: Option<&RoomName>) -> rusqlite::Result<Standing> {
        let entry_request = EntryRequest { user, network: None, room: room.cloned() };
        queries::standing(&self.transaction, &entry_request, self.at)
    }

    /// Records a post in a room in slow mode, or returns how long its author must wait.
    fn keep_pace(&self, new: &NewEvent, interval: Duration) -> rusqlite::Result<StoreResult<()>> {
        let (person, room) = (new.author.0.cast_signed(), new.room.as_str());
        // A repeat of a post is none.
        if self
            .transaction
            .prepare_cached("SELECT 1 FROM event WHERE id = ?1")?
            .exists([new.id.as_bytes()])?
        {
            return Ok(Ok(()));
        }
        let last: Option<u64> = self
            .transaction
            .prepare_cached("SELECT at FROM pace WHERE person = ?1 AND room = ?2")?
            .query_row((person, room), |row| row.get(0))
            .optional()?;
        let interval_ms = interval.as_millis() as u64;
        // A time in the future comes from a wrong clock.
        let passed = last.map(|last| self.at.checked_sub(last).unwrap_or(interval_ms));
        if let Some(wait) = passed.and_then(|passed| interval_ms.checked_sub(passed)).filter(|wait| *wait > 0)
        {
            return Ok(Err(StoreError::TooFast(Duration::from_millis(wait))));
        }
        // Each post pays for the removal of two that count no more.
        self.transaction
            .prepare_cached(
                "DELETE FROM pace WHERE (person, room) IN (SELECT person, room FROM pace WHERE at < ?1 ORDER BY at LIMIT 2)",
            )?
            .execute([self.at.saturating_sub(u64::from(crate::store::MAX_SLOW_SECONDS) * 1_000)])?;
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO pace (person, room, at) VALUES (?1, ?2, ?3)")?
            .execute((person, room, self.at))?;
        Ok(Ok(()))
    }

    pub(super) fn moderate(&mut self, moderation: Moderation) -> rusqlite::Result<WriteResult> {
        let room = moderation.room.clone();
        let actor = self.standing(moderation.actor, room.as_ref())?;
        let target = moderation.action.user().map(|user| self.standing(user, room.as_ref())).transpose()?;
        let effects = match rules::plan(&moderation, &actor, target.as_ref()) {
            Ok(effects) => effects,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(full) = self.check_bounds(&effects, room.as_ref())? {
            return Ok(Err(full));
        }
        if !self.take_bytes(moderation.reason.len() + ENTRY_BYTES) {
            return Ok(Err(StoreError::ReadOnly));
        }
        for effect in effects {
            self.apply(effect, &moderation)?;
        }
        self.record(&moderation)?;
        if let Some(change) = moderation.action.access_change(room.as_ref()) {
            self.note_access_change(change);
        }
        Ok(Ok(WriteOutput::None))
    }

    /// Notes a change of access, which is published after the commit.
    pub(super) fn note_access_change(&mut self, change: AccessChange) {
        self.unrestricted.clear();
        self.access_changes.push(change);
    }

    /// Checks that the lists to which effects add have room for them.
    fn check_bounds(&self, effects: &[Effect], room: Option<&RoomName>) -> rusqlite::Result<StoreResult<()>> {
        let room = room.map_or("", RoomName::as_str);
        for effect in effects {
            let (count, most) = match effect {
                Effect::SetRole(_, Some(_)) => (COUNT_ROLES, MAX_ROLES),
                Effect::Restrict(..) => {
                    ("SELECT count(*) FROM restriction WHERE room = ?1", MAX_RESTRICTIONS)
                }
                Effect::AddInvitation(_) => {
                    let expired =
                        "DELETE FROM invitation WHERE room = ?1 AND (expires_at <= ?2 OR uses >= most)";
                    self.transaction.prepare_cached(expired)?.execute((room, self.at))?;
                    ("SELECT count(*) FROM invitation WHERE room = ?1", MAX_INVITATIONS)
                }
                _ => continue,
            };
            if self.count(count, [room])? >= most {
                return Ok(Err(StoreError::TooMany));
            }
        }
        Ok(Ok(()))
    }

    fn count(&self, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<u32> {
        self.transaction.prepare_cached(sql)?.query_row(parameters, |row| row.get(0))
    }

    fn apply(&mut self, effect: Effect, moderation: &Moderation) -> rusqlite::Result<()> {
        let room = moderation.room.as_ref().map_or("", RoomName::as_str);
        match effect {
            Effect::SetRole(user, role) => self.set_role(user, room, role),
            Effect::Restrict(subject, kind, until) => {
                let restrict = "
                    INSERT OR REPLACE INTO restriction (subject, room, kind, until, at, by, reason)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let (actor, reason) = (moderation.actor.0.cast_signed(), &moderation.reason);
                let row = (subject.to_string(), room, kind.column(), until.0, self.at, actor, reason);
                self.run(restrict, row)
            }
            Effect::Lift(subject, kind) => self.lift(subject, room, kind),
            Effect::Forget(user) => match &moderation.room {
                Some(room) => self.remove_read_marker(user, room.clone()),
                None => Ok(()),
            },
            Effect::SetOwner(user) => {
                self.run("UPDATE room SET owner = ?2 WHERE name = ?1", (room, user.0.cast_signed()))
            }
            Effect::SetMode(mode, slow) => {
                let update = "UPDATE room SET mode = ?2, slow = ?3 WHERE name = ?1";
                self.run(update, (room, mode.column(), slow))
            }
            Effect::CloseRoom => self.run("UPDATE room SET members_only = 1 WHERE name = ?1", [room]),
            Effect::AddInvitation(Invitation { hash, expires_at, most_uses }) => {
                let insert = "
                    INSERT INTO invitation (hash, room, by, expires_at, most, uses) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
                self.run(insert, (hash, room, moderation.actor.0.cast_signed(), expires_at, most_uses))
            }
            Effect::RemoveInvitation(hash) => {
                self.run("DELETE FROM invitation WHERE hash = ?1 AND room = ?2", (hash, room))
            }
            Effect::RemoveInvitations => self.run("DELETE FROM invitation WHERE room = ?1", [room]),
            Effect::Set(setting, value) => self.set(setting, value.as_deref()),
            Effect::RemoveReport(report) => match &moderation.room {
                Some(room) => {
                    self.run("DELETE FROM report WHERE id = ?1 AND room = ?2", (report, room.as_str()))
                }
                None => self.run("DELETE FROM report WHERE id = ?1", [report]),
            },
        }
    }

    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql)?.execute(parameters).map(drop)
    }

    fn set_role(&self, user: UserId, room: &str, role: Option<Role>) -> rusqlite::Result<()> {
        let person = user.0.cast_signed();
        match role {
            Some(role) => {
                let set = "INSERT OR REPLACE INTO role (person, room, role) VALUES (?1, ?2, ?3)";
                self.run(set, (person, room, role.column()))
            }
            None => self.run("DELETE FROM role WHERE person = ?1 AND room = ?2", (person, room)),
        }
    }

    fn lift(&self, subject: Subject, room: &str, kind: RestrictionKind) -> rusqlite::Result<()> {
        let lift = "DELETE FROM restriction WHERE subject = ?1 AND room = ?2 AND kind = ?3";
        self.run(lift, (subject.to_string(), room, kind.column()))
    }

    fn set(&self, setting: Setting, value: Option<&str>) -> rusqlite::Result<()> {
        match value {
            Some(value) => {
                let set = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
                self.run(set, (setting.name(), value))
            }
            None => self.run("DELETE FROM setting WHERE name = ?1", [setting.name()]),
        }
    }

    /// Adds an entry to the log, and removes the oldest ones past the bound.
    fn record(&self, Moderation { actor, room, action, reason }: &Moderation) -> rusqlite::Result<()> {
        let insert = "
            INSERT INTO action (at, actor, word, room, subject, until, detail, reason)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let room = room.as_ref().map_or("", RoomName::as_str);
        let subject = action.subject().map(|subject| subject.to_string());
        let (actor, detail) = (actor.0.cast_signed(), action.detail());
        self.run(insert, (self.at, actor, action.word(), room, subject, action.until(), detail, reason))?;
        let oldest = self.transaction.last_insert_rowid() - i64::from(MAX_LOG_ENTRIES);
        self.run("DELETE FROM action WHERE id <= ?1", [oldest])
    }

    /// Changes a setting on behalf of the operator.
    pub(super) fn change_setting(&mut self, setting: Setting, value: Option<&str>) -> rusqlite::Result<()> {
        self.set(setting, value)?;
        if setting == Setting::Access {
            self.note_access_change(AccessChange { subject: None, room: None });
        }
        Ok(())
    }

    /// Makes a user the administrator if `secret` is that of the unused link.
    pub(super) fn redeem_admin_link(&mut self, secret: &LinkHash, user: UserId) -> rusqlite::Result<bool> {
        let stored = queries::settings(&self.transaction)?.admin_link;
        if stored.as_deref() != Some(&*hexadecimal::encode(secret)) {
            return Ok(false);
        }
        self.set(Setting::AdminLink, None)?;
        let before = "SELECT person FROM role WHERE room = '' AND role = ?1";
        let admin = self
            .transaction
            .prepare_cached(before)?
            .query_row([Role::Admin.column()], |row| row.get(0).map(super::super::rows::user_id))
            .optional()?;
        for (user, role) in admin.map(|admin| (admin, None)).into_iter().chain([(user, Some(Role::Admin))]) {
            self.set_role(user, "", role)?;
            self.note_access_change(AccessChange { subject: Some(Subject::User(user)), room: None });
        }
        for kind in [RestrictionKind::Ban, RestrictionKind::Mute] {
            self.lift(Subject::User(user), "", kind)?;
        }
        Ok(true)
    }

    /// Gives a user the role of a member, unless they have a higher one.
    pub(super) fn admit(&mut self, user: UserId, room: &str) -> rusqlite::Result<StoreResult<()>> {
        if self.count(COUNT_ROLES, [room])? >= MAX_ROLES {
            return Ok(Err(StoreError::TooMany));
        }
        if !self.take_bytes(ENTRY_BYTES) {
            return Ok(Err(StoreError::ReadOnly));
        }
        if self.is_erased(user)? {
            return Ok(Err(StoreError::Erased));
        }
        let insert = "INSERT OR IGNORE INTO role (person, room, role) VALUES (?1, ?2, ?3)";
        self.run(insert, (user.0.cast_signed(), room, Role::Member.column()))?;
        self.unrestricted.clear();
        Ok(Ok(()))
    }

    pub(super) fn redeem_invitation(
        &mut self,
        hash: &LinkHash,
        user: UserId,
    ) -> rusqlite::Result<WriteResult> {
        let stored = match queries::invitation(&self.transaction, hash, self.at)? {
            Ok(stored) => stored,
            Err(stale) => return Ok(Ok(WriteOutput::InvitationRedeemed(Err(stale)))),
        };
        let room = stored.room.clone();
        let standing = self.standing(user, room.as_ref())?;
        match rules::accept_invitation(room.as_ref(), &standing) {
            Ok(true) => return Ok(Ok(WriteOutput::InvitationRedeemed(Ok(room)))),
            Ok(false) => {}
            Err(refused) => return Ok(Err(refused)),
        }
        if let Err(full) = self.admit(user, room.as_ref().map_or("", RoomName::as_str))? {
            return Ok(Err(full));
        }
        self.run("UPDATE invitation SET uses = uses + 1 WHERE hash = ?1", [hash])?;
        Ok(Ok(WriteOutput::InvitationRedeemed(Ok(room))))
    }

    pub(super) fn report(
        &mut self,
        user: UserId,
        room: &RoomName,
        seq: Seq,
        reason: &str,
    ) -> rusqlite::Result<StoreResult<()>> {
        if self.is_erased(user)? {
            return Ok(Err(StoreError::Erased));
        }
        let standing = self.standing(user, Some(room))?;
        if let Err(refused) = rules::may_enter_room(room, &standing) {
            return Ok(Err(refused));
        }
        if self.message_author(room, seq)?.is_none() {
            return Ok(Err(StoreError::MessageNotFound));
        }
        if reason.chars().count() > crate::store::MAX_REASON_CHARS {
            return Ok(Err(StoreError::OutOfRange));
        }
        let by = user.0.cast_signed();
        let own = self.count("SELECT count(*) FROM report WHERE by = ?1", [by])?;
        let all = self.count("SELECT count(*) FROM report", [])?;
        if own >= MAX_REPORTS_PER_USER || all >= MAX_REPORTS {
            return Ok(Err(StoreError::TooMany));
        }
        if !self.take_bytes(reason.len()) {
            return Ok(Err(StoreError::ReadOnly));
        }
        let insert = "INSERT OR IGNORE INTO report (at, by, room, seq, reason) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.run(insert, (self.at, by, room.as_str(), seq, reason))?;
        Ok(Ok(()))
    }

    pub(super) fn set_blocked(
        &mut self,
        user: UserId,
        other: UserId,
        is_blocked: bool,
    ) -> rusqlite::Result<StoreResult<()>> {
        let (person, other) = (user.0.cast_signed(), other.0.cast_signed());
        if !is_blocked {
            self.run("DELETE FROM blocked WHERE person = ?1 AND other = ?2", (person, other))?;
            return Ok(Ok(()));
        }
        if self.is_erased(user)? {
            return Ok(Err(StoreError::Erased));
        }
        if self.count("SELECT count(*) FROM blocked WHERE person = ?1", [person])? >= MAX_BLOCKED {
            return Ok(Err(StoreError::TooMany));
        }
        if !self.take_bytes(0) {
            return Ok(Err(StoreError::ReadOnly));
        }
        self.run("INSERT OR IGNORE INTO blocked (person, other) VALUES (?1, ?2)", (person, other))?;
        Ok(Ok(()))
    }
}
