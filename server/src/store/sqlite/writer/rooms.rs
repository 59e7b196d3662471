//! Titles, topics and owners of rooms.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    RoomInfo, StoreError,
    room_index::check_title,
    rules,
    sqlite::{rows, sql},
};
use app::wire::{Event, RoomName, RoomTitle, Topic, UserId};
use std::sync::{Arc, PoisonError};

impl WriteTransaction<'_> {
    pub(super) fn create_room(
        &mut self,
        room: RoomName,
        mut info: RoomInfo,
    ) -> rusqlite::Result<WriteResult> {
        info.private |= room.is_private();
        if self.room_exists(&room) {
            return Ok(Err(StoreError::RoomExists));
        }
        if let Err(taken) = check_title(&room, &info, |key| self.other_with_title(&room, key))? {
            return Ok(Err(taken));
        }
        let text_bytes =
            info.title.as_ref().map_or(0, |title| title.as_str().len()) + info.topic.as_str().len();
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
        if !self.room_exists(&room) {
            return Ok(Err(StoreError::RoomNotFound));
        }
        let before = self.room_info(&room);
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
        self.store_room(room, info).map(|()| Ok(WriteOutput::None))
    }

    /// Creates the rooms that this transaction's first events brought into being.
    pub(super) fn create_addressed_rooms(&mut self) -> rusqlite::Result<()> {
        let is_first = |events: &[Arc<Event>]| events.first().is_some_and(|first| first.seq == 1);
        let new = self.events.iter().filter(|(room, events)| is_first(events) && !self.has_row(room));
        for room in new.map(|(room, _)| room.clone()).collect::<Vec<_>>() {
            let is_taken = |key: &str| self.other_with_title(&room, key).map(|other| other.is_some());
            let info = RoomInfo::of_first_event(&room, is_taken)?;
            self.store_room(room, info)?;
        }
        Ok(())
    }

    /// Returns the description of a room, including this transaction's own changes.
    pub(super) fn room_info(&self, room: &RoomName) -> Arc<RoomInfo> {
        let committed = || self.committed.read().unwrap_or_else(PoisonError::into_inner).info(room);
        self.room_updates.get(room).cloned().map_or_else(committed, Arc::new)
    }

    /// Returns `true` if the room exists, also if this transaction creates it. The lobby always exists.
    pub(super) fn room_exists(&self, room: &RoomName) -> bool {
        self.events.contains_key(room) || room.is_lobby() || self.has_row(room)
    }

    /// Returns `true` if the room has a row, also if this transaction adds it.
    pub(super) fn has_row(&self, room: &RoomName) -> bool {
        let committed = || self.committed.read().unwrap_or_else(PoisonError::into_inner).has(room);
        self.room_updates.contains_key(room) || committed()
    }

    /// Returns a public room other than `room` whose title has this skeleton.
    fn other_with_title(&self, room: &RoomName, skeleton: &str) -> rusqlite::Result<Option<RoomName>> {
        let mut statement = self.transaction.prepare_cached(sql::SELECT_ROOMS_BY_TITLE_SKELETON)?;
        let titled: Vec<RoomName> =
            statement.query_map([skeleton], |row| rows::room_name(row, 0))?.collect::<Result<_, _>>()?;
        Ok(titled.into_iter().find(|other| other != room))
    }

    fn store_room(&mut self, room: RoomName, info: RoomInfo) -> rusqlite::Result<()> {
        let skeleton = info.title_key(&room).unwrap_or_default();
        let RoomInfo { title, topic, owner, private, contested } = &info;
        let title = title.as_ref().map(RoomTitle::as_str);
        let owner = owner.map(|owner| owner.0.cast_signed());
        let mut statement = self.transaction.prepare_cached(sql::UPSERT_ROOM)?;
        statement.execute((room.as_str(), title, topic.as_str(), owner, private, contested, skeleton))?;
        drop(statement);
        self.room_updates.insert(room, info);
        Ok(())
    }
}
