//! Rooms: their descriptions, their titles, and lists of them.

use super::{PendingCommit, StoreError, StoreResult, skeleton};
use app::{
    i18n::Lang,
    wire::{Retention, RoomName, RoomTitle, Seq, Topic, UserId},
};
use async_trait::async_trait;
use std::{collections::HashSet, slice, sync::LazyLock};

/// Rooms that one read returns.
pub const MAX_ROOMS_PER_READ: usize = 1_000;

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
    /// The time for which its messages are kept; `None` as long as the server keeps them.
    pub retention: Option<Retention>,
}

/// A room as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    /// The name of the room.
    pub room: RoomName,
    /// Its latest `seq`; 0 if it has no events.
    pub head: Seq,
    /// Its description.
    pub info: RoomInfo,
}

/// The order of a list of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomOrder {
    /// By name.
    Name,
    /// By title in lower case, without the lobby.
    Title,
    /// Most recently active first, without the lobby. A room without events counts from its creation.
    Activity,
}

/// A query for a list of public rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomQuery {
    /// The order of the list.
    pub order: RoomOrder,
    /// The room after which the list begins; it need not exist.
    pub after: Option<RoomName>,
    /// Leaves out the rooms in which this user has a read marker.
    pub not_joined_by: Option<UserId>,
    /// The longest list, at most [`MAX_ROOMS_PER_READ`].
    pub limit: usize,
}

impl RoomQuery {
    /// Returns a query for the first `limit` public rooms in `order`.
    pub fn new(order: RoomOrder, limit: usize) -> Self {
        Self { order, after: None, not_joined_by: None, limit }
    }
}

/// The rooms and their descriptions.
#[async_trait]
pub trait RoomStore: Send + Sync + 'static {
    /// Returns each of `names` as it is stored; a room that does not exist has no events and the description of its
    /// address. Takes at most [`MAX_ROOMS_PER_READ`] names and ignores further ones.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn rooms(&self, names: &[RoomName]) -> StoreResult<Vec<RoomRecord>>;

    /// Returns a room as [`rooms`](Self::rooms) does.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn room(&self, name: &RoomName) -> StoreResult<RoomRecord> {
        let found = self.rooms(slice::from_ref(name)).await?.pop();
        Ok(found.unwrap_or_else(|| RoomRecord::missing(name.clone())))
    }

    /// Returns a list of public rooms.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn list_rooms(&self, query: RoomQuery) -> StoreResult<Vec<RoomRecord>>;

    /// Creates a room without events.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`]; [`StoreError::TitleTaken`] if another public room has the title;
    /// [`StoreError::Backend`].
    fn create_room(&self, room: RoomName, info: RoomInfo) -> PendingCommit<()>;

    /// Changes the title and topic of a room on behalf of its owner.
    ///
    /// # Errors
    /// [`StoreError::RoomNotFound`]; [`StoreError::Forbidden`] if `user` does not own the room;
    /// [`StoreError::TitleTaken`]; [`StoreError::Backend`].
    fn update_room(&self, room: RoomName, user: UserId, title: RoomTitle, topic: Topic) -> PendingCommit<()>;
}

impl RoomRecord {
    /// Returns the record of a room that does not exist.
    pub(super) fn missing(room: RoomName) -> Self {
        let info = RoomInfo { private: room.is_private(), ..RoomInfo::default() };
        Self { room, head: 0, info }
    }

    /// Returns the title to show for the room.
    pub fn title(&self) -> String {
        self.info.title(&self.room)
    }
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

    /// Returns the text by which lists sort a public room; `None` for a private one.
    pub(super) fn title_sort(&self, room: &RoomName) -> Option<String> {
        (!self.private).then(|| self.title(room).to_lowercase())
    }

    /// Returns the description with another title and topic.
    pub(super) fn with_title(&self, title: RoomTitle, topic: Topic) -> Self {
        Self { title: Some(title), topic, contested: false, ..self.clone() }
    }
}

/// Returns `true` if this is the skeleton of the lobby's title in some language.
pub(super) fn is_lobby_title(skeleton: &str) -> bool {
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
