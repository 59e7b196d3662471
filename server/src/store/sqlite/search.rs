//! The search of a [`SqliteStore`]: an index of FTS5, whose rows are those of the events. Late messages are older than one that
//! was indexed before them, so their rows say nothing of their times: they have places in the order of time, and a search
//! merges both.

use super::{SqliteStore, WriteCommand, WriteOutput, queries, rows, search_sql as sql};
use crate::{
    limits::network::Network,
    store::{
        IndexStep, MAX_AUTHORS, MAX_EVENTS_SEARCHED, MAX_EXCLUDED_ROOMS, MAX_INDEXED_PER_STEP, MAX_RESULTS,
        SearchHit, SearchPage, SearchQuery, SearchStore, StoreResult, Subject, WriterLoad, now,
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
use std::{cmp::Reverse, sync::atomic::Ordering, time::Instant};

/// Rows of the first range that a search looks at. Each range is larger than the one before, so that a word that is everywhere
/// is found in the newest rows, and a rare one in few ranges.
const FIRST_RANGE: u64 = 1 << 16;

/// The factor by which the next range is larger.
const RANGE_GROWTH: u64 = 4;

/// Rows of a range, at most.
const MAX_RANGE: u64 = 1 << 20;

/// The late messages for each of which the store notes one as a sample.
const PER_SAMPLE: u64 = 4_096;

/// The places that late messages of one millisecond have, as a power of two. Further ones are found by their
/// rows, out of order.
const PLACES_PER_MILLI: u32 = 20;

/// Messages that are looked for at once after the first page, if so many are left out that it is not full.
const MORE_HITS: usize = 500;

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
    /// When it was posted.
    pub(super) at: Millis,
    /// Its event: the row of one that was removed is used again.
    pub(super) id: [u8; 16],
    /// Its text when it was read.
    pub(super) text: String,
    /// Its marks and words in the index.
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
            WriteOutput::Indexed { load, is_full } => Some((load, is_full)),
            _ => None,
        });
        let (load, is_full) = indexed.await?;
        Ok(IndexStep { events, more: more || is_full, load, is_full, age: now().saturating_sub(at) })
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
        Ok(IndexStep { more, load: WriterLoad::Busy, ..IndexStep::default() })
    }
}

/// Empties the index if another version of the program has made it.
pub(super) fn prepare_index(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.query_row(sql::SELECT_INDEX_VERSION, [], |row| row.get(0))?;
    if version != INDEX_VERSION {
        transaction.execute_batch(sql::CLEAR_INDEX)?;
        transaction.execute(sql::BEGIN_INDEX, [INDEX_VERSION])?;
    }
    transaction.commit()
}

/// An event as it is indexed.
pub(super) struct IndexedRow {
    pub(super) row: i64,
    /// Its marks and words in the index; empty if it has no text.
    pub(super) document: String,
    text: String,
    pub(super) at: Millis,
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
        false => {
            Indexed { room, is_private: row.get(2)?, author, text: &text, has_files: row.get(7)? }.document()
        }
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
            batch.messages.push(IndexedMessage { row, at, id, text, document });
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
    let Some((mut rows, mut places)) = parts(db, query)? else { return Ok(page) };
    let mut search = Search { db, words: expression(&required), effort: Effort::new() };
    let limit = query.limit.min(MAX_RESULTS) as usize;
    let (mut most, mut read) = (limit + 1, 0);
    loop {
        let (found, is_cut) = search.newest(&mut rows, &mut places, most)?;
        for hit in found {
            if page.hits.len() == limit || read == MAX_HITS_READ {
                return Ok(page);
            }
            read += 1;
            page.next = Some((hit.room.clone(), hit.seq));
            page.add(hit, query);
        }
        if !is_cut {
            page.next = None;
            page.is_partial = rows.has_ended_early || places.has_ended_early;
            return Ok(page);
        }
        most = MORE_HITS;
    }
}

/// What a search has done.
struct Effort {
    /// Events whose entries it has looked at, about.
    searched: u64,
    deadline: Instant,
}

impl Effort {
    fn new() -> Self {
        Self { searched: 0, deadline: Instant::now() + MAX_SEARCH_TIME }
    }

    fn is_used_up(&self) -> bool {
        self.searched >= MAX_EVENTS_SEARCHED || Instant::now() >= self.deadline
    }
}

/// The messages of the index that are still to be searched: those that are not late by their rows, or the late ones by their
/// places. Both are in the order of time.
#[derive(Clone)]
struct Part {
    is_late: bool,
    /// The first number to look at.
    first: i64,
    /// The number after the last one.
    end: i64,
    /// The first time, and the first one that is too late.
    times: (Millis, Millis),
    /// How many messages the next range has, about.
    size: u64,
    /// The search has ended before the first number.
    has_ended_early: bool,
}

impl Part {
    fn new(is_late: bool, (first, end): (i64, i64), times: (Millis, Millis)) -> Self {
        Self { is_late, first, end, times, size: FIRST_RANGE, has_ended_early: false }
    }

    /// Returns the beginning of the next range.
    fn start(&self, db: &Connection) -> rusqlite::Result<i64> {
        if !self.is_late {
            return Ok(self.first.max(self.end.saturating_sub_unsigned(self.size)));
        }
        let mut statement = db.prepare_cached(sql::SELECT_RANGE_OF_PLACES)?;
        let samples = self.size / PER_SAMPLE - 1;
        let start: Option<i64> = statement.query_row((self.end, samples), |row| row.get(0)).optional()?;
        Ok(start.unwrap_or(self.first).max(self.first))
    }
}

struct Search<'a> {
    db: &'a Connection,
    words: String,
    effort: Effort,
}

impl Search<'_> {
    /// Returns the newest messages of both parts, at most `most`, which are searched then, and whether there may be more.
    fn newest(
        &mut self,
        rows: &mut Part,
        places: &mut Part,
        most: usize,
    ) -> rusqlite::Result<(Vec<SearchHit>, bool)> {
        let (rows_before, places_before) = (rows.clone(), places.clone());
        let mut found = self.next_hits(rows, most, i64::MIN)?;
        // Late messages that are older than all of these are not among the newest ones.
        let is_end_known = found.len() == most || rows.has_ended_early;
        let oldest = found.last().map(|(_, hit)| hit.at).filter(|_| is_end_known);
        let late = match (oldest, rows.has_ended_early) {
            (None, true) => Vec::new(),
            (oldest, _) => self.next_hits(places, most, oldest.map_or(i64::MIN, |at| places_of(at).0))?,
        };
        if places.has_ended_early {
            // What is older may come after late messages that were not looked at.
            found.retain(|(_, hit)| places_of(hit.at).1 >= places.end);
        }
        found.extend(late);
        found.sort_by_key(|(number, hit)| (Reverse(hit.at), *number < 0));
        let is_cut = found.len() >= most;
        if is_cut {
            found.truncate(most);
            let last = |is_late: bool| found.iter().rfind(|(number, _)| (*number < 0) == is_late);
            let (last_row, last_place) = (last(false), last(true));
            rows.end = last_row.map_or(rows_before.end, |(number, _)| *number);
            places.end = last_place.map_or(places_before.end, |(number, _)| *number);
            (rows.has_ended_early, places.has_ended_early) = (false, false);
        }
        Ok((found.into_iter().map(|(_, hit)| hit).collect(), is_cut))
    }

    /// Returns the newest messages of a part that are still to be searched, from a number on and at most `most`, each with its
    /// number. Goes back in ranges that grow.
    fn next_hits(
        &mut self,
        part: &mut Part,
        most: usize,
        first: i64,
    ) -> rusqlite::Result<Vec<(i64, SearchHit)>> {
        let mut found = Vec::new();
        let select = if part.is_late { sql::SELECT_LATE_HITS } else { sql::SELECT_HITS };
        let mut statement = self.db.prepare_cached(select)?;
        let first = first.max(part.first);
        let (since, until) = part.times;
        while part.end > first && found.len() < most {
            if part.is_late && !has_place(self.db, first, part.end)? {
                part.end = first;
                break;
            }
            if self.effort.is_used_up() {
                part.has_ended_early = true;
                break;
            }
            let start = part.start(self.db)?.max(first);
            let left = most - found.len();
            let parameters = (&self.words, start, part.end, since, until, left as u64);
            let hits = statement.query_map(parameters, |row| Ok((row.get(9)?, hit(row)?)))?;
            let hits = hits.collect::<rusqlite::Result<Vec<_>>>()?;
            self.effort.searched += if part.is_late { part.size } else { part.end.abs_diff(start) };
            part.end = match hits.last() {
                Some((number, _)) if hits.len() == left => *number,
                _ => start,
            };
            part.size = MAX_RANGE.min(part.size * RANGE_GROWTH);
            found.extend(hits);
        }
        Ok(found)
    }
}

/// Returns whether there is a late message between two places.
fn has_place(db: &Connection, first: i64, end: i64) -> rusqlite::Result<bool> {
    let mut statement = db.prepare_cached(sql::SELECT_LAST_PLACE)?;
    let last: Option<i64> = statement.query_row([end], |row| row.get(0)).optional()?;
    Ok(last.is_some_and(|last| last >= first))
}

/// Returns the first and the last place of late messages of a millisecond.
pub(super) fn places_of(at: Millis) -> (i64, i64) {
    let places = 1 << PLACES_PER_MILLI;
    // The highest place is negative.
    let at = at.min((1 << (63 - PLACES_PER_MILLI)) - 1).cast_signed();
    let first = i64::MIN + at * places;
    (first, first + (places - 1))
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

/// Returns the messages to look at, those that are not late and the late ones; `None` if they are to be before one that does not
/// exist.
fn parts(db: &Connection, query: &SearchQuery) -> rusqlite::Result<Option<(Part, Part)>> {
    let last: Option<i64> = db.query_row(super::sql::SELECT_LAST_ROW, [], |row| row.get(0))?;
    let (mut end, mut late_end) = (last.unwrap_or(0) + 1, 0);
    let since = query.since.unwrap_or(0).min(i64::MAX as u64);
    let until = query.until.unwrap_or(Millis::MAX).min(i64::MAX as u64);
    let mut before = until;
    if let Some((room, seq)) = &query.before {
        let mut statement = db.prepare_cached(sql::SELECT_CURSOR)?;
        let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
        let cursor = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        match statement.query_row((room.as_str(), seq), cursor).optional()? {
            None => return Ok(None),
            // Of one time, late messages come last.
            Some((_, at, Some(place))) => (late_end, before) = (place, until.min(at)),
            Some((row, at, None)) => (end, late_end) = (row, places_of(at).1 + 1),
        }
    }
    let row = |select: &str, at: Millis| -> rusqlite::Result<Option<i64>> {
        db.prepare_cached(select)?.query_row([at], |row| row.get(0)).optional()
    };
    let first = row(sql::SELECT_ROW_BEFORE, since)?.unwrap_or(0);
    let end = end.min(row(sql::SELECT_ROW_FROM, before)?.unwrap_or(end));
    let late_end = late_end.min(places_of(until).0);
    let rows = Part::new(false, (first, end), (since, before));
    Ok(Some((rows, Part::new(true, (places_of(since).0, late_end), (since, until)))))
}

fn hit(row: &Row<'_>) -> rusqlite::Result<SearchHit> {
    Ok(SearchHit {
        room: rows::room_name(row, 0)?,
        seq: row.get(1)?,
        at: row.get(2)?,
        author: rows::author(row, 3)?,
        text: rows::text(row, 7)?,
        has_files: row.get(8)?,
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
    async fn reused_row_is_indexed_as_the_event_that_now_uses_it() {
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
