//! The networks from which users came last, for all servers.

use super::PostgresStore;
use crate::{
    limits::network::Network,
    store::{MAX_RECENT_NETWORKS, StoreResult},
};
use app::wire::UserId;

/// Rows that are too old or too many, and that one write removes.
const MAX_REMOVED: i64 = 10_000;

/// Servers record the same users in the same order, so that none waits for another one in a circle.
const RECORD: &str = "
    INSERT INTO recent_network (user_id, network, seen_at)
    SELECT s.user_id, s.network, now_millis() FROM unnest($1::int8[], $2::text[]) AS s (user_id, network)
    WHERE NOT EXISTS (SELECT FROM erasure e WHERE e.user_id = s.user_id)
    ORDER BY s.user_id
    ON CONFLICT (user_id) DO UPDATE SET network = excluded.network, seen_at = excluded.seen_at";

/// A day is `RECENT_NETWORK_AGE`.
const REMOVE: &str = "
    DELETE FROM recent_network WHERE user_id IN (
        SELECT n.user_id FROM recent_network n WHERE n.seen_at < greatest(now_millis() - 86400000, coalesce(
            (SELECT o.seen_at FROM recent_network o ORDER BY o.seen_at DESC LIMIT 1 OFFSET $1), 0
        )) LIMIT $2 FOR UPDATE SKIP LOCKED
    )";

const SELECT: &str = "
    SELECT network FROM recent_network WHERE user_id = $1 AND seen_at >= now_millis() - 86400000";

impl PostgresStore {
    pub(super) async fn record_recent_networks(&self, seen: &[(UserId, Network)]) -> StoreResult<()> {
        let mut seen = seen.to_vec();
        seen.sort_unstable_by_key(|(user, _)| user.0.cast_signed());
        let (users, networks): (Vec<i64>, Vec<String>) =
            seen.iter().map(|(user, network)| (user.0.cast_signed(), network.to_string())).unzip();
        let write = self.readers.read(async |client| {
            let statement = client.prepare_cached(RECORD).await?;
            client.execute(&statement, &[&users, &networks]).await?;
            Ok(())
        });
        write.await
    }

    pub(super) async fn remove_networks(&self) -> StoreResult<()> {
        let write = self.readers.read(async |client| {
            client.execute(REMOVE, &[&i64::from(MAX_RECENT_NETWORKS), &MAX_REMOVED]).await?;
            Ok(())
        });
        write.await
    }

    pub(super) async fn find_recent_network(&self, user: UserId) -> StoreResult<Option<Network>> {
        let read = self.readers.read(async |client| {
            let row = client.query_opt(SELECT, &[&user.0.cast_signed()]).await?;
            Ok(row.map(|row| row.try_get::<_, String>(0)).transpose()?)
        });
        Ok(read.await?.and_then(|network| network.parse().ok()))
    }
}
