//! Rooms that come from another installation, or from an earlier state of this one.

use super::{PendingCommit, RoomInfo, name_policy::choose_name};
use app::wire::{DisplayName, Event, Millis, RoomName, Seq, User, UserId};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashSet};

/// Events of one import, at most. Further ones are ignored.
pub const MAX_IMPORTED_EVENTS: usize = 500;

/// Milliseconds by which the time of an imported event may be later than the clock of the store.
pub const MAX_IMPORT_AHEAD: Millis = 24 * 60 * 60 * 1_000;

/// The next events of a room that is imported.
#[derive(Debug, Clone)]
pub struct RoomImport {
    /// The room.
    pub room: RoomName,
    /// Its description, if the import creates it. A room that exists keeps its own.
    pub info: RoomInfo,
    /// Only members may enter the room, if the import creates it.
    pub members_only: bool,
    /// The owner of the room under their name.
    pub owner: Option<User>,
    /// The events, without gaps, at most [`MAX_IMPORTED_EVENTS`].
    pub events: Vec<Event>,
}

/// The reason why events are not imported. Nothing of the same import is stored then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// The event does not follow the one before it, or the last one of the room.
    #[error("event {0} is not the next one")]
    Gap(Seq),
    /// The room has another event there.
    #[error("the room has gone on by itself: its event {0} is another one")]
    OtherEvent(Seq),
    /// An event of this id exists elsewhere.
    #[error("event {0} has the id of another event")]
    IdTaken(Seq),
    /// It is about a message that does not exist in the room.
    #[error("event {0} is about a message that does not exist")]
    NoMessage(Seq),
    /// It changes a message of another user.
    #[error("event {0} edits a message of another user")]
    OtherAuthor(Seq),
    /// It is a reaction that changes nothing, of an unknown emoji, or one too many.
    #[error("event {0} is a reaction that the message cannot have")]
    Reaction(Seq),
    /// It shows a file that is not there, or that is not its author's or in another message.
    #[error("event {0} shows a file that is not there")]
    File(Seq),
    /// Its kind is unknown.
    #[error("event {0} is of a kind that this version does not know")]
    UnknownKind(Seq),
}

/// Adds events with their ids, authors, times and positions.
#[async_trait]
pub trait RoomImportStore: Send + Sync + 'static {
    /// Adds those events that the room does not have yet, if it has the others: its last event is followed by the next one of
    /// the import, and its events at the positions of the import have the same ids. Creates the room with the first event,
    /// and the users who do not exist, under their names, or under generated ones if they may not choose these. Users who exist
    /// keep their names. Content of users who have erased everything is not stored again. Returns how many were added.
    ///
    /// The files of a message are those that were uploaded with these ids for its author and the room, and that are in no
    /// message: they become its own. What else the events say of files does not count.
    ///
    /// The operator imports; no right is checked.
    ///
    /// # Errors
    /// An inner [`ImportRefusal`]; [`StoreError::ReadOnly`](super::StoreError::ReadOnly),
    /// [`StoreError::Backend`](super::StoreError::Backend). Nothing is stored then.
    fn import_events(&self, import: RoomImport) -> PendingCommit<Result<u32, ImportRefusal>>;
}

impl RoomImport {
    /// Checks that the events have no gaps and that there is none between them and the end of the room. Returns the number of
    /// those that the room has by its position.
    pub(super) fn known(&self, head: Seq) -> Result<usize, ImportRefusal> {
        let Some(first) = self.events.first() else { return Ok(0) };
        if first.seq == 0 || first.seq > head + 1 {
            return Err(ImportRefusal::Gap(first.seq));
        }
        let gap = (first.seq..).zip(&self.events).find(|(expected, event)| *expected != event.seq);
        match gap {
            Some((_, event)) => Err(ImportRefusal::Gap(event.seq)),
            None => Ok(self.events.partition_point(|event| event.seq <= head)),
        }
    }

    /// Returns everyone whom the events after the first `known` show, each once, under the name to store if they have none.
    pub(super) fn users(&self, known: usize) -> BTreeMap<UserId, DisplayName> {
        let mut users = BTreeMap::new();
        let mut add = |user: &User| {
            let name = || choose_name(user.name.as_str()).unwrap_or_else(|_| DisplayName::generated(user.id));
            users.entry(user.id).or_insert_with(name);
        };
        self.owner.iter().for_each(&mut add);
        for event in &self.events[known..] {
            if event.author.id != UserId(0) {
                add(&event.author);
            }
            event.body.mentions().into_iter().flatten().for_each(|mention| add(&mention.user));
        }
        users
    }

    /// Returns the description of the room as it is created, without an owner who has erased everything. `is_taken` returns
    /// `true` if another public room has a title with this skeleton: then the room shows its address instead.
    pub(super) fn new_room<E>(
        &self,
        erased: &HashSet<UserId>,
        is_taken: impl FnOnce(&str) -> Result<bool, E>,
    ) -> Result<RoomInfo, E> {
        let mut info = self.info.clone();
        info.private |= self.room.is_private() || self.members_only;
        if self.room.is_lobby() {
            return Ok(RoomInfo { retention: info.retention, ..RoomInfo::default() });
        }
        info.owner = info.owner.filter(|owner| !erased.contains(owner));
        info.contested = false;
        let Some(key) = info.title_key(&self.room) else { return Ok(info) };
        if super::rooms::is_lobby_title(&key) || is_taken(&key)? {
            (info.title, info.contested) = (None, true);
        }
        Ok(info)
    }
}
