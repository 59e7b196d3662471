//! Loads the data of a room's page from the store and the hub.

use super::{
    size::{MessageSizes, Viewer, budget, fit_members},
    suggestions::suggest_rooms,
};
use crate::{
    http::identity::Identity,
    hub::presence::Members,
    state::AppState,
    store::{
        JoinedRoom, MAX_READ_MARKERS, MessagePage, RoomInfo, RoomOrder, RoomQuery, RoomRecord, RoomSnapshot,
        ServerRetention, StoreResult, complete_reactions, moderates, now, posting_rules, read_around,
    },
};
use app::{
    RoomRetention,
    i18n::Lang,
    page_data::{PageKind, QuotedMessage, RejectedInput, RoomPage, RoomSummary},
    wire::{Message, Millis, Retention, RoomName, Seq, User, limits},
};
use futures_util::future::try_join_all;

/// Messages after the one that the address points to.
const MESSAGES_AFTER_ANCHOR: Seq = limits::DEFAULT_PAGE_SIZE as Seq / 2;

/// Read messages before the first unread one.
const READ_CONTEXT: Seq = 10;

/// Messages on the newest page at most, if many are unread.
const MAX_UNREAD_PAGE_SIZE: u32 = 300;

/// Messages beside those of a page that it shows in replies, at most. The browser fetches others.
const MAX_SOURCES: usize = 20;

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
    /// Those around the first one that was posted at a time or later, in milliseconds since 1970.
    At(Millis),
}

impl PageAnchor {
    /// Returns whether a page of a room with this head is the newest one, and the message that it highlights.
    fn kind(self, head: Seq) -> (PageKind, Option<Seq>) {
        match self {
            Self::Latest | Self::At(_) => (PageKind::Latest, None),
            Self::Before(seq) if seq > head => (PageKind::Latest, None),
            Self::Before(_) => (PageKind::History, None),
            // Near the end, the newest page shows the message and receives updates.
            Self::Around(seq) if seq.saturating_add(MESSAGES_AFTER_ANCHOR) >= head => {
                (PageKind::Latest, Some(seq))
            }
            Self::Around(seq) => (PageKind::History, Some(seq)),
        }
    }

    /// Returns the number of messages to read together with the room.
    fn snapshot_size(self) -> u32 {
        match self {
            Self::Latest => limits::DEFAULT_PAGE_SIZE,
            Self::Before(_) | Self::Around(_) | Self::At(_) => 0,
        }
    }
}

/// The view of a room's page that a request asks for.
pub struct PageView {
    /// The messages.
    pub anchor: PageAnchor,
    /// The message that the composer replies to.
    pub reply_to: Option<Seq>,
    /// The input of a plain form that was rejected.
    pub rejected: Option<RejectedInput>,
}

/// Loads a room's page for the user, and how long the room keeps its messages.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub async fn load_room_page(
    state: &AppState,
    identity: Identity,
    room: RoomName,
    PageView { anchor, reply_to, rejected }: PageView,
    lang: Lang,
) -> StoreResult<(RoomPage, RoomRetention)> {
    // The socket delivers events after this head again, and the client recognizes those that the page has.
    let RoomSnapshot { record: RoomRecord { head, info, .. }, read, page: newest } =
        state.store.snapshot(&room, identity.id, None, anchor.snapshot_size()).await?;
    state.hub.record_visit(&room, head).await?;
    let anchor = match anchor {
        PageAnchor::At(at) => PageAnchor::Around(find_by_time(state, &room, at, head).await?),
        anchor => anchor,
    };
    let (mut kind, highlighted) = anchor.kind(head);
    let mut page = read_messages(state, &room, anchor, newest, (head, read)).await?;
    complete_reactions(&*state.store, &room, identity.id, &mut page, highlighted).await?;
    let you = state.author_of(identity.id).await;
    let Members { list: mut members, count: member_count } = load_members(state, &room, &you, kind).await;
    let standing = state.standing(identity, Some(&room)).await?;
    let moderates = moderates(Some(&room), &standing);
    let others = RoomQuery::new(RoomOrder::Activity, limits::MAX_LISTED_ROOMS);
    let also = [RoomName::lobby(), room.clone()];
    let RoomList { rooms, .. } = RoomList::load(state, identity, lang, 0, &also, others).await?;
    let mut sizes = MessageSizes::new(Viewer { you: &you, moderates, strings: lang.strings() });
    let mut fit = |page: &mut MessagePage, anchor| {
        fit_members(&mut members, you.id, &rooms, sizes.measure(&page.messages));
        page.keep(budget(&members, &rooms), anchor, |message| sizes.of(message));
    };
    fit(&mut page, highlighted.filter(|_| kind == PageKind::History));
    if let Some(seq) =
        highlighted.filter(|seq| page.more && page.messages.first().is_some_and(|first| *seq < first.seq))
    {
        // Too many messages follow the anchor for one page.
        kind = PageKind::History;
        page = read_around(&*state.store, &room, seq, limits::DEFAULT_PAGE_SIZE).await?;
        complete_reactions(&*state.store, &room, identity.id, &mut page, highlighted).await?;
        fit(&mut page, highlighted);
    }
    let replying_to = read_reply_target(state, &room, reply_to, head).await?;
    let sources = read_sources(state, &room, &page.messages).await?;
    let (mut older_unread, mut suggestions) = (0, None);
    if kind == PageKind::Latest {
        older_unread = count_older_unread(state, identity, &room, read, &page.messages).await?;
        if !exists(&info, &room, head) {
            suggestions = Some(suggest_rooms(state.store.as_ref(), lang, &room).await?);
        }
    }
    let page = RoomPage {
        lang,
        log: state.store.log_id().into(),
        title: lang.strings().title_of(&room, info.title(&room)),
        topic: lang.strings().topic_of(&room, info.topic.to_string()),
        kept_hours: state.hub.kept_hours(&info),
        posting: posting_rules(&room, &standing, now()),
        is_owner: info.owner == Some(identity.id),
        moderates,
        blocked: state.store.blocked(identity.id).await?,
        head,
        read,
        older_unread,
        kind,
        highlighted,
        messages: page.messages,
        more: page.more,
        sources,
        replying_to,
        members,
        member_count,
        rooms,
        suggestions,
        rejected,
        you,
        room,
    };
    Ok((page, room_retention(state, info.retention)))
}

/// Returns how long a room keeps its messages, for the form of its owner.
pub fn room_retention(state: &AppState, own: Option<Retention>) -> RoomRetention {
    let ServerRetention { default, is_limit } = state.hub.retention();
    RoomRetention { own, server: default, is_limit }
}

/// Reads the messages of a page. `newest` are the newest ones, as far as they were read together with the room.
async fn read_messages(
    state: &AppState,
    room: &RoomName,
    anchor: PageAnchor,
    newest: Option<MessagePage>,
    (head, read): (Seq, Option<Seq>),
) -> StoreResult<MessagePage> {
    let (kind, _) = anchor.kind(head);
    let size = page_size(kind, head, read);
    match (kind, anchor) {
        (PageKind::History, PageAnchor::Around(seq)) => read_around(&*state.store, room, seq, size).await,
        (PageKind::History, PageAnchor::Before(seq)) => state.store.messages_before(room, seq, size).await,
        _ => match newest.filter(|newest| !newest.more || size <= anchor.snapshot_size()) {
            Some(newest) => Ok(newest),
            None => state.store.messages_before(room, head + 1, size).await,
        },
    }
}

/// Returns the members of a room, with the user if their page is about to join it.
async fn load_members(state: &AppState, room: &RoomName, you: &User, kind: PageKind) -> Members {
    let mut members = state.hub.members(room, you.id).await;
    if kind == PageKind::Latest && members.list.iter().all(|member| member.id != you.id) {
        members.list.truncate(limits::MAX_LISTED_MEMBERS - 1);
        members.list.push(you.clone());
        members.count += 1;
    }
    members
}

/// Reads the message that the composer replies to; `None` if there is none or it was deleted.
async fn read_reply_target(
    state: &AppState,
    room: &RoomName,
    reply_to: Option<Seq>,
    head: Seq,
) -> StoreResult<Option<(Seq, QuotedMessage)>> {
    let Some(seq) = reply_to.filter(|seq| *seq <= head) else { return Ok(None) };
    Ok(read_source(state, room, seq).await?.filter(|(_, source)| source.excerpt.is_some()))
}

/// Reads the messages that those of a page reply to and that are not on it, the newest [`MAX_SOURCES`] at most.
async fn read_sources(
    state: &AppState,
    room: &RoomName,
    messages: &[Message],
) -> StoreResult<Vec<(Seq, QuotedMessage)>> {
    let Some(first) = messages.first() else { return Ok(Vec::new()) };
    let sources = messages.iter().filter_map(|message| message.reply_to).filter(|seq| *seq < first.seq);
    let mut sources: Vec<Seq> = sources.collect();
    sources.sort_unstable();
    sources.dedup();
    let newest = &sources[sources.len().saturating_sub(MAX_SOURCES)..];
    let read = newest.iter().map(|seq| read_source(state, room, *seq));
    Ok(try_join_all(read).await?.into_iter().flatten().collect())
}

/// Returns the `seq` of the first message at `at` or later, or of the newest one. Halves the room until it is found, so it
/// reads some twenty messages of a room with a million.
async fn find_by_time(state: &AppState, room: &RoomName, at: Millis, head: Seq) -> StoreResult<Seq> {
    let (mut first, mut last) = (1, head);
    while first < last {
        let middle = first + (last - first) / 2;
        let page = state.store.messages_before(room, middle + 1, 1).await?;
        match page.messages.last().filter(|message| message.at >= at) {
            Some(message) => last = message.seq.max(first),
            None => first = middle + 1,
        }
    }
    Ok(first)
}

/// Reads what a reply shows of the message `seq`; `None` if that is not a message.
async fn read_source(
    state: &AppState,
    room: &RoomName,
    seq: Seq,
) -> StoreResult<Option<(Seq, QuotedMessage)>> {
    let page = state.store.messages_before(room, seq.saturating_add(1), 1).await?;
    let source = page.messages.into_iter().find(|message| message.seq == seq);
    Ok(source.map(|message| (seq, message.into())))
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

/// A page of the rooms that the user has joined, and of those that they have not.
pub struct RoomList {
    /// The joined rooms sorted by title, then the other ones.
    pub rooms: Vec<RoomSummary>,
    /// The number of joined rooms before the next page, if there is one.
    pub next: Option<u32>,
}

impl RoomList {
    /// Loads at most [`MAX_JOINED_ROOMS`] rooms of the user, without the first `skip`, and those of `also`; then the
    /// rooms that `others` finds and the user has not joined.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`].
    pub async fn load(
        state: &AppState,
        identity: Identity,
        lang: Lang,
        skip: u32,
        also: &[RoomName],
        others: RoomQuery,
    ) -> StoreResult<Self> {
        let Self { mut rooms, next } = Self::load_joined(state, identity, lang, skip, also).await?;
        // The rooms of `also` may have no read marker.
        let limit = others.limit;
        let others = RoomQuery { not_joined_by: Some(identity.id), limit: limit + also.len(), ..others };
        let mut listed = state.store.list_rooms(others).await?;
        listed.retain(|record| !also.contains(&record.room));
        listed.truncate(limit);
        rooms.extend(listed.into_iter().map(|record| room_summary(lang, record, 0, false)));
        Ok(Self { rooms, next })
    }

    /// Loads at most [`MAX_JOINED_ROOMS`] rooms of the user, without the first `skip`, and those of `also`.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Backend`].
    pub async fn load_joined(
        state: &AppState,
        identity: Identity,
        lang: Lang,
        skip: u32,
        also: &[RoomName],
    ) -> StoreResult<Self> {
        let skip = skip.min(MAX_READ_MARKERS);
        let joined = state.store.joined_rooms(identity.id, skip, MAX_JOINED_ROOMS, also).await?;
        let mut rooms: Vec<RoomSummary> = joined
            .rooms
            .into_iter()
            .map(|JoinedRoom { record, read, unread, mentions }| RoomSummary {
                read,
                mentions,
                ..room_summary(lang, record, unread, true)
            })
            .collect();
        rooms.sort_by_cached_key(|entry| (!entry.room.is_lobby(), entry.title.to_lowercase()));
        Ok(Self { rooms, next: joined.more.then_some(skip + MAX_JOINED_ROOMS) })
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
    RoomSummary {
        title,
        private: info.private,
        room,
        head,
        unread,
        mentions: 0,
        is_joined,
        exists,
        read: head,
        fresh: Vec::new(),
        fresh_mentions: Vec::new(),
        counted: 0,
    }
}

/// Returns the number of unread messages before the first one on the page.
async fn count_older_unread(
    state: &AppState,
    identity: Identity,
    room: &RoomName,
    read: Option<Seq>,
    messages: &[Message],
) -> StoreResult<u32> {
    let (Some(read), Some(first)) = (read, messages.first()) else { return Ok(0) };
    if read + 1 >= first.seq {
        return Ok(0);
    }
    let on_page =
        messages.iter().filter(|message| message.author.id != identity.id && !message.deleted).count();
    let all = state.store.unread_counts(identity.id, &[(room.clone(), read)]).await?.pop().unwrap_or(0);
    // The count is capped, so a capped count is reported for the messages before the page, too.
    Ok(if all >= limits::MAX_UNREAD_COUNT { all } else { all.saturating_sub(on_page as u32) })
}
