//! The rooms of a [`SqliteStore`], and lists of them.

use super::{SqliteStore, WriteCommand, queries};
use crate::store::{
    MAX_ROOMS_PER_READ, PendingCommit, RoomInfo, RoomQuery, RoomRecord, RoomStore, StoreResult,
};
use app::wire::{RoomName, RoomTitle, Topic, UserId};
use async_trait::async_trait;

#[async_trait]
impl RoomStore for SqliteStore {
    async fn rooms(&self, names: &[RoomName]) -> StoreResult<Vec<RoomRecord>> {
        let names = names[..names.len().min(MAX_ROOMS_PER_READ)].to_vec();
        self.readers
            .read(move |db| names.iter().map(|name| queries::room_or_missing(db, name)).collect())
            .await
    }

    async fn list_rooms(&self, query: RoomQuery) -> StoreResult<Vec<RoomRecord>> {
        self.readers.read(move |db| queries::list_rooms(db, &query)).await
    }

    fn create_room(&self, room: RoomName, info: RoomInfo) -> PendingCommit<()> {
        self.commit(WriteCommand::CreateRoom(room, info), |_| Some(()))
    }

    fn update_room(&self, room: RoomName, user: UserId, title: RoomTitle, topic: Topic) -> PendingCommit<()> {
        self.commit(WriteCommand::UpdateRoom { room, user, title, topic }, |_| Some(()))
    }
}
