//! The writer's part in retention and erasures. A sweep holds the lock of one room for a few round trips.

use super::{rows, shared::Shared, signal::room_payload, writer::Writer};
use crate::store::{
    AgingRoom, MAX_EXPIRED_PER_STEP, Notification, ScanPosition, StoreError, StoreResult, Subject, Sweep,
    VISIT_INTERVAL,
    columns::{self, kind},
    retention::MAX_MARKERS_PER_STEP,
    rules, skeleton,
};
use app::wire::{DisplayName, Millis, Retention, RoomName, Seq, UserId};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// A room, locked as for appending.
const LOCK_ROOM: &str = "
    SELECT r.id, r.retention, r.expired, r.owner IS NOT NULL, r.visited_at, r.owner
    FROM room r WHERE r.name = $1 FOR NO KEY UPDATE";

const SELECT_OLDEST_EVENTS: &str =
    "SELECT e.seq, e.at, e.kind FROM event e WHERE e.room = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3";

const COUNT_MESSAGES: &str =
    "SELECT count(*) FROM (SELECT FROM event e WHERE e.room = $1 AND e.kind = 0 LIMIT 2) m";

const SELECT_HEAD: &str = "SELECT coalesce(max(e.seq), 0) FROM event e WHERE e.room = $1";

const RECORD_ROOM_VISIT: &str = "
    WITH recorded AS (UPDATE room SET visited_at = $2 WHERE name = $1 AND visited_at <= $3 RETURNING id)
    SELECT count(*) FROM recorded";

/// The number of events that have expired, and the position of the event that says so.
type Expired = (u32, Option<Seq>);

impl Writer {
    pub(super) async fn set_retention(
        &mut self,
        room: &RoomName,
        user: UserId,
        retention: Option<Retention>,
    ) -> StoreResult<()> {
        let shared = self.shared.clone();
        let set =
            self.session.run(async |client| set_retention(client, room, user, retention, &shared).await);
        let set = set.await;
        self.result(set)??;
        self.shared.notifier.send(Notification::RoomChanged(room.clone()));
        Ok(())
    }

    pub(super) async fn expire(&mut self, room: &RoomName, sweep: Sweep) -> StoreResult<u32> {
        let id = Uuid::now_v7();
        let expired = self.session.run(async |client| expire(client, room, sweep, id).await).await;
        let (count, head) = self.result(expired)?;
        if let Some(head) = head {
            self.shared.send(|outgoing| outgoing.add_head(room.clone(), head));
            self.shared.notifier.send(Notification::Appended { room: room.clone(), head, events: None });
        }
        Ok(count)
    }

    pub(super) async fn remove_if_abandoned(&mut self, room: &RoomName, now: Millis) -> StoreResult<bool> {
        let removed = self.session.run(async |client| remove_if_abandoned(client, room, now).await).await;
        let is_removed = self.result(removed)?;
        if is_removed {
            self.cache.remove_room(room);
        }
        Ok(is_removed)
    }

    pub(super) async fn record_room_visit(&mut self, room: &RoomName, now: Millis) -> StoreResult<()> {
        let before = now.saturating_sub(VISIT_INTERVAL);
        let (now, before) = (rows::position(now), rows::position(before));
        self.one_row(RECORD_ROOM_VISIT, &[&room.as_str(), &now, &before]).await.map(drop)
    }

    pub(super) async fn begin_erasure(&mut self, user: UserId) -> StoreResult<()> {
        let (id, name) = (user.0.cast_signed(), DisplayName::generated(user));
        let (skeleton, shared) = (skeleton::name_key(name.as_str()), self.shared.clone());
        // The upkeep removes their bytes.
        let abandon = "
            WITH abandoned AS (UPDATE file SET touched_at = 0 WHERE owner = $1 AND NOT posted RETURNING id)
            SELECT count(*) FROM abandoned";
        self.one_row(abandon, &[&id]).await?;
        let begin = "
            WITH forgotten AS (DELETE FROM recent_network WHERE user_id = $1)
            SELECT e.names, e.changed FROM begin_erasure($1, $2, $3, $4, $5, $6) e";
        let subject = Subject::User(user).to_string();
        let row = self
            .one_row(begin, &[&id, &name.as_str(), &skeleton, &shared.channel, &shared.node, &subject])
            .await;
        self.note_access_change();
        shared.notifier.send(Notification::SignedOut(user));
        let row = row?;
        if let Some(names) = row.try_get(0)? {
            let changed: Vec<i64> = row.try_get(1)?;
            shared.note_names_announced(names);
            shared.publish_users(changed.into_iter().map(rows::user_id).collect());
        }
        Ok(())
    }

    pub(super) async fn note_erased(
        &mut self,
        user: UserId,
        erased: u64,
        position: Option<ScanPosition>,
    ) -> StoreResult<()> {
        let (user, erased) = (user.0.cast_signed(), rows::position(erased));
        let row = match position {
            Some(ScanPosition(room, seq)) => {
                let note = "
                    WITH noted AS (
                        UPDATE erasure SET room = $2::int8::int, seq = $3, erased = erased + $4
                        WHERE user_id = $1 AND finished_at IS NULL RETURNING user_id
                    ) SELECT count(*) FROM noted";
                self.one_row(note, &[&user, &room, &seq, &erased]).await
            }
            None => {
                let finish = "
                    WITH noted AS (
                        UPDATE erasure SET finished_at = now_millis(), erased = erased + $2
                        WHERE user_id = $1 AND finished_at IS NULL RETURNING user_id
                    ), unread AS (DELETE FROM read_marker WHERE user_id = $1)
                    SELECT count(*) FROM noted";
                self.one_row(finish, &[&user, &erased]).await
            }
        };
        row.map(drop)
    }
}

async fn set_retention(
    client: &mut ClientWrapper,
    room: &RoomName,
    user: UserId,
    retention: Option<Retention>,
    shared: &Shared,
) -> Result<StoreResult<()>, Error> {
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_opt(LOCK_ROOM, &[&room.as_str()]).await? else {
        let missing = if room.is_lobby() { StoreError::Forbidden } else { StoreError::RoomNotFound };
        return Ok(Err(missing));
    };
    let owner = row.try_get::<_, Option<i64>>(5)?.map(rows::user_id);
    if let Err(refused) = rules::authorize_update(user, owner) {
        return Ok(Err(refused));
    }
    let hours = retention.map(|retention| retention.hours().cast_signed());
    let id: i32 = row.try_get(0)?;
    transaction.execute("UPDATE room SET retention = $2 WHERE id = $1", &[&id, &hours]).await?;
    let payload = room_payload(&shared.node, room);
    transaction.execute("SELECT pg_notify($1, $2)", &[&shared.channel, &payload]).await?;
    transaction.commit().await.map(Ok)
}

async fn expire(
    client: &mut ClientWrapper,
    room: &RoomName,
    sweep: Sweep,
    id: Uuid,
) -> Result<Expired, Error> {
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_opt(LOCK_ROOM, &[&room.as_str()]).await? else { return Ok((0, None)) };
    let (number, expired): (i32, i64) = (row.try_get(0)?, row.try_get(2)?);
    let retention = columns::retention(row.try_get::<_, Option<i32>>(1)?.map(i64::from));
    let Some(cutoff) = rules::cutoff(retention, sweep) else { return Ok((0, None)) };
    let most = i64::from(MAX_EXPIRED_PER_STEP);
    let rows = transaction.query(SELECT_OLDEST_EVENTS, &[&number, &expired, &most]).await?;
    let event = |row: &Row| Ok((row.try_get(0)?, rows::unsigned(row.try_get(1)?), row.try_get(2)?));
    let mut oldest = rows.iter().map(event).collect::<Result<Vec<(i64, Millis, i16)>, Error>>()?;
    oldest.truncate(rules::count_expired(oldest.iter().map(|(_, at, _)| *at), sweep.now, cutoff));
    let Some((up_to, ..)) = oldest.last() else { return Ok((0, None)) };
    let has_messages = oldest.iter().any(|(.., kind)| *kind == kind::MESSAGE);
    let id = has_messages.then_some(id);
    let expire = "SELECT expire_events($1, $2, $3, $4)";
    let row = transaction.query_one(expire, &[&number, &expired, up_to, &id]).await?;
    let head = row.try_get::<_, Option<i64>>(0)?.map(rows::unsigned);
    transaction.commit().await?;
    Ok((oldest.len() as u32, head))
}

async fn remove_if_abandoned(
    client: &mut ClientWrapper,
    room: &RoomName,
    now: Millis,
) -> Result<bool, Error> {
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_opt(LOCK_ROOM, &[&room.as_str()]).await? else { return Ok(false) };
    let number: i32 = row.try_get(0)?;
    let head: i64 = transaction.query_one(SELECT_HEAD, &[&number]).await?.try_get(0)?;
    let aging = AgingRoom {
        room: room.clone(),
        retention: None,
        has_owner: row.try_get(3)?,
        head: rows::unsigned(head),
        oldest_at: None,
        visited_at: rows::unsigned(row.try_get(4)?),
    };
    if !rules::is_abandoned(&aging, 0, now) {
        return Ok(false);
    }
    let messages: i64 = transaction.query_one(COUNT_MESSAGES, &[&number]).await?.try_get(0)?;
    if !rules::is_abandoned(&aging, messages as u32, now) {
        return Ok(false);
    }
    let remove = "SELECT remove_room($1, $2)";
    let row = transaction.query_one(remove, &[&number, &MAX_MARKERS_PER_STEP.cast_signed()]).await?;
    let is_removed = row.try_get(0)?;
    transaction.commit().await?;
    Ok(is_removed)
}
