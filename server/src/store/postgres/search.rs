//! The search of a [`PostgresStore`]: an index of the words (GIN) whose rows are numbered in their order, so that a search goes
//! back from the newest ones. Late messages are found by ranges of their times, and merged.

use super::{PostgresStore, rows};
use crate::{
    limits::network::Network,
    store::{
        IndexStep, MAX_AUTHORS, MAX_EVENTS_SEARCHED, MAX_EXCLUDED_ROOMS, MAX_RESULTS, SearchHit, SearchPage,
        SearchQuery, SearchStore, StoreResult, Subject,
        search::{MAX_HITS_READ, MAX_SEARCH_TIME, Requirement, requirements, split_number},
        skeleton,
    },
};
use app::wire::{DisplayName, RoomName, Seq, User, UserId, sanitize_for_display};
use async_trait::async_trait;
use deadpool_postgres::Object;
use std::{cmp::Reverse, time::Instant};
use tokio_postgres::Row;

/// Messages that are read at once after the first page, if so many are left out that it is not full.
const MORE_HITS: u32 = 500;

const SEARCH: &str = "
    SELECT f.id, r.name, f.seq, e.at, e.author, u.name, u.ambiguous, u.number, e.text, f.partial,
        e.files IS NOT NULL, f.at
    FROM search_newest($1::text::tsquery, $2, $3, $4, $5, $6, $7, $8) f
    LEFT JOIN room r ON r.id = f.room
    LEFT JOIN event e ON e.room = f.room AND e.seq = f.seq AND e.kind = 0
    LEFT JOIN user_account u ON u.id = e.author";

const SELECT_AUTHORS: &str = "
    SELECT u.id FROM user_account u WHERE u.skeleton = $1 AND ($2::int8 IS NULL OR u.number = $2)
    ORDER BY u.number LIMIT $3";

const SELECT_REMOVED_FROM: &str = "
    SELECT DISTINCT r.name FROM restriction t JOIN room r ON r.id = t.room
    WHERE t.subject IN ($1, $2) AND t.kind = 1 AND (t.until IS NULL OR t.until > now_millis()) LIMIT $3";

#[async_trait]
impl SearchStore for PostgresStore {
    async fn search(&self, query: SearchQuery) -> StoreResult<SearchPage> {
        let Some(required) = requirements(&query) else { return Ok(SearchPage::default()) };
        let words = tsquery(&required);
        self.readers.read_durable(async |client| search(client, &query, &words).await).await
    }

    async fn authors_named(&self, name: &str) -> StoreResult<Vec<UserId>> {
        let (name, number) = split_number(name);
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_AUTHORS).await?;
            let key = skeleton::name_key(name);
            let users = client.query(&statement, &[&key, &number, &(MAX_AUTHORS as i64)]).await?;
            users.iter().map(|row| Ok(rows::user_id(row.try_get(0)?))).collect()
        });
        read.await
    }

    async fn public_room_titled(&self, title: &str) -> StoreResult<Option<RoomName>> {
        let read = self.readers.read(async |client| {
            let select = "SELECT r.name FROM room r WHERE r.title_key = $1";
            let statement = client.prepare_cached(select).await?;
            let found = client.query_opt(&statement, &[&skeleton::title_key(title)]).await?;
            found.map(|row| rows::room_name(row.try_get(0)?)).transpose()
        });
        read.await
    }

    async fn removed_from(&self, user: UserId, network: Option<Network>) -> StoreResult<Vec<RoomName>> {
        let user = Subject::User(user).to_string();
        let network = network.map(|network| Subject::Network(network).to_string());
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_REMOVED_FROM).await?;
            let rooms = client.query(&statement, &[&user, &network, &(MAX_EXCLUDED_ROOMS as i64)]).await?;
            rooms.iter().map(|row| rows::room_name(row.try_get(0)?)).collect()
        });
        read.await
    }

    async fn index(&self, grown: &[RoomName]) -> StoreResult<IndexStep> {
        self.indexer.lock().await.step(grown).await
    }
}

async fn search(client: &Object, query: &SearchQuery, words: &str) -> StoreResult<SearchPage> {
    let (mut page, mut before) = (SearchPage::default(), query.before.clone());
    let limit = query.limit.min(MAX_RESULTS);
    let (mut most, mut read) = (limit + 1, 0);
    let statement = client.prepare_cached(SEARCH).await?;
    let (since, until) = (query.since.map(rows::position), query.until.map(rows::position));
    let (reach, begun) = (rows::position(MAX_EVENTS_SEARCHED), Instant::now());
    loop {
        let (room, seq) = before.as_ref().map(|(room, seq)| (room.as_str(), rows::position(*seq))).unzip();
        let millis = MAX_SEARCH_TIME.saturating_sub(begun.elapsed()).as_millis() as i32;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [&words, &room, &seq, &since, &until, &most.cast_signed(), &reach, &millis];
        let (found, end) = newest(client.query(&statement, &parameters).await?, most as usize);
        for row in &found {
            if page.hits.len() == limit as usize || read == MAX_HITS_READ {
                return Ok(page);
            }
            read += 1;
            // A message of the index that is gone, or that has expired, is no hit.
            let Some((place, hit)) = hit(row)? else { continue };
            if let Some(hit) = hit {
                page.add(hit, query);
            }
            page.next = Some(place);
        }
        if end != RowsEnd::Cut {
            (page.next, page.is_partial) = (None, end == RowsEnd::Partial);
            return Ok(page);
        }
        before.clone_from(&page.next);
        most = MORE_HITS;
    }
}

/// Why the rows of a step end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowsEnd {
    /// There are no more.
    All,
    /// There may be more.
    Cut,
    /// The database gave up.
    Partial,
}

/// Merges the rows of `search_newest`, and returns the newest ones, at most `most`.
fn newest(mut found: Vec<Row>, most: usize) -> (Vec<Row>, RowsEnd) {
    let is_partial = |row: &Row| row.get::<_, bool>(9);
    found.sort_by_cached_key(|row| {
        let (id, at): (i64, i64) = (row.get(0), row.get(11));
        (Reverse(at), is_partial(row), id < 0, Reverse(id))
    });
    let complete = found.iter().position(is_partial).unwrap_or(found.len());
    let end = match complete {
        complete if complete >= most => RowsEnd::Cut,
        complete if complete < found.len() => RowsEnd::Partial,
        _ => RowsEnd::All,
    };
    found.truncate(complete.min(most));
    (found, end)
}

/// Returns what PostgreSQL is asked for.
fn tsquery(required: &[Requirement]) -> String {
    let phrase = |phrase: &Vec<String>| {
        let words: Vec<String> = phrase.iter().map(|word| format!("'{word}'")).collect();
        format!("({})", words.join(" <-> "))
    };
    let any_of = |requirement: &Requirement| {
        let all: Vec<String> = requirement.any_of.iter().map(phrase).collect();
        format!("{}({})", if requirement.is_excluded { "!" } else { "" }, all.join(" | "))
    };
    required.iter().map(any_of).collect::<Vec<_>>().join(" & ")
}

/// Reads the position of a hit, and the message if it has a text.
#[expect(clippy::type_complexity, reason = "a position and a message")]
fn hit(row: &Row) -> StoreResult<Option<((RoomName, Seq), Option<SearchHit>)>> {
    let Some(name) = row.try_get::<_, Option<&str>>(1)? else { return Ok(None) };
    let (room, seq) = (rows::room_name(name)?, rows::number(row, 2)?);
    let place = (room.clone(), seq);
    let Some(text) = row.try_get::<_, Option<&str>>(8)? else { return Ok(Some((place, None))) };
    let id = rows::user_id(row.try_get(4)?);
    let author = match row.try_get::<_, Option<&str>>(5)? {
        Some(name) => rows::named_user(id, name, row.try_get(6)?, row.try_get(7)?),
        None => User::new(id, DisplayName::generated(id)),
    };
    let text = sanitize_for_display(text).into();
    let (at, has_files) = (rows::number(row, 3)?, row.try_get(10)?);
    Ok(Some((place, Some(SearchHit { room, seq, at, author, text, has_files }))))
}
