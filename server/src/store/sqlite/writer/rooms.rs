//! Titles, topics and owners of rooms.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    RoomInfo, RoomRecord, StoreError,
    rooms::check_title,
    rules,
    sqlite::{queries, sql},
};
use app::wire::{Retention, RoomName, RoomTitle, Topic, UserId};

impl WriteTransaction<'_> {
    pub(super) fn create_room(
        &mut self,
        room: RoomName,
        mut info: RoomInfo,
    ) -> rusqlite::Result<WriteResult> {
        info.private |= room.is_private();
        if self.room_exists(&room)? {
            return Ok(Err(StoreError::RoomExists));
        }
        if let Err(taken) = check_title(&room, &info, |key| self.other_with_title(&room, key))? {
            return Ok(Err(taken));
        }
        let text_bytes =
            info.title.as_ref().map_or(0, |title| title.as_str().len()) + info.topic.as_str().len();
        if let Some(owner) = info.owner
            && self.is_erased(owner)?
        {
            return Ok(Err(StoreError::Erased));
        }
        if !self.take_bytes(text_bytes) {
            return Ok(Err(StoreError::ReadOnly));
        }
        if let Some(owner) = info.owner {
            self.record_visit(owner, &room, 0)?;
        }
        self.store_room(room, info).map(|()| Ok(WriteOutput::None))
    }

    pub(super) fn update_room(
        &mut self,
        room: RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> rusqlite::Result<WriteResult> {
        if !self.room_exists(&room)? {
            return Ok(Err(StoreError::RoomNotFound));
        }
        let before = self.room_info(&room)?;
        if let Err(refused) = rules::authorize_update(user, before.owner) {
            return Ok(Err(refused));
        }
        let info = before.with_title(title, topic);
        // The room may keep a title that other rooms of an older file have too.
        if info.title_key(&room) != before.title_key(&room)
            && let Err(taken) = check_title(&room, &info, |key| self.other_with_title(&room, key))?
        {
            return Ok(Err(taken));
        }
        self.changed_rooms.push(room.clone());
        self.store_room(room, info).map(|()| Ok(WriteOutput::None))
    }

    /// Creates the room that an event brings into being.
    pub(super) fn create_addressed_room(&mut self, room: &RoomName) -> rusqlite::Result<()> {
        let is_taken = |key: &str| self.other_with_title(room, key).map(|other| other.is_some());
        let info = RoomInfo::of_first_event(room, is_taken)?;
        self.store_room(room.clone(), info)
    }

    /// Returns the description of a room, including this transaction's own changes.
    pub(super) fn room_info(&self, room: &RoomName) -> rusqlite::Result<RoomInfo> {
        let stored = queries::room(&self.transaction, room)?;
        Ok(stored.unwrap_or_else(|| RoomRecord::missing(room.clone())).info)
    }

    /// Returns `true` if the room exists, also if this transaction creates it. The lobby always exists.
    pub(super) fn room_exists(&mut self, room: &RoomName) -> rusqlite::Result<bool> {
        Ok(room.is_lobby() || self.head(room)?.is_some())
    }

    /// Returns a public room other than `room` whose title has this skeleton.
    pub(super) fn other_with_title(
        &self,
        room: &RoomName,
        skeleton: &str,
    ) -> rusqlite::Result<Option<RoomName>> {
        let titled = queries::room_by_title_skeleton(&self.transaction, skeleton)?;
        Ok(titled.filter(|other| other != room))
    }

    pub(super) fn store_room(&mut self, room: RoomName, info: RoomInfo) -> rusqlite::Result<()> {
        let skeleton = match info.title_key(&room) {
            // The title is shared with a room of an older file, or shows an address that another title copied.
            Some(key) if self.other_with_title(&room, &key)?.is_some() => None,
            key => key,
        };
        let sort = info.title_sort(&room);
        let RoomInfo { title, topic, owner, private, contested, retention } = &info;
        let retention = retention.map(Retention::hours);
        let title = title.as_ref().map(RoomTitle::as_str);
        let owner = owner.map(|owner| owner.0.cast_signed());
        let mut statement = self.transaction.prepare_cached(sql::UPSERT_ROOM)?;
        let name = room.as_str();
        let topic = topic.as_str();
        let columns = (name, title, topic, owner, private, contested, skeleton, sort, self.at, retention);
        statement.execute(columns)?;
        drop(statement);
        *self.last_active = None;
        self.has_new_rooms = true;
        Ok(())
    }
}
