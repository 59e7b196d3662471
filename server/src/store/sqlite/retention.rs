//! The retention of messages in a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, rows, sql};
use crate::store::{
    AgingRoom, MAX_ROOMS_PER_SWEEP, PendingCommit, RetentionStore, StoreResult, Sweep, columns, now,
};
use app::wire::{Millis, Retention, RoomName, UserId};
use async_trait::async_trait;
use rusqlite::Row;
use std::time::Duration;

#[async_trait]
impl RetentionStore for SqliteStore {
    fn set_retention(&self, room: RoomName, user: UserId, retention: Option<Retention>) -> PendingCommit<()> {
        self.commit(WriteCommand::SetRetention(room, user, retention), |_| Some(()))
    }

    async fn aging_rooms(&self, after: Option<&RoomName>, limit: u32) -> StoreResult<Vec<AgingRoom>> {
        let after = after.map_or_else(String::new, ToString::to_string);
        let limit = limit.min(MAX_ROOMS_PER_SWEEP);
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_AGING_ROOMS)?;
            statement.query_map((after, limit), aging_room)?.collect()
        });
        read.await
    }

    fn expire(&self, room: RoomName, sweep: Sweep) -> PendingCommit<u32> {
        self.commit(WriteCommand::Expire(room, sweep), |output| match output {
            WriteOutput::Expired(count) => Some(count),
            _ => None,
        })
    }

    fn remove_if_abandoned(&self, room: RoomName, now: Millis) -> PendingCommit<bool> {
        self.commit(WriteCommand::RemoveIfAbandoned(room, now), |output| match output {
            WriteOutput::RoomRemoved(is_removed) => Some(is_removed),
            _ => None,
        })
    }

    fn record_room_visit(&self, room: RoomName, now: Millis) -> PendingCommit<()> {
        self.commit(WriteCommand::RecordRoomVisit(room, now), |_| Some(()))
    }

    /// One process has the file.
    async fn take_lease(&self, _: &'static str, _: Duration) -> StoreResult<bool> {
        Ok(true)
    }

    async fn clock(&self) -> StoreResult<Millis> {
        Ok(now())
    }
}

/// Reads a room in the columns of [`SELECT_AGING_ROOMS`](sql::SELECT_AGING_ROOMS).
pub(super) fn aging_room(row: &Row<'_>) -> rusqlite::Result<AgingRoom> {
    Ok(AgingRoom {
        room: rows::room_name(row, 0)?,
        retention: columns::retention(row.get(1)?),
        has_owner: row.get(2)?,
        head: row.get(3)?,
        visited_at: row.get(4)?,
        oldest_at: row.get(5)?,
    })
}
