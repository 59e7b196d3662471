//! Search: what the index has of a message, and what a query asks of it.
//!
//! - [`tokens`]: the words of a text, the same in both stores.
//! - [`query`]: what a user writes.
//! - [`mod@excerpt`]: where it matches.
//! - [`lag`]: how far the index is behind.
//! - [`marks`]: what the index has of a message beside its words.
//!
//! The index follows the events: [`SearchStore::index`] adds what was posted, some time after its commit. What is edited or
//! deleted or expires leaves the index in the transaction of that change.
//!
//! A message that comes into the index later than newer ones, as from an import, is late: the stores keep these apart in the
//! order of their times, so that a search merges two lists.

mod excerpt;
mod lag;
mod marks;
mod query;
mod tokens;

pub use excerpt::{ExcerptPart, MAX_EXCERPT_CHARS, excerpt, has_phrases};
pub use lag::IndexLag;
pub use query::{Has, MAX_QUERY_BYTES, MAX_QUERY_FILTERS, MAX_QUERY_WORDS, ParsedQuery, Phrase, QueryError};
pub use tokens::MAX_TOKEN_CHARS;

pub(super) use marks::{Indexed, Requirement, requirements};
pub(super) use tokens::FILLER;

use super::StoreResult;
use crate::limits::network::Network;
use app::wire::{Millis, RoomName, Seq, User, UserId};
use async_trait::async_trait;
use marks::has_contents;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Messages that one search returns, at most.
pub const MAX_RESULTS: u32 = 50;

/// Private rooms that one search looks into, at most: those that the user was in last.
pub const MAX_PRIVATE_ROOMS: usize = 200;

/// Rooms from which a user was removed that one search leaves out, at most.
pub const MAX_EXCLUDED_ROOMS: usize = 100;

/// Users of one name whose messages `from:` finds, at most.
pub const MAX_AUTHORS: usize = 20;

/// Messages that the index finds and one search reads, at most: those of blocked users and those of other days are left
/// out then.
pub(super) const MAX_HITS_READ: u32 = 2_000;

/// Events whose entries in the index one search looks at, at most.
pub const MAX_EVENTS_SEARCHED: u64 = 1 << 24;

/// The time for which one search looks for older messages. The search ends with the range of messages that it looks at then.
pub(super) const MAX_SEARCH_TIME: Duration = Duration::from_millis(500);

/// Messages that one step adds to the index, at most.
pub const MAX_INDEXED_PER_STEP: u32 = 250;

/// Bytes of text that one step adds to the index, at most, besides those of its last message.
pub(super) const MAX_INDEXED_BYTES: usize = 128 * 1_024;

/// The version of the tokens and marks. When it changes, the index is built again.
pub(super) const INDEX_VERSION: i64 = 2;

/// A query of the index: names and rooms are known, and the rooms are those that the user may enter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// The phrases that must be in the text.
    pub phrases: Vec<Phrase>,
    /// The contents that the message must have.
    pub has: BTreeSet<Has>,
    /// The author is one of them; `None` for all.
    pub authors: Option<Vec<UserId>>,
    /// The rooms to look into.
    pub scope: SearchScope,
    /// Users whose messages are left out.
    pub blocked: Vec<UserId>,
    /// The first time.
    pub since: Option<Millis>,
    /// The first time that is too late.
    pub until: Option<Millis>,
    /// Only messages that were posted before this one.
    pub before: Option<(RoomName, Seq)>,
    /// The longest answer, at most [`MAX_RESULTS`].
    pub limit: u32,
}

/// The rooms to look into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchScope {
    /// All public rooms.
    pub is_public: bool,
    /// But not these.
    pub excluded: Vec<RoomName>,
    /// These rooms, too.
    pub rooms: Vec<RoomName>,
}

/// A page of search results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// The messages, newest first.
    pub hits: Vec<SearchHit>,
    /// The position at which the next page begins; `None` if there is nothing more.
    pub next: Option<(RoomName, Seq)>,
    /// Older messages were not looked at: there are more than [`MAX_EVENTS_SEARCHED`], or the search took too long.
    pub is_partial: bool,
}

impl SearchPage {
    /// Adds what the index has found, unless the query leaves it out or its text has changed since: the row of the message
    /// decides.
    pub(super) fn add(&mut self, hit: SearchHit, query: &SearchQuery) {
        let is_in_time =
            query.since.is_none_or(|since| hit.at >= since) && query.until.is_none_or(|until| hit.at < until);
        if is_in_time
            && !hit.text.is_empty()
            && !query.blocked.contains(&hit.author.id)
            && has_phrases(&hit.text, &query.phrases)
            && has_contents(&hit, &query.has)
        {
            self.hits.push(hit);
        }
    }
}

/// A message that a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Its room.
    pub room: RoomName,
    /// Its position there.
    pub seq: Seq,
    /// When it was posted.
    pub at: Millis,
    /// Its author.
    pub author: User,
    /// Its present text.
    pub text: Arc<str>,
    /// It shows files.
    pub has_files: bool,
}

/// How busy the writer of a store is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WriterLoad {
    /// No command waits for it.
    #[default]
    Idle,
    /// Commands wait for it.
    Busy,
    /// More is written than the index can follow.
    Flooded,
}

/// The result of a step that adds to the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStep {
    /// Events that were looked at.
    pub events: u32,
    /// There is more to add.
    pub more: bool,
    /// The age of the newest event of the step, in milliseconds.
    pub age: Millis,
    /// How busy the writer was meanwhile.
    pub load: WriterLoad,
    /// There is no space for more.
    pub is_full: bool,
}

/// The index of all messages.
#[async_trait]
pub trait SearchStore: Send + Sync + 'static {
    /// Returns the newest messages that a query finds. Takes time in proportion to the entries of its words in the index, but
    /// at most to those of [`MAX_EVENTS_SEARCHED`]; the entries of rooms that are not in its scope count, but their texts are not
    /// read.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn search(&self, query: SearchQuery) -> StoreResult<SearchPage>;

    /// Returns the users with a name, or one that looks like it; after `#` may stand the number of one of them. Returns at
    /// most [`MAX_AUTHORS`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn authors_named(&self, name: &str) -> StoreResult<Vec<UserId>>;

    /// Returns the public room with a title, or one that looks like it.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn public_room_titled(&self, title: &str) -> StoreResult<Option<RoomName>>;

    /// Returns rooms from which a user or their network was removed, at most [`MAX_EXCLUDED_ROOMS`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn removed_from(&self, user: UserId, network: Option<Network>) -> StoreResult<Vec<RoomName>>;

    /// Adds the next messages to the index, at most [`MAX_INDEXED_PER_STEP`]. Where the stores of several servers share a
    /// database, `grown` are rooms that may have new events; others are found from time to time. A step that is repeated or
    /// carried out by two servers changes nothing the second time.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend); nothing is added then.
    async fn index(&self, grown: &[RoomName]) -> StoreResult<IndexStep>;
}

/// Returns a name without the number after it, and the number.
pub(super) fn split_number(name: &str) -> (&str, Option<i64>) {
    match name.rsplit_once('#').map(|(name, number)| (name, number.parse())) {
        Some((name, Ok(number))) => (name.trim(), Some(number)),
        _ => (name, None),
    }
}
