//! The present names of users, for whatever read shows them.

use super::{rows, sql};
use crate::store::{StoreResult, skeleton, users::guest};
use app::wire::{DisplayName, Mentions, User, UserId};
use deadpool_postgres::ClientWrapper;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;

/// Returns users as [`UserStore::users`](crate::store::UserStore::users) does.
pub(super) async fn select_users(client: &ClientWrapper, ids: &[UserId]) -> StoreResult<Vec<User>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0.cast_signed()).collect();
    let generated = ids.iter().map(|id| skeleton::name_key(DisplayName::generated(*id).as_str()));
    let skeletons: Vec<String> = generated.collect();
    let statement = client.prepare_cached(sql::SELECT_USERS).await?;
    let rows = client.query(&statement, &[&numbers, &skeletons]).await?;
    rows.iter().zip(ids).map(|(row, id)| user_or_guest(row, *id)).collect()
}

/// Sets the present names of the mentioned users. Reads nothing if there are none.
pub(super) async fn set_names(client: &ClientWrapper, mentions: Vec<&mut Mentions>) -> StoreResult<()> {
    let ids: BTreeSet<UserId> = mentions.iter().flat_map(|mentions| mentions.user_ids()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let users = select_users(client, &Vec::from_iter(ids)).await?;
    let users: BTreeMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
    for mentions in mentions {
        for id in mentions.user_ids() {
            if let Some(user) = users.get(&id) {
                mentions.update_user(user);
            }
        }
    }
    Ok(())
}

fn user_or_guest(row: &Row, id: UserId) -> StoreResult<User> {
    Ok(match row.try_get::<_, Option<&str>>(0)? {
        Some(name) => rows::named_user(id, name, row.try_get(1)?, row.try_get(2)?),
        None => guest(id, row.try_get(3)?),
    })
}
