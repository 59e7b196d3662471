//! Every room that is known: how far it has come, what it is called, whose it is. Both logs keep one.

use super::{StoreError, StoreResult, skeleton};
use app::{
    i18n::Lang,
    wire::{Event, Millis, RoomName, RoomTitle, Seq, Topic, UserId},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Bound,
    sync::{Arc, LazyLock},
};

/// What a room is called, about and whose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What its owner calls it; otherwise its name says it.
    pub title: Option<RoomTitle>,
    /// What it is about.
    pub topic: Topic,
    /// The user who made it by *New room*. A room that came into being by its first message has no owner.
    pub owner: Option<UserId>,
    /// It is on no list.
    pub private: bool,
    /// It came into being by its address while another public room had the title that its name makes, so that its
    /// title shows the address too.
    pub contested: bool,
}

/// A room of a list: its name, its newest `seq` and what is known about it.
pub type ListedRoom = (RoomName, Seq, Arc<About>);

/// Every room that is known. Its lists have the public rooms but the lobby, which is on everybody's own; they
/// are kept in order, so that nobody who looks walks through all rooms.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    public: BTreeMap<RoomName, Known>,
    private: HashMap<RoomName, Known>,
    /// By when something happened last.
    lively: BTreeSet<(Reverse<Millis>, RoomName)>,
    /// By title, letters in any case.
    by_title: BTreeSet<(String, RoomName)>,
    /// What is known about most rooms: nothing but their names.
    plain: Arc<About>,
}

#[derive(Debug)]
struct Known {
    head: Seq,
    /// When something happened last; for a room in which nothing has, when it was made, as far as this process
    /// knows.
    at: Millis,
    about: Arc<About>,
}

impl About {
    /// Returns what is known of a room that comes into being by its first event: it has no owner, and is private
    /// if its name says so. `is_taken` says whether another public room has a title of this key.
    ///
    /// # Errors
    /// Those of `is_taken`.
    pub(super) fn of_first<E>(
        room: &RoomName,
        is_taken: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let private = room.is_private();
        let contested = !private && !room.is_lobby() && {
            let key = skeleton::title_key(&room.title());
            is_lobbys(&key) || is_taken(&key)?
        };
        Ok(Self { private, contested, ..Self::default() })
    }

    /// The heading of the room, whose name is `room`.
    pub fn title(&self, room: &RoomName) -> String {
        match &self.title {
            Some(title) => title.to_string(),
            None if self.contested => format!("{} ({})", room.title(), room.path()),
            None => room.title(),
        }
    }

    /// The key by which the title of a public room is found; `None` for private rooms, and for the lobby, whose
    /// titles are known in every language.
    pub(super) fn title_key(&self, room: &RoomName) -> Option<String> {
        (!self.private && !room.is_lobby()).then(|| skeleton::title_key(&self.title(room)))
    }

    /// Returns what is known about `room` once `person` has given it another title and topic.
    ///
    /// # Errors
    /// [`StoreError::NotAllowed`] unless `person` owns it.
    pub(super) fn retitled(&self, person: UserId, title: RoomTitle, topic: Topic) -> StoreResult<Self> {
        if self.owner != Some(person) {
            return Err(StoreError::NotAllowed);
        }
        Ok(Self { title: Some(title), topic, contested: false, ..self.clone() })
    }
}

/// Whether the lobby is called so in some language.
fn is_lobbys(key: &str) -> bool {
    static KEYS: LazyLock<HashSet<String>> =
        LazyLock::new(|| Lang::ALL.iter().map(|lang| skeleton::title_key(lang.strings().lobby)).collect());
    KEYS.contains(key)
}

/// Checks that `room` may have the title of `about`: that no other public room, which `taken` finds by the title's
/// key, and in no language the lobby is called so.
///
/// # Errors
/// [`StoreError::TitleTaken`] in the inner result; those of `taken` in the outer one.
pub(super) fn check_title<E>(
    room: &RoomName,
    about: &About,
    taken: impl FnOnce(&str) -> Result<Option<RoomName>, E>,
) -> Result<StoreResult<()>, E> {
    let Some(key) = about.title_key(room) else { return Ok(Ok(())) };
    let other = if is_lobbys(&key) { Some(RoomName::lobby()) } else { taken(&key)? };
    Ok(other.map_or(Ok(()), |other| Err(StoreError::TitleTaken(other))))
}

impl Catalogue {
    fn known(&self, room: &RoomName) -> Option<&Known> {
        self.public.get(room).or_else(|| self.private.get(room))
    }

    fn known_mut(&mut self, room: &RoomName) -> Option<&mut Known> {
        self.public.get_mut(room).or_else(|| self.private.get_mut(room))
    }

    /// The newest `seq` of a room; 0 where nothing happened yet.
    pub fn head(&self, room: &RoomName) -> Seq {
        self.known(room).map_or(0, |known| known.head)
    }

    /// What is known about a room; nothing but its name if it has not been made.
    pub fn about(&self, room: &RoomName) -> Arc<About> {
        match self.known(room) {
            Some(known) => known.about.clone(),
            None if room.is_private() => Arc::new(About { private: true, ..About::default() }),
            None => self.plain.clone(),
        }
    }

    /// Whether a room has been made.
    pub fn has(&self, room: &RoomName) -> bool {
        self.known(room).is_some()
    }

    /// At most `most` public rooms by name, from the one after `after` on.
    pub fn list(&self, after: Option<&RoomName>, most: usize) -> Vec<ListedRoom> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rooms = self.public.range::<RoomName, _>((from, Bound::Unbounded)).take(most);
        rooms.map(|(room, known)| (room.clone(), known.head, known.about.clone())).collect()
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

    /// Events were added to a room that has been made.
    pub fn grow(&mut self, room: &RoomName, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let Some(known) = self.known_mut(room) else { return };
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
        if let Some(known) = self.known_mut(&room) {
            known.head = head;
        }
    }

    /// A room is new at this time, or something else is known about it.
    pub fn tell(&mut self, room: RoomName, mut about: About, at: Millis) {
        about.private |= room.is_private();
        let is_listed = !about.private && !room.is_lobby();
        let title = about.title(&room).to_lowercase();
        let about = if about == *self.plain { self.plain.clone() } else { Arc::new(about) };
        let at = match self.known_mut(&room) {
            Some(known) => {
                let before = std::mem::replace(&mut known.about, about);
                let at = known.at;
                self.by_title.remove(&(before.title(&room).to_lowercase(), room.clone()));
                at
            }
            None => {
                let known = Known { head: 0, at, about: about.clone() };
                if about.private {
                    self.private.insert(room.clone(), known);
                } else {
                    self.public.insert(room.clone(), known);
                }
                at
            }
        };
        if is_listed {
            self.by_title.insert((title, room.clone()));
            self.lively.insert((Reverse(at), room));
        }
    }
}
