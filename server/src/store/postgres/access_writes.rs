//! Changing the rights of users: rare, so these are transactions of several round trips. They run one after the other on all
//! servers, so that bounds hold and each change has a generation of its own.

use super::{
    access::{select_standings, usable},
    access_sql as sql,
    queue::Reply,
    rows,
    writer::{Writer, answer},
};
use crate::{
    hexadecimal,
    store::{
        AccessChange, EntryRequest, Invitation, LinkError, LinkHash, MAX_BLOCKED, MAX_INVITATIONS,
        MAX_LOG_ENTRIES, MAX_REASON_CHARS, MAX_REPORTS, MAX_REPORTS_PER_USER, MAX_RESTRICTIONS, MAX_ROLES,
        Moderation, Notification, RestrictionKind, Role, Setting, Standing, StoreError, StoreResult, Subject,
        rules::{self, Effect},
    },
};
use app::wire::{RoomName, Seq, UserId};
use deadpool_postgres::{ClientWrapper, Transaction};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::{Error, types::ToSql};
use uuid::Uuid;

/// The advisory lock under which rights are changed.
pub(super) const ACCESS_LOCK: i64 = 0x0068_7562_6275_6202;

/// A transaction that changes rights, with the channel and the name of this server.
struct Change<'a> {
    transaction: Transaction<'a>,
    channel: &'a str,
    node: &'a str,
}

impl Writer {
    pub(super) async fn moderate(&mut self, moderation: &Moderation, reply: Reply<()>) {
        let (shared, command, has_tried) = (self.shared.clone(), Uuid::new_v4(), AtomicBool::new(false));
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            let is_retry = has_tried.swap(true, Ordering::Relaxed);
            change.moderate(moderation, command, is_retry).await
        });
        let written = written.await;
        let result = self.result(written).flatten();
        self.note_access_change();
        answer(reply, result);
    }

    pub(super) async fn change_setting(&mut self, setting: Setting, value: Option<&str>) -> StoreResult<()> {
        let shared = self.shared.clone();
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            change.set(setting, value).await?;
            if setting == Setting::Access {
                change.note(&AccessChange { subject: None, room: None }).await?;
            }
            change.transaction.commit().await
        });
        let written = written.await;
        self.note_access_change();
        self.result(written)
    }

    pub(super) async fn redeem_admin_link(&mut self, secret: &LinkHash, user: UserId) -> StoreResult<bool> {
        let (shared, has_tried) = (self.shared.clone(), AtomicBool::new(false));
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            let is_retry = has_tried.swap(true, Ordering::Relaxed);
            change.redeem_admin_link(secret, user, is_retry).await
        });
        let written = written.await;
        self.note_access_change();
        self.result(written)
    }

    pub(super) async fn admit(&mut self, user: UserId) -> StoreResult<()> {
        let shared = self.shared.clone();
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            match change.admit(user, 0).await? {
                Ok(()) => change.transaction.commit().await.map(Ok),
                Err(full) => Ok(Err(full)),
            }
        });
        let written = written.await;
        self.note_access_change();
        self.result(written).flatten()
    }

    pub(super) async fn redeem_invitation(
        &mut self,
        hash: &LinkHash,
        user: UserId,
    ) -> StoreResult<Result<Option<RoomName>, LinkError>> {
        let shared = self.shared.clone();
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            change.redeem_invitation(hash, user).await
        });
        let written = written.await;
        self.note_access_change();
        self.result(written).flatten()
    }

    pub(super) async fn report(
        &mut self,
        user: UserId,
        (room, seq): (&RoomName, Seq),
        reason: &str,
    ) -> StoreResult<()> {
        let shared = self.shared.clone();
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            change.report(user, (room, seq), reason).await
        });
        let written = written.await;
        self.result(written).flatten()
    }

    pub(super) async fn set_blocked(
        &mut self,
        user: UserId,
        other: UserId,
        is_blocked: bool,
    ) -> StoreResult<()> {
        let shared = self.shared.clone();
        let written = self.session.run(async |client| {
            let change = Change::begin(client, &shared.channel, &shared.node).await?;
            change.set_blocked(user, other, is_blocked).await
        });
        let written = written.await;
        self.result(written).flatten()
    }

    /// Notifies the subscribers of this process, also if nothing has changed or the answer was lost: they read what has.
    pub(super) fn note_access_change(&mut self) {
        self.cache.forget_access();
        self.shared.notifier.send(Notification::AccessChanged);
    }
}

impl<'a> Change<'a> {
    async fn begin(client: &'a mut ClientWrapper, channel: &'a str, node: &'a str) -> Result<Self, Error> {
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&ACCESS_LOCK]).await?;
        Ok(Self { transaction, channel, node })
    }

    async fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        let statement = self.transaction.prepare_cached(sql).await?;
        self.transaction.execute(&statement, parameters).await
    }

    async fn count(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u32, Error> {
        let statement = self.transaction.prepare_cached(sql).await?;
        let count: i64 = self.transaction.query_one(&statement, parameters).await?.try_get(0)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Returns `true` if the user erases everything of theirs, or has done so.
    async fn is_erased(&self, user: UserId) -> Result<bool, Error> {
        let statement = self.transaction.prepare_cached("SELECT erases(ARRAY[$1::int8])").await?;
        self.transaction.query_one(&statement, &[&user.0.cast_signed()]).await?.try_get(0)
    }

    async fn standing(&self, user: UserId, room: Option<&RoomName>) -> Result<Standing, Error> {
        let statement = self.transaction.prepare_cached(sql::SELECT_STANDINGS).await?;
        let entry_request = EntryRequest { user, network: None, room: room.cloned() };
        let (_, standings) = select_standings(&*self.transaction, &statement, &[entry_request]).await?;
        Ok(standings.into_iter().next().unwrap_or_default())
    }

    /// Returns the number of a room; 0 for the server, and for a room that does not exist.
    async fn room_id(&self, room: Option<&RoomName>) -> Result<i32, Error> {
        let Some(room) = room else { return Ok(0) };
        let row =
            self.transaction.query_opt("SELECT id FROM room WHERE name = $1", &[&room.as_str()]).await?;
        row.map_or(Ok(0), |row| row.try_get(0))
    }

    /// Notes a change, and notifies the other servers within the transaction.
    async fn note(&self, change: &AccessChange) -> Result<(), Error> {
        let subject = change.subject.map(|subject| subject.to_string());
        let room = change.room.as_ref().map(RoomName::as_str);
        let note = "SELECT note_access_change($1, $2, $3, $4)::text";
        self.transaction.query_one(note, &[&subject, &room, &self.channel, &self.node]).await.map(drop)
    }

    async fn moderate(
        self,
        moderation: &Moderation,
        command: Uuid,
        is_retry: bool,
    ) -> Result<StoreResult<()>, Error> {
        let done = "SELECT count(*) FROM action WHERE command = $1";
        if is_retry && self.count(done, &[&command]).await? > 0 {
            return Ok(Ok(()));
        }
        let room = moderation.room.as_ref();
        let actor = self.standing(moderation.actor, room).await?;
        let target = match moderation.action.user() {
            Some(user) => Some(self.standing(user, room).await?),
            None => None,
        };
        let effects = match rules::plan(moderation, &actor, target.as_ref()) {
            Ok(effects) => effects,
            Err(refused) => return Ok(Err(refused)),
        };
        if effects.iter().any(|effect| matches!(effect, Effect::SetMode(..) | Effect::SetRole(..)))
            && room.is_some_and(RoomName::is_lobby)
        {
            // The lobby has no row before its first message.
            super::room_writes::create_addressed_rooms(&self.transaction, &[&RoomName::lobby()]).await?;
        }
        let id = self.room_id(room).await?;
        if let Err(full) = self.check_bounds(&effects, id).await? {
            return Ok(Err(full));
        }
        for effect in effects {
            self.apply(effect, moderation, id).await?;
        }
        self.record(moderation, id, command).await?;
        if let Some(change) = moderation.action.access_change(room) {
            self.note(&change).await?;
        }
        self.transaction.commit().await.map(Ok)
    }

    /// Checks that the lists to which effects add have room for them.
    async fn check_bounds(&self, effects: &[Effect], room: i32) -> Result<StoreResult<()>, Error> {
        for effect in effects {
            let (count, most) = match effect {
                Effect::SetRole(_, Some(_)) => ("SELECT count(*) FROM role WHERE room = $1", MAX_ROLES),
                Effect::Restrict(..) => {
                    ("SELECT count(*) FROM restriction WHERE room = $1", MAX_RESTRICTIONS)
                }
                Effect::AddInvitation(_) => {
                    let ended = "DELETE FROM invitation WHERE room = $1 AND (expires_at <= now_millis() OR uses >= most)";
                    self.execute(ended, &[&room]).await?;
                    ("SELECT count(*) FROM invitation WHERE room = $1", MAX_INVITATIONS)
                }
                _ => continue,
            };
            if self.count(count, &[&room]).await? >= most {
                return Ok(Err(StoreError::TooMany));
            }
        }
        Ok(Ok(()))
    }

    async fn apply(&self, effect: Effect, moderation: &Moderation, room: i32) -> Result<(), Error> {
        let actor = moderation.actor.0.cast_signed();
        match effect {
            Effect::SetRole(user, role) => return self.set_role(user, room, role).await,
            Effect::Restrict(subject, kind, until) => {
                let restrict = "
                    INSERT INTO restriction (subject, room, kind, until, at, by, reason)
                    VALUES ($1, $2, $3, $4, now_millis(), $5, $6)
                    ON CONFLICT (subject, room, kind) DO UPDATE
                    SET until = excluded.until, at = excluded.at, by = excluded.by, reason = excluded.reason";
                let until = until.0.map(rows::position);
                let parameters: [&(dyn ToSql + Sync); 6] =
                    [&subject.to_string(), &room, &kind.column(), &until, &actor, &moderation.reason];
                self.execute(restrict, &parameters).await?;
            }
            Effect::Lift(subject, kind) => self.lift(subject, room, kind).await?,
            Effect::Forget(user) => {
                if let Some(name) = &moderation.room {
                    let remove = "SELECT remove_read_marker($1, $2)::text";
                    self.transaction.query_one(remove, &[&user.0.cast_signed(), &name.as_str()]).await?;
                }
            }
            Effect::SetOwner(user) => {
                let update = "UPDATE room SET owner = $2 WHERE id = $1";
                self.execute(update, &[&room, &user.0.cast_signed()]).await?;
            }
            Effect::SetMode(mode, slow) => {
                let slow = i32::try_from(slow).unwrap_or(i32::MAX);
                let update = "UPDATE room SET mode = $2, slow = $3 WHERE id = $1";
                self.execute(update, &[&room, &mode.column(), &slow]).await?;
            }
            Effect::CloseRoom => {
                self.execute("UPDATE room SET members_only = true WHERE id = $1", &[&room]).await?;
            }
            Effect::AddInvitation(Invitation { hash, expires_at, most_uses }) => {
                let insert = "
                    INSERT INTO invitation (hash, room, by, expires_at, most, uses) VALUES ($1, $2, $3, $4, $5, 0)";
                let most = most_uses.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
                let parameters: [&(dyn ToSql + Sync); 5] =
                    [&hash.as_slice(), &room, &actor, &rows::position(expires_at), &most];
                self.execute(insert, &parameters).await?;
            }
            Effect::RemoveInvitation(hash) => {
                let remove = "DELETE FROM invitation WHERE hash = $1 AND room = $2";
                self.execute(remove, &[&hash.as_slice(), &room]).await?;
            }
            Effect::RemoveInvitations => {
                self.execute("DELETE FROM invitation WHERE room = $1", &[&room]).await?;
            }
            Effect::Set(setting, value) => return self.set(setting, value.as_deref()).await,
            Effect::RemoveReport(report) => {
                let remove = "DELETE FROM report WHERE id = $1 AND ($2 = 0 OR room = $2)";
                self.execute(remove, &[&rows::position(report), &room]).await?;
            }
        }
        Ok(())
    }

    async fn set_role(&self, user: UserId, room: i32, role: Option<Role>) -> Result<(), Error> {
        let user = user.0.cast_signed();
        match role {
            Some(role) => {
                let set = "
                    INSERT INTO role (user_id, room, role) VALUES ($1, $2, $3)
                    ON CONFLICT (user_id, room) DO UPDATE SET role = excluded.role";
                self.execute(set, &[&user, &room, &role.column()]).await.map(drop)
            }
            None => {
                let remove = "DELETE FROM role WHERE user_id = $1 AND room = $2";
                self.execute(remove, &[&user, &room]).await.map(drop)
            }
        }
    }

    async fn lift(&self, subject: Subject, room: i32, kind: RestrictionKind) -> Result<(), Error> {
        let lift = "DELETE FROM restriction WHERE subject = $1 AND room = $2 AND kind = $3";
        self.execute(lift, &[&subject.to_string(), &room, &kind.column()]).await.map(drop)
    }

    async fn set(&self, setting: Setting, value: Option<&str>) -> Result<(), Error> {
        match value {
            Some(value) => {
                let set = "
                    INSERT INTO setting (name, value) VALUES ($1, $2)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
                self.execute(set, &[&setting.name(), &value]).await.map(drop)
            }
            None => self.execute("DELETE FROM setting WHERE name = $1", &[&setting.name()]).await.map(drop),
        }
    }

    /// Adds an entry to the log, and removes the oldest ones past the bound.
    async fn record(&self, moderation: &Moderation, room: i32, command: Uuid) -> Result<(), Error> {
        let Moderation { actor, action, reason, .. } = moderation;
        let insert = "
            INSERT INTO action (at, actor, word, room, subject, until, detail, reason, command)
            VALUES (now_millis(), $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
        let parameters: [&(dyn ToSql + Sync); 8] = [
            &actor.0.cast_signed(),
            &action.word(),
            &room,
            &action.subject().map(|subject| subject.to_string()),
            &action.until().map(rows::position),
            &action.detail(),
            reason,
            &command,
        ];
        let statement = self.transaction.prepare_cached(insert).await?;
        let id: i64 = self.transaction.query_one(&statement, &parameters).await?.try_get(0)?;
        let oldest = id - i64::from(MAX_LOG_ENTRIES);
        self.execute("DELETE FROM action WHERE id <= $1", &[&oldest]).await.map(drop)
    }

    async fn redeem_admin_link(self, secret: &LinkHash, user: UserId, is_retry: bool) -> Result<bool, Error> {
        let id = user.0.cast_signed();
        let used = "DELETE FROM setting WHERE name = $1 AND value = $2";
        if self.execute(used, &[&Setting::AdminLink.name(), &&*hexadecimal::encode(secret)]).await? == 0 {
            // The first attempt has used it, and its answer was lost.
            let is_admin = "SELECT count(*) FROM role WHERE user_id = $1 AND room = 0 AND role = $2";
            return Ok(is_retry && self.count(is_admin, &[&id, &Role::Admin.column()]).await? > 0);
        }
        let before = "DELETE FROM role WHERE room = 0 AND role = $1 RETURNING user_id";
        for row in self.transaction.query(before, &[&Role::Admin.column()]).await? {
            let before = rows::user_id(row.try_get(0)?);
            self.note(&AccessChange { subject: Some(Subject::User(before)), room: None }).await?;
        }
        self.set_role(user, 0, Some(Role::Admin)).await?;
        for kind in [RestrictionKind::Ban, RestrictionKind::Mute] {
            self.lift(Subject::User(user), 0, kind).await?;
        }
        self.note(&AccessChange { subject: Some(Subject::User(user)), room: None }).await?;
        self.transaction.commit().await.map(|()| true)
    }

    /// Gives a user the role of a member, unless they have a higher one.
    async fn admit(&self, user: UserId, room: i32) -> Result<StoreResult<()>, Error> {
        if self.count("SELECT count(*) FROM role WHERE room = $1", &[&room]).await? >= MAX_ROLES {
            return Ok(Err(StoreError::TooMany));
        }
        if self.is_erased(user).await? {
            return Ok(Err(StoreError::Erased));
        }
        let insert = "INSERT INTO role (user_id, room, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.execute(insert, &[&user.0.cast_signed(), &room, &Role::Member.column()]).await?;
        Ok(Ok(()))
    }

    async fn redeem_invitation(
        self,
        hash: &LinkHash,
        user: UserId,
    ) -> Result<StoreResult<Result<Option<RoomName>, LinkError>>, Error> {
        let statement = self.transaction.prepare_cached(sql::SELECT_INVITATION).await?;
        let row = self.transaction.query_opt(&statement, &[&hash.as_slice()]).await?;
        let stored = match usable(row.as_ref()) {
            Ok(Ok(stored)) => stored,
            Ok(Err(stale)) => return Ok(Ok(Err(stale))),
            Err(error) => return Ok(Err(error)),
        };
        let standing = self.standing(user, stored.room.as_ref()).await?;
        match rules::accept_invitation(stored.room.as_ref(), &standing) {
            Ok(true) => return Ok(Ok(Ok(stored.room))),
            Ok(false) => {}
            Err(refused) => return Ok(Err(refused)),
        }
        let room = self.room_id(stored.room.as_ref()).await?;
        if let Err(full) = self.admit(user, room).await? {
            return Ok(Err(full));
        }
        self.execute("UPDATE invitation SET uses = uses + 1 WHERE hash = $1", &[&hash.as_slice()]).await?;
        self.transaction.commit().await.map(|()| Ok(Ok(stored.room)))
    }

    async fn report(
        self,
        user: UserId,
        (room, seq): (&RoomName, Seq),
        reason: &str,
    ) -> Result<StoreResult<()>, Error> {
        let standing = self.standing(user, Some(room)).await?;
        if let Err(refused) = rules::may_enter_room(room, &standing) {
            return Ok(Err(refused));
        }
        let (id, by) = (self.room_id(Some(room)).await?, user.0.cast_signed());
        let exists = "
            SELECT count(*) FROM event e LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
            WHERE e.room = $1 AND e.seq = $2 AND e.kind = 0 AND (s.at IS NULL OR s.text IS NOT NULL)";
        if self.count(exists, &[&id, &rows::position(seq)]).await? == 0 {
            return Ok(Err(StoreError::MessageNotFound));
        }
        if reason.chars().count() > MAX_REASON_CHARS {
            return Ok(Err(StoreError::OutOfRange));
        }
        if self.is_erased(user).await? {
            return Ok(Err(StoreError::Erased));
        }
        let own = self.count("SELECT count(*) FROM report WHERE by = $1", &[&by]).await?;
        let all = self.count("SELECT count(*) FROM report", &[]).await?;
        if own >= MAX_REPORTS_PER_USER || all >= MAX_REPORTS {
            return Ok(Err(StoreError::TooMany));
        }
        let insert = "
            INSERT INTO report (at, by, room, seq, reason) VALUES (now_millis(), $1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.execute(insert, &[&by, &id, &rows::position(seq), &reason]).await?;
        self.transaction.commit().await.map(Ok)
    }

    async fn set_blocked(
        self,
        user: UserId,
        other: UserId,
        is_blocked: bool,
    ) -> Result<StoreResult<()>, Error> {
        let is_erased = is_blocked && self.is_erased(user).await?;
        if is_erased {
            return Ok(Err(StoreError::Erased));
        }
        let (user, other) = (user.0.cast_signed(), other.0.cast_signed());
        if !is_blocked {
            self.execute("DELETE FROM blocked WHERE user_id = $1 AND other = $2", &[&user, &other]).await?;
            return self.transaction.commit().await.map(Ok);
        }
        if self.count("SELECT count(*) FROM blocked WHERE user_id = $1", &[&user]).await? >= MAX_BLOCKED {
            return Ok(Err(StoreError::TooMany));
        }
        let insert = "INSERT INTO blocked (user_id, other) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.execute(insert, &[&user, &other]).await?;
        self.transaction.commit().await.map(Ok)
    }
}
