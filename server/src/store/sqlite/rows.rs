//! Rows as values.

pub(super) use crate::store::columns::user_id;

use crate::store::{
    RoomInfo, RoomRecord,
    columns::{self, kind},
    reactions::Summary,
    users::user,
};
use app::wire::{
    DisplayName, Event, EventBody, Files, Mentions, Message, Reactions, RoomName, User, UserId,
    sanitize_for_display,
};
use rusqlite::{Row, types::Type};
use std::sync::Arc;
use uuid::Uuid;

/// Reads an event in the columns of [`SELECT_EVENTS_AFTER`](super::sql::SELECT_EVENTS_AFTER).
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let body = match row.get(7)? {
        kind::MESSAGE => {
            let files = files(row, 12)?;
            EventBody::Message {
                text: text(row, 8)?,
                reply_to: row.get(9)?,
                mentions: mentions(row, 11)?,
                files,
            }
        }
        kind::EDIT => {
            EventBody::Edit { target: row.get(10)?, text: text(row, 8)?, mentions: mentions(row, 11)? }
        }
        kind::DELETE => EventBody::Delete { target: row.get(10)? },
        on @ (kind::REACT | kind::UNREACT) => {
            EventBody::React { target: row.get(10)?, emoji: text(row, 8)?, on: on == kind::REACT }
        }
        kind::EXPIRE => EventBody::Expire { up_to: row.get(10)? },
        kind::EXPIRED => EventBody::Expired,
        _ => EventBody::Unknown,
    };
    let id = Uuid::from_bytes(row.get(2)?);
    Ok(Event { seq: row.get(0)?, at: row.get(1)?, id, author: author(row, 3)?, body })
}

/// Reads a message with its last change and its reactions, in the columns of
/// [`SELECT_MESSAGES_BEFORE`](super::sql::SELECT_MESSAGES_BEFORE).
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let mut message = Message {
        seq: row.get(0)?,
        at: row.get(1)?,
        id: Uuid::from_bytes(row.get(2)?),
        author: author(row, 3)?,
        text: text(row, 7)?,
        reply_to: row.get(8)?,
        edited_at: None,
        mentions: mentions(row, 11)?,
        files: files(row, 14)?,
        deleted: false,
        reactions: Reactions::default(),
    };
    if let Some(last) = row.get(12)? {
        message.reactions = Summary::parse(row.get_ref(13)?.as_str()?).into_reactions(last);
    }
    if let Some(at) = row.get(9)? {
        match row.get_ref(10)?.data_type() {
            Type::Null => message.delete(),
            // The event has the present mentions.
            _ => message.edit(text(row, 10)?, message.mentions.clone(), at),
        }
    }
    Ok(message)
}

/// Reads title, topic, owner, private, contested and retention of a room, from `column` on.
pub(super) fn room_info(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomInfo> {
    let title: Option<String> = row.get(column)?;
    let topic: String = row.get(column + 1)?;
    Ok(RoomInfo {
        title: title.and_then(|title| title.parse().ok()),
        topic: topic.parse().unwrap_or_default(),
        owner: row.get::<_, Option<i64>>(column + 2)?.map(user_id),
        private: row.get(column + 3)?,
        contested: row.get(column + 4)?,
        retention: columns::retention(row.get(column + 5)?),
    })
}

/// Reads a room in the columns of [`SELECT_ROOM`](super::sql::SELECT_ROOM).
pub(super) fn room_record(row: &Row<'_>) -> rusqlite::Result<RoomRecord> {
    Ok(RoomRecord { room: room_name(row, 0)?, head: row.get(1)?, info: room_info(row, 2)? })
}

/// Reads the name of a room.
pub(super) fn room_name(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomName> {
    parsed(row, column)
}

/// Reads name, ambiguity and number of a user, from `column` on.
pub(super) fn named_user(row: &Row<'_>, column: usize, id: UserId) -> rusqlite::Result<User> {
    let number: Option<u64> = row.get(column + 2)?;
    Ok(user(id, display_name(row, column, id)?, row.get(column + 1)?, number.unwrap_or(1)))
}

/// Reads the id of an author, and from the next columns their name, ambiguity and number, if they have a name.
pub(super) fn author(row: &Row<'_>, column: usize) -> rusqlite::Result<User> {
    let id = user_id(row.get(column)?);
    if row.get_ref(column + 1)?.data_type() == Type::Null {
        return Ok(User::new(id, DisplayName::generated(id)));
    }
    named_user(row, column + 1, id)
}

/// Reads a name. A name that breaks today's rule counts as none.
fn display_name(row: &Row<'_>, column: usize, id: UserId) -> rusqlite::Result<DisplayName> {
    Ok(row.get_ref(column)?.as_str()?.parse().unwrap_or_else(|_| DisplayName::generated(id)))
}

/// Reads a text without control characters, which an older version may have stored.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    Ok(sanitize_for_display(row.get_ref(column)?.as_str()?).into())
}

/// Reads whom a text addresses, under generated names.
fn mentions(row: &Row<'_>, column: usize) -> rusqlite::Result<Mentions> {
    Ok(columns::mentions(row.get_ref(column)?.as_str_or_null()?))
}

/// Reads the files that a message shows.
fn files(row: &Row<'_>, column: usize) -> rusqlite::Result<Files> {
    Ok(columns::files(row.get_ref(column)?.as_str_or_null()?))
}

/// Parses a text column. A value that breaks its rule means that the file is corrupt.
fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
