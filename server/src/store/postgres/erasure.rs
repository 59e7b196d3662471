//! Everything of a user in a [`PostgresStore`].

use super::{PostgresStore, queue::Request, rows};
use crate::store::{
    Erasure, ErasureStore, MAX_ERASURES_PER_READ, MAX_EVENTS_PER_SCAN, MAX_RECORDS_PER_READ, PendingCommit,
    ScanPosition, StoreResult, UserContent, UserRecord, UserRecords, columns::kind,
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
    SELECT r.name, e.seq, e.at, e.id, e.kind, e.text, e.reply_to, e.target, s.at, e.room
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

/// Reads a record in the columns of [`SELECT_USER_RECORDS`].
fn record(row: &Row) -> StoreResult<UserRecord> {
    let text = sanitize_for_display(row.try_get(5)?).into();
    let content = match row.try_get(4)? {
        kind::REACT => UserContent::Reaction { target: rows::number(row, 7)?, emoji: text },
        _ => UserContent::Message {
            text,
            reply_to: row.try_get::<_, Option<i64>>(6)?.map(rows::unsigned),
            edited_at: row.try_get::<_, Option<i64>>(8)?.map(rows::unsigned),
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
