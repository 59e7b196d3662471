//! Every room that is known: how far it has come, what it is called, whose it is. Both logs keep one.

use super::{LogError, LogResult, alike};
use app::wire::{Event, PersonId, RoomName, RoomTitle, Seq, Topic};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What a room is called, about and whose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What its owner calls it; otherwise its name says it.
    pub title: Option<RoomTitle>,
    /// What it is about.
    pub topic: Topic,
    /// Whoever made it. The lobby is nobody's.
    pub owner: Option<PersonId>,
    /// It is on no list.
    pub private: bool,
}

/// Every room that is known.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    rooms: BTreeMap<RoomName, Known>,
    /// The public rooms by the key of their title; made when first asked for.
    titles: Option<HashMap<String, RoomName>>,
}

#[derive(Debug, Default)]
struct Known {
    head: Seq,
    about: Arc<About>,
}

impl About {
    /// Of a room that comes into being by its first event.
    pub(super) fn of_first(event: &Event, room: &RoomName) -> Self {
        let owner = (*room != RoomName::lobby()).then_some(event.author.id);
        Self { owner, ..Self::default() }
    }

    /// The heading of the room, whose name is `room`.
    pub fn title(&self, room: &RoomName) -> String {
        self.title.as_ref().map_or_else(|| room.title(), ToString::to_string)
    }
}

impl Catalogue {
    /// The newest `seq` of a room; 0 where nothing happened yet.
    pub fn head(&self, room: &RoomName) -> Seq {
        self.rooms.get(room).map_or(0, |known| known.head)
    }

    /// What is known about a room; nothing much where it is not.
    pub fn about(&self, room: &RoomName) -> Arc<About> {
        self.rooms.get(room).map(|known| known.about.clone()).unwrap_or_default()
    }

    /// Whether a room has been made.
    pub fn has(&self, room: &RoomName) -> bool {
        self.rooms.contains_key(room)
    }

    /// Every room with its newest `seq`, by name.
    pub fn rooms(&self) -> Vec<(RoomName, Seq)> {
        self.rooms.iter().map(|(room, known)| (room.clone(), known.head)).collect()
    }

    /// Events were added to a room, which may be its first.
    pub fn grow(&mut self, room: &RoomName, events: &[Arc<Event>]) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        if !self.has(room) {
            self.tell(room.clone(), About::of_first(first, room));
        }
        if let Some(known) = self.rooms.get_mut(room) {
            known.head = last.seq;
        }
    }

    /// A room as it was found on disk.
    pub fn found(&mut self, room: RoomName, head: Seq, about: About) {
        self.rooms.insert(room, Known { head, about: Arc::new(about) });
    }

    /// A room is new, or something else is known about it.
    pub fn tell(&mut self, room: RoomName, about: About) {
        self.titles = None;
        self.rooms.entry(room).or_default().about = Arc::new(about);
    }

    /// Whether a room could be made so.
    ///
    /// # Errors
    /// [`LogError::RoomExists`], [`LogError::TitleTaken`].
    pub fn may_create(&mut self, room: &RoomName, about: &About) -> LogResult<()> {
        if self.has(room) || *room == RoomName::lobby() {
            return Err(LogError::RoomExists);
        }
        if about.private { Ok(()) } else { self.is_free(&about.title(room), room) }
    }

    /// What would be known about a room, if `person` called it so.
    ///
    /// # Errors
    /// [`LogError::NoSuchRoom`], [`LogError::NotAllowed`], [`LogError::TitleTaken`].
    pub fn retitled(
        &mut self,
        room: &RoomName,
        person: PersonId,
        title: RoomTitle,
        topic: Topic,
    ) -> LogResult<About> {
        if !self.has(room) {
            return Err(LogError::NoSuchRoom);
        }
        let about = self.about(room);
        if about.owner != Some(person) {
            return Err(LogError::NotAllowed);
        }
        if !about.private {
            self.is_free(title.as_str(), room)?;
        }
        Ok(About { title: Some(title), topic, ..(*about).clone() })
    }

    /// Whether no other public room has a title that is alike.
    fn is_free(&mut self, title: &str, but: &RoomName) -> LogResult<()> {
        let rooms = &self.rooms;
        let titles = self.titles.get_or_insert_with(|| {
            let public = rooms.iter().filter(|(_, known)| !known.about.private);
            public.map(|(room, known)| (alike::key(&known.about.title(room)), room.clone())).collect()
        });
        match titles.get(&alike::key(title)) {
            Some(taken) if taken != but => Err(LogError::TitleTaken(taken.clone())),
            _ => Ok(()),
        }
    }
}
