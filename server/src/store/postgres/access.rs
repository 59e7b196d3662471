//! The rights of users in a [`PostgresStore`], and the lists of moderators.

use super::{
    DatabaseUrl, PostgresError, PostgresStore, access_sql as sql,
    connect::Connector,
    queue::Request,
    rows::{self, unsigned},
    schema,
};
use crate::store::{
    AccessChange, AccessChanges, AccessStore, EntryRequest, Invitation, LinkError, LinkHash, LogEntry,
    MAX_ACCESS_CHANGES, MAX_BLOCKED, MAX_ENTRIES_PER_READ, MAX_ROOMS_PER_READ, Moderation, ModerationStore,
    PendingCommit, Report, RestrictionKind, Role, RoomMode, RoomStanding, Scope, ServerAccess, Setting,
    Settings, Standing, StoreError, StoreResult, StoredInvitation, StoredRestriction, Subject, Until,
};
use app::wire::{RoomName, Seq, UserId};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio_postgres::{GenericClient, Row};

/// Entries of one list.
const ENTRIES: i64 = MAX_ENTRIES_PER_READ as i64;

impl PostgresStore {
    /// Stores the hash of a new admin link in a database, while servers may be running. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn set_admin_link(url: &DatabaseUrl, hash: &str) -> Result<(), PostgresError> {
        let client = Connector::new(url)?.connect().await?;
        schema::check_server(&client).await?;
        let set = "
            INSERT INTO setting (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        client.execute(set, &[&Setting::AdminLink.name(), &hash]).await?;
        Ok(())
    }
}

#[async_trait]
impl AccessStore for PostgresStore {
    async fn settings(&self) -> StoreResult<Settings> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_SETTINGS).await?;
            let mut settings = Settings::default();
            for row in client.query(&statement, &[]).await? {
                settings.add(row.try_get(0)?, row.try_get(1)?);
            }
            Ok(settings)
        });
        read.await
    }

    async fn standings(&self, entry_requests: &[EntryRequest]) -> StoreResult<Vec<Standing>> {
        let entry_requests = &entry_requests[..entry_requests.len().min(MAX_ROOMS_PER_READ)];
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_STANDINGS).await?;
            Ok(select_standings(&***client, &statement, entry_requests).await?.1)
        });
        read.await
    }

    fn moderate(&self, moderation: Moderation) -> PendingCommit<()> {
        self.queue.request(|reply| Request::Moderate(Box::new(moderation), reply))
    }

    fn set(&self, setting: Setting, value: Option<Arc<str>>) -> PendingCommit<()> {
        self.queue.request(|reply| Request::Set(setting, value, reply))
    }

    fn redeem_admin_link(&self, secret: LinkHash, user: UserId) -> PendingCommit<bool> {
        self.queue.request(|reply| Request::RedeemAdminLink(secret, user, reply))
    }

    fn admit(&self, user: UserId) -> PendingCommit<()> {
        self.queue.request(|reply| Request::Admit(user, reply))
    }

    async fn access_changes(&self, since: u64) -> StoreResult<AccessChanges> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_ACCESS_CHANGES).await?;
            access_changes(&client.query(&statement, &[&since]).await?, since)
        });
        read.await
    }
}

/// Reads the rows of [`SELECT_ACCESS_CHANGES`](sql::SELECT_ACCESS_CHANGES).
fn access_changes(rows: &[Row], since: i64) -> StoreResult<AccessChanges> {
    let generation: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(since);
    let mut changes = Vec::new();
    for row in rows {
        if row.try_get::<_, Option<i64>>(3)?.is_none() {
            continue;
        }
        let (subject, room): (Option<&str>, Option<&str>) = (row.try_get(1)?, row.try_get(2)?);
        changes.push(AccessChange {
            // A subject of a newer version stands for all.
            subject: subject.and_then(|subject| subject.parse().ok()),
            room: room.map(rows::room_name).transpose()?,
        });
    }
    let missed = usize::try_from(generation.saturating_sub(since)).unwrap_or(usize::MAX);
    let is_complete = missed == changes.len() && missed <= MAX_ACCESS_CHANGES;
    Ok(AccessChanges { generation: unsigned(generation), changes: is_complete.then_some(changes) })
}

/// Returns the generation of access, and the rights of each user in it. `statement` is
/// [`SELECT_STANDINGS`](sql::SELECT_STANDINGS).
pub(super) async fn select_standings(
    client: &impl GenericClient,
    statement: &tokio_postgres::Statement,
    entry_requests: &[EntryRequest],
) -> Result<(i64, Vec<Standing>), tokio_postgres::Error> {
    let users: Vec<i64> = entry_requests.iter().map(|it| it.user.0.cast_signed()).collect();
    let rooms: Vec<&str> =
        entry_requests.iter().map(|it| it.room.as_ref().map_or("", RoomName::as_str)).collect();
    let subjects: Vec<String> = entry_requests.iter().map(|it| Subject::User(it.user).to_string()).collect();
    let networks: Vec<String> = entry_requests
        .iter()
        .map(|it| it.network.map(|network| network.to_string()).unwrap_or_default())
        .collect();
    let rows = client.query(statement, &[&users, &rooms, &subjects, &networks]).await?;
    let generation = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    Ok((generation, rows.iter().map(standing).collect::<Result<_, _>>()?))
}

fn standing(row: &Row) -> Result<Standing, tokio_postgres::Error> {
    let access: Option<&str> = row.try_get(1)?;
    let slow = u64::try_from(row.try_get::<_, i32>(13)?).unwrap_or(0);
    let mut standing = Standing {
        generation: unsigned(row.try_get(0)?),
        access: access.map(ServerAccess::from_column).unwrap_or_default(),
        is_known: row.try_get(2)?,
        room: RoomStanding {
            exists: row.try_get::<_, Option<i32>>(9)?.is_some(),
            is_owner: row.try_get(10)?,
            members_only: row.try_get(11)?,
            mode: RoomMode::from_column(row.try_get(12)?),
            slow: (slow > 0).then(|| Duration::from_secs(slow)),
            has_visited: row.try_get(14)?,
            ..RoomStanding::default()
        },
        ..Standing::default()
    };
    for (is_room, column) in [(false, 3), (true, 4)] {
        if let Some(role) = row.try_get(column)? {
            standing.add_role(is_room, role);
        }
    }
    let kinds = [RestrictionKind::Ban, RestrictionKind::Mute];
    for (n, column) in (5..9).enumerate() {
        if let Some(ends) = row.try_get::<_, Option<i64>>(column)? {
            let until = Until((ends < i64::MAX).then(|| unsigned(ends)));
            standing.add_restriction(n >= 2, kinds[n % 2].column(), until);
        }
    }
    Ok(standing)
}

/// Returns the parameter of a scope: the name of the room, or '' for the server; `None` for all.
fn scope_name(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Room(room) => Some(room.as_str()),
        Scope::Server => Some(""),
        Scope::All => None,
    }
}

#[async_trait]
impl ModerationStore for PostgresStore {
    async fn roles(&self, scope: &Scope, at_least: Role, after: UserId) -> StoreResult<Vec<(UserId, Role)>> {
        let after = if after == UserId(0) { i64::MIN } else { after.0.cast_signed() };
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_ROLES).await?;
            let rows =
                client.query(&statement, &[&scope_name(scope), &at_least.column(), &after, &ENTRIES]).await?;
            let role = |row: &Row| {
                Ok(Role::from_column(row.try_get(1)?).zip(Some(row.try_get(0).map(rows::user_id)?)))
            };
            rows.iter()
                .filter_map(|row| role(row).transpose())
                .map(|found| found.map(|(role, user)| (user, role)))
                .collect()
        });
        read.await
    }

    async fn restrictions(&self, scope: &Scope) -> StoreResult<Vec<StoredRestriction>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_RESTRICTIONS).await?;
            let rows = client.query(&statement, &[&scope_name(scope), &ENTRIES]).await?;
            let restriction = |row: &Row| {
                Ok(StoredRestriction {
                    subject: row
                        .try_get::<_, &str>(0)?
                        .parse()
                        .map_err(|_| StoreError::backend("an unknown subject"))?,
                    kind: RestrictionKind::from_column(row.try_get(1)?),
                    until: Until(row.try_get::<_, Option<i64>>(2)?.map(unsigned)),
                    by: rows::user_id(row.try_get(3)?),
                    reason: row.try_get(4)?,
                })
            };
            rows.iter().map(restriction).collect()
        });
        read.await
    }

    async fn invitations(&self, scope: &Scope) -> StoreResult<Vec<StoredInvitation>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_INVITATIONS).await?;
            let rows = client.query(&statement, &[&scope_name(scope), &ENTRIES]).await?;
            rows.iter().map(stored_invitation).collect()
        });
        read.await
    }

    async fn invitation(&self, hash: LinkHash) -> StoreResult<Result<StoredInvitation, LinkError>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_INVITATION).await?;
            usable(client.query_opt(&statement, &[&hash.as_slice()]).await?.as_ref())
        });
        read.await
    }

    fn redeem_invitation(
        &self,
        hash: LinkHash,
        user: UserId,
    ) -> PendingCommit<Result<Option<RoomName>, LinkError>> {
        self.queue.request(|reply| Request::RedeemInvitation(hash, user, reply))
    }

    async fn log(&self, scope: &Scope, before: Option<u64>) -> StoreResult<Vec<LogEntry>> {
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let read = self.readers.read(async |client| {
            let rows = match scope_name(scope) {
                Some(room) => {
                    let statement = client.prepare_cached(sql::SELECT_LOG).await?;
                    client.query(&statement, &[&room, &before, &ENTRIES]).await?
                }
                None => {
                    let statement = client.prepare_cached(sql::SELECT_WHOLE_LOG).await?;
                    client.query(&statement, &[&before, &ENTRIES]).await?
                }
            };
            rows.iter().map(log_entry).collect()
        });
        read.await
    }

    fn report(&self, user: UserId, room: RoomName, seq: Seq, reason: String) -> PendingCommit<()> {
        self.queue.request(|reply| Request::Report { user, room, seq, reason, reply })
    }

    async fn reports(&self, scope: &Scope) -> StoreResult<Vec<Report>> {
        let read = self.readers.read(async |client| {
            let rows = match scope_name(scope) {
                Some(room) => {
                    let statement = client.prepare_cached(sql::SELECT_REPORTS).await?;
                    client.query(&statement, &[&room, &ENTRIES]).await?
                }
                None => {
                    let statement = client.prepare_cached(sql::SELECT_ALL_REPORTS).await?;
                    client.query(&statement, &[&ENTRIES]).await?
                }
            };
            let report = |row: &Row| {
                Ok(Report {
                    id: rows::number(row, 0)?,
                    at: rows::number(row, 1)?,
                    by: rows::user_id(row.try_get(2)?),
                    room: rows::room_name(row.try_get(3)?)?,
                    seq: rows::number(row, 4)?,
                    reason: row.try_get(5)?,
                })
            };
            rows.iter().map(report).collect()
        });
        read.await
    }

    fn set_blocked(&self, user: UserId, other: UserId, is_blocked: bool) -> PendingCommit<()> {
        self.queue.request(|reply| Request::SetBlocked { user, other, is_blocked, reply })
    }

    async fn blocked(&self, user: UserId) -> StoreResult<Vec<UserId>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_BLOCKED).await?;
            let most = i64::from(MAX_BLOCKED);
            let rows = client.query(&statement, &[&user.0.cast_signed(), &most]).await?;
            rows.iter().map(|row| Ok(rows::user_id(row.try_get(0)?))).collect()
        });
        read.await
    }
}

/// Returns the invitation in a row of [`SELECT_INVITATION`](sql::SELECT_INVITATION), if it can be used.
pub(super) fn usable(row: Option<&Row>) -> StoreResult<Result<StoredInvitation, LinkError>> {
    let Some(row) = row else { return Ok(Err(LinkError::Expired)) };
    let stored = stored_invitation(row)?;
    let is_used_up = stored.invitation.most_uses.is_some_and(|most| stored.uses >= most);
    Ok(if is_used_up { Err(LinkError::Used) } else { Ok(stored) })
}

fn stored_invitation(row: &Row) -> StoreResult<StoredInvitation> {
    let hash: &[u8] = row.try_get(0)?;
    let count = |number: i32| u32::try_from(number).unwrap_or(0);
    Ok(StoredInvitation {
        invitation: Invitation {
            hash: hash.try_into().map_err(StoreError::backend)?,
            expires_at: rows::number(row, 3)?,
            most_uses: row.try_get::<_, Option<i32>>(4)?.map(count),
        },
        room: row.try_get::<_, Option<&str>>(1)?.map(rows::room_name).transpose()?,
        by: rows::user_id(row.try_get(2)?),
        uses: count(row.try_get(5)?),
    })
}

fn log_entry(row: &Row) -> StoreResult<LogEntry> {
    let subject: Option<&str> = row.try_get(5)?;
    Ok(LogEntry {
        id: rows::number(row, 0)?,
        at: rows::number(row, 1)?,
        actor: rows::user_id(row.try_get(2)?),
        action: row.try_get(3)?,
        room: row.try_get::<_, Option<&str>>(4)?.map(rows::room_name).transpose()?,
        subject: subject.and_then(|subject| subject.parse().ok()),
        until: row.try_get::<_, Option<i64>>(6)?.map(unsigned),
        detail: row.try_get(7)?,
        reason: row.try_get(8)?,
    })
}
