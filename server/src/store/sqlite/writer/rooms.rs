//! What rooms are called, and by whom.

use super::{Batch, Done, Outcome, queries, sql};
use crate::store::{About, StoreError, room_index::check_title};
use app::wire::{Event, RoomName, RoomTitle, Topic, UserId};
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

impl Batch<'_> {
    pub(super) fn create(&mut self, room: RoomName, mut about: About) -> rusqlite::Result<Outcome> {
        about.private |= room.is_private();
        if self.is_made(&room) {
            return Ok(Err(StoreError::RoomExists));
        }
        if let Err(taken) = check_title(&room, &about, |key| self.other_with_title(&room, key))? {
            return Ok(Err(taken));
        }
        let text = about.title.as_ref().map_or(0, |title| title.as_str().len()) + about.topic.as_str().len();
        if !self.takes(text) {
            return Ok(Err(StoreError::ReadOnly));
        }
        if let Some(owner) = about.owner {
            self.visited(owner, &room, 0)?;
        }
        self.store_about(room, about).map(|()| Ok(Done::Quietly))
    }

    pub(super) fn retitle(
        &mut self,
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> rusqlite::Result<Outcome> {
        if !self.is_made(&room) {
            return Ok(Err(StoreError::NoSuchRoom));
        }
        let before = self.about(&room);
        let about = match before.retitled(person, title, topic) {
            Ok(about) => about,
            Err(refused) => return Ok(Err(refused)),
        };
        // The room may keep a title that others of an older file have too.
        if about.title_key(&room) != before.title_key(&room)
            && let Err(taken) = check_title(&room, &about, |key| self.other_with_title(&room, key))?
        {
            return Ok(Err(taken));
        }
        self.store_about(room, about).map(|()| Ok(Done::Quietly))
    }

    /// Makes the rooms that have come into being by their first events in this transaction.
    pub(super) fn make_addressed_rooms(&mut self) -> rusqlite::Result<()> {
        let starts = |events: &[Arc<Event>]| events.first().is_some_and(|first| first.seq == 1);
        let new = self.grown.iter().filter(|(room, events)| starts(events) && !self.has(room));
        for room in new.map(|(room, _)| room.clone()).collect::<Vec<_>>() {
            let about =
                About::of_first(&room, |key| self.other_with_title(&room, key).map(|other| other.is_some()))?;
            self.store_about(room, about)?;
        }
        Ok(())
    }

    /// What is known about a room, by this transaction too.
    pub(super) fn about(&self, room: &RoomName) -> Arc<About> {
        let committed = || self.committed.read().unwrap_or_else(PoisonError::into_inner).about(room);
        self.told.get(room).cloned().map_or_else(committed, Arc::new)
    }

    /// A public room but `room` whose title has this key.
    fn other_with_title(&self, room: &RoomName, key: &str) -> rusqlite::Result<Option<RoomName>> {
        let mut statement = self.transaction.prepare_cached(sql::BY_TITLE_KEY)?;
        let called: Vec<RoomName> =
            statement.query_map([key], |row| queries::room_name(row, 0))?.collect::<Result<_, _>>()?;
        Ok(called.into_iter().find(|other| other != room))
    }

    fn store_about(&mut self, room: RoomName, about: About) -> rusqlite::Result<()> {
        let key = about.title_key(&room);
        let About { title, topic, owner, private, contested } = &about;
        let title = title.as_ref().map(RoomTitle::as_str);
        let owner = owner.map(|owner| owner.0.cast_signed());
        let mut statement = self.transaction.prepare_cached(sql::ABOUT)?;
        statement.execute((
            room.as_str(),
            title,
            topic.as_str(),
            owner,
            private,
            contested,
            key.unwrap_or_default(),
        ))?;
        drop(statement);
        self.told.insert(room, about);
        Ok(())
    }
}

/// Gives rooms the keys of their titles if they have none: those of an older file. A room by its address whose title
/// another one has is contested, as it would be if it came into being now.
pub(in crate::store::sqlite) fn fill_in_title_keys(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if !transaction.prepare(sql::ROOMS_WITHOUT_KEY)?.exists([])? {
        return Ok(());
    }
    for statement in [sql::ROOMS_WITHOUT_KEY, sql::CONTESTED_ROOMS] {
        let rooms: Vec<(RoomName, About)> = transaction
            .prepare(statement)?
            .query_map([], |row| Ok((queries::room_name(row, 0)?, queries::about(row, 1)?)))?
            .collect::<Result<_, _>>()?;
        let contested = statement == sql::CONTESTED_ROOMS;
        let mut set_key = transaction.prepare(sql::SET_TITLE_KEY)?;
        for (room, about) in rooms {
            let about = About { contested, ..about };
            set_key.execute((room.as_str(), about.title_key(&room).unwrap_or_default(), contested))?;
        }
    }
    transaction.commit()
}
