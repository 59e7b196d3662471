//! Rows as values.

pub(super) use crate::store::columns::{position, user_id};

use crate::store::{
    RoomInfo, RoomRecord, StoreError, StoreResult,
    columns::{self, kind},
    reactions::Summary,
    users::user,
};
use app::wire::{
    DisplayName, Event, EventBody, Files, Mentions, Message, Millis, Reactions, RoomName, User, UserId,
    sanitize_for_display,
};
use std::sync::Arc;
use tokio_postgres::Row;

/// Columns that describe a room, with its head.
pub(super) const ROOM_COLUMNS: usize = 8;

/// Returns a position or time of a column, which is never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Returns a user with the columns of their row. A name that breaks today's rule counts as none.
pub(super) fn named_user(id: UserId, name: &str, ambiguous: bool, number: i64) -> User {
    user(id, name.parse().unwrap_or_else(|_| DisplayName::generated(id)), ambiguous, unsigned(number))
}

/// Reads an event in the columns of [`SELECT_EVENTS_AFTER`](super::sql::SELECT_EVENTS_AFTER).
pub(super) fn event(row: &Row) -> StoreResult<Event> {
    let target = || Ok::<_, StoreError>(unsigned(row.try_get(10)?));
    let body = match row.try_get(7)? {
        kind::MESSAGE => EventBody::Message {
            text: text(row, 8)?,
            reply_to: row.try_get::<_, Option<i64>>(9)?.map(unsigned),
            mentions: mentions(row, 11)?,
            files: files(row, 12)?,
        },
        kind::EDIT => {
            EventBody::Edit { target: target()?, text: text(row, 8)?, mentions: mentions(row, 11)? }
        }
        kind::DELETE => EventBody::Delete { target: target()? },
        on @ (kind::REACT | kind::UNREACT) => {
            EventBody::React { target: target()?, emoji: text(row, 8)?, on: on == kind::REACT }
        }
        kind::EXPIRE => EventBody::Expire { up_to: target()? },
        kind::EXPIRED => EventBody::Expired,
        _ => EventBody::Unknown,
    };
    Ok(Event {
        seq: number(row, 0)?,
        at: number(row, 1)?,
        id: row.try_get(2)?,
        author: author(row, 3)?,
        body,
    })
}

/// Reads a message with its last change, its mentions, its reactions and its files: fifteen columns from `first` on.
pub(super) fn message(row: &Row, first: usize) -> StoreResult<Message> {
    let mut message = Message {
        seq: number(row, first)?,
        at: number(row, first + 1)?,
        id: row.try_get(first + 2)?,
        author: author(row, first + 3)?,
        text: text(row, first + 7)?,
        reply_to: row.try_get::<_, Option<i64>>(first + 8)?.map(unsigned),
        edited_at: None,
        mentions: mentions(row, first + 11)?,
        files: files(row, first + 14)?,
        deleted: false,
        reactions: Reactions::default(),
    };
    if let Some(last) = row.try_get::<_, Option<i64>>(first + 12)? {
        message.reactions = Summary::parse(row.try_get(first + 13)?).into_reactions(unsigned(last));
    }
    if let Some(at) = row.try_get::<_, Option<i64>>(first + 9)? {
        // The event has the present text and its mentions.
        match row.try_get(first + 10)? {
            true => message.delete(),
            false => message.edit(message.text.clone(), message.mentions.clone(), unsigned(at)),
        }
    }
    Ok(message)
}

/// Reads a room: the columns of `room_columns!`.
pub(super) fn room_record(row: &Row) -> StoreResult<RoomRecord> {
    let title: Option<String> = row.try_get(1)?;
    let topic: &str = row.try_get(2)?;
    let info = RoomInfo {
        title: title.and_then(|title| title.parse().ok()),
        topic: topic.parse().unwrap_or_default(),
        owner: row.try_get::<_, Option<i64>>(3)?.map(user_id),
        private: row.try_get(4)?,
        contested: row.try_get(5)?,
        retention: columns::retention(row.try_get::<_, Option<i32>>(7)?.map(i64::from)),
    };
    Ok(RoomRecord { room: room_name(row.try_get(0)?)?, head: number(row, 6)?, info })
}

/// Reads a room that may not exist; its name is there in any case.
pub(super) fn room_or_missing(row: &Row) -> StoreResult<RoomRecord> {
    if row.try_get::<_, Option<&str>>(2)?.is_some() {
        return room_record(row);
    }
    Ok(RoomRecord::missing(room_name(row.try_get(0)?)?))
}

/// Parses the name of a room.
pub(super) fn room_name(name: &str) -> StoreResult<RoomName> {
    name.parse().map_err(StoreError::backend)
}

/// Reads a position or a time.
pub(super) fn number(row: &Row, column: usize) -> StoreResult<Millis> {
    Ok(unsigned(row.try_get(column)?))
}

/// Reads the id of an author, and from the next columns their name, ambiguity and number, if they have a row.
fn author(row: &Row, column: usize) -> StoreResult<User> {
    let id = user_id(row.try_get(column)?);
    Ok(match row.try_get::<_, Option<&str>>(column + 1)? {
        None => User::new(id, DisplayName::generated(id)),
        Some(name) => named_user(id, name, row.try_get(column + 2)?, row.try_get(column + 3)?),
    })
}

/// Reads whom a text addresses, under generated names.
fn mentions(row: &Row, column: usize) -> StoreResult<Mentions> {
    Ok(columns::mentions(row.try_get(column)?))
}

/// Reads the files that a message shows.
fn files(row: &Row, column: usize) -> StoreResult<Files> {
    Ok(columns::files(row.try_get(column)?))
}

fn text(row: &Row, column: usize) -> StoreResult<Arc<str>> {
    Ok(sanitize_for_display(row.try_get(column)?).into())
}
