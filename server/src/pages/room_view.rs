//! What a page shows, read from the log and the hub.

use super::{
    close_rooms::close_rooms,
    size::{Viewer, budget, fit_members},
};
use crate::{
    http::identity::Identity,
    hub::presence::Members,
    state::AppState,
    store::{About, MAX_VISITS, Page, StoreResult, read_around},
};
use app::{
    i18n::Lang,
    page_data::{PageKind, RejectedInput, RoomPage, RoomSummary},
    wire::{RoomName, Seq, User, limits},
};
use std::collections::HashSet;

/// Messages after the one that a page is opened for.
const AFTER: Seq = limits::DEFAULT_PAGE_SIZE as Seq / 2;

/// Messages that were read before, above the first that is new.
const READ_BEFORE: Seq = 10;

/// Messages on the newest page, where so many are unread.
const UNREAD_PAGE: u32 = 300;

/// Rooms of the user on one page, those used most recently; `/rooms` has the others.
const OWN_ROOMS: u32 = 100;

/// Which messages of a room somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The newest.
    Newest,
    /// Those before a `seq`.
    Before(Seq),
    /// Those around a `seq`.
    Around(Seq),
}

/// A room, as somebody finds it.
///
/// # Errors
/// [`crate::store::StoreError::Storage`].
pub async fn room_page(
    state: &AppState,
    identity: Identity,
    room: RoomName,
    wanted: Wanted,
    lang: Lang,
    rejected: Option<RejectedInput>,
) -> StoreResult<RoomPage> {
    // The head is read first: what is posted between the two reads comes once more over the socket,
    // where it is recognised.
    let head = state.store.heads(std::slice::from_ref(&room))[0];
    let (before, mut kind, highlighted) = match wanted {
        Wanted::Newest => (head + 1, PageKind::Latest, None),
        Wanted::Before(seq) if seq > head => (head + 1, PageKind::Latest, None),
        Wanted::Before(seq) => (seq, PageKind::History, None),
        // Near the end it is the newest page, which goes on.
        Wanted::Around(seq) if seq.saturating_add(AFTER) >= head => (head + 1, PageKind::Latest, Some(seq)),
        Wanted::Around(seq) => (seq.saturating_add(AFTER), PageKind::History, Some(seq)),
    };
    let own = OwnRooms::read(state, identity, 0).await?;
    let read = state.store.read_up_to(identity.id, &room).await?;
    let mut page = match (kind, highlighted) {
        (PageKind::History, Some(seq)) => {
            read_around(&*state.store, &room, seq, limits::DEFAULT_PAGE_SIZE).await?
        }
        _ => state.store.read_before(&room, before, messages_of(kind, head, read)).await?,
    };
    let you = state.author_of(identity.id).await;
    let Members { list: mut members, count: mut member_count } = state.hub.members(&room, you.id);
    if kind == PageKind::Latest && members.iter().all(|member| member.id != you.id) {
        // Who opens the page is about to be here.
        members.truncate(limits::MAX_LISTED_MEMBERS - 1);
        members.push(you.clone());
        member_count += 1;
    }
    let about = state.store.about(&room);
    let is_owner = about.owner == Some(identity.id);
    let others = |own: &HashSet<RoomName>| state.store.lively(own, limits::MAX_LISTED_ROOMS);
    let rooms = own.with(state, &room, read).list(state, identity, lang, others).await?;
    let viewer = Viewer { you: &you, owns: is_owner };
    let anchor = highlighted.filter(|_| kind == PageKind::History);
    let fit = |members: &mut Vec<User>, page: &Page| {
        let longest = page.messages.iter().map(|message| viewer.bytes(message)).max().unwrap_or(0);
        fit_members(members, viewer.you.id, &rooms, longest);
    };
    fit(&mut members, &page);
    page.keep(budget(&members, &rooms), anchor, |message| viewer.bytes(message));
    if let Some(seq) =
        highlighted.filter(|seq| page.more && page.messages.first().is_some_and(|first| *seq < first.seq))
    {
        // Too much follows it for one page.
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
        log: state.store.id().into(),
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
            .then(|| close_rooms(state.store.as_ref(), lang, &room)),
        rejected,
        you,
        room,
    })
}

/// How many messages a page has: the newest one more than others, where so many are unread.
fn messages_of(kind: PageKind, head: Seq, read: Option<Seq>) -> u32 {
    let unread = read.map_or(0, |read| head.saturating_sub(read) + READ_BEFORE);
    match kind {
        PageKind::Latest => {
            u32::try_from(unread).unwrap_or(u32::MAX).clamp(limits::DEFAULT_PAGE_SIZE, UNREAD_PAGE)
        }
        PageKind::History => limits::DEFAULT_PAGE_SIZE,
    }
}

/// The rooms of a user, one page of them in full.
pub struct OwnRooms {
    /// All of them, at most [`MAX_VISITS`].
    all: HashSet<RoomName>,
    /// Those on the page, with their read markers.
    page: Vec<(RoomName, Seq)>,
    /// How many rooms stand before the next page, if there is one.
    pub next: Option<u32>,
}

impl OwnRooms {
    /// Reads at most [`OWN_ROOMS`] rooms of a user without the first `skip`, those used last first. The first page
    /// has the lobby too.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Storage`].
    pub async fn read(state: &AppState, identity: Identity, skip: u32) -> StoreResult<Self> {
        let visits = state.store.visits(identity.id, 0, MAX_VISITS).await?;
        let all = visits.iter().map(|(room, _)| room.clone()).collect();
        let end = skip.saturating_add(OWN_ROOMS);
        let next = (visits.len() > end as usize).then_some(end);
        let page = visits.into_iter().skip(skip as usize).take(OWN_ROOMS as usize).collect();
        let own = Self { all, page, next };
        Ok(if skip == 0 { own.with(state, &RoomName::lobby(), None) } else { own })
    }

    /// Adds a room that the page must have. A room without a read marker counts as read.
    fn with(mut self, state: &AppState, room: &RoomName, read: Option<Seq>) -> Self {
        if self.page.iter().all(|(visited, _)| visited != room) {
            let read = read.unwrap_or_else(|| state.store.heads(std::slice::from_ref(room))[0]);
            self.page.push((room.clone(), read));
            self.all.insert(room.clone());
        }
        self
    }

    /// Returns the page by title, then `others`, which get the rooms that they must not have.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Storage`].
    pub async fn list(
        self,
        state: &AppState,
        identity: Identity,
        lang: Lang,
        others: impl FnOnce(&HashSet<RoomName>) -> Vec<RoomName>,
    ) -> StoreResult<Vec<RoomSummary>> {
        let unread = state.store.unread(identity.id, self.page.clone()).await?;
        let entry = |room, unread, is_joined| entry(state, lang, room, unread, is_joined);
        let joined = self.page.into_iter().zip(unread);
        let mut entries: Vec<RoomSummary> =
            joined.map(|((room, read), unread)| RoomSummary { read, ..entry(room, unread, true) }).collect();
        entries.sort_by_cached_key(|entry| (!entry.room.is_lobby(), entry.title.to_lowercase()));
        entries.extend(others(&self.all).into_iter().map(|room| entry(room, 0, false)));
        Ok(entries)
    }
}

/// Returns whether a room was made, or something was said in it. The lobby always exists.
fn exists(about: &About, room: &RoomName, head: Seq) -> bool {
    head > 0 || about.title.is_some() || room.is_lobby()
}

fn entry(state: &AppState, lang: Lang, room: RoomName, unread: u32, is_joined: bool) -> RoomSummary {
    let about = state.store.about(&room);
    let head = state.store.heads(std::slice::from_ref(&room))[0];
    let title = lang.strings().title_of(&room, about.title(&room));
    let exists = exists(&about, &room, head);
    let (private, read, fresh, counted) = (about.private, head, Vec::new(), 0);
    RoomSummary { title, private, room, head, unread, is_joined, exists, read, fresh, counted }
}

/// What is unread before the page's first message.
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
    let here = messages.iter().filter(|message| message.author.id != identity.id && !message.deleted).count();
    let all = state.store.unread(identity.id, vec![(room.clone(), read)]).await?.pop().unwrap_or(0);
    // Where more are unread than are counted, there are that many before these too.
    Ok(if all >= app::wire::limits::MAX_UNREAD_COUNT { all } else { all.saturating_sub(here as u32) })
}
