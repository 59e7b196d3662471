//! The event logs of a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, epoch::Shared, queries};
use crate::store::{
    Appended, EventStore, MAX_HEADS_PER_READ, MessagePage, NewEvent, PendingCommit, StoreResult,
    StreamPosition, position,
};
use app::wire::{Event, RoomName, Seq};
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl EventStore for SqliteStore {
    fn append(&self, event: NewEvent) -> PendingCommit<Appended> {
        self.commit(WriteCommand::Append(event), |output| match output {
            WriteOutput::Appended(appended) => Some(appended),
            _ => None,
        })
    }

    async fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::events_after(db, &room, after, limit)).await
    }

    async fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> StoreResult<MessagePage> {
        let room = room.clone();
        self.readers.read(move |db| queries::messages_before(db, &room, before, limit)).await
    }

    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>> {
        let rooms = rooms[..rooms.len().min(MAX_HEADS_PER_READ)].to_vec();
        let read = self.readers.read(move |db| {
            rooms.iter().map(|room| Ok(queries::stored_head(db, room)?.unwrap_or(0))).collect()
        });
        read.await
    }

    async fn continues(&self, room: &RoomName, position: StreamPosition) -> StoreResult<bool> {
        let StreamPosition { after, after_id, log } = position;
        let has_same_id = |log: &str| position::split_log_id(log).0 == position::split_log_id(&self.log_id).0;
        if !log.as_deref().is_none_or(has_same_id) {
            return Ok(false);
        }
        let shared = log.map_or(Shared::All, |log| self.epochs.shared(position::split_log_id(&log).1));
        if after == 0 || (after_id.is_none() && matches!(shared, Shared::All | Shared::Unknown)) {
            return Ok(after == 0 || shared == Shared::All);
        }
        let room = room.clone();
        let read = self.readers.read(move |db| {
            Ok(match (queries::event_at(db, &room, after)?, after_id, shared) {
                (Some((id, _)), Some(expected), _) => id == expected,
                (Some((_, row)), None, Shared::Before(bound)) => row < bound,
                _ => false,
            })
        });
        read.await
    }
}
