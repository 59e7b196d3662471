//! An index of every room in memory: its head, its description, and its place in lists.

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

/// The description of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomInfo {
    /// The title that its owner chose. Without one the room is named after its address.
    pub title: Option<RoomTitle>,
    /// The topic of the room.
    pub topic: Topic,
    /// The user who created it with a form. A room that its first message created has no owner.
    pub owner: Option<UserId>,
    /// The room is on no list.
    pub private: bool,
    /// Its first message created it while another public room had the title that its address makes. So its title
    /// shows the address too.
    pub contested: bool,
}

/// A room of a list: its name, its latest `seq` and its description.
pub type ListedRoom = (RoomName, Seq, Arc<RoomInfo>);

/// Every room. The ordered lists have the public rooms without the lobby, so that no reader scans all rooms.
#[derive(Debug, Default)]
pub(super) struct RoomIndex {
    public: BTreeMap<RoomName, RoomRecord>,
    private: HashMap<RoomName, RoomRecord>,
    /// By the time of the last event.
    recent: BTreeSet<(Reverse<Millis>, RoomName)>,
    /// By title in lower case.
    by_title: BTreeSet<(String, RoomName)>,
    /// The shared description of rooms without title, topic and owner.
    plain: Arc<RoomInfo>,
}

#[derive(Debug)]
struct RoomRecord {
    head: Seq,
    /// The time of the last event; for a room without events, of its creation, as far as this process knows.
    at: Millis,
    info: Arc<RoomInfo>,
}

impl RoomInfo {
    /// Returns the description of a room that its first event creates. It has no owner, and it is private if its name
    /// is that of a private room. `is_taken` returns `true` if another public room's title has this skeleton.
    ///
    /// # Errors
    /// The errors of `is_taken`.
    pub(super) fn of_first_event<E>(
        room: &RoomName,
        is_taken: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let private = room.is_private();
        let contested = !private && !room.is_lobby() && {
            let key = skeleton::title_key(&room.title());
            is_lobby_title(&key) || is_taken(&key)?
        };
        Ok(Self { private, contested, ..Self::default() })
    }

    /// Returns the title to show for the room named `room`.
    pub fn title(&self, room: &RoomName) -> String {
        match &self.title {
            Some(title) => title.to_string(),
            None if self.contested => format!("{} ({})", room.title(), room.path()),
            None => room.title(),
        }
    }

    /// Returns the skeleton of the title of a public room. It is `None` for private rooms, and for the lobby, whose
    /// titles are reserved in every language.
    pub(super) fn title_key(&self, room: &RoomName) -> Option<String> {
        (!self.private && !room.is_lobby()).then(|| skeleton::title_key(&self.title(room)))
    }

    /// Returns the description with another title and topic.
    pub(super) fn with_title(&self, title: RoomTitle, topic: Topic) -> Self {
        Self { title: Some(title), topic, contested: false, ..self.clone() }
    }
}

/// Returns `true` if this is the skeleton of the lobby's title in some language.
fn is_lobby_title(skeleton: &str) -> bool {
    static SKELETONS: LazyLock<HashSet<String>> =
        LazyLock::new(|| Lang::ALL.iter().map(|lang| skeleton::title_key(lang.strings().lobby)).collect());
    SKELETONS.contains(skeleton)
}

/// Checks that `room` may have the title of `info`: that neither another public room nor the lobby in any language has
/// it. `find_other` finds another room by the title's skeleton.
///
/// # Errors
/// [`StoreError::TitleTaken`] in the inner result; the errors of `find_other` in the outer one.
pub(super) fn check_title<E>(
    room: &RoomName,
    info: &RoomInfo,
    find_other: impl FnOnce(&str) -> Result<Option<RoomName>, E>,
) -> Result<StoreResult<()>, E> {
    let Some(key) = info.title_key(room) else { return Ok(Ok(())) };
    let other = if is_lobby_title(&key) { Some(RoomName::lobby()) } else { find_other(&key)? };
    Ok(other.map_or(Ok(()), |other| Err(StoreError::TitleTaken(other))))
}

impl RoomIndex {
    fn record(&self, room: &RoomName) -> Option<&RoomRecord> {
        self.public.get(room).or_else(|| self.private.get(room))
    }

    fn record_mut(&mut self, room: &RoomName) -> Option<&mut RoomRecord> {
        self.public.get_mut(room).or_else(|| self.private.get_mut(room))
    }

    /// Returns the latest `seq` of a room; 0 if it has no events.
    pub fn head(&self, room: &RoomName) -> Seq {
        self.record(room).map_or(0, |record| record.head)
    }

    /// Returns the description of a room; an empty one if the room does not exist.
    pub fn info(&self, room: &RoomName) -> Arc<RoomInfo> {
        match self.record(room) {
            Some(record) => record.info.clone(),
            None if room.is_private() => Arc::new(RoomInfo { private: true, ..RoomInfo::default() }),
            None => self.plain.clone(),
        }
    }

    /// Returns `true` if the room exists.
    pub fn has(&self, room: &RoomName) -> bool {
        self.record(room).is_some()
    }

    /// Returns at most `limit` public rooms by name, after the room `after`.
    pub fn list(&self, after: Option<&RoomName>, limit: usize) -> Vec<ListedRoom> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rooms = self.public.range::<RoomName, _>((from, Bound::Unbounded)).take(limit);
        rooms.map(|(room, record)| (room.clone(), record.head, record.info.clone())).collect()
    }

    /// Returns up to `limit` public rooms, most recently active first, without the lobby and `excluded`.
    pub fn recent(&self, excluded: &HashSet<RoomName>, limit: usize) -> Vec<RoomName> {
        let others = self.recent.iter().map(|(_, room)| room).filter(|room| !excluded.contains(room));
        others.take(limit).cloned().collect()
    }

    /// Returns up to `limit` public rooms by title after the room `after`, without the lobby and `excluded`.
    pub fn by_title(
        &self,
        after: Option<&RoomName>,
        excluded: &HashSet<RoomName>,
        limit: usize,
    ) -> Vec<RoomName> {
        let after = after.map(|room| (self.info(room).title(room).to_lowercase(), room.clone()));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let others = self.by_title.range((from, Bound::Unbounded)).map(|(_, room)| room);
        others.filter(|room| !excluded.contains(room)).take(limit).cloned().collect()
    }

    /// Updates the head and the activity of a room that exists.
    pub fn apply_events(&mut self, room: &RoomName, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let Some(record) = self.record_mut(room) else { return };
        record.head = last.seq;
        if record.at == last.at {
            return;
        }
        let before = (Reverse(record.at), room.clone());
        record.at = last.at;
        if self.recent.remove(&before) {
            self.recent.insert((Reverse(last.at), before.1));
        }
    }

    /// Inserts a room as it is on disk, with its head and the time of its last event.
    pub fn insert_existing(&mut self, room: RoomName, head: Seq, at: Millis, info: RoomInfo) {
        self.upsert(room.clone(), info, at);
        if let Some(record) = self.record_mut(&room) {
            record.head = head;
        }
    }

    /// Inserts a room that is created at this time, or updates the description of a room.
    pub fn upsert(&mut self, room: RoomName, mut info: RoomInfo, at: Millis) {
        info.private |= room.is_private();
        let is_listed = !info.private && !room.is_lobby();
        let title = info.title(&room).to_lowercase();
        let info = if info == *self.plain { self.plain.clone() } else { Arc::new(info) };
        let at = match self.record_mut(&room) {
            Some(record) => {
                let before = std::mem::replace(&mut record.info, info);
                let at = record.at;
                self.by_title.remove(&(before.title(&room).to_lowercase(), room.clone()));
                at
            }
            None => {
                let record = RoomRecord { head: 0, at, info: info.clone() };
                if info.private {
                    self.private.insert(room.clone(), record);
                } else {
                    self.public.insert(room.clone(), record);
                }
                at
            }
        };
        if is_listed {
            self.by_title.insert((title, room.clone()));
            self.recent.insert((Reverse(at), room));
        }
    }
}
