//! Loads the data of a room's page from the store and the hub.

use super::{
    size::{Viewer, budget, fit_members},
    suggestions::suggest_rooms,
};
use crate::{
    http::identity::Identity,
    hub::presence::Members,
    state::AppState,
    store::{
        MAX_READ_MARKERS, MessagePage, RoomInfo, RoomOrder, RoomQuery, RoomRecord, StoreResult, read_around,
    },
};
use app::{
    i18n::Lang,
    page_data::{PageKind, RejectedInput, RoomPage, RoomSummary},
    wire::{RoomName, Seq, User, limits},
};

/// Messages after the one that the address points to.
const MESSAGES_AFTER_ANCHOR: Seq = limits::DEFAULT_PAGE_SIZE as Seq / 2;

/// Read messages before the first unread one.
const READ_CONTEXT: Seq = 10;

/// Messages on the newest page at most, if many are unread.
const MAX_UNREAD_PAGE_SIZE: u32 = 300;

/// Rooms of the user on one page, the most recently used ones; `/rooms` lists the others.
const MAX_JOINED_ROOMS: u32 = 100;

/// The messages of a room that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAnchor {
    /// The newest.
    Latest,
    /// Those before a `seq`.
    Before(Seq),
    /// Those around a `seq`.
    Around(Seq),
}

/// Loads a room's page for the user.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub async fn load_room_page(
    state: &AppState,
    identity: Identity,
    room: RoomName,
    anchor: PageAnchor,
    lang: Lang,
    rejected: Option<RejectedInput>,
) -> StoreResult<RoomPage> {
    // The head is read first: the socket delivers events between the two reads again, and the client recognizes them.
    let RoomRecord { head, info, .. } = state.store.room(&room).await?;
    let (before, mut kind, highlighted) = match anchor {
        PageAnchor::Latest => (head + 1, PageKind::Latest, None),
        PageAnchor::Before(seq) if seq > head => (head + 1, PageKind::Latest, None),
        PageAnchor::Before(seq) => (seq, PageKind::History, None),
        // Near the end, the newest page shows the message and receives updates.
        PageAnchor::Around(seq) if seq.saturating_add(MESSAGES_AFTER_ANCHOR) >= head => {
            (head + 1, PageKind::Latest, Some(seq))
        }
        PageAnchor::Around(seq) => (seq.saturating_add(MESSAGES_AFTER_ANCHOR), PageKind::History, Some(seq)),
    };
    let joined = JoinedRooms::read(state, identity, 0).await?;
    let read = state.store.read_marker(identity.id, &room).await?;
    let mut page = match (kind, highlighted) {
        (PageKind::History, Some(seq)) => {
            read_around(&*state.store, &room, seq, limits::DEFAULT_PAGE_SIZE).await?
        }
        _ => state.store.messages_before(&room, before, page_size(kind, head, read)).await?,
    };
    let you = state.author_of(identity.id).await;
    let Members { list: mut members, count: mut member_count } = state.hub.members(&room, you.id);
    if kind == PageKind::Latest && members.iter().all(|member| member.id != you.id) {
        // The user is about to join.
        members.truncate(limits::MAX_LISTED_MEMBERS - 1);
        members.push(you.clone());
        member_count += 1;
    }
    let is_owner = info.owner == Some(identity.id);
    let others = RoomQuery::new(RoomOrder::Activity, limits::MAX_LISTED_ROOMS);
    let rooms = joined.with(&room, read.unwrap_or(head)).list(state, identity, lang, others).await?;
    let viewer = Viewer { you: &you, is_owner };
    let kept = highlighted.filter(|_| kind == PageKind::History);
    let fit = |members: &mut Vec<User>, page: &MessagePage| {
        let longest = page.messages.iter().map(|message| viewer.bytes(message)).max().unwrap_or(0);
        fit_members(members, viewer.you.id, &rooms, longest);
    };
    fit(&mut members, &page);
    page.keep(budget(&members, &rooms), kept, |message| viewer.bytes(message));
    if let Some(seq) =
        highlighted.filter(|seq| page.more && page.messages.first().is_some_and(|first| *seq < first.seq))
    {
        // Too many messages follow the anchor for one page.
        kind = PageKind::History;
        page = read_around(&*state.store, &room, seq, limits::DEFAULT_PAGE_SIZE).await?;
        fit(&mut members, &page);
        page.keep(budget(&members, &rooms), highlighted, |message| viewer.bytes(message));
    }
    let older_unread = match kind {
        PageKind::Latest => older_unread(state, identity, &room, read, &page.messages).await?,
        PageKind::History => 0,
    };
    let suggestions = if kind == PageKind::Latest && !exists(&info, &room, head) {
        Some(suggest_rooms(state.store.as_ref(), lang, &room).await?)
    } else {
        None
    };
    Ok(RoomPage {
        lang,
        log: state.store.log_id().into(),
        title: lang.strings().title_of(&room, info.title(&room)),
        topic: lang.strings().topic_of(&room, info.topic.to_string()),
        is_owner,
        head,
        read,
        older_unread,
        kind,
        highlighted,
        messages: page.messages,
        more: page.more,
        members,
        member_count,
        rooms,
        suggestions,
        rejected,
        you,
        room,
    })
}

/// Returns the number of messages on a page. The newest page has more if many are unread.
fn page_size(kind: PageKind, head: Seq, read: Option<Seq>) -> u32 {
    let unread = read.map_or(0, |read| head.saturating_sub(read) + READ_CONTEXT);
    match kind {
        PageKind::Latest => {
            u32::try_from(unread).unwrap_or(u32::MAX).clamp(limits::DEFAULT_PAGE_SIZE, MAX_UNREAD_PAGE_SIZE)
        }
        PageKind::History => limits::DEFAULT_PAGE_SIZE,
    }
}

/// The rooms that the user has joined, one page of them with read markers.
pub struct JoinedRooms {
    /// The rooms on the page, with their read markers.
    page: Vec<(RoomName, Seq)>,
    /// The number of rooms before the next page, if there is one.
    pub next: Option<u32>,
}

impl JoinedRooms {
    /// Reads at most [`MAX_JOINED_ROOMS`] rooms of the user, most recently used first, without the first `skip`. The first page
    /// always has the lobby.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`].
    pub async fn read(state: &AppState, identity: Identity, skip: u32) -> StoreResult<Self> {
        let skip = skip.min(MAX_READ_MARKERS);
        let mut page = state.store.read_markers(identity.id, skip, MAX_JOINED_ROOMS + 1).await?;
        let has_more = page.len() > MAX_JOINED_ROOMS as usize;
        page.truncate(MAX_JOINED_ROOMS as usize);
        let joined = Self { page, next: has_more.then_some(skip + MAX_JOINED_ROOMS) };
        if skip > 0 {
            return Ok(joined);
        }
        let lobby = RoomName::lobby();
        if joined.contains(&lobby) {
            return Ok(joined);
        }
        let head = state.store.head(&lobby).await?;
        Ok(joined.with(&lobby, head))
    }

    /// Adds a room that the page must contain, with the position that counts as read there without a read marker.
    fn with(mut self, room: &RoomName, read: Seq) -> Self {
        if !self.contains(room) {
            self.page.push((room.clone(), read));
        }
        self
    }

    fn contains(&self, room: &RoomName) -> bool {
        self.page.iter().any(|(joined, _)| joined == room)
    }

    /// Returns the page sorted by title, then the rooms that `others` finds and the user has not joined.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`].
    pub async fn list(
        self,
        state: &AppState,
        identity: Identity,
        lang: Lang,
        others: RoomQuery,
    ) -> StoreResult<Vec<RoomSummary>> {
        let names: Vec<RoomName> = self.page.iter().map(|(room, _)| room.clone()).collect();
        let unread = state.store.unread_counts(identity.id, &self.page).await?;
        let records = state.store.rooms(&names).await?;
        let mut entries: Vec<RoomSummary> = records
            .into_iter()
            .zip(self.page)
            .zip(unread)
            .map(|((record, (_, read)), unread)| RoomSummary {
                read,
                ..room_summary(lang, record, unread, true)
            })
            .collect();
        entries.sort_by_cached_key(|entry| (!entry.room.is_lobby(), entry.title.to_lowercase()));
        // The page may have rooms without a read marker: the lobby and the room that is shown.
        let limit = others.limit;
        let others = RoomQuery { not_joined_by: Some(identity.id), limit: limit + 2, ..others };
        let listed = state.store.list_rooms(others).await?;
        let listed = listed.into_iter().filter(|record| !names.contains(&record.room)).take(limit);
        entries.extend(listed.map(|record| room_summary(lang, record, 0, false)));
        Ok(entries)
    }
}

/// Returns `true` if a room was created, or has a message. The lobby always exists.
fn exists(about: &RoomInfo, room: &RoomName, head: Seq) -> bool {
    head > 0 || about.title.is_some() || room.is_lobby()
}

fn room_summary(lang: Lang, record: RoomRecord, unread: u32, is_joined: bool) -> RoomSummary {
    let RoomRecord { room, head, info } = record;
    let title = lang.strings().title_of(&room, info.title(&room));
    let exists = exists(&info, &room, head);
    let (private, read, fresh, counted) = (info.private, head, Vec::new(), 0);
    RoomSummary { title, private, room, head, unread, is_joined, exists, read, fresh, counted }
}

/// Returns the number of unread messages before the first one on the page.
async fn older_unread(
    state: &AppState,
    identity: Identity,
    room: &RoomName,
    read: Option<Seq>,
    messages: &[app::wire::Message],
) -> StoreResult<u32> {
    let (Some(read), Some(first)) = (read, messages.first()) else { return Ok(0) };
    if read + 1 >= first.seq {
        return Ok(0);
    }
    let on_page =
        messages.iter().filter(|message| message.author.id != identity.id && !message.deleted).count();
    let all = state.store.unread_counts(identity.id, &[(room.clone(), read)]).await?.pop().unwrap_or(0);
    // The count is capped, so a capped count is reported for the messages before the page, too.
    Ok(if all >= app::wire::limits::MAX_UNREAD_COUNT { all } else { all.saturating_sub(on_page as u32) })
}
