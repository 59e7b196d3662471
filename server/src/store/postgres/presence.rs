//! The users present on each server, and the leases of the servers: who does not renew theirs is gone with all their users.

use super::{PostgresStore, connect::ReadPool, shared::Shared, signal::Outgoing};
use crate::{
    limits::network::Network,
    store::{
        MAX_PRESENT_ELSEWHERE, Notification, PresenceStore, PresentElsewhere, RoomPresence, StoreResult,
        UserStore,
    },
};
use app::wire::{RoomName, UserId};
use async_trait::async_trait;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Time between two renewals of the lease. Each also looks for servers that are gone.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(5);

/// Milliseconds after which a server is gone that has not renewed its lease. The others find out at their next renewal: in
/// 15 seconds at most.
const LEASE_MS: i64 = 10_000;

/// Rows that one statement writes or removes.
const ROWS_PER_STATEMENT: usize = 1_000;

/// Users of a room beyond those that are read who are counted.
const MAX_COUNTED: i64 = 10_000;

const INSERT: &str = "
    INSERT INTO presence (room, user_id, node)
    SELECT room, user_id, $3 FROM unnest($1::text[], $2::int8[]) AS joined (room, user_id) ON CONFLICT DO NOTHING";

const DELETE: &str = "
    DELETE FROM presence p USING unnest($1::text[], $2::int8[]) AS gone (room, user_id)
    WHERE p.room = gone.room AND p.user_id = gone.user_id AND p.node = $3";

/// The users of a room on other servers, in the order of the primary key.
const SELECT_ELSEWHERE: &str = "
    SELECT DISTINCT p.user_id FROM presence p JOIN node n ON n.name = p.node
    WHERE p.room = $1 AND p.node <> $2 AND n.expires_at > (extract(epoch FROM clock_timestamp()) * 1000)::int8
    ORDER BY p.user_id LIMIT $3";

/// Renews a lease. Returns `true` if there was none.
const RENEW: &str = "
    INSERT INTO node AS n (name, expires_at)
    VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::int8 + $2)
    ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at RETURNING n.xmax = 0";

const SELECT_EXPIRED: &str = "
    SELECT name FROM node WHERE expires_at < (extract(epoch FROM clock_timestamp()) * 1000)::int8 LIMIT 100";

/// Returns whether another server holds a lease.
const SELECT_HAS_OTHERS: &str = "
    SELECT EXISTS (
        SELECT FROM node WHERE name <> $1 AND expires_at > (extract(epoch FROM clock_timestamp()) * 1000)::int8
    )";

/// Removes users of a server.
const DELETE_SOME_OF_NODE: &str = "
    DELETE FROM presence WHERE ctid = ANY (ARRAY(SELECT ctid FROM presence WHERE node = $1 LIMIT $2))
    RETURNING room";

const DELETE_NODE: &str = "DELETE FROM node WHERE name = $1";

#[async_trait]
impl PresenceStore for PostgresStore {
    fn shares_presence(&self) -> bool {
        true
    }

    async fn has_others(&self) -> StoreResult<bool> {
        let read = self.readers.read(async |client| {
            Ok(client.query_one(SELECT_HAS_OTHERS, &[&self.shared.node]).await?.try_get(0)?)
        });
        read.await
    }

    async fn record_presence(&self, changes: &[RoomPresence]) -> StoreResult<()> {
        let rows = |users: fn(&RoomPresence) -> &[UserId]| -> Vec<(&str, i64)> {
            let of_room = |change| users(change).iter().map(|user| user.0.cast_signed());
            changes
                .iter()
                .flat_map(|change| of_room(change).map(move |user| (change.room.as_str(), user)))
                .collect()
        };
        let (joined, left) = (rows(|change| &change.joined), rows(|change| &change.left));
        let write = self.readers.read(async |client| {
            for (sql, rows) in [(INSERT, &joined), (DELETE, &left)] {
                for rows in rows.chunks(ROWS_PER_STATEMENT) {
                    let (rooms, users): (Vec<&str>, Vec<i64>) = rows.iter().copied().unzip();
                    let statement = client.prepare_cached(sql).await?;
                    client.execute(&statement, &[&rooms, &users, &self.shared.node]).await?;
                }
            }
            Ok(())
        });
        write.await?;
        self.shared.send(|outgoing| {
            changes.iter().for_each(|change| outgoing.add_presence(change.room.clone()));
        });
        Ok(())
    }

    async fn present_elsewhere(&self, room: &RoomName) -> StoreResult<PresentElsewhere> {
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_ELSEWHERE).await?;
            let most = i64::from(MAX_PRESENT_ELSEWHERE) + MAX_COUNTED;
            let rows = client.query(&statement, &[&room.as_str(), &self.shared.node, &most]).await?;
            rows.iter().map(|row| Ok(UserId(row.try_get::<_, i64>(0)?.cast_unsigned()))).collect()
        });
        let ids: Vec<UserId> = read.await?;
        let (first, others) = ids.split_at(ids.len().min(MAX_PRESENT_ELSEWHERE as usize));
        Ok(PresentElsewhere { users: self.users(first).await?, uncounted: others.len() as u32 })
    }

    async fn record_networks(&self, seen: &[(UserId, Network)]) -> StoreResult<()> {
        self.record_recent_networks(seen).await
    }

    async fn remove_old_networks(&self) -> StoreResult<()> {
        self.remove_networks().await
    }

    async fn recent_network(&self, user: UserId) -> StoreResult<Option<Network>> {
        self.find_recent_network(user).await
    }
}

/// Renews the lease of this server for ever, and removes the users of servers that are gone. If it cannot renew the lease in
/// time, it does not know who is present on other servers either.
pub(super) async fn keep_lease(readers: ReadPool, shared: Arc<Shared>) {
    let mut interval = interval(RENEWAL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut renewed_at, mut is_lost) = (Instant::now(), false);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = shared.lease_due.notified() => {}
        }
        let renewing_at = Instant::now();
        match renew(&readers, &shared).await {
            Ok(is_new) => {
                renewed_at = renewing_at;
                if is_new || is_lost {
                    // The others have removed the users of this server, or the database has lost them.
                    shared.notifier.send(Notification::Missed);
                }
                is_lost = false;
            }
            // The pool reports that the database is away.
            Err(_) if renewed_at.elapsed().as_millis() > LEASE_MS as u128 && !is_lost => {
                is_lost = true;
                shared.notifier.send(Notification::PresenceUnknown);
            }
            Err(_) => {}
        }
        let _ = remove_expired(&readers, &shared).await;
    }
}

/// Renews the lease of this server. Returns `true` if it had none.
///
/// # Errors
/// [`StoreError::Backend`](crate::store::StoreError::Backend).
pub(super) async fn renew(readers: &ReadPool, shared: &Shared) -> StoreResult<bool> {
    let renewed = readers.read(async |client| {
        let statement = client.prepare_cached(RENEW).await?;
        Ok(client.query_one(&statement, &[&shared.node, &LEASE_MS]).await?.try_get(0)?)
    });
    renewed.await
}

async fn remove_expired(readers: &ReadPool, shared: &Shared) -> StoreResult<()> {
    let expired = readers.read(async |client| {
        let rows = client.query(SELECT_EXPIRED, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    });
    let expired: Vec<String> = expired.await?;
    for node in expired {
        remove_node(readers, shared, &node).await?;
        // It may have died between a commit and its notification.
        shared.send(Outgoing::note_missed);
        shared.notifier.send(Notification::Missed);
    }
    Ok(())
}

/// Removes a server with its users, and notifies all servers.
///
/// # Errors
/// [`StoreError::Backend`](crate::store::StoreError::Backend).
pub(super) async fn remove_node(readers: &ReadPool, shared: &Shared, node: &str) -> StoreResult<()> {
    let mut rooms: HashSet<RoomName> = HashSet::new();
    loop {
        let some = readers.read(async |client| {
            let statement = client.prepare_cached(DELETE_SOME_OF_NODE).await?;
            let rows = client.query(&statement, &[&node, &(ROWS_PER_STATEMENT as i64)]).await?;
            Ok(rows.iter().filter_map(|row| row.try_get::<_, &str>(0).ok()?.parse().ok()).collect::<Vec<_>>())
        });
        let some = some.await?;
        if some.is_empty() {
            break;
        }
        rooms.extend(some);
    }
    readers.read(async |client| Ok(client.execute(DELETE_NODE, &[&node]).await.map(drop)?)).await?;
    for room in rooms {
        shared.send(|outgoing| outgoing.add_presence(room.clone()));
        shared.notifier.send(Notification::PresenceChanged(room));
    }
    Ok(())
}
