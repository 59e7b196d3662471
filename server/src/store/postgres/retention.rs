//! The retention of messages in a [`PostgresStore`].

use super::{PostgresStore, queue::Request, rows};
use crate::store::{
    AgingRoom, MAX_ROOMS_PER_SWEEP, PendingCommit, RetentionStore, StoreResult, Sweep, columns,
};
use app::wire::{Millis, Retention, RoomName, UserId};
use async_trait::async_trait;
use std::time::Duration;
use tokio_postgres::Row;

const SELECT_AGING_ROOMS: &str = "
    SELECT r.name, r.retention, r.owner IS NOT NULL,
        coalesce((SELECT max(h.seq) FROM event h WHERE h.room = r.id), 0), r.visited_at,
        (SELECT e.at FROM event e WHERE e.room = r.id AND e.seq > r.expired ORDER BY e.seq LIMIT 1)
    FROM room r WHERE r.name > $1 ORDER BY r.name LIMIT $2";

#[async_trait]
impl RetentionStore for PostgresStore {
    fn set_retention(&self, room: RoomName, user: UserId, retention: Option<Retention>) -> PendingCommit<()> {
        self.queue.request(|reply| Request::SetRetention(room, user, retention, reply))
    }

    async fn aging_rooms(&self, after: Option<&RoomName>, limit: u32) -> StoreResult<Vec<AgingRoom>> {
        let after = after.map_or("", RoomName::as_str);
        let limit = i64::from(limit.min(MAX_ROOMS_PER_SWEEP));
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_AGING_ROOMS).await?;
            client.query(&statement, &[&after, &limit]).await?.iter().map(aging_room).collect()
        });
        read.await
    }

    fn expire(&self, room: RoomName, sweep: Sweep) -> PendingCommit<u32> {
        self.queue.request(|reply| Request::Expire(room, sweep, reply))
    }

    fn remove_if_abandoned(&self, room: RoomName, now: Millis) -> PendingCommit<bool> {
        self.queue.request(|reply| Request::RemoveIfAbandoned(room, now, reply))
    }

    fn record_room_visit(&self, room: RoomName, now: Millis) -> PendingCommit<()> {
        self.queue.request(|reply| Request::RecordRoomVisit(room, now, reply))
    }

    async fn take_lease(&self, task: &'static str, lifetime: Duration) -> StoreResult<bool> {
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let take = self.readers.read(async |client| {
            let statement = client.prepare_cached("SELECT take_lease($1, $2, $3)").await?;
            let row = client.query_one(&statement, &[&task, &self.shared.node, &lifetime]).await?;
            Ok(row.try_get(0)?)
        });
        take.await
    }

    async fn clock(&self) -> StoreResult<Millis> {
        let read = self
            .readers
            .read(async |client| rows::number(&client.query_one("SELECT now_millis()", &[]).await?, 0));
        read.await
    }
}

/// Reads a room in the columns of [`SELECT_AGING_ROOMS`].
fn aging_room(row: &Row) -> StoreResult<AgingRoom> {
    Ok(AgingRoom {
        room: rows::room_name(row.try_get(0)?)?,
        retention: columns::retention(row.try_get::<_, Option<i32>>(1)?.map(i64::from)),
        has_owner: row.try_get(2)?,
        head: rows::number(row, 3)?,
        visited_at: rows::number(row, 4)?,
        oldest_at: row.try_get::<_, Option<i64>>(5)?.map(rows::unsigned),
    })
}
