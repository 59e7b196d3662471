//! The way of messages into the index of a [`PostgresStore`](super::PostgresStore).

use super::{
    connect::Connector,
    error::{away, causes},
    rows,
    shared::Shared,
};
use crate::store::{
    IndexStep, MAX_INDEXED_PER_STEP, StoreResult, WriterLoad, now,
    search::{FILLER, INDEX_VERSION, Indexed, MAX_INDEXED_BYTES},
};
use app::wire::{Millis, RoomName, UserId};
use deadpool_postgres::{ClientWrapper, Transaction};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write,
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use tokio_postgres::{Error, Row};

/// The longest time that a step may take before its connection is dropped.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time that it may take to list the messages of a database that has no index yet.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Rooms that a step looks at beside those that have grown.
const ROOMS_PER_STEP: i32 = 200;

/// Changed messages that a step indexes again, at most.
const CHANGES_PER_STEP: i64 = 50;

/// The version of an index that is empty and about to begin.
const EMPTY: i64 = -1;

/// The sizes of the ranges of ids that have tokens, as powers of two.
const RANGES: [u32; 3] = [12, 17, 22];

/// The sizes of the ranges of times that have tokens, as powers of two milliseconds.
const TIME_RANGES: [u32; 5] = [16, 21, 26, 31, 36];

/// Milliseconds by which a message may be older than one that is in the index, without being late.
const MAX_DISORDER: i64 = 10_000;

const LOCK_STATE: &str =
    "SELECT s.version, s.next_id, s.last_at, s.next_late FROM search_state s FOR UPDATE SKIP LOCKED";

const CLEAR: &str = "
    TRUNCATE search_message, search_room, search_backlog, search_change;
    UPDATE search_state SET version = -1";

const SELECT_UNINDEXED: &str = "
    SELECT u.id, u.room, u.seq, u.name, u.private, u.author, u.at, u.text, false
    FROM unindexed_events($1, $2, $3) u";

/// Those of some events that have files. A statement of its own: `unindexed_events` also returns what was committed
/// after the statement that calls it has begun, which the rest of that statement does not see.
const SELECT_WITH_FILES: &str = "
    SELECT e.room, e.seq FROM unnest($1::int4[], $2::int8[]) AS u (room, seq)
    JOIN event e ON e.room = u.room AND e.seq = u.seq WHERE e.files IS NOT NULL";

const SELECT_CHANGES: &str = "SELECT c.id, c.room, c.seq FROM search_change c ORDER BY c.id LIMIT $1";

const SELECT_CHANGED: &str = "
    SELECT s.id, e.room, e.seq, r.name, r.private, e.author, e.at, CASE WHEN e.kind = 0 THEN e.text ELSE '' END,
        e.files IS NOT NULL
    FROM search_message s JOIN event e ON e.room = s.room AND e.seq = s.seq JOIN room r ON r.id = e.room
    WHERE s.room = $1 AND s.seq = $2";

/// The connection that indexes. Steps wait for each other.
pub(super) struct Indexer {
    connector: Connector,
    shared: Arc<Shared>,
    client: Option<ClientWrapper>,
    /// Not all rooms were looked at since the start, or since a step had too many events.
    has_unseen_rooms: bool,
}

/// Where the next messages come into the index.
struct NextPlaces {
    /// The id of the next message that is not late.
    id: i64,
    /// The time of the one before it.
    last_at: i64,
    /// The id of the next late message.
    late_id: i64,
}

/// An event that is not in the index.
struct Unindexed {
    /// Its place in the index, if it has one already.
    id: Option<i64>,
    room: i32,
    seq: i64,
    at: i64,
    name: String,
    is_private: bool,
    author: UserId,
    text: String,
    has_files: bool,
}

impl Indexer {
    pub(super) fn new(connector: Connector, shared: Arc<Shared>) -> Self {
        Self { connector, shared, client: None, has_unseen_rooms: true }
    }

    /// Carries out a step of [`SearchStore::index`](crate::store::SearchStore::index).
    pub(super) async fn step(&mut self, grown: &[RoomName]) -> StoreResult<IndexStep> {
        self.shared.history.ensure_current().map_err(|error| away(error.to_string()))?;
        // It comes back only after a step that has succeeded.
        let mut client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().await?,
        };
        let names: Vec<&str> = grown.iter().map(RoomName::as_str).collect();
        let limit = if is_current(&client).await? { STEP_TIMEOUT } else { BEGIN_TIMEOUT };
        let stepped = timeout(limit, step(&mut client, &names)).await;
        let (mut step, is_round_done) = stepped.map_err(|_| away("indexing took too long"))??;
        self.client = Some(client);
        if step.more {
            self.has_unseen_rooms = true;
        } else if is_round_done {
            self.has_unseen_rooms = false;
        }
        step.more |= self.has_unseen_rooms;
        Ok(step)
    }

    async fn connect(&self) -> StoreResult<ClientWrapper> {
        let client = self.connector.connect().await.map_err(|error| away(causes(&error)))?;
        self.shared.history.check(&client).await.map_err(|error| away(causes(&error)))?;
        // What a crash takes from the index is indexed again: the position goes with it.
        client.batch_execute("SET synchronous_commit = off").await?;
        Ok(client)
    }
}

async fn is_current(client: &ClientWrapper) -> Result<bool, Error> {
    let statement = client.prepare_cached("SELECT version FROM search_state").await?;
    let version: i64 = client.query_one(&statement, &[]).await?.try_get(0)?;
    Ok(version == INDEX_VERSION)
}

/// Carries out a step. Returns whether the last room was looked at, too.
async fn step(client: &mut ClientWrapper, grown: &[&str]) -> Result<(IndexStep, bool), Error> {
    let transaction = client.transaction().await?;
    let statement = transaction.prepare_cached(LOCK_STATE).await?;
    // Without the row another server is at it.
    let Some(state) = transaction.query_opt(&statement, &[]).await? else {
        return Ok((IndexStep::default(), true));
    };
    match state.try_get(0)? {
        INDEX_VERSION => {}
        EMPTY => {
            transaction.query_one("SELECT begin_search_index($1)::text", &[&INDEX_VERSION]).await?;
            transaction.commit().await?;
            return Ok((IndexStep { more: true, ..IndexStep::default() }, false));
        }
        _ => {
            transaction.batch_execute(CLEAR).await?;
            transaction.commit().await?;
            return Ok((IndexStep { more: true, ..IndexStep::default() }, false));
        }
    }
    let next = NextPlaces { id: state.try_get(1)?, last_at: state.try_get(2)?, late_id: state.try_get(3)? };
    let (step, is_round_done) = index_next(transaction, next, grown).await?;
    let changed = index_changed(client).await?;
    Ok((IndexStep { more: step.more || changed == CHANGES_PER_STEP as usize, ..step }, is_round_done))
}

/// Indexes the next events, and commits that.
async fn index_next(
    transaction: Transaction<'_>,
    mut next: NextPlaces,
    grown: &[&str],
) -> Result<(IndexStep, bool), Error> {
    let statement = transaction.prepare_cached(SELECT_UNINDEXED).await?;
    let most = MAX_INDEXED_PER_STEP.cast_signed();
    let found = transaction.query(&statement, &[&grown, &ROOMS_PER_STEP, &most]).await?;
    let count = found.len() as u32;
    let mut events = found.iter().map(unindexed).collect::<Result<Vec<_>, Error>>()?;
    let is_cut = cut(&mut events);
    mark_files(&transaction, &mut events).await?;
    // A room continues where its events end, whatever the order in the index is.
    let mut rooms = BTreeMap::<i32, i64>::new();
    for event in events.iter().filter(|event| event.id.is_none()) {
        let last = rooms.entry(event.room).or_default();
        *last = (*last).max(event.seq);
    }
    events.sort_by_key(|event| (event.at, event.room, event.seq));
    let backlog: Vec<i64> = events.iter().filter_map(|event| event.id).collect();
    let newest = events.last().map(|event| rows::unsigned(event.at));
    let (mut ids, mut numbers, mut seqs) = (Vec::<i64>::new(), Vec::<i32>::new(), Vec::<i64>::new());
    let (mut ats, mut words) = (Vec::<i64>::new(), Vec::<String>::new());
    let looked_at = events.len() as u32;
    for event in events.into_iter().filter(|event| !event.text.is_empty()) {
        let (id, at) = next.place(&event);
        ids.push(id);
        numbers.push(event.room);
        seqs.push(event.seq);
        ats.push(at);
        words.push(event.words(id));
    }
    let (room_ids, room_seqs): (Vec<i32>, Vec<i64>) = rooms.into_iter().unzip();
    if looked_at > 0 {
        let index = "SELECT index_messages($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let statement = transaction.prepare_cached(index).await?;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [&ids, &numbers, &seqs, &ats, &words, &next.id, &room_ids, &room_seqs, &backlog];
        transaction.query_one(&statement, &parameters).await?;
    }
    let statement = transaction.prepare_cached("SELECT scanned FROM search_state").await?;
    let scanned: i32 = transaction.query_one(&statement, &[]).await?.try_get(0)?;
    transaction.commit().await?;
    let age: Millis = newest.map_or(0, |at| now().saturating_sub(at));
    let more = is_cut || count == MAX_INDEXED_PER_STEP || !backlog.is_empty();
    // What was there before the index comes in as fast as it can.
    let load = if backlog.is_empty() { WriterLoad::Busy } else { WriterLoad::Idle };
    Ok((IndexStep { events: looked_at, more, age, load, is_full: false }, scanned == 0))
}

/// Sets `has_files` of the events.
async fn mark_files(transaction: &Transaction<'_>, events: &mut [Unindexed]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let (rooms, seqs): (Vec<i32>, Vec<i64>) = events.iter().map(|event| (event.room, event.seq)).unzip();
    let statement = transaction.prepare_cached(SELECT_WITH_FILES).await?;
    let found = transaction.query(&statement, &[&rooms, &seqs]).await?;
    let place = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let with_files = found.iter().map(place).collect::<Result<HashSet<(i32, i64)>, Error>>()?;
    for event in events {
        event.has_files = with_files.contains(&(event.room, event.seq));
    }
    Ok(())
}

/// Indexes messages again whose text has changed. Each is a transaction of its own, so that it never holds two rows for which
/// a writer waits.
async fn index_changed(client: &ClientWrapper) -> Result<usize, Error> {
    let statement = client.prepare_cached(SELECT_CHANGES).await?;
    let changes = client.query(&statement, &[&CHANGES_PER_STEP]).await?;
    for change in &changes {
        let (change_id, room, seq): (i64, i32, i64) =
            (change.try_get(0)?, change.try_get(1)?, change.try_get(2)?);
        let statement = client.prepare_cached(SELECT_CHANGED).await?;
        if let Some(row) = client.query_opt(&statement, &[&room, &seq]).await? {
            let event = unindexed(&row)?;
            let id: i64 = row.try_get(0)?;
            let words = if event.text.is_empty() { String::new() } else { event.words(id) };
            let update = client
                .prepare_cached("UPDATE search_message SET words = $2::text::tsvector WHERE id = $1")
                .await?;
            client.execute(&update, &[&id, &words]).await?;
        }
        let delete = client.prepare_cached("DELETE FROM search_change WHERE id = $1").await?;
        client.execute(&delete, &[&change_id]).await?;
    }
    Ok(changes.len())
}

/// Shortens a step to [`MAX_INDEXED_BYTES`] of text. Returns whether something was left out.
fn cut(events: &mut Vec<Unindexed>) -> bool {
    let mut bytes = 0;
    let fits = events.iter().position(|event| {
        bytes += event.text.len();
        bytes >= MAX_INDEXED_BYTES
    });
    let count = fits.map_or(events.len(), |last| last + 1);
    let is_cut = count < events.len();
    events.truncate(count);
    is_cut
}

fn unindexed(row: &Row) -> Result<Unindexed, Error> {
    Ok(Unindexed {
        id: row.try_get(0)?,
        room: row.try_get(1)?,
        seq: row.try_get(2)?,
        name: row.try_get(3)?,
        is_private: row.try_get(4)?,
        author: rows::user_id(row.try_get(5)?),
        at: row.try_get(6)?,
        text: row.try_get(7)?,
        has_files: row.try_get(8)?,
    })
}

impl NextPlaces {
    /// Returns the id of an event in the index, and the time by which it is found there.
    fn place(&mut self, event: &Unindexed) -> (i64, i64) {
        if let Some(id) = event.id {
            return (id, event.at);
        }
        if event.at.saturating_add(MAX_DISORDER) < self.last_at {
            self.late_id += 1;
            return (self.late_id - 1, event.at);
        }
        self.id += 1;
        self.last_at = self.last_at.max(event.at);
        (self.id - 1, self.last_at)
    }
}

impl Unindexed {
    /// Returns the words with their positions, the marks and the ranges, as a `tsvector` is written.
    fn words(&self, id: i64) -> String {
        let indexed = Indexed {
            room: &self.name,
            is_private: self.is_private,
            author: self.author,
            text: &self.text,
            has_files: self.has_files,
        };
        let mut marks = indexed.marks();
        match id < 0 {
            true => marks.extend(TIME_RANGES.map(|shift| format!("t{shift}:{}", self.at >> shift))),
            false => marks.extend(RANGES.map(|shift| format!("b{shift}:{}", id >> shift))),
        }
        let words = indexed.words();
        let mut places = HashMap::<&str, String>::new();
        for (n, word) in words.iter().enumerate().filter(|(_, word)| *word != FILLER) {
            let places = places.entry(word).or_default();
            let separator = if places.is_empty() { "" } else { "," };
            let _ = write!(places, "{separator}{}", n + 1);
        }
        let mut vector = String::new();
        for mark in marks {
            let _ = write!(vector, "'{mark}' ");
        }
        for (word, places) in places {
            let _ = write!(vector, "'{word}':{places} ");
        }
        vector
    }
}
