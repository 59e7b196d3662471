//! Reading: a few connections that cannot write, on threads that may block.

use super::{schema::open_reader, sql};
use crate::store::{About, Page, StoreError, StoreResult, UNREAD_MOST, author, guest, skeleton};
use app::wire::{
    CommandId, DisplayName, Event, EventBody, Message, PageBudget, RoomName, Seq, User, UserId,
    sanitize_for_display,
};
use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::{Connection, OptionalExtension, Row, types::Type};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How many reads run at once; more wait. A read takes well under a millisecond.
const READERS: usize = 4;

/// The connections that read.
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    path: PathBuf,
    turns: Semaphore,
    /// Connections that nobody uses now; none once the log is closed. Sections under this lock are
    /// short and never wait.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::new(Inner {
            path: path.into(),
            turns: Semaphore::new(READERS),
            idle: Mutex::new(Some(Vec::new())),
        }))
    }

    /// Closes what nobody uses now, and the others as soon as they are done.
    pub(super) fn close(&self) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, StoreResult<T>> {
        let inner = self.0.clone();
        async move {
            let _turn = inner.turns.acquire().await.map_err(storage)?;
            let worker = inner.clone();
            tokio::task::spawn_blocking(move || worker.run(query)).await.map_err(storage)?.map_err(storage)
        }
        .boxed()
    }
}

impl Inner {
    fn run<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().as_mut().and_then(Vec::pop);
        let connection = waiting.map_or_else(|| open_reader(&self.path), Ok)?;
        let found = query(&connection);
        if let Some(idle) = idle().as_mut() {
            idle.push(connection);
        }
        found
    }
}

pub(super) fn storage(error: impl std::fmt::Display) -> StoreError {
    StoreError::Storage(error.to_string())
}

/// How the kinds of events are stored.
pub(super) mod kind {
    pub(in super::super) const MESSAGE: i64 = 0;
    pub(in super::super) const EDIT: i64 = 1;
    pub(in super::super) const DELETE: i64 = 2;
}

pub(super) fn after(
    db: &Connection,
    room: &RoomName,
    after: Seq,
    limit: u32,
) -> rusqlite::Result<Vec<Arc<Event>>> {
    let mut statement = db.prepare_cached(sql::AFTER)?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut page = PageBudget::default();
    let events = statement.query_map((room.as_str(), after, limit), |row| event(row).map(Arc::new))?;
    let fits = |event: &rusqlite::Result<Arc<Event>>| {
        event.as_ref().map_or(true, |event| page.take(event.json_bytes()))
    };
    events.take_while(fits).collect()
}

/// The command that made the event at a place, and its row.
pub(super) fn event_at(
    db: &Connection,
    room: &RoomName,
    seq: Seq,
) -> rusqlite::Result<Option<(CommandId, i64)>> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let mut statement = db.prepare_cached(sql::EVENT_AT)?;
    let found = |row: &Row<'_>| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?));
    statement.query_row((room.as_str(), seq), found).optional()
}

pub(super) fn before(db: &Connection, room: &RoomName, before: Seq, limit: u32) -> rusqlite::Result<Page> {
    let mut statement = db.prepare_cached(sql::BEFORE)?;
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let one_more = i64::from(limit) + 1;
    Page::collect(statement.query_map((room.as_str(), before, one_more), message)?, limit)
}

pub(super) fn people(db: &Connection, people: &[UserId]) -> rusqlite::Result<Vec<User>> {
    people.iter().map(|person| person_or_given(db, *person)).collect()
}

/// Returns the user, under their given name if they have said nothing yet.
fn person_or_given(db: &Connection, id: UserId) -> rusqlite::Result<User> {
    if let Some((known, _)) = person(db, id)? {
        return Ok(known);
    }
    let key = skeleton::name_key(DisplayName::generated(id).as_str());
    Ok(guest(id, db.prepare_cached(sql::BY_KEY)?.exists([key])?))
}

/// Returns a user who has a name or has said something, with the key of their name.
pub(super) fn person(db: &Connection, id: UserId) -> rusqlite::Result<Option<(User, Option<String>)>> {
    let mut statement = db.prepare_cached(sql::PERSON)?;
    let known = |row: &Row<'_>| Ok((named(row, 0, id)?, row.get(3)?));
    statement.query_row([id.0.cast_signed()], known).optional()
}

/// The user whose name, ambiguity and number stand from `column` on.
fn named(row: &Row<'_>, column: usize, id: UserId) -> rusqlite::Result<User> {
    let number: Option<u64> = row.get(column + 2)?;
    Ok(author(id, name(row, column, id)?, row.get(column + 1)?, number.unwrap_or(1)))
}

/// A name; one that no longer obeys the rule counts as none.
fn name(row: &Row<'_>, column: usize, id: UserId) -> rusqlite::Result<DisplayName> {
    Ok(row.get_ref(column)?.as_str()?.parse().unwrap_or_else(|_| DisplayName::generated(id)))
}

/// Returns the two users of `key` with the highest numbers, with those numbers.
pub(super) fn two_by_key(db: &Connection, key: &str) -> rusqlite::Result<Vec<(UserId, u64)>> {
    let mut statement = db.prepare_cached(sql::BY_KEY)?;
    let user = |row: &Row<'_>| Ok((UserId(row.get::<_, i64>(0)?.cast_unsigned()), row.get(1)?));
    statement.query_map([key], user)?.collect()
}

pub(super) fn visits(
    db: &Connection,
    person: UserId,
    skip: u32,
    most: u32,
) -> rusqlite::Result<Vec<(RoomName, Seq)>> {
    let mut statement = db.prepare_cached(sql::VISITS)?;
    let which = (person.0.cast_signed(), most, skip);
    statement.query_map(which, |row| Ok((room_name(row, 0)?, row.get(1)?)))?.collect()
}

pub(super) fn read_up_to(db: &Connection, person: UserId, room: &RoomName) -> rusqlite::Result<Option<Seq>> {
    let mut statement = db.prepare_cached(sql::READ_UP_TO)?;
    statement.query_row((person.0.cast_signed(), room.as_str()), |row| row.get(0)).optional()
}

pub(super) fn unread(db: &Connection, person: UserId, room: &RoomName, after: Seq) -> rusqlite::Result<u32> {
    let mut statement = db.prepare_cached(sql::UNREAD)?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    statement.query_row((room.as_str(), after, person.0.cast_signed(), UNREAD_MOST), |row| row.get(0))
}

/// What is known about a room: title, topic, owner, private, contested.
pub(super) fn about(row: &Row<'_>, column: usize) -> rusqlite::Result<About> {
    let title: Option<String> = row.get(column)?;
    let topic: String = row.get(column + 1)?;
    let owner: Option<i64> = row.get(column + 2)?;
    Ok(About {
        title: title.and_then(|title| title.parse().ok()),
        topic: topic.parse().unwrap_or_default(),
        owner: owner.map(|owner| UserId(owner.cast_unsigned())),
        private: row.get(column + 3)?,
        contested: row.get(column + 4)?,
    })
}

pub(super) fn room_name(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomName> {
    parsed(row, column)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let body = match row.get(7)? {
        kind::MESSAGE => EventBody::Message { text: text(row, 8)?, reply_to: row.get(9)? },
        kind::EDIT => EventBody::Edit { target: row.get(10)?, text: text(row, 8)? },
        kind::DELETE => EventBody::Delete { target: row.get(10)? },
        _ => EventBody::Unknown,
    };
    let id = Uuid::from_bytes(row.get(2)?);
    Ok(Event { seq: row.get(0)?, at: row.get(1)?, id, author: author_of(row, 3)?, body })
}

/// A text as it is sent: one that was stored before texts were tidied may have control characters.
fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    Ok(sanitize_for_display(row.get_ref(column)?.as_str()?).into())
}

/// A message with what became of it.
fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let mut message = Message {
        seq: row.get(0)?,
        at: row.get(1)?,
        id: Uuid::from_bytes(row.get(2)?),
        author: author_of(row, 3)?,
        text: text(row, 7)?,
        reply_to: row.get(8)?,
        edited_at: None,
        deleted: false,
    };
    if let Some(at) = row.get(9)? {
        match row.get_ref(10)?.data_type() {
            Type::Null => message.delete(),
            _ => message.edit(text(row, 10)?, at),
        }
    }
    Ok(message)
}

/// An author's id, and in the next columns their name, if any, whether it is ambiguous, and their number.
fn author_of(row: &Row<'_>, column: usize) -> rusqlite::Result<User> {
    let id = UserId(row.get::<_, i64>(column)?.cast_unsigned());
    if row.get_ref(column + 1)?.data_type() == Type::Null {
        return Ok(User::new(id, DisplayName::generated(id)));
    }
    named(row, column + 1, id)
}

/// A text column that obeys a rule; one that does not is a damaged file.
fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
