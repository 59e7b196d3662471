//! Creating and changing rooms: rare, so these are transactions of several round trips. They run one after the other on all
//! servers, so that the rules for titles hold.

use super::{cache::RoomRef, rows, signal::room_payload};
use crate::store::{
    MAX_READ_MARKERS, RoomInfo, RoomRecord, StoreError, StoreResult, rooms::check_title, rules,
};
use app::wire::{RoomName, RoomTitle, Topic, UserId};
use deadpool_postgres::{ClientWrapper, Transaction};
use std::convert::Infallible;
use tokio_postgres::{Error, GenericClient, types::ToSql};

/// The advisory lock under which rooms are created and changed.
const ROOMS_LOCK: i64 = 0x0068_7562_6275_6201;

const SELECT_ROOM_REFS: &str = "SELECT name, id, private FROM room WHERE name = ANY ($1)";

const SELECT_ROOM: &str =
    "SELECT name, title, topic, owner, private, contested, 0::int8, retention FROM room WHERE name = $1";

const INSERT_ROOM: &str = "
    WITH made AS (
        INSERT INTO room (name, title, topic, owner, private, contested, title_key, title_sort, retention)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10) ON CONFLICT (name) DO NOTHING RETURNING id, name, private
    ), active AS (
        INSERT INTO room_activity (room, at)
        SELECT m.id, now_millis() FROM made m WHERE NOT m.private AND m.name <> 'lobby'
    )
    SELECT record_visits(ARRAY[$4::int8], ARRAY[m.id], ARRAY[0::int8], now_millis(), $9)
    FROM made m WHERE $4::int8 IS NOT NULL";

const UPDATE_ROOM: &str = "
    UPDATE room SET title = $2, topic = $3, contested = $4, title_key = $5, title_sort = $6 WHERE name = $1";

/// Returns those of `names` that exist.
pub(super) async fn find_rooms(
    client: &impl GenericClient,
    names: &[&RoomName],
) -> Result<Vec<(RoomName, RoomRef)>, Error> {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let rows = client.query(SELECT_ROOM_REFS, &[&names]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (name, private): (&str, bool) = (row.try_get(0)?, row.try_get(2)?);
        let Ok(name) = name.parse::<RoomName>() else { continue };
        let is_listed = !private && !name.is_lobby();
        found.push((name, RoomRef { id: row.try_get(1)?, is_listed, active_at: None }));
    }
    Ok(found)
}

/// Creates rooms that their first messages bring into being. Leaves those that exist as they are.
pub(super) async fn create_addressed_rooms(
    transaction: &Transaction<'_>,
    names: &[&RoomName],
) -> Result<(), Error> {
    for name in names {
        let mut key = None;
        let _ = RoomInfo::of_first_event::<Infallible>(name, |skeleton| {
            key = Some(skeleton.to_owned());
            Ok(false)
        });
        let is_taken = match key {
            Some(key) => other_with_title(transaction, name, &key).await?.is_some(),
            None => false,
        };
        let Ok(info) = RoomInfo::of_first_event::<Infallible>(name, |_| Ok(is_taken));
        insert_room(transaction, name, &info).await?;
    }
    Ok(())
}

/// Creates a room without events.
pub(super) async fn create_room(
    client: &mut ClientWrapper,
    room: &RoomName,
    info: &RoomInfo,
    is_retry: bool,
) -> Result<StoreResult<()>, Error> {
    let info = RoomInfo { private: info.private || room.is_private(), ..info.clone() };
    let transaction = begin(client).await?;
    match stored_room(&transaction, room).await? {
        // The first attempt has created it, and its answer was lost.
        Some(Ok(stored)) if is_retry && stored.info == info => return Ok(Ok(())),
        Some(_) => return Ok(Err(StoreError::RoomExists)),
        None if room.is_lobby() => return Ok(Err(StoreError::RoomExists)),
        None => {}
    }
    if let Err(taken) = check_free_title(&transaction, room, &info).await? {
        return Ok(Err(taken));
    }
    let owner: Vec<i64> = info.owner.iter().map(|owner| owner.0.cast_signed()).collect();
    if transaction.query_one("SELECT erases($1)", &[&owner]).await?.try_get(0)? {
        return Ok(Err(StoreError::Erased));
    }
    insert_room(&transaction, room, &info).await?;
    transaction.commit().await.map(Ok)
}

/// A change of a room's title and topic.
pub(super) struct RoomUpdate<'a> {
    pub(super) room: &'a RoomName,
    pub(super) user: UserId,
    pub(super) title: &'a RoomTitle,
    pub(super) topic: &'a Topic,
}

/// Changes a room, and notifies the other servers within the transaction.
pub(super) async fn update_room(
    client: &mut ClientWrapper,
    RoomUpdate { room, user, title, topic }: &RoomUpdate<'_>,
    (channel, node): (&str, &str),
) -> Result<StoreResult<()>, Error> {
    let transaction = begin(client).await?;
    let before = match stored_room(&transaction, room).await? {
        Some(Ok(stored)) => stored.info,
        Some(Err(error)) => return Ok(Err(error)),
        None if room.is_lobby() => RoomRecord::missing((*room).clone()).info,
        None => return Ok(Err(StoreError::RoomNotFound)),
    };
    if let Err(refused) = rules::authorize_update(*user, before.owner) {
        return Ok(Err(refused));
    }
    let info = before.with_title((*title).clone(), (*topic).clone());
    if info.title_key(room) != before.title_key(room)
        && let Err(taken) = check_free_title(&transaction, room, &info).await?
    {
        return Ok(Err(taken));
    }
    let key = free_title_key(&transaction, room, &info).await?;
    let title = info.title.as_ref().map(RoomTitle::as_str);
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&room.as_str(), &title, &info.topic.as_str(), &info.contested, &key, &info.title_sort(room)];
    transaction.execute(UPDATE_ROOM, &parameters).await?;
    transaction.execute("SELECT pg_notify($1, $2)", &[&channel, &room_payload(node, room)]).await?;
    transaction.commit().await.map(Ok)
}

/// Begins a transaction that creates or changes rooms, after the others that do.
pub(super) async fn begin(client: &mut ClientWrapper) -> Result<Transaction<'_>, Error> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&ROOMS_LOCK]).await?;
    Ok(transaction)
}

/// Returns a room that exists, without its head.
async fn stored_room(
    transaction: &Transaction<'_>,
    room: &RoomName,
) -> Result<Option<StoreResult<RoomRecord>>, Error> {
    let row = transaction.query_opt(SELECT_ROOM, &[&room.as_str()]).await?;
    Ok(row.map(|row| rows::room_record(&row)))
}

/// Returns a public room other than `room` whose title has this skeleton.
pub(super) async fn other_with_title(
    transaction: &Transaction<'_>,
    room: &RoomName,
    key: &str,
) -> Result<Option<String>, Error> {
    let select = "SELECT name FROM room WHERE title_key = $1 AND name <> $2";
    let statement = transaction.prepare_cached(select).await?;
    let row = transaction.query_opt(&statement, &[&key, &room.as_str()]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn check_free_title(
    transaction: &Transaction<'_>,
    room: &RoomName,
    info: &RoomInfo,
) -> Result<StoreResult<()>, Error> {
    let other = match info.title_key(room) {
        Some(key) => other_with_title(transaction, room, &key).await?,
        None => None,
    };
    let other = other.and_then(|name| name.parse().ok());
    let Ok(checked) = check_title::<Infallible>(room, info, |_| Ok(other));
    Ok(checked)
}

/// Returns the skeleton of the room's title, unless another room has it: one that shows an address which another title
/// copied.
async fn free_title_key(
    transaction: &Transaction<'_>,
    room: &RoomName,
    info: &RoomInfo,
) -> Result<Option<String>, Error> {
    let Some(key) = info.title_key(room) else { return Ok(None) };
    Ok(other_with_title(transaction, room, &key).await?.is_none().then_some(key))
}

pub(super) async fn insert_room(
    transaction: &Transaction<'_>,
    room: &RoomName,
    info: &RoomInfo,
) -> Result<(), Error> {
    let key = free_title_key(transaction, room, info).await?;
    let RoomInfo { title, topic, owner, private, contested, retention } = info;
    let parameters: [&(dyn ToSql + Sync); 10] = [
        &room.as_str(),
        &title.as_ref().map(RoomTitle::as_str),
        &topic.as_str(),
        &owner.map(|owner| owner.0.cast_signed()),
        private,
        contested,
        &key,
        &info.title_sort(room),
        &MAX_READ_MARKERS.cast_signed(),
        &retention.map(|retention| retention.hours().cast_signed()),
    ];
    let statement = transaction.prepare_cached(INSERT_ROOM).await?;
    transaction.query(&statement, &parameters).await.map(drop)
}
