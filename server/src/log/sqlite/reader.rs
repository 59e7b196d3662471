//! Reading: a few connections that cannot write, on threads that may block.

use super::{open::open_reader, sql};
use crate::log::{LogError, LogResult, Page};
use app::wire::{Author, Event, EventBody, Message, PersonId, PersonName, RoomName, Seq};
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
    ) -> BoxFuture<'static, LogResult<T>> {
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

pub(super) fn storage(error: impl std::fmt::Display) -> LogError {
    LogError::Storage(error.to_string())
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
    statement.query_map((room.as_str(), after, limit), |row| event(row).map(Arc::new))?.collect()
}

pub(super) fn before(db: &Connection, room: &RoomName, before: Seq, limit: u32) -> rusqlite::Result<Page> {
    let mut statement = db.prepare_cached(sql::BEFORE)?;
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let one_more = i64::from(limit) + 1;
    let newest_first = statement.query_map((room.as_str(), before, one_more), message)?;
    let mut messages: Vec<Message> = newest_first.collect::<Result<_, _>>()?;
    let more = messages.len() > limit as usize;
    messages.truncate(limit as usize);
    messages.reverse();
    Ok(Page { messages, more })
}

pub(super) fn names(db: &Connection, people: &[PersonId]) -> rusqlite::Result<Vec<PersonName>> {
    people.iter().map(|person| name(db, *person)).collect()
}

/// What `person` is called now.
pub(super) fn name(db: &Connection, person: PersonId) -> rusqlite::Result<PersonName> {
    let mut statement = db.prepare_cached(sql::NAME)?;
    let chosen = statement.query_row([person.0.cast_signed()], |row| parsed(row, 0)).optional()?;
    Ok(chosen.unwrap_or_else(|| PersonName::given(person)))
}

pub(super) fn room_name(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomName> {
    parsed(row, column)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let body = match row.get(5)? {
        kind::MESSAGE => EventBody::Message { text: row.get(6)?, reply_to: row.get(7)? },
        kind::EDIT => EventBody::Edit { target: row.get(8)?, text: row.get(6)? },
        kind::DELETE => EventBody::Delete { target: row.get(8)? },
        _ => EventBody::Unknown,
    };
    let id = Uuid::from_bytes(row.get(2)?);
    Ok(Event { seq: row.get(0)?, at: row.get(1)?, id, author: author(row, 3)?, body })
}

/// A message with what became of it.
fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let mut message = Message {
        seq: row.get(0)?,
        at: row.get(1)?,
        id: Uuid::from_bytes(row.get(2)?),
        author: author(row, 3)?,
        text: row.get(5)?,
        reply_to: row.get(6)?,
        edited_at: None,
        deleted: false,
    };
    if let Some(at) = row.get(7)? {
        match row.get(8)? {
            Some(text) => message.edit(text, at),
            None => message.delete(),
        }
    }
    Ok(message)
}

/// An author's id, and in the next column the name that they chose, if any.
fn author(row: &Row<'_>, column: usize) -> rusqlite::Result<Author> {
    let id = PersonId(row.get::<_, i64>(column)?.cast_unsigned());
    let chosen = row.get_ref(column + 1)?.data_type() != Type::Null;
    let name = if chosen { parsed(row, column + 1)? } else { PersonName::given(id) };
    Ok(Author::new(id, name))
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
