//! The rooms of a [`PostgresStore`], and lists of them.

use super::{PostgresStore, event_reads::names, queue::Request, rows, sql};
use crate::store::{
    MAX_ROOMS_PER_READ, PendingCommit, RoomInfo, RoomOrder, RoomQuery, RoomRecord, RoomStore, StoreResult,
};
use app::wire::{RoomName, RoomTitle, Topic, UserId};
use async_trait::async_trait;
use std::collections::HashMap;
use tokio_postgres::types::ToSql;

/// Rooms that are read beyond the end of a list by activity. More rooms than this may be active within a second; then their
/// order is that of the second before.
const ACTIVITY_SLACK: i64 = 200;

#[async_trait]
impl RoomStore for PostgresStore {
    async fn rooms(&self, rooms: &[RoomName]) -> StoreResult<Vec<RoomRecord>> {
        let rooms = &rooms[..rooms.len().min(MAX_ROOMS_PER_READ)];
        let names = names(rooms);
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_ROOMS).await?;
            let rows = client.query(&statement, &[&names]).await?;
            let found =
                rows.iter().map(|row| rows::room_record(row).map(|record| (record.room.clone(), record)));
            found.collect::<StoreResult<HashMap<_, _>>>()
        });
        let found = read.await?;
        let record =
            |room: &RoomName| found.get(room).cloned().unwrap_or_else(|| RoomRecord::missing(room.clone()));
        Ok(rooms.iter().map(record).collect())
    }

    async fn list_rooms(&self, query: RoomQuery) -> StoreResult<Vec<RoomRecord>> {
        let after = query.after.as_ref().map(RoomName::as_str);
        let user = query.not_joined_by.map(|user| user.0.cast_signed());
        let limit = query.limit.min(MAX_ROOMS_PER_READ) as i64;
        // A room that does not exist has the title of its address.
        let title = query.after.as_ref().map(|after| after.title().to_lowercase()).unwrap_or_default();
        let common: [&(dyn ToSql + Sync); 3] = [&after, &user, &limit];
        let (sql, last): (_, Option<&(dyn ToSql + Sync)>) = match query.order {
            RoomOrder::Name => (sql::LIST_ROOMS_BY_NAME, None),
            RoomOrder::Title => (sql::LIST_ROOMS_BY_TITLE, Some(&title)),
            RoomOrder::Activity => (sql::LIST_ROOMS_BY_ACTIVITY, Some(&ACTIVITY_SLACK)),
        };
        let parameters: Vec<_> = common.into_iter().chain(last).collect();
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql).await?;
            let rows = client.query(&statement, &parameters).await?;
            rows.iter().map(rows::room_record).collect()
        });
        read.await
    }

    fn create_room(&self, room: RoomName, info: RoomInfo) -> PendingCommit<()> {
        self.queue.request(|reply| Request::CreateRoom(room, info, reply))
    }

    fn update_room(&self, room: RoomName, user: UserId, title: RoomTitle, topic: Topic) -> PendingCommit<()> {
        self.queue.request(|reply| Request::UpdateRoom { room, user, title, topic, reply })
    }
}
