//! The users of a [`SqliteStore`] and their read markers.

use super::{SqliteStore, WriteCommand, WriteOutput, queries};
use crate::store::{
    JoinedRooms, MAX_FOUND_USERS, MAX_NAMES_PER_READ, MAX_ROOMS_PER_READ, MarkerUpdate, PendingCommit,
    ReadMarkerStore, StoreResult, UserStore, skeleton,
};
use app::wire::{DisplayName, RoomName, Seq, User, UserId};
use async_trait::async_trait;
use std::sync::atomic::Ordering;

#[async_trait]
impl UserStore for SqliteStore {
    async fn users(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        let ids = ids.to_vec();
        self.readers.read(move |db| queries::users(db, &ids)).await
    }

    async fn users_named(
        &self,
        room: &RoomName,
        present: &[UserId],
        names: &[String],
    ) -> StoreResult<Vec<Option<UserId>>> {
        let (room, present) = (room.clone(), present.to_vec());
        let names = names[..names.len().min(MAX_NAMES_PER_READ)].to_vec();
        let read = self.readers.read(move |db| {
            names.iter().map(|name| queries::user_named(db, &room, &present, name)).collect()
        });
        read.await
    }

    async fn known_users(&self, room: &RoomName, ids: &[UserId]) -> StoreResult<Vec<UserId>> {
        let (room, ids) = (room.clone(), ids.to_vec());
        let read = self.readers.read(move |db| {
            let known = ids.into_iter().map(|id| Ok(queries::is_known(db, &room, id)?.then_some(id)));
            known.filter_map(Result::transpose).collect()
        });
        read.await
    }

    async fn find_users(&self, prefix: &str, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>> {
        let (prefix, limit) = (skeleton::name_key(prefix), limit.min(MAX_FOUND_USERS));
        self.readers.read(move |db| queries::find_users(db, prefix, after, limit)).await
    }

    fn names_generation(&self) -> u64 {
        self.names_generation.load(Ordering::Acquire)
    }

    fn set_display_name(&self, user: UserId, name: DisplayName) -> PendingCommit<Vec<User>> {
        self.commit(WriteCommand::SetDisplayName(user, name), |output| match output {
            WriteOutput::Users(users) => Some(users),
            _ => None,
        })
    }
}

#[async_trait]
impl ReadMarkerStore for SqliteStore {
    fn set_read_marker(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        self.commit(WriteCommand::SetReadMarker(user, room, seq), |output| match output {
            WriteOutput::Marker(update) => Some(update),
            _ => None,
        })
    }

    fn mark_unread(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        self.commit(WriteCommand::MarkUnread(user, room, seq), |output| match output {
            WriteOutput::Marker(update) => Some(update),
            _ => None,
        })
    }

    fn remove_read_marker(&self, user: UserId, room: RoomName) -> PendingCommit<()> {
        self.commit(WriteCommand::RemoveReadMarker(user, room), |_| Some(()))
    }

    async fn read_markers(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<(RoomName, Seq)>> {
        self.readers.read(move |db| queries::read_markers(db, user, skip, limit)).await
    }

    async fn joined_rooms(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
        also: &[RoomName],
    ) -> StoreResult<JoinedRooms> {
        let also = also[..also.len().min(MAX_ROOMS_PER_READ)].to_vec();
        let limit = limit.min((MAX_ROOMS_PER_READ - also.len()) as u32);
        self.readers.read(move |db| queries::joined_rooms(db, user, skip, limit, also)).await
    }

    async fn unread_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        let rooms = rooms[..rooms.len().min(MAX_ROOMS_PER_READ)].to_vec();
        let read = self.readers.read(move |db| {
            rooms.iter().map(|(room, after)| queries::unread_count(db, user, room, *after)).collect()
        });
        read.await
    }
    async fn mention_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        let rooms = rooms[..rooms.len().min(MAX_ROOMS_PER_READ)].to_vec();
        let read = self.readers.read(move |db| {
            rooms.iter().map(|(room, after)| queries::count_mentions(db, user, room, *after)).collect()
        });
        read.await
    }
}
