//! The search of a [`SqliteStore`]: an index of FTS5, whose rows are those of the events.

use super::{SqliteStore, WriteCommand, WriteOutput, queries, rows, search_sql as sql};
use crate::{
    limits::network::Network,
    store::{
        IndexStep, MAX_AUTHORS, MAX_EVENTS_SEARCHED, MAX_EXCLUDED_ROOMS, MAX_INDEXED_PER_STEP, MAX_RESULTS,
        SearchHit, SearchPage, SearchQuery, SearchStore, StoreResult, Subject, now,
        search::{
            INDEX_VERSION, Indexed, MAX_HITS_READ, MAX_INDEXED_BYTES, MAX_SEARCH_TIME, Requirement,
            requirements, split_number,
        },
        skeleton,
    },
};
use app::wire::{Millis, RoomName, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use std::{sync::atomic::Ordering, time::Instant};

/// Rows of the first range that a search looks at. Each range is larger than the one before, so that a word that is everywhere
/// is found in the newest rows, and a rare one in few ranges.
const FIRST_RANGE: u64 = 1 << 16;

/// By how much the next range is larger.
const RANGE_GROWTH: u64 = 4;

/// Rows of a range, at most.
const MAX_RANGE: u64 = 1 << 20;

/// The next events, as the index has them.
#[derive(Default)]
pub(super) struct IndexBatch {
    /// The row after which they are.
    pub(super) after: i64,
    /// The last of their rows.
    pub(super) up_to: i64,
    pub(super) messages: Vec<IndexedMessage>,
    /// When the last one was posted.
    at: Millis,
    events: u32,
    more: bool,
}

/// A message on its way into the index.
pub(super) struct IndexedMessage {
    pub(super) row: i64,
    /// Its event: the row of one that was removed is used again.
    pub(super) id: [u8; 16],
    /// Its text when it was read.
    pub(super) text: String,
    /// What the index has of it.
    pub(super) document: String,
}

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search(&self, query: SearchQuery) -> StoreResult<SearchPage> {
        self.readers.read(move |db| search(db, &query)).await
    }

    async fn authors_named(&self, name: &str) -> StoreResult<Vec<UserId>> {
        let (name, number) = split_number(name);
        let key = skeleton::name_key(name);
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_AUTHORS)?;
            let user = |row: &Row<'_>| row.get(0).map(rows::user_id);
            statement.query_map((key, number, MAX_AUTHORS as u32), user)?.collect()
        });
        read.await
    }

    async fn public_room_titled(&self, title: &str) -> StoreResult<Option<RoomName>> {
        let key = skeleton::title_key(title);
        self.readers.read(move |db| queries::room_by_title_skeleton(db, &key)).await
    }

    async fn removed_from(&self, user: UserId, network: Option<Network>) -> StoreResult<Vec<RoomName>> {
        let user = Subject::User(user).to_string();
        let network = network.map(|network| Subject::Network(network).to_string());
        let read = self.readers.read(move |db| {
            let mut statement = db.prepare_cached(sql::SELECT_REMOVED_FROM)?;
            let room = |row: &Row<'_>| rows::room_name(row, 0);
            statement.query_map((user, network, now(), MAX_EXCLUDED_ROOMS as u32), room)?.collect()
        });
        read.await
    }

    async fn index(&self, _: &[RoomName]) -> StoreResult<IndexStep> {
        let batch = self.readers.read(next_batch).await?;
        let (events, more, at) = (batch.events, batch.more, batch.at);
        if events == 0 {
            return self.merge_index().await;
        }
        self.has_unmerged.store(true, Ordering::Relaxed);
        let indexed = self.commit(WriteCommand::Index(Box::new(batch)), |output| match output {
            WriteOutput::Indexed { is_contended, is_full } => Some((is_contended, is_full)),
            _ => None,
        });
        let (is_contended, is_full) = indexed.await?;
        Ok(IndexStep { events, more: more || is_full, is_contended, is_full, age: now().saturating_sub(at) })
    }
}

impl SqliteStore {
    /// Merges a part of the index while nothing else is to do.
    async fn merge_index(&self) -> StoreResult<IndexStep> {
        if !self.has_unmerged.load(Ordering::Relaxed) {
            return Ok(IndexStep::default());
        }
        let merge = self.commit(WriteCommand::MergeIndex, |output| match output {
            WriteOutput::Merged(more) => Some(more),
            _ => None,
        });
        let more = merge.await?;
        self.has_unmerged.store(more, Ordering::Relaxed);
        Ok(IndexStep { more, is_contended: true, ..IndexStep::default() })
    }
}

/// Empties the index if another version of the program has made it.
pub(super) fn prepare_index(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.query_row(sql::SELECT_INDEX_VERSION, [], |row| row.get(0))?;
    if version != INDEX_VERSION {
        transaction.execute(sql::CLEAR_INDEX, [])?;
        transaction.execute(sql::BEGIN_INDEX, [INDEX_VERSION])?;
    }
    transaction.commit()
}

/// An event as it is indexed.
pub(super) struct IndexedRow {
    pub(super) row: i64,
    /// What the index has of it; empty if it has no text.
    pub(super) document: String,
    text: String,
    at: Millis,
    id: [u8; 16],
}

/// Reads an event in the columns of [`SELECT_UNINDEXED`](sql::SELECT_UNINDEXED).
pub(super) fn indexed_row(row: &Row<'_>) -> rusqlite::Result<IndexedRow> {
    let text: Option<String> = row.get(4)?;
    let text = text.unwrap_or_default();
    let room = row.get_ref(1)?.as_str()?;
    let author = rows::user_id(row.get(3)?);
    let document = match text.is_empty() {
        true => String::new(),
        false => Indexed { room, is_private: row.get(2)?, author, text: &text }.document(),
    };
    Ok(IndexedRow { row: row.get(0)?, document, text, at: row.get(5)?, id: row.get(6)? })
}

fn next_batch(db: &Connection) -> rusqlite::Result<IndexBatch> {
    let after: i64 = db.prepare_cached(sql::SELECT_INDEXED)?.query_row([], |row| row.get(0))?;
    let mut batch = IndexBatch { after, up_to: after, ..IndexBatch::default() };
    let mut statement = db.prepare_cached(sql::SELECT_UNINDEXED)?;
    let mut bytes = 0;
    for found in statement.query_map((after, MAX_INDEXED_PER_STEP), indexed_row)? {
        let IndexedRow { row, document, text, at, id } = found?;
        bytes += text.len();
        (batch.up_to, batch.at) = (row, at);
        batch.events += 1;
        if !text.is_empty() {
            batch.messages.push(IndexedMessage { row, id, text, document });
        }
        if bytes >= MAX_INDEXED_BYTES {
            break;
        }
    }
    batch.more = bytes >= MAX_INDEXED_BYTES || batch.events == MAX_INDEXED_PER_STEP;
    Ok(batch)
}

fn search(db: &Connection, query: &SearchQuery) -> rusqlite::Result<SearchPage> {
    let mut page = SearchPage::default();
    let Some(required) = requirements(query) else { return Ok(page) };
    let (required, limit) = (expression(&required), query.limit.min(MAX_RESULTS) as usize);
    let (first, mut end) = range(db, query)?;
    let (mut size, mut searched, mut read) = (FIRST_RANGE, 0, 0);
    let deadline = Instant::now() + MAX_SEARCH_TIME;
    let mut statement = db.prepare_cached(sql::SELECT_HITS)?;
    while end > first {
        if searched >= MAX_EVENTS_SEARCHED || Instant::now() >= deadline {
            page.is_partial = true;
            break;
        }
        let start = first.max(end.saturating_sub_unsigned(size));
        for hit in statement.query_map((&required, start, end), hit)? {
            let hit = hit?;
            let place = (hit.room.clone(), hit.seq);
            if page.hits.len() == limit || read == MAX_HITS_READ {
                return Ok(page);
            }
            read += 1;
            page.add(hit, query);
            page.next = Some(place);
        }
        searched += end.abs_diff(start);
        (end, size) = (start, MAX_RANGE.min(size * RANGE_GROWTH));
    }
    page.next = None;
    Ok(page)
}

/// Returns what FTS5 is asked for.
fn expression(required: &[Requirement]) -> String {
    let phrase = |phrase: &Vec<String>| format!("\"{}\"", phrase.join(" "));
    let any_of = |requirement: &Requirement| {
        let all: Vec<String> = requirement.any_of.iter().map(phrase).collect();
        format!("({})", all.join(" OR "))
    };
    let (excluded, required): (Vec<_>, Vec<_>) = required.iter().partition(|it| it.is_excluded);
    let required: Vec<String> = required.into_iter().map(any_of).collect();
    let excluded = excluded.into_iter().map(|it| format!(" NOT {}", any_of(it))).collect::<String>();
    format!("({}){excluded}", required.join(" AND "))
}

/// Returns the rows to look at: the first one, and the one after the last.
fn range(db: &Connection, query: &SearchQuery) -> rusqlite::Result<(i64, i64)> {
    let last: Option<i64> = db.query_row(super::sql::SELECT_LAST_ROW, [], |row| row.get(0))?;
    let mut end = last.unwrap_or(0) + 1;
    if let Some((room, seq)) = &query.before {
        let mut statement = db.prepare_cached(sql::SELECT_ROW)?;
        let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
        let found = statement.query_row((room.as_str(), seq), |row| row.get(0)).optional()?;
        end = found.unwrap_or(0);
    }
    let until = query.until.map(|until| first_row_at(db, until, end)).transpose()?;
    let since = query.since.map(|since| first_row_at(db, since, end)).transpose()?;
    Ok((since.unwrap_or(0), until.unwrap_or(end)))
}

/// Returns the first row of an event at a time or later, or `end`. Times do not decrease from row to row, but for a clock that
/// was set back.
fn first_row_at(db: &Connection, time: Millis, end: i64) -> rusqlite::Result<i64> {
    let mut statement = db.prepare_cached(sql::SELECT_TIME_FROM)?;
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<Millis> = statement.query_row([middle], |row| row.get(0)).optional()?;
        match at.is_some_and(|at| at < time) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

fn hit(row: &Row<'_>) -> rusqlite::Result<SearchHit> {
    Ok(SearchHit {
        room: rows::room_name(row, 0)?,
        seq: row.get(1)?,
        at: row.get(2)?,
        author: rows::author(row, 3)?,
        text: rows::text(row, 7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        ABANDONED_AFTER, EventStore, NewEvent, ParsedQuery, RetentionStore, SearchScope, Store,
        sqlite::{Options, Synchronous},
    };
    use uuid::Uuid;

    #[tokio::test]
    async fn a_step_without_space_adds_nothing_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hubbub.db");
        let open = |max_bytes| {
            let synchronous = Synchronous::Normal;
            SqliteStore::open_with(&file, Options { synchronous, max_bytes, save_key: &mut |_| Ok(()) })
                .unwrap()
        };
        let store = open(None);
        for n in 0..20 {
            let new =
                NewEvent::message(Uuid::now_v7(), "tea".parse().unwrap(), UserId(1), &format!("tea {n}"));
            store.append(new).await.unwrap();
        }
        store.close().await;
        let store = open(Some(1));
        for _ in 0..3 {
            let step = store.index(&[]).await.unwrap();
            assert!(step.is_full && step.more, "{step:?}");
        }
        store.close().await;
        let store = open(None);
        assert_eq!(store.index(&[]).await.unwrap().events, 20);
    }

    #[tokio::test]
    async fn a_row_that_is_used_again_is_indexed_as_the_event_that_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
        let post = async |room: &RoomName| {
            store.append(NewEvent::message(Uuid::now_v7(), room.clone(), UserId(1), "hello")).await.unwrap();
        };
        let public: RoomName = "tea".parse().unwrap();
        let private: RoomName = format!("p-{}", "0".repeat(32)).parse().unwrap();
        post(&public).await;
        let batch = store.readers.read(next_batch).await.unwrap();
        let later = store.clock().await.unwrap() + 2 * ABANDONED_AFTER;
        while !store.remove_if_abandoned(public.clone(), later).await.unwrap() {}
        post(&private).await;
        store.commit(WriteCommand::Index(Box::new(batch)), |_| Some(())).await.unwrap();
        while store.index(&[]).await.unwrap().more {}
        let found = async |scope: SearchScope| {
            let phrases = ParsedQuery::parse("hello").unwrap().phrases;
            let query = SearchQuery { phrases, scope, limit: 1, ..SearchQuery::default() };
            store.search(query).await.unwrap().hits.len()
        };
        assert_eq!(found(SearchScope { is_public: true, ..SearchScope::default() }).await, 0);
        assert_eq!(found(SearchScope { rooms: vec![private], ..SearchScope::default() }).await, 1);
    }
}
