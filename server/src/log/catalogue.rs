//! Every room that is known: how far it has come, what it is called, whose it is. Both logs keep one.

use super::{LogError, LogResult, alike};
use app::{
    wire::{Event, Millis, PersonId, RoomName, RoomTitle, Seq, Topic},
    words::Lang,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map::Entry},
    ops::Bound,
    sync::Arc,
};

/// What a room is called, about and whose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What its owner calls it; otherwise its name says it.
    pub title: Option<RoomTitle>,
    /// What it is about.
    pub topic: Topic,
    /// The user who made it by *New room*. A room that came into being by its first message has no owner.
    pub owner: Option<PersonId>,
    /// It is on no list.
    pub private: bool,
}

/// Every room that is known. Its lists have the public rooms but the lobby, which is on everybody's own; they
/// are kept in order, so that nobody who looks walks through all rooms.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    rooms: BTreeMap<RoomName, Known>,
    /// By when something happened last.
    lively: BTreeSet<(Reverse<Millis>, RoomName)>,
    /// By title, letters in any case.
    by_title: BTreeSet<(String, RoomName)>,
    /// By the keys of their titles, the lobby by those of its names in every language; made when first asked for.
    titles: Option<Titles>,
}

/// Which public rooms are called alike: mostly one by each key.
type Titles = HashMap<String, Vec<RoomName>>;

#[derive(Debug, Default)]
struct Known {
    head: Seq,
    /// When something happened last; for a room in which nothing has, when it was made, as far as this process
    /// knows.
    at: Millis,
    about: Arc<About>,
}

impl About {
    /// Returns what is known of a room that comes into being by its first event: it has no owner, and is private
    /// if its name says so.
    pub(super) fn of_first(room: &RoomName) -> Self {
        Self { private: room.is_private(), ..Self::default() }
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

    /// At most `most` public rooms but the lobby and `but`, those first in which something happened last.
    pub fn lively(&self, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        let others = self.lively.iter().map(|(_, room)| room).filter(|room| !but.contains(room));
        others.take(most).cloned().collect()
    }

    /// At most `most` public rooms but the lobby and `but` that stand after `after` by their titles, or from the
    /// first one on.
    pub fn by_title(&self, after: Option<&RoomName>, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        let after = after.map(|room| (self.about(room).title(room).to_lowercase(), room.clone()));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let others = self.by_title.range((from, Bound::Unbounded)).map(|(_, room)| room);
        others.filter(|room| !but.contains(room)).take(most).cloned().collect()
    }

    /// Events were added to a room, which may be its first.
    pub fn grow(&mut self, room: &RoomName, events: &[Arc<Event>]) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        if !self.has(room) {
            self.tell(room.clone(), About::of_first(room), first.at);
        }
        let Some(known) = self.rooms.get_mut(room) else { return };
        known.head = last.seq;
        if known.at == last.at {
            return;
        }
        let before = (Reverse(known.at), room.clone());
        known.at = last.at;
        if self.lively.remove(&before) {
            self.lively.insert((Reverse(last.at), before.1));
        }
    }

    /// A room as it was found on disk: how far it has come, and when something happened there last.
    pub fn found(&mut self, room: RoomName, head: Seq, at: Millis, about: About) {
        self.tell(room.clone(), about, at);
        if let Some(known) = self.rooms.get_mut(&room) {
            known.head = head;
        }
    }

    /// A room is new at this time, or something else is known about it.
    pub fn tell(&mut self, room: RoomName, mut about: About, at: Millis) {
        about.private |= room.is_private();
        let known = self.rooms.entry(room.clone()).or_insert_with(|| Known { at, ..Known::default() });
        let before = std::mem::replace(&mut known.about, Arc::new(about));
        let (title, at) = (known.about.title(&room), Reverse(known.at));
        let is_listed = !known.about.private && !room.is_lobby();
        if let Some(titles) = self.titles.as_mut().filter(|_| !room.is_lobby()) {
            forget(titles, &before.title(&room), &room);
            if is_listed {
                titles.entry(alike::title_key(&title)).or_default().push(room.clone());
            }
        }
        self.by_title.remove(&(before.title(&room).to_lowercase(), room.clone()));
        if is_listed {
            self.by_title.insert((title.to_lowercase(), room.clone()));
            self.lively.insert((at, room));
        } else {
            self.lively.remove(&(at, room));
        }
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
        // What it is called already it may keep, although another is called so by its address.
        if !about.private && !self.is_called(room, title.as_str()) {
            self.is_free(title.as_str(), room)?;
        }
        Ok(About { title: Some(title), topic, ..(*about).clone() })
    }

    /// Whether a room has been made and has a title like this.
    pub fn is_called(&self, room: &RoomName, title: &str) -> bool {
        self.has(room) && alike::title_key(&self.about(room).title(room)) == alike::title_key(title)
    }

    /// Whether no other public room has a title that is alike, and the lobby in no language.
    fn is_free(&mut self, title: &str, but: &RoomName) -> LogResult<()> {
        let rooms = &self.rooms;
        let titles = self.titles.get_or_insert_with(|| {
            let mut titles = Titles::new();
            for lang in Lang::ALL {
                titles.entry(alike::title_key(lang.words().lobby)).or_default().push(RoomName::lobby());
            }
            for (room, known) in rooms.iter().filter(|(room, known)| !known.about.private && !room.is_lobby())
            {
                titles.entry(alike::title_key(&known.about.title(room))).or_default().push(room.clone());
            }
            titles
        });
        let taken =
            titles.get(&alike::title_key(title)).and_then(|called| called.iter().find(|room| *room != but));
        taken.map_or(Ok(()), |taken| Err(LogError::TitleTaken(taken.clone())))
    }
}

/// `room` is called `title` no longer.
fn forget(titles: &mut Titles, title: &str, room: &RoomName) {
    if let Entry::Occupied(mut called) = titles.entry(alike::title_key(title)) {
        called.get_mut().retain(|other| other != room);
        if called.get().is_empty() {
            called.remove();
        }
    }
}
