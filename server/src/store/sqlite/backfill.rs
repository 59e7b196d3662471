//! Columns of an older file that the program fills in, because it knows the rule for skeletons.

use super::{queries, rows, sql};
use crate::store::{RoomInfo, skeleton};
use app::wire::RoomName;
use rusqlite::Connection;

/// Rooms that one step of the backfill loads.
const ROOMS_PER_STEP: u32 = 500;

/// Fills in the skeletons of names that have none, and numbers the users of each.
pub(super) fn backfill_name_skeletons(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let users: Vec<(i64, String)> = transaction
        .prepare(sql::SELECT_USERS_WITHOUT_SKELETON)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if users.is_empty() {
        return Ok(());
    }
    for (id, name) in users {
        transaction.execute(sql::SET_NAME_SKELETON, (id, skeleton::name_key(&name)))?;
    }
    transaction.execute(sql::NUMBER_ALL_USERS, [])?;
    transaction.commit()
}

/// Fills in the titles of public rooms, as lists sort them and as they must differ. Of rooms that share a title one has
/// its skeleton: the first one by name, and a room with a title of its own before one by its address. A room by its
/// address becomes contested if another room has its title, as it would if it were created now.
pub(super) fn backfill_titles(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if !transaction.prepare(sql::SELECT_ROOM_WITHOUT_TITLE_SORT)?.exists([])? {
        return Ok(());
    }
    for has_title in [true, false] {
        let mut after = String::new();
        loop {
            let rooms: Vec<(RoomName, RoomInfo)> = transaction
                .prepare_cached(sql::SELECT_ROOMS_WITHOUT_TITLE_SORT)?
                .query_map((has_title, &after, ROOMS_PER_STEP), |row| {
                    Ok((rows::room_name(row, 0)?, rows::room_info(row, 1)?))
                })?
                .collect::<Result<_, _>>()?;
            let Some((last, _)) = rooms.last() else { break };
            after = last.to_string();
            for (room, info) in rooms {
                backfill_title(&transaction, &room, info)?;
            }
        }
    }
    transaction.commit()
}

fn backfill_title(db: &Connection, room: &RoomName, mut info: RoomInfo) -> rusqlite::Result<()> {
    let free_key = |info: &RoomInfo| {
        let Some(key) = info.title_key(room) else { return Ok(None) };
        Ok::<_, rusqlite::Error>(queries::room_by_title_skeleton(db, &key)?.is_none().then_some(key))
    };
    let mut key = free_key(&info)?;
    if key.is_none() && info.title.is_none() && !room.is_lobby() {
        info.contested = true;
        key = free_key(&info)?;
    }
    let sort = info.title_sort(room);
    db.prepare_cached(sql::SET_TITLE_COLUMNS)?.execute((room.as_str(), key, info.contested, sort)).map(drop)
}
