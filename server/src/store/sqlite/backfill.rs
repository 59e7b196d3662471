//! Columns of an older file that the program fills in, because it knows the rule for skeletons.

use super::{rows, sql};
use crate::store::{RoomInfo, skeleton};
use app::wire::RoomName;
use rusqlite::Connection;

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

/// Fills in the skeletons of titles that have none. A room by its address becomes contested if another room has its
/// title, as it would if it were created now.
pub(super) fn backfill_title_skeletons(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if !transaction.prepare(sql::SELECT_ROOMS_WITHOUT_SKELETON)?.exists([])? {
        return Ok(());
    }
    for statement in [sql::SELECT_ROOMS_WITHOUT_SKELETON, sql::SELECT_CONTESTED_ROOMS] {
        let rooms: Vec<(RoomName, RoomInfo)> = transaction
            .prepare(statement)?
            .query_map([], |row| Ok((rows::room_name(row, 0)?, rows::room_info(row, 1)?)))?
            .collect::<Result<_, _>>()?;
        let contested = statement == sql::SELECT_CONTESTED_ROOMS;
        let mut update = transaction.prepare(sql::SET_TITLE_SKELETON)?;
        for (room, info) in rooms {
            let info = RoomInfo { contested, ..info };
            update.execute((room.as_str(), info.title_key(&room).unwrap_or_default(), contested))?;
        }
    }
    transaction.commit()
}
