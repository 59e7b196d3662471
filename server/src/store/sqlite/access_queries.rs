//! The reads of rights and moderators, from any connection.

use super::rows;
use crate::store::{
    EntryRequest, Invitation, LinkError, LinkHash, LogEntry, MAX_BLOCKED, MAX_ENTRIES_PER_READ, Report,
    RestrictionKind, Role, RoomMode, RoomStanding, Scope, ServerAccess, Settings, Standing, StoredInvitation,
    StoredRestriction, Subject, Until,
};
use app::wire::{Millis, RoomName, UserId};
use rusqlite::{Connection, OptionalExtension, Row, types::Type};
use std::time::Duration;

pub(super) fn settings(db: &Connection) -> rusqlite::Result<Settings> {
    let mut settings = Settings::default();
    let mut statement = db.prepare_cached("SELECT name, value FROM setting")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        settings.add(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    }
    Ok(settings)
}

/// Returns the rights of a user at a time.
pub(super) fn standing(
    db: &Connection,
    entry_request: &EntryRequest,
    at: Millis,
) -> rusqlite::Result<Standing> {
    let (person, room) = (entry_request.user.0.cast_signed(), entry_request.room.as_ref());
    let name = room.map_or("", RoomName::as_str);
    let mut standing = Standing { is_known: is_known(db, person)?, ..Standing::default() };
    let access: Option<String> = db
        .prepare_cached("SELECT value FROM setting WHERE name = 'access'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    standing.access = access.as_deref().map(ServerAccess::from_column).unwrap_or_default();
    if let Some(room) = room {
        standing.room = room_standing(db, person, room)?;
    }
    let mut roles =
        db.prepare_cached("SELECT room, role FROM role WHERE person = ?1 AND room IN ('', ?2)")?;
    let mut rows = roles.query((person, name))?;
    while let Some(row) = rows.next()? {
        standing.add_role(!row.get_ref(0)?.as_str()?.is_empty(), row.get(1)?);
    }
    let network = entry_request.network.map(|network| network.to_string()).unwrap_or_default();
    let mut restrictions = db.prepare_cached(
        "SELECT room, kind, until FROM restriction
         WHERE subject IN (?1, ?2) AND room IN ('', ?3) AND (until IS NULL OR until > ?4)",
    )?;
    let mut rows = restrictions.query((Subject::User(entry_request.user).to_string(), network, name, at))?;
    while let Some(row) = rows.next()? {
        let is_room = !row.get_ref(0)?.as_str()?.is_empty();
        standing.add_restriction(is_room, row.get(1)?, Until(row.get(2)?));
    }
    Ok(standing)
}

/// Returns `true` if the user has a name or has read.
fn is_known(db: &Connection, person: i64) -> rusqlite::Result<bool> {
    let known = "SELECT 1 FROM person WHERE id = ?1 UNION ALL SELECT 1 FROM visitor WHERE person = ?1";
    db.prepare_cached(known)?.exists([person])
}

fn room_standing(db: &Connection, person: i64, room: &RoomName) -> rusqlite::Result<RoomStanding> {
    let mut statement = db.prepare_cached(
        "SELECT owner, members_only, mode, slow, EXISTS (SELECT 1 FROM reading WHERE person = ?1 AND room = ?2)
         FROM room WHERE name = ?2",
    )?;
    let found = statement.query_row((person, room.as_str()), |row| {
        let slow: u32 = row.get(3)?;
        Ok(RoomStanding {
            exists: true,
            is_owner: row.get::<_, Option<i64>>(0)? == Some(person),
            members_only: row.get(1)?,
            mode: RoomMode::from_column(row.get(2)?),
            slow: (slow > 0).then(|| Duration::from_secs(slow.into())),
            has_visited: row.get(4)?,
            ..RoomStanding::default()
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// Returns the column `room` of a scope; `None` for all.
fn room_column(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Room(room) => Some(room.as_str()),
        Scope::Server => Some(""),
        Scope::All => None,
    }
}

pub(super) fn roles(
    db: &Connection,
    scope: &Scope,
    at_least: Role,
    after: UserId,
) -> rusqlite::Result<Vec<(UserId, Role)>> {
    let mut statement = db.prepare_cached(
        "SELECT person, role FROM role WHERE room = ?1 AND role >= ?2 AND person > ?3 ORDER BY person LIMIT ?4",
    )?;
    // Ids are stored as signed integers, whose order begins with the smallest one.
    let after = if after == UserId(0) { i64::MIN } else { after.0.cast_signed() };
    let parameters = (room_column(scope), at_least.column(), after, MAX_ENTRIES_PER_READ);
    let role = |row: &Row<'_>| Ok((rows::user_id(row.get(0)?), row.get::<_, i16>(1)?));
    let found = statement.query_map(parameters, role)?;
    found
        .filter_map(|row| row.map(|(user, role)| Some((user, Role::from_column(role)?))).transpose())
        .collect()
}

pub(super) fn restrictions(
    db: &Connection,
    scope: &Scope,
    at: Millis,
) -> rusqlite::Result<Vec<StoredRestriction>> {
    let mut statement = db.prepare_cached(
        "SELECT subject, kind, until, by, reason FROM restriction
         WHERE room = ?1 AND (until IS NULL OR until > ?2) ORDER BY at DESC LIMIT ?3",
    )?;
    let restriction = |row: &Row<'_>| {
        Ok(StoredRestriction {
            subject: subject(row, 0)?,
            kind: RestrictionKind::from_column(row.get(1)?),
            until: Until(row.get(2)?),
            by: rows::user_id(row.get(3)?),
            reason: row.get(4)?,
        })
    };
    statement.query_map((room_column(scope), at, MAX_ENTRIES_PER_READ), restriction)?.collect()
}

/// The columns of an invitation.
const INVITATION: &str = "hash, room, by, expires_at, most, uses";

pub(super) fn invitations(
    db: &Connection,
    scope: &Scope,
    at: Millis,
) -> rusqlite::Result<Vec<StoredInvitation>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {INVITATION} FROM invitation
         WHERE room = ?1 AND expires_at > ?2 AND (most IS NULL OR uses < most) ORDER BY expires_at LIMIT ?3"
    ))?;
    statement.query_map((room_column(scope), at, MAX_ENTRIES_PER_READ), stored_invitation)?.collect()
}

pub(super) fn invitation(
    db: &Connection,
    hash: &LinkHash,
    at: Millis,
) -> rusqlite::Result<Result<StoredInvitation, LinkError>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {INVITATION} FROM invitation WHERE hash = ?1 AND expires_at > ?2"
    ))?;
    let found = statement.query_row((hash, at), stored_invitation).optional()?;
    Ok(match found {
        None => Err(LinkError::Expired),
        Some(stored) if stored.invitation.most_uses.is_some_and(|most| stored.uses >= most) => {
            Err(LinkError::Used)
        }
        Some(stored) => Ok(stored),
    })
}

fn stored_invitation(row: &Row<'_>) -> rusqlite::Result<StoredInvitation> {
    Ok(StoredInvitation {
        invitation: Invitation { hash: row.get(0)?, expires_at: row.get(3)?, most_uses: row.get(4)? },
        room: optional_room(row, 1)?,
        by: rows::user_id(row.get(2)?),
        uses: row.get(5)?,
    })
}

pub(super) fn log(db: &Connection, scope: &Scope, before: Option<u64>) -> rusqlite::Result<Vec<LogEntry>> {
    let columns = "id, at, actor, word, room, subject, until, detail, reason";
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let entry = |row: &Row<'_>| {
        let subject: Option<String> = row.get(5)?;
        Ok(LogEntry {
            id: row.get(0)?,
            at: row.get(1)?,
            actor: rows::user_id(row.get(2)?),
            action: row.get(3)?,
            room: optional_room(row, 4)?,
            subject: subject.and_then(|subject| subject.parse().ok()),
            until: row.get(6)?,
            detail: row.get(7)?,
            reason: row.get(8)?,
        })
    };
    match room_column(scope) {
        Some(room) => db
            .prepare_cached(&format!(
                "SELECT {columns} FROM action WHERE room = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
            ))?
            .query_map((room, before, MAX_ENTRIES_PER_READ), entry)?
            .collect(),
        None => db
            .prepare_cached(&format!("SELECT {columns} FROM action WHERE id < ?1 ORDER BY id DESC LIMIT ?2"))?
            .query_map((before, MAX_ENTRIES_PER_READ), entry)?
            .collect(),
    }
}

pub(super) fn reports(db: &Connection, scope: &Scope) -> rusqlite::Result<Vec<Report>> {
    let columns = "id, at, by, room, seq, reason";
    let report = |row: &Row<'_>| {
        Ok(Report {
            id: row.get(0)?,
            at: row.get(1)?,
            by: rows::user_id(row.get(2)?),
            room: rows::room_name(row, 3)?,
            seq: row.get(4)?,
            reason: row.get(5)?,
        })
    };
    match room_column(scope) {
        Some(room) => db
            .prepare_cached(&format!(
                "SELECT {columns} FROM report WHERE room = ?1 ORDER BY id DESC LIMIT ?2"
            ))?
            .query_map((room, MAX_ENTRIES_PER_READ), report)?
            .collect(),
        None => db
            .prepare_cached(&format!("SELECT {columns} FROM report ORDER BY id DESC LIMIT ?1"))?
            .query_map([MAX_ENTRIES_PER_READ], report)?
            .collect(),
    }
}

pub(super) fn blocked(db: &Connection, user: UserId) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = db.prepare_cached("SELECT other FROM blocked WHERE person = ?1 LIMIT ?2")?;
    let blocked = |row: &Row<'_>| row.get(0).map(rows::user_id);
    statement.query_map((user.0.cast_signed(), MAX_BLOCKED), blocked)?.collect()
}

/// Reads a room; `None` for the server.
fn optional_room(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<RoomName>> {
    if row.get_ref(column)?.as_str()?.is_empty() { Ok(None) } else { rows::room_name(row, column).map(Some) }
}

fn subject(row: &Row<'_>, column: usize) -> rusqlite::Result<Subject> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "an unknown subject".into())
    })
}
