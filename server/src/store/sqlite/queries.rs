//! The reads of the store, from any connection.

use super::{rows, sql};
use crate::store::{
    JoinedRoom, JoinedRooms, MAX_NAMESAKES, MAX_ROOMS_PER_READ, MessagePage, RoomOrder, RoomQuery,
    RoomRecord, UNREAD_SCAN_EVENTS,
    columns::{kind, position},
    skeleton,
    users::{end_of_prefix, guest},
};
use app::wire::{
    CommandId, DisplayName, Event, Mentions, PageBudget, RoomName, Seq, User, UserId,
    limits::MAX_UNREAD_COUNT,
};
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;
use uuid::Uuid;

pub(super) fn events_after(
    db: &Connection,
    room: &RoomName,
    after: Seq,
    limit: u32,
) -> rusqlite::Result<Vec<Arc<Event>>> {
    let mut statement = db.prepare_cached(sql::SELECT_EVENTS_AFTER)?;
    let mut page = PageBudget::default();
    let event = |row: &Row<'_>| {
        let mut event = rows::event(row)?;
        if let Some(mentions) = event.body.mentions_mut() {
            set_names(db, mentions)?;
        }
        Ok(Arc::new(event))
    };
    let events = statement.query_map((room.as_str(), position(after), limit), event)?;
    let fits = |event: &rusqlite::Result<Arc<Event>>| {
        event.as_ref().map_or(true, |event| page.take(event.json_bytes()))
    };
    events.take_while(fits).collect()
}

/// Returns the id of the command that appended an event, and the event's row.
pub(super) fn event_at(
    db: &Connection,
    room: &RoomName,
    seq: Seq,
) -> rusqlite::Result<Option<(CommandId, i64)>> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let mut statement = db.prepare_cached(sql::SELECT_EVENT_AT)?;
    let found = |row: &Row<'_>| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?));
    statement.query_row((room.as_str(), seq), found).optional()
}

pub(super) fn messages_before(
    db: &Connection,
    room: &RoomName,
    before: Seq,
    limit: u32,
) -> rusqlite::Result<MessagePage> {
    let mut statement = db.prepare_cached(sql::SELECT_MESSAGES_BEFORE)?;
    let one_more = i64::from(limit) + 1;
    let message = |row: &Row<'_>| {
        let mut message = rows::message(row)?;
        set_names(db, &mut message.mentions)?;
        Ok(message)
    };
    let newest_first = statement.query_map((room.as_str(), position(before), one_more), message)?;
    MessagePage::collect(newest_first, limit)
}

/// Returns whether a user has given an emoji to a message, and the position of the event that says so, if there is one.
pub(super) fn last_reaction(
    db: &Connection,
    room: &RoomName,
    target: Seq,
    user: UserId,
    emoji: &str,
) -> rusqlite::Result<(bool, Option<Seq>)> {
    let mut statement = db.prepare_cached(sql::SELECT_LAST_REACTION)?;
    let parameters = (room.as_str(), position(target), user.0.cast_signed(), emoji);
    let found = |row: &Row<'_>| Ok((row.get::<_, i16>(0)? == kind::REACT, Some(row.get(1)?)));
    Ok(statement.query_row(parameters, found).optional()?.unwrap_or((false, None)))
}

/// Sets the present names of those who are mentioned.
pub(super) fn set_names(db: &Connection, mentions: &mut Mentions) -> rusqlite::Result<()> {
    for id in mentions.user_ids() {
        mentions.update_user(&user_or_guest(db, id)?);
    }
    Ok(())
}

/// Returns the only user of a room with a name, as [`UserStore::users_named`](crate::store::UserStore::users_named) does.
pub(super) fn user_named(
    db: &Connection,
    room: &RoomName,
    present: &[UserId],
    name: &str,
) -> rusqlite::Result<Option<UserId>> {
    let mut statement = db.prepare_cached(sql::SELECT_NAMESAKES)?;
    let parameters = (skeleton::name_key(name), room.as_str(), MAX_NAMESAKES + 1);
    let found = statement.query_map(parameters, |row| Ok((rows::user_id(row.get(0)?), row.get(1)?)))?;
    let namesakes: Vec<(UserId, bool)> = found.collect::<Result<_, _>>()?;
    let mut here =
        namesakes.iter().filter(|(id, has_marker)| *has_marker || present.contains(id)).map(|(id, _)| *id);
    let first = here.next().filter(|_| namesakes.len() <= MAX_NAMESAKES as usize);
    Ok(first.filter(|_| here.next().is_none()))
}

/// Returns `true` if a user has a name, or a read marker in a room.
pub(super) fn is_known(db: &Connection, room: &RoomName, id: UserId) -> rusqlite::Result<bool> {
    Ok(user(db, id)?.is_some() || read_marker(db, id, room)?.is_some())
}

pub(super) fn users(db: &Connection, ids: &[UserId]) -> rusqlite::Result<Vec<User>> {
    ids.iter().map(|id| user_or_guest(db, *id)).collect()
}

/// Returns users whose skeletons begin with `prefix`, as [`UserStore::find_users`](crate::store::UserStore::find_users) does.
pub(super) fn find_users(
    db: &Connection,
    prefix: String,
    after: Option<UserId>,
    limit: u32,
) -> rusqlite::Result<Vec<User>> {
    let end = end_of_prefix(&prefix);
    let place = |row: &Row<'_>| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<i64>>(1)?));
    let after = match after {
        Some(after) => {
            let mut statement = db.prepare_cached(sql::SELECT_PLACE_OF_USER)?;
            statement.query_row([after.0.cast_signed()], place).optional()?
        }
        None => None,
    };
    let (skeleton, number) = match after {
        Some((Some(skeleton), Some(number))) if skeleton >= prefix => (skeleton, number),
        _ => (prefix, 0),
    };
    let mut statement = db.prepare_cached(sql::SELECT_USERS_AFTER)?;
    let ids = statement.query_map((skeleton, number, end, limit), |row| Ok(rows::user_id(row.get(0)?)))?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
    users(db, &ids)
}

/// Returns the user, or a guest with a generated name if they have neither chosen one nor posted.
fn user_or_guest(db: &Connection, id: UserId) -> rusqlite::Result<User> {
    if let Some((user, _)) = user(db, id)? {
        return Ok(user);
    }
    let skeleton = skeleton::name_key(DisplayName::generated(id).as_str());
    Ok(guest(id, db.prepare_cached(sql::SELECT_USERS_BY_SKELETON)?.exists([skeleton])?))
}

/// Returns a user who has chosen a name or posted, with the skeleton of their name.
pub(super) fn user(db: &Connection, id: UserId) -> rusqlite::Result<Option<(User, Option<String>)>> {
    let mut statement = db.prepare_cached(sql::SELECT_USER)?;
    let found = |row: &Row<'_>| Ok((rows::named_user(row, 0, id)?, row.get(3)?));
    statement.query_row([id.0.cast_signed()], found).optional()
}

/// Returns the two users of a skeleton with the highest numbers, with those numbers.
pub(super) fn last_two_users(db: &Connection, skeleton: &str) -> rusqlite::Result<Vec<(UserId, u64)>> {
    let mut statement = db.prepare_cached(sql::SELECT_USERS_BY_SKELETON)?;
    let numbered = |row: &Row<'_>| Ok((rows::user_id(row.get(0)?), row.get(1)?));
    statement.query_map([skeleton], numbered)?.collect()
}

pub(super) fn read_markers(
    db: &Connection,
    user: UserId,
    skip: u32,
    limit: u32,
) -> rusqlite::Result<Vec<(RoomName, Seq)>> {
    let mut statement = db.prepare_cached(sql::SELECT_READ_MARKERS)?;
    let marker = |row: &Row<'_>| Ok((rows::room_name(row, 0)?, row.get(1)?));
    statement.query_map((user.0.cast_signed(), limit, skip), marker)?.collect()
}

pub(super) fn read_marker(db: &Connection, user: UserId, room: &RoomName) -> rusqlite::Result<Option<Seq>> {
    let mut statement = db.prepare_cached(sql::SELECT_READ_MARKER)?;
    statement.query_row((user.0.cast_signed(), room.as_str()), |row| row.get(0)).optional()
}

/// Returns a page of the rooms of `user`, then those of `also` that are not among them.
pub(super) fn joined_rooms(
    db: &Connection,
    user: UserId,
    skip: u32,
    limit: u32,
    also: Vec<RoomName>,
) -> rusqlite::Result<JoinedRooms> {
    let mut markers = read_markers(db, user, skip, limit + 1)?;
    let more = markers.len() > limit as usize;
    markers.truncate(limit as usize);
    let mut rooms = Vec::with_capacity(markers.len() + also.len());
    for (room, read) in markers {
        rooms.push(joined_room(db, user, &room, Some(read))?);
    }
    for room in also {
        if !rooms.iter().any(|joined| joined.record.room == room) {
            rooms.push(joined_room(db, user, &room, read_marker(db, user, &room)?)?);
        }
    }
    Ok(JoinedRooms { rooms, more })
}

fn joined_room(
    db: &Connection,
    user: UserId,
    room: &RoomName,
    read: Option<Seq>,
) -> rusqlite::Result<JoinedRoom> {
    let record = room_or_missing(db, room)?;
    let read = read.unwrap_or(record.head);
    let unread = count_unread(db, user, room, read, record.head)?;
    let mentions = if read < record.head { count_mentions(db, user, room, read)? } else { 0 };
    Ok(JoinedRoom { record, read, unread, mentions })
}

/// Returns the latest `seq` of a room, or `None` if the room has no row.
pub(super) fn stored_head(db: &Connection, room: &RoomName) -> rusqlite::Result<Option<Seq>> {
    let mut statement = db.prepare_cached(sql::SELECT_HEAD)?;
    statement.query_row([room.as_str()], |row| row.get(0)).optional()
}

/// Returns a room that has a row.
pub(super) fn room(db: &Connection, name: &RoomName) -> rusqlite::Result<Option<RoomRecord>> {
    let mut statement = db.prepare_cached(sql::SELECT_ROOM)?;
    statement.query_row([name.as_str()], rows::room_record).optional()
}

/// Returns a room, also one without a row.
pub(super) fn room_or_missing(db: &Connection, name: &RoomName) -> rusqlite::Result<RoomRecord> {
    Ok(room(db, name)?.unwrap_or_else(|| RoomRecord::missing(name.clone())))
}

/// Returns the public room whose title has this skeleton.
pub(super) fn room_by_title_skeleton(db: &Connection, key: &str) -> rusqlite::Result<Option<RoomName>> {
    let mut statement = db.prepare_cached(sql::SELECT_ROOM_BY_TITLE_SKELETON)?;
    statement.query_row([key], |row| rows::room_name(row, 0)).optional()
}

/// Returns a list of public rooms.
pub(super) fn list_rooms(db: &Connection, query: &RoomQuery) -> rusqlite::Result<Vec<RoomRecord>> {
    let after = query.after.as_ref();
    let name = after.map_or("", RoomName::as_str);
    let user = query.not_joined_by.map(|user| user.0.cast_signed());
    let limit = query.limit.min(MAX_ROOMS_PER_READ);
    match query.order {
        RoomOrder::Name => {
            let mut statement = db.prepare_cached(sql::LIST_ROOMS_BY_NAME)?;
            statement.query_map((name, user, limit), rows::room_record)?.collect()
        }
        RoomOrder::Title => {
            let sort = after.map(|after| title_sort(db, after)).transpose()?.unwrap_or_default();
            let mut statement = db.prepare_cached(sql::LIST_ROOMS_BY_TITLE)?;
            statement.query_map((sort, name, user, limit), rows::room_record)?.collect()
        }
        RoomOrder::Activity => {
            let at = after.map(|after| active_at(db, after)).transpose()?.unwrap_or(i64::MAX);
            let mut statement = db.prepare_cached(sql::LIST_ROOMS_BY_ACTIVITY)?;
            statement.query_map((at, name, user, limit), rows::room_record)?.collect()
        }
    }
}

/// Returns the text by which lists sort a room; a room that does not exist has the title of its address.
fn title_sort(db: &Connection, room: &RoomName) -> rusqlite::Result<String> {
    let mut statement = db.prepare_cached("SELECT title_sort FROM room WHERE name = ?1")?;
    let stored: Option<Option<String>> = statement.query_row([room.as_str()], |row| row.get(0)).optional()?;
    Ok(stored.flatten().unwrap_or_else(|| room.title().to_lowercase()))
}

/// Returns the time of a room's last event, or of its creation; a room that does not exist is the least recent.
fn active_at(db: &Connection, room: &RoomName) -> rusqlite::Result<i64> {
    let mut statement = db.prepare_cached("SELECT active_at FROM room WHERE name = ?1")?;
    Ok(statement.query_row([room.as_str()], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Counts messages of other users after `after`, among the last [`UNREAD_SCAN_EVENTS`] of the room.
pub(super) fn unread_count(
    db: &Connection,
    user: UserId,
    room: &RoomName,
    after: Seq,
) -> rusqlite::Result<u32> {
    count_unread(db, user, room, after, stored_head(db, room)?.unwrap_or(0))
}

/// Counts the messages after `after` that address a user.
pub(super) fn count_mentions(
    db: &Connection,
    user: UserId,
    room: &RoomName,
    after: Seq,
) -> rusqlite::Result<u32> {
    let mut statement = db.prepare_cached(sql::COUNT_MENTIONS)?;
    let parameters = (user.0.cast_signed(), room.as_str(), position(after), MAX_UNREAD_COUNT);
    statement.query_row(parameters, |row| row.get(0))
}

fn count_unread(
    db: &Connection,
    user: UserId,
    room: &RoomName,
    after: Seq,
    head: Seq,
) -> rusqlite::Result<u32> {
    let from = after.max(head.saturating_sub(UNREAD_SCAN_EVENTS));
    if from >= head {
        return Ok(0);
    }
    let mut statement = db.prepare_cached(sql::COUNT_UNREAD)?;
    let parameters = (room.as_str(), position(from), user.0.cast_signed(), MAX_UNREAD_COUNT);
    statement.query_row(parameters, |row| row.get(0))
}
