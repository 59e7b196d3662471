//! The users of a [`PostgresStore`], their read markers and their device links.

use super::{
    PostgresStore,
    event_reads::names,
    queue::Request,
    rows::{self, ROOM_COLUMNS, position},
    sql,
    user_names::select_users,
};
use crate::store::{
    DeviceLinkStore, JoinedRoom, JoinedRooms, LinkError, LinkHash, MAX_FOUND_USERS, MAX_NAMES_PER_READ,
    MAX_NAMESAKES, MAX_ROOMS_PER_READ, MarkerUpdate, PendingCommit, ReadMarkerStore, StoreError, StoreResult,
    TooManyLinks, UNREAD_SCAN_EVENTS, UserStore, skeleton, users::end_of_prefix,
};
use app::wire::{DisplayName, RoomName, Seq, User, UserId, limits::MAX_UNREAD_COUNT};
use async_trait::async_trait;
use std::{sync::atomic::Ordering, time::Duration};
use tokio_postgres::{Row, types::ToSql};

#[async_trait]
impl UserStore for PostgresStore {
    async fn users(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        self.readers.read(async |client| select_users(client, ids).await).await
    }

    async fn users_named(
        &self,
        room: &RoomName,
        present: &[UserId],
        names: &[String],
    ) -> StoreResult<Vec<Option<UserId>>> {
        let present: Vec<i64> = present.iter().map(|id| id.0.cast_signed()).collect();
        let names = &names[..names.len().min(MAX_NAMES_PER_READ)];
        let skeletons: Vec<String> = names.iter().map(|name| skeleton::name_key(name)).collect();
        let (most, limit) = (i64::from(MAX_NAMESAKES), i64::from(MAX_NAMESAKES) + 1);
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_NAMESAKES).await?;
            let rows = client.query(&statement, &[&room.as_str(), &skeletons, &limit, &present]).await?;
            let only = |row: &Row| {
                let (users, here): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                let id: Option<i64> = row.try_get(2)?;
                Ok(id.filter(|_| users <= most && here == 1).map(rows::user_id))
            };
            rows.iter().map(only).collect()
        });
        read.await
    }

    async fn known_users(&self, room: &RoomName, ids: &[UserId]) -> StoreResult<Vec<UserId>> {
        let numbers: Vec<i64> = ids.iter().map(|id| id.0.cast_signed()).collect();
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_KNOWN_USERS).await?;
            let rows = client.query(&statement, &[&room.as_str(), &numbers]).await?;
            rows.iter().map(|row| Ok(rows::user_id(row.try_get(0)?))).collect()
        });
        read.await
    }

    async fn find_users(&self, prefix: &str, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>> {
        let (prefix, limit) = (skeleton::name_key(prefix), i64::from(limit.min(MAX_FOUND_USERS)));
        let (end, after) = (end_of_prefix(&prefix), after.map(|after| after.0.cast_signed()));
        let read = self.readers.read(async |client| {
            let place = client.prepare_cached(sql::SELECT_PLACE_OF_USER).await?;
            let place = client.query_opt(&place, &[&after]).await?;
            let place = place.map(|row| Ok::<_, StoreError>((row.try_get::<_, String>(0)?, row.try_get(1)?)));
            let first = (prefix.clone(), 0_i64);
            let (skeleton, number) = place.transpose()?.filter(|(key, _)| *key >= prefix).unwrap_or(first);
            let statement = client.prepare_cached(sql::SELECT_USERS_AFTER).await?;
            let rows = client.query(&statement, &[&skeleton, &number, &end, &limit]).await?;
            let ids = rows.iter().map(|row| Ok(rows::user_id(row.try_get(0)?)));
            let ids = ids.collect::<StoreResult<Vec<_>>>()?;
            select_users(client, &ids).await
        });
        read.await
    }

    fn names_generation(&self) -> u64 {
        self.shared.names.load(Ordering::Acquire)
    }

    fn set_display_name(&self, user: UserId, name: DisplayName) -> PendingCommit<Vec<User>> {
        self.queue.request(|reply| Request::SetDisplayName(user, name, reply))
    }
}

#[async_trait]
impl ReadMarkerStore for PostgresStore {
    fn set_read_marker(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        self.queue.request(|reply| Request::SetReadMarker(user, room, seq, reply))
    }

    fn mark_unread(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        self.queue.request(|reply| Request::MarkUnread(user, room, seq, reply))
    }

    fn remove_read_marker(&self, user: UserId, room: RoomName) -> PendingCommit<()> {
        self.queue.request(|reply| Request::RemoveReadMarker(user, room, reply))
    }

    async fn read_markers(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<(RoomName, Seq)>> {
        let (user, skip, limit) = (user.0.cast_signed(), i64::from(skip), i64::from(limit));
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_READ_MARKERS).await?;
            let rows = client.query(&statement, &[&user, &limit, &skip]).await?;
            rows.iter().map(|row| Ok((rows::room_name(row.try_get(0)?)?, rows::number(row, 1)?))).collect()
        });
        read.await
    }

    async fn joined_rooms(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
        also: &[RoomName],
    ) -> StoreResult<JoinedRooms> {
        let also = names(&also[..also.len().min(MAX_ROOMS_PER_READ)]);
        let limit = limit.min((MAX_ROOMS_PER_READ - also.len()) as u32);
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_JOINED_ROOMS).await?;
            let parameters: [&(dyn ToSql + Sync); 6] = [
                &user.0.cast_signed(),
                &(i64::from(limit) + 1),
                &i64::from(skip),
                &also,
                &position(UNREAD_SCAN_EVENTS),
                &i64::from(MAX_UNREAD_COUNT),
            ];
            joined_rooms(&client.query(&statement, &parameters).await?, limit as usize)
        });
        read.await
    }

    async fn mention_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        let rooms = &rooms[..rooms.len().min(MAX_ROOMS_PER_READ)];
        let (names, after): (Vec<&str>, Vec<i64>) =
            rooms.iter().map(|(room, after)| (room.as_str(), position(*after))).unzip();
        let (user, most) = (user.0.cast_signed(), i64::from(MAX_UNREAD_COUNT));
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::COUNT_MENTIONS).await?;
            let rows = client.query(&statement, &[&names, &after, &user, &most]).await?;
            rows.iter().map(|row| Ok(rows::number(row, 0)? as u32)).collect()
        });
        read.await
    }

    async fn unread_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        let rooms = &rooms[..rooms.len().min(MAX_ROOMS_PER_READ)];
        let (names, after): (Vec<&str>, Vec<i64>) =
            rooms.iter().map(|(room, after)| (room.as_str(), position(*after))).unzip();
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::COUNT_UNREAD).await?;
            let parameters: [&(dyn ToSql + Sync); 5] = [
                &names,
                &after,
                &user.0.cast_signed(),
                &position(UNREAD_SCAN_EVENTS),
                &i64::from(MAX_UNREAD_COUNT),
            ];
            let rows = client.query(&statement, &parameters).await?;
            rows.iter().map(|row| Ok(rows::number(row, 0)? as u32)).collect()
        });
        read.await
    }
}

/// Reads the rows of [`SELECT_JOINED_ROOMS`](sql::SELECT_JOINED_ROOMS).
fn joined_rooms(rows: &[Row], limit: usize) -> StoreResult<JoinedRooms> {
    let mut page = JoinedRooms::default();
    for row in rows {
        let is_also: bool = row.try_get(ROOM_COLUMNS)?;
        if !is_also && page.rooms.len() == limit {
            page.more = true;
            continue;
        }
        let record = rows::room_or_missing(row)?;
        if is_also && page.rooms.iter().any(|joined| joined.record.room == record.room) {
            continue;
        }
        let read = rows::number(row, ROOM_COLUMNS + 1)?;
        let count = |column| rows::number(row, ROOM_COLUMNS + column).map(|count| count as u32);
        page.rooms.push(JoinedRoom { record, read, unread: count(2)?, mentions: count(3)? });
    }
    Ok(page)
}

#[async_trait]
impl DeviceLinkStore for PostgresStore {
    fn create_device_link(
        &self,
        hash: LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> PendingCommit<Result<(), TooManyLinks>> {
        self.queue.request(|reply| Request::CreateDeviceLink(hash, user, lifetime, reply))
    }

    async fn device_link(&self, hash: LinkHash) -> StoreResult<Result<UserId, LinkError>> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_DEVICE_LINK).await?;
            let row = client.query_opt(&statement, &[&hash.as_slice()]).await?;
            let found = row.map(|row| Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?)));
            Ok(link_user(found.transpose()?))
        });
        read.await
    }

    fn redeem_device_link(&self, hash: LinkHash) -> PendingCommit<Result<UserId, LinkError>> {
        self.queue.request(|reply| Request::RedeemDeviceLink(hash, reply))
    }
}

/// Returns the user of a link that was found, with whether it was used before.
pub(super) fn link_user(found: Option<(i64, bool)>) -> Result<UserId, LinkError> {
    match found {
        None => Err(LinkError::Expired),
        Some((_, true)) => Err(LinkError::Used),
        Some((user, false)) => Ok(rows::user_id(user)),
    }
}
