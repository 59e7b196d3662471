//! Loads what the administrator sees of the whole server.

use super::ManageQuery;
use crate::{
    state::AppState,
    store::{EntryRequest, RoomMode, RoomOrder, RoomQuery, RoomRecord, StoreResult},
};
use app::{
    i18n::Lang,
    pages::{RoomRow, ServerLimits, ServerOverview},
    wire::{Millis, RoomName, UserId},
};
use futures_util::future::try_join_all;

/// Rooms on one page. Of each its newest message is read.
const MAX_ROOMS: usize = 25;

/// Users on one page.
const MAX_USERS: usize = 50;

/// Characters of a name that are searched for.
const MAX_SEARCH_CHARS: usize = 64;

/// Loads a page of the rooms and one of the users, and the limits, for the administrator.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub(super) async fn load_overview(
    state: &AppState,
    admin: UserId,
    query: &ManageQuery,
    lang: Lang,
) -> StoreResult<ServerOverview> {
    let (rooms, next_room) = load_rooms(state, admin, query.rooms.as_deref(), lang).await?;
    let search: String = query.name.as_deref().unwrap_or_default().chars().take(MAX_SEARCH_CHARS).collect();
    let after = query.users.as_deref().and_then(|id| id.parse().ok());
    let mut users = state.store.find_users(search.trim(), after, MAX_USERS as u32 + 1).await?;
    let has_more = users.len() > MAX_USERS;
    users.truncate(MAX_USERS);
    let next_user = users.last().filter(|_| has_more).map(|user| user.id.to_string());
    let limits = ServerLimits {
        post_rate: state.config.post_rate,
        per_network: state.config.per_network,
        max_connections: state.config.max_connections,
        used_bytes: state.store.used_bytes().await?,
        max_bytes: state.config.max_bytes,
    };
    Ok(ServerOverview { rooms, next_room, search, users, next_user, limits })
}

/// Returns a page of the public rooms, the lobby first, and the room after which the next page begins.
async fn load_rooms(
    state: &AppState,
    admin: UserId,
    after: Option<&str>,
    lang: Lang,
) -> StoreResult<(Vec<RoomRow>, Option<RoomName>)> {
    let after: Option<RoomName> = after.and_then(|room| room.parse().ok());
    let mut records = Vec::new();
    if after.is_none() {
        records.push(state.store.room(&RoomName::lobby()).await?);
    }
    let query = RoomQuery { after, ..RoomQuery::new(RoomOrder::Activity, MAX_ROOMS + 1) };
    records.extend(state.store.list_rooms(query).await?);
    let has_more = records.len() > MAX_ROOMS;
    records.truncate(MAX_ROOMS);
    let next = records.last().filter(|_| has_more).map(|record| record.room.clone());
    let entry_request =
        |record: &RoomRecord| EntryRequest { user: admin, network: None, room: Some(record.room.clone()) };
    let standings = state.store.standings(&records.iter().map(entry_request).collect::<Vec<_>>()).await?;
    let times = try_join_all(records.iter().map(|record| active_at(state, record))).await?;
    let rows = records.into_iter().zip(standings).zip(times).map(|((record, standing), active_at)| {
        let mode = match standing.room.mode {
            RoomMode::Open => 0,
            RoomMode::Announcements => 1,
            RoomMode::ReadOnly => 2,
        };
        let title = lang.strings().title_of(&record.room, record.title());
        RoomRow { room: record.room, title, mode, active_at }
    });
    Ok((rows.collect(), next))
}

/// Returns when the newest message of a room was posted.
async fn active_at(state: &AppState, record: &RoomRecord) -> StoreResult<Option<Millis>> {
    let page = state.store.messages_before(&record.room, record.head.saturating_add(1), 1).await?;
    Ok(page.messages.last().map(|message| message.at))
}
