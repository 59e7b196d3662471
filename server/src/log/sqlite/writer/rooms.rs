//! What rooms are called, and by whom.

use super::{Batch, Done, Outcome, sql};
use crate::log::{About, LogError, LogResult, alike, catalogue::Catalogue};
use app::wire::{PersonId, RoomName, RoomTitle, Topic};
use std::sync::{PoisonError, RwLockWriteGuard};

impl Batch<'_> {
    pub(super) fn create(&mut self, room: RoomName, mut about: About) -> rusqlite::Result<Outcome> {
        about.private |= room.is_private();
        let may = if self.is_made(&room) {
            Err(LogError::RoomExists)
        } else {
            self.catalogue().may_create(&room, &about)
        };
        let owner = about.owner;
        let made = self.tell_about(room.clone(), may.map(|()| about))?;
        if let (Ok(_), Some(owner)) = (&made, owner) {
            self.visited(owner, &room, 0)?;
        }
        Ok(made)
    }

    pub(super) fn retitle(
        &mut self,
        room: RoomName,
        person: PersonId,
        title: RoomTitle,
        topic: Topic,
    ) -> rusqlite::Result<Outcome> {
        let retitled = self.catalogue().retitled(&room, person, title, topic);
        self.tell_about(room, retitled)
    }

    /// The rooms as they were committed.
    fn catalogue(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.committed.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_about(&mut self, room: RoomName, about: LogResult<About>) -> rusqlite::Result<Outcome> {
        match about.and_then(|about| self.is_free_here(&room, &about).map(|()| about)) {
            Ok(about) => self.store_about(room, about).map(|()| Ok(Done::Quietly)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Whether no other room was called so in this very transaction, or this one is called so already.
    fn is_free_here(&self, room: &RoomName, about: &About) -> LogResult<()> {
        let title = about.title(room);
        if self.catalogue().is_called(room, &title) {
            return Ok(());
        }
        let key = alike::title_key(&title);
        let taken = |(told, other): &&(RoomName, About)| {
            told != room && !about.private && !other.private && alike::title_key(&other.title(told)) == key
        };
        self.told.iter().find(taken).map_or(Ok(()), |(taken, _)| Err(LogError::TitleTaken(taken.clone())))
    }

    fn store_about(&mut self, room: RoomName, about: About) -> rusqlite::Result<()> {
        let About { title, topic, owner, private } = &about;
        let title = title.as_ref().map(RoomTitle::as_str);
        let owner = owner.map(|owner| owner.0.cast_signed());
        let mut statement = self.transaction.prepare_cached(sql::ABOUT)?;
        statement.execute((room.as_str(), title, topic.as_str(), owner, private))?;
        drop(statement);
        self.told.push((room, about));
        Ok(())
    }
}
