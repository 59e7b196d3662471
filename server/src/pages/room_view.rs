//! Loads the data of a room's page from the store and the hub.

use super::{
    size::{Viewer, budget, fit_members},
    suggestions::suggest_rooms,
};
use crate::{
    http::identity::Identity,
    hub::presence::Members,
    state::AppState,
    store::{MAX_READ_MARKERS, MessagePage, RoomInfo, StoreResult, read_around},
};
use app::{
    i18n::Lang,
    page_data::{PageKind, RejectedInput, RoomPage, RoomSummary},
    wire::{RoomName, Seq, User, limits},
};
use std::collections::HashSet;

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
    let head = state.store.heads(std::slice::from_ref(&room))[0];
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
    let about = state.store.room(&room);
    let is_owner = about.owner == Some(identity.id);
    let others = |joined: &HashSet<RoomName>| state.store.recent_rooms(joined, limits::MAX_LISTED_ROOMS);
    let rooms = joined.with(state, &room, read).list(state, identity, lang, others).await?;
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
    Ok(RoomPage {
        lang,
        log: state.store.log_id().into(),
        title: lang.strings().title_of(&room, about.title(&room)),
        topic: lang.strings().topic_of(&room, about.topic.to_string()),
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
        suggestions: (kind == PageKind::Latest && !exists(&about, &room, head))
            .then(|| suggest_rooms(state.store.as_ref(), lang, &room)),
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
    /// All rooms, at most [`MAX_READ_MARKERS`].
    all: HashSet<RoomName>,
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
        let visits = state.store.read_markers(identity.id, 0, MAX_READ_MARKERS).await?;
        let all = visits.iter().map(|(room, _)| room.clone()).collect();
        let end = skip.saturating_add(MAX_JOINED_ROOMS);
        let next = (visits.len() > end as usize).then_some(end);
        let page = visits.into_iter().skip(skip as usize).take(MAX_JOINED_ROOMS as usize).collect();
        let joined = Self { all, page, next };
        Ok(if skip == 0 { joined.with(state, &RoomName::lobby(), None) } else { joined })
    }

    /// Adds a room that the page must contain. A room without a read marker counts as read.
    fn with(mut self, state: &AppState, room: &RoomName, read: Option<Seq>) -> Self {
        if self.page.iter().all(|(visited, _)| visited != room) {
            let read = read.unwrap_or_else(|| state.store.heads(std::slice::from_ref(room))[0]);
            self.page.push((room.clone(), read));
            self.all.insert(room.clone());
        }
        self
    }

    /// Returns the page sorted by title, then the rooms that `others` returns. `others` receives the rooms to exclude.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`].
    pub async fn list(
        self,
        state: &AppState,
        identity: Identity,
        lang: Lang,
        others: impl FnOnce(&HashSet<RoomName>) -> Vec<RoomName>,
    ) -> StoreResult<Vec<RoomSummary>> {
        let unread = state.store.unread_counts(identity.id, self.page.clone()).await?;
        let entry = |room, unread, is_joined| room_summary(state, lang, room, unread, is_joined);
        let joined = self.page.into_iter().zip(unread);
        let mut entries: Vec<RoomSummary> =
            joined.map(|((room, read), unread)| RoomSummary { read, ..entry(room, unread, true) }).collect();
        entries.sort_by_cached_key(|entry| (!entry.room.is_lobby(), entry.title.to_lowercase()));
        entries.extend(others(&self.all).into_iter().map(|room| entry(room, 0, false)));
        Ok(entries)
    }
}

/// Returns `true` if a room was created, or has a message. The lobby always exists.
fn exists(about: &RoomInfo, room: &RoomName, head: Seq) -> bool {
    head > 0 || about.title.is_some() || room.is_lobby()
}

fn room_summary(state: &AppState, lang: Lang, room: RoomName, unread: u32, is_joined: bool) -> RoomSummary {
    let about = state.store.room(&room);
    let head = state.store.heads(std::slice::from_ref(&room))[0];
    let title = lang.strings().title_of(&room, about.title(&room));
    let exists = exists(&about, &room, head);
    let (private, read, fresh, counted) = (about.private, head, Vec::new(), 0);
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
    let all = state.store.unread_counts(identity.id, vec![(room.clone(), read)]).await?.pop().unwrap_or(0);
    // The count is capped, so a capped count is reported for the messages before the page, too.
    Ok(if all >= app::wire::limits::MAX_UNREAD_COUNT { all } else { all.saturating_sub(on_page as u32) })
}
