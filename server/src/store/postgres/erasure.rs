//! Everything of a user in a [`PostgresStore`].

use super::{PostgresStore, queue::Request, rows};
use crate::store::{
    Erasure, ErasureStore, MAX_ERASURES_PER_READ, MAX_EVENTS_PER_SCAN, MAX_RECORDS_PER_READ, PendingCommit,
    Role, ScanPosition, StoreResult, UserContent, UserRecord, UserRecords, UserRight,
    columns::{self, kind},
};
use app::wire::{UserId, sanitize_for_display};
use async_trait::async_trait;
use tokio_postgres::Row;

/// The last event of a scan that begins after a position, if it does not come to the end.
const SELECT_SCAN_END: &str = "
    SELECT e.room, e.seq FROM event e WHERE (e.room, e.seq) > ($1::int8::int, $2)
    ORDER BY e.room, e.seq LIMIT 1 OFFSET $3";

/// Messages and reactions of a user in a range of events.
const SELECT_USER_RECORDS: &str = "
    SELECT r.name, e.seq, e.at, e.id, e.kind, e.text, e.reply_to, e.target, s.at, e.room, e.files
    FROM (
        SELECT * FROM event e
        WHERE (e.room, e.seq) > ($1::int8::int, $2) AND (e.room, e.seq) <= ($3::int8::int, $4)
            AND e.author = $5 AND e.text <> '' AND (
                e.kind = 0 OR e.kind = 3 AND NOT EXISTS (
                    SELECT FROM event l
                    WHERE l.room = e.room AND l.target = e.target AND l.author = e.author AND l.text = e.text
                        AND l.kind > 2 AND l.seq > e.seq OFFSET 0
                ) AND EXISTS (SELECT FROM reactions x WHERE x.room = e.room AND x.seq = e.target OFFSET 0)
            )
        ORDER BY e.room, e.seq LIMIT $6
    ) e
    JOIN room r ON r.id = e.room
    LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
    ORDER BY e.room, e.seq";

/// The data of a user besides messages: kind, room, number, time, reason.
const SELECT_USER_RIGHTS: &str = "
    SELECT * FROM (
        SELECT 0 AS kind, coalesce(r.name, '') AS room, o.role::int8 AS number, 0::int8 AS at, '' AS reason
        FROM role o LEFT JOIN room r ON r.id = o.room WHERE o.user_id = $1
        UNION ALL SELECT 1, '', b.other, 0, '' FROM blocked b WHERE b.user_id = $1
        UNION ALL SELECT 2, r.name, p.seq, p.at, p.reason FROM report p JOIN room r ON r.id = p.room WHERE p.by = $1
    ) rights
    ORDER BY kind, room, number LIMIT $3 OFFSET $2";

#[async_trait]
impl ErasureStore for PostgresStore {
    async fn user_records(&self, user: UserId, after: ScanPosition) -> StoreResult<UserRecords> {
        let ScanPosition(room, seq) = after;
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(SELECT_SCAN_END).await?;
            let last = i64::from(MAX_EVENTS_PER_SCAN) - 1;
            let end = client.query_opt(&statement, &[&room, &seq, &last]).await?;
            let end = end.map(|row| Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?)));
            let end: Option<(i32, i64)> = end.transpose()?;
            let to = end.map_or((i64::from(i32::MAX), i64::MAX), |(room, seq)| (i64::from(room), seq));
            let statement = client.prepare_cached(SELECT_USER_RECORDS).await?;
            let (user, most) = (user.0.cast_signed(), i64::from(MAX_RECORDS_PER_READ));
            let found = client.query(&statement, &[&room, &seq, &to.0, &to.1, &user, &most]).await?;
            let records = found.iter().map(record).collect::<StoreResult<Vec<_>>>()?;
            let next = match found.last() {
                Some(last) if found.len() == MAX_RECORDS_PER_READ as usize => {
                    Some(ScanPosition(i64::from(last.try_get::<_, i32>(9)?), last.try_get(1)?))
                }
                _ => end.map(|_| ScanPosition(to.0, to.1)),
            };
            Ok(UserRecords { records, next })
        });
        read.await
    }

    async fn user_rights(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<UserRight>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_USER_RIGHTS).await?;
            let (skip, limit) = (i64::from(skip), i64::from(limit));
            let rows = client.query(&statement, &[&user.0.cast_signed(), &skip, &limit]).await?;
            rows.iter().map(right).collect()
        });
        read.await
    }

    fn begin_erasure(&self, user: UserId) -> PendingCommit<()> {
        self.queue.request(|reply| Request::BeginErasure(user, reply))
    }

    async fn erasure(&self, user: UserId) -> StoreResult<Option<Erasure>> {
        let select = "SELECT started_at, erased, finished_at, room, seq FROM erasure WHERE user_id = $1";
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(select).await?;
            let row = client.query_opt(&statement, &[&user.0.cast_signed()]).await?;
            row.map(|row| erasure(&row)).transpose()
        });
        read.await
    }

    async fn unfinished_erasures(&self) -> StoreResult<Vec<UserId>> {
        let select = "SELECT user_id FROM erasure WHERE finished_at IS NULL ORDER BY started_at LIMIT $1";
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(select).await?;
            let rows = client.query(&statement, &[&i64::from(MAX_ERASURES_PER_READ)]).await?;
            rows.iter().map(|row| Ok(rows::user_id(row.try_get(0)?))).collect()
        });
        read.await
    }

    fn note_erased(&self, user: UserId, erased: u64, position: Option<ScanPosition>) -> PendingCommit<()> {
        self.queue.request(|reply| Request::NoteErased(user, erased, position, reply))
    }
}

fn erasure(row: &Row) -> StoreResult<Erasure> {
    Ok(Erasure {
        started_at: rows::number(row, 0)?,
        erased: rows::number(row, 1)?,
        finished_at: row.try_get::<_, Option<i64>>(2)?.map(rows::unsigned),
        position: ScanPosition(i64::from(row.try_get::<_, i32>(3)?), row.try_get(4)?),
    })
}

/// Reads a right in the columns of [`SELECT_USER_RIGHTS`].
fn right(row: &Row) -> StoreResult<UserRight> {
    let (room, number): (&str, i64) = (row.try_get(1)?, row.try_get(2)?);
    Ok(match row.try_get::<_, i32>(0)? {
        0 => {
            let room = if room.is_empty() { None } else { Some(rows::room_name(room)?) };
            // A role of a newer version is shown as the least one.
            UserRight::Role { room, role: Role::from_column(number as i16).unwrap_or(Role::Member) }
        }
        1 => UserRight::Blocked { user: rows::user_id(number) },
        _ => UserRight::Report {
            room: rows::room_name(room)?,
            seq: rows::unsigned(number),
            at: rows::number(row, 3)?,
            reason: row.try_get::<_, &str>(4)?.into(),
        },
    })
}

/// Reads a record in the columns of [`SELECT_USER_RECORDS`].
fn record(row: &Row) -> StoreResult<UserRecord> {
    let text = sanitize_for_display(row.try_get(5)?).into();
    let content = match row.try_get(4)? {
        kind::REACT => UserContent::Reaction { target: rows::number(row, 7)?, emoji: text },
        _ => UserContent::Message {
            text,
            reply_to: row.try_get::<_, Option<i64>>(6)?.map(rows::unsigned),
            edited_at: row.try_get::<_, Option<i64>>(8)?.map(rows::unsigned),
            files: columns::files(row.try_get(10)?),
        },
    };
    Ok(UserRecord {
        room: rows::room_name(row.try_get(0)?)?,
        seq: rows::number(row, 1)?,
        at: rows::number(row, 2)?,
        id: row.try_get(3)?,
        content,
    })
}
