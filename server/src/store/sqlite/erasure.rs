//! Everything of a user in a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, rows, sql};
use crate::store::{
    Erasure, ErasureStore, MAX_ERASURES_PER_READ, MAX_EVENTS_PER_SCAN, MAX_RECORDS_PER_READ, PendingCommit,
    Role, ScanPosition, StoreResult, UserContent, UserRecord, UserRecords, UserRight,
    columns::{self, kind},
};
use app::wire::{UserId, sanitize_for_display};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

#[async_trait]
impl ErasureStore for SqliteStore {
    async fn user_records(&self, user: UserId, after: ScanPosition) -> StoreResult<UserRecords> {
        self.readers.read(move |db| user_records(db, user, after)).await
    }

    async fn user_rights(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<UserRight>> {
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_USER_RIGHTS)?;
            let rights = statement.query_map((user.0.cast_signed(), skip, limit), right)?;
            rights.collect()
        });
        read.await
    }

    fn begin_erasure(&self, user: UserId) -> PendingCommit<()> {
        self.commit(WriteCommand::BeginErasure(user), |_| Some(()))
    }

    async fn erasure(&self, user: UserId) -> StoreResult<Option<Erasure>> {
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_ERASURE)?;
            statement.query_row([user.0.cast_signed()], erasure).optional()
        });
        read.await
    }

    async fn unfinished_erasures(&self) -> StoreResult<Vec<UserId>> {
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_UNFINISHED_ERASURES)?;
            let users = statement.query_map([MAX_ERASURES_PER_READ], |row| row.get(0).map(rows::user_id))?;
            users.collect()
        });
        read.await
    }

    fn note_erased(&self, user: UserId, erased: u64, position: Option<ScanPosition>) -> PendingCommit<()> {
        self.commit(WriteCommand::NoteErased(user, erased, position), |_| Some(()))
    }
}

fn erasure(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        started_at: row.get(0)?,
        erased: row.get(1)?,
        finished_at: row.get(2)?,
        position: ScanPosition(row.get(3)?, 0),
    })
}

/// Reads a right in the columns of [`SELECT_USER_RIGHTS`](sql::SELECT_USER_RIGHTS).
fn right(row: &Row<'_>) -> rusqlite::Result<UserRight> {
    let number: i64 = row.get(2)?;
    Ok(match row.get(0)? {
        0 => {
            let is_server = row.get_ref(1)?.as_str()?.is_empty();
            let room = if is_server { None } else { Some(rows::room_name(row, 1)?) };
            // A role of a newer version is shown as the least one.
            UserRight::Role { room, role: Role::from_column(number as i16).unwrap_or(Role::Member) }
        }
        1 => UserRight::Blocked { user: rows::user_id(number) },
        _ => UserRight::Report {
            room: rows::room_name(row, 1)?,
            seq: number.cast_unsigned(),
            at: row.get(3)?,
            reason: row.get::<_, String>(4)?.into(),
        },
    })
}

fn user_records(db: &Connection, user: UserId, after: ScanPosition) -> rusqlite::Result<UserRecords> {
    let last: Option<i64> = db.prepare_cached(sql::SELECT_LAST_ROW)?.query_row([], |row| row.get(0))?;
    let (last, scanned_to) = (last.unwrap_or(0), after.0.saturating_add(i64::from(MAX_EVENTS_PER_SCAN)));
    let mut statement = db.prepare_cached(sql::SELECT_USER_RECORDS)?;
    let parameters = (after.0, scanned_to, user.0.cast_signed(), MAX_RECORDS_PER_READ);
    let mut found = statement.query(parameters)?;
    let (mut records, mut at) = (Vec::new(), after.0);
    while let Some(row) = found.next()? {
        at = row.get(0)?;
        records.push(record(row)?);
    }
    if records.len() < MAX_RECORDS_PER_READ as usize {
        at = scanned_to;
    }
    Ok(UserRecords { records, next: (at < last).then_some(ScanPosition(at, 0)) })
}

/// Reads a record in the columns of [`SELECT_USER_RECORDS`](sql::SELECT_USER_RECORDS).
fn record(row: &Row<'_>) -> rusqlite::Result<UserRecord> {
    let text = sanitize_for_display(row.get_ref(6)?.as_str()?).into();
    let content = match row.get(5)? {
        kind::REACT => UserContent::Reaction { target: row.get(8)?, emoji: text },
        _ => UserContent::Message {
            text,
            reply_to: row.get(7)?,
            edited_at: row.get(9)?,
            files: columns::files(row.get_ref(10)?.as_str_or_null()?),
        },
    };
    let id = Uuid::from_bytes(row.get(4)?);
    Ok(UserRecord { room: rows::room_name(row, 1)?, seq: row.get(2)?, at: row.get(3)?, id, content })
}
