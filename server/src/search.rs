//! Search for a user: reads the query, finds out which rooms the user may see, searches, and checks again before it shows.

use crate::{
    http::{
        identity::Identity,
        work::{Busy, Priority},
    },
    state::AppState,
    store::{
        ExcerptPart, MAX_EXCLUDED_ROOMS, MAX_PRIVATE_ROOMS, MAX_READ_MARKERS, ParsedQuery, Phrase,
        QueryError, SearchHit, SearchPage, SearchQuery, SearchScope, StoreError, StoreResult, excerpt,
        has_phrases,
    },
};
use app::{
    markup::plain_text,
    wire::{Millis, RoomName, Seq, User, UserId, limits::MAX_MESSAGE_BYTES},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use thiserror::Error;
use tokio::time::{Instant, sleep_until};

/// Results of a page, if nothing else is asked for.
pub const DEFAULT_RESULTS: u32 = 20;

/// A search is answered at a multiple of this time after its beginning. A search of the store usually takes less than half of
/// it, so the time of an answer does not reveal the number of messages that the user may not see.
const ANSWER_STEP: Duration = Duration::from_millis(50);

/// The number of attempts of a search, at most, if it finds rooms that the user may not enter.
const MAX_TRIES: u32 = 3;

/// A message before which a page of results begins.
pub type Before = (RoomName, Seq);

/// The results of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultPage {
    /// The messages, newest first.
    pub results: Vec<SearchResult>,
    /// The message before which the next page begins.
    pub next: Option<Before>,
    /// Older messages were not searched: there are too many.
    pub is_partial: bool,
}

/// A message, as a search shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    /// Its room.
    pub room: RoomName,
    /// The title of the room.
    pub title: String,
    /// Its position.
    pub seq: Seq,
    /// When it was posted.
    pub at: Millis,
    /// Its author.
    pub author: User,
    /// The part of its text that matches.
    pub excerpt: Vec<ExcerptPart>,
}

/// The reason why a search has no answer.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The query cannot be searched for.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread became free.
    #[error("The server is too busy to search.")]
    Busy,
}

impl From<Busy> for SearchError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

/// Searches all messages that the user may see, on the thread for searches. Every answer waits for the next multiple of
/// [`ANSWER_STEP`], off that thread.
///
/// # Errors
/// [`SearchError`].
pub async fn search(
    state: &AppState,
    (identity, priority): (Identity, Priority),
    text: String,
    before: Option<Before>,
    limit: u32,
) -> Result<ResultPage, SearchError> {
    let own = state.clone();
    let searching = async move { find(&own, identity, &text, before, limit).await };
    answer_on_step(state.search_work.run(priority, searching)).await?
}

/// Returns what `work` returns, at the next multiple of [`ANSWER_STEP`] after the call.
async fn answer_on_step<T>(work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    let steps = begun.elapsed().as_millis() / ANSWER_STEP.as_millis() + 1;
    sleep_until(begun + ANSWER_STEP * u32::try_from(steps).unwrap_or(u32::MAX)).await;
    done
}

async fn find(
    state: &AppState,
    identity: Identity,
    text: &str,
    before: Option<Before>,
    limit: u32,
) -> Result<ResultPage, SearchError> {
    let parsed = ParsedQuery::parse(text)?;
    let store = &*state.store;
    let before_room: BTreeSet<RoomName> = before.iter().map(|(room, _)| room.clone()).collect();
    if state.enterable(identity, before_room.clone()).await? != before_room {
        return Ok(ResultPage::default());
    }
    let scope = match parsed.rooms.is_empty() {
        true => everywhere(state, identity).await?,
        false => SearchScope {
            rooms: named_rooms(state, identity, &parsed.rooms).await?,
            ..SearchScope::default()
        },
    };
    let authors = match parsed.from.is_empty() {
        true => None,
        false => Some(named_users(state, identity, &parsed.from).await?),
    };
    let query = SearchQuery {
        phrases: parsed.phrases,
        has: parsed.has,
        authors,
        scope,
        blocked: store.blocked(identity.id).await?,
        since: parsed.since,
        until: parsed.until,
        before,
        limit,
    };
    let phrases = query.phrases.clone();
    let (page, seen) = visible_page(state, identity, query).await?;
    let titles = titles(state, &seen).await?;
    let result = |hit: SearchHit| SearchResult {
        title: titles.get(&hit.room).cloned().unwrap_or_else(|| hit.room.title()),
        excerpt: shown(&hit.text, &phrases),
        room: hit.room,
        seq: hit.seq,
        at: hit.at,
        author: hit.author,
    };
    let results = page.hits.into_iter().map(result).collect();
    Ok(ResultPage { results, next: page.next, is_partial: page.is_partial })
}

/// Returns the part of a text that matches, without markup if nothing of the match is in it, such as in the address of a link.
fn shown(text: &str, phrases: &[Phrase]) -> Vec<ExcerptPart> {
    let plain = plain_text(text, MAX_MESSAGE_BYTES);
    excerpt(if has_phrases(&plain, phrases) { &plain } else { text }, phrases)
}

/// Searches, and leaves out the rooms that the user may not enter after all: a right may have been taken meanwhile, or the user
/// was removed from more than [`MAX_EXCLUDED_ROOMS`]. Returns the page and its rooms.
async fn visible_page(
    state: &AppState,
    identity: Identity,
    mut query: SearchQuery,
) -> StoreResult<(SearchPage, BTreeSet<RoomName>)> {
    let mut tries_left = MAX_TRIES;
    loop {
        let mut page = state.store.search(query.clone()).await?;
        let places = page.hits.iter().map(|hit| &hit.room).chain(page.next.iter().map(|(room, _)| room));
        let rooms: BTreeSet<RoomName> = places.cloned().collect();
        let seen = state.enterable(identity, rooms.clone()).await?;
        if seen == rooms {
            return Ok((page, seen));
        }
        tries_left -= 1;
        if tries_left == 0 {
            page.hits.retain(|hit| seen.contains(&hit.room));
            // The position of a hidden message would reveal that it exists.
            let last = page.hits.last().map(|hit| (hit.room.clone(), hit.seq));
            page.next = page.next.and_then(|next| if seen.contains(&next.0) { Some(next) } else { last });
            return Ok((page, seen));
        }
        query.scope.rooms.retain(|room| seen.contains(room) || !rooms.contains(room));
        query.scope.excluded.extend(rooms.difference(&seen).cloned());
    }
}

/// Returns all public rooms but those from which the user was removed, and the private rooms in which the user has been.
async fn everywhere(state: &AppState, identity: Identity) -> StoreResult<SearchScope> {
    let removed = state.store.removed_from(identity.id, Some(identity.network)).await?;
    let removed: BTreeSet<RoomName> = removed.into_iter().take(MAX_EXCLUDED_ROOMS).collect();
    let private = private_rooms(state, identity).await?;
    let seen = state.enterable(identity, removed.union(&private).cloned().collect()).await?;
    Ok(SearchScope {
        is_public: true,
        excluded: removed.difference(&seen).cloned().collect(),
        rooms: private.intersection(&seen).cloned().collect(),
    })
}

/// Returns the rooms with these names or titles that the user may enter. One that the user may not enter is like one that does
/// not exist.
async fn named_rooms(state: &AppState, identity: Identity, names: &[String]) -> StoreResult<Vec<RoomName>> {
    let mut found = BTreeSet::new();
    let mut own = None;
    for name in names {
        let known: Option<RoomName> = name.to_lowercase().parse().ok();
        if let Some(room) = known {
            found.insert(room);
        }
        found.extend(state.store.public_room_titled(name).await?);
        // Private rooms have titles that others may have, too.
        if own.is_none() {
            own = Some(titles(state, &private_rooms(state, identity).await?).await?);
        }
        let titled = own.iter().flatten().filter(|(_, title)| title.to_lowercase() == name.to_lowercase());
        found.extend(titled.map(|(room, _)| room.clone()));
    }
    Ok(state.enterable(identity, found).await?.into_iter().collect())
}

/// Returns the private rooms in which the user has been, at most [`MAX_PRIVATE_ROOMS`]: those whose messages the index does not
/// show to every user. An imported room may be on no list and have an ordinary name.
async fn private_rooms(state: &AppState, identity: Identity) -> StoreResult<BTreeSet<RoomName>> {
    let markers = state.store.read_markers(identity.id, 0, MAX_READ_MARKERS).await?;
    let visited: Vec<RoomName> = markers.into_iter().map(|(room, _)| room).collect();
    let records = state.store.rooms(&visited).await?;
    let private = records.into_iter().filter(|record| record.info.private || record.room.is_private());
    Ok(private.map(|record| record.room).take(MAX_PRIVATE_ROOMS).collect())
}

async fn titles(state: &AppState, rooms: &BTreeSet<RoomName>) -> StoreResult<BTreeMap<RoomName, String>> {
    let rooms: Vec<RoomName> = rooms.iter().cloned().collect();
    let records = state.store.rooms(&rooms).await?;
    Ok(records.into_iter().map(|record| (record.room.clone(), record.title())).collect())
}

/// Returns the users with these names; `me` is the user who asks.
async fn named_users(state: &AppState, identity: Identity, names: &[String]) -> StoreResult<Vec<UserId>> {
    let mut found = BTreeSet::new();
    for name in names {
        let name = name.trim_start_matches('@');
        if name.eq_ignore_ascii_case("me") {
            found.insert(identity.id);
        }
        found.extend(state.store.authors_named(name).await?);
    }
    Ok(found.into_iter().collect())
}

/// Reads the position of a message, as [`before_text`] writes it.
pub fn parse_before(text: &str) -> Option<Before> {
    let (room, seq) = text.rsplit_once('.')?;
    Some((room.parse().ok()?, seq.parse().ok()?))
}

/// Writes the position of a message.
pub fn before_text((room, seq): &Before) -> String {
    format!("{room}.{seq}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn answers_come_on_steps() {
        for (work, answer) in [(0, 50), (1, 50), (49, 50), (50, 100), (120, 150), (2_000, 2_050)] {
            let begun = Instant::now();
            answer_on_step(sleep(Duration::from_millis(work))).await;
            assert_eq!(begun.elapsed(), Duration::from_millis(answer), "{work}");
        }
    }
}
