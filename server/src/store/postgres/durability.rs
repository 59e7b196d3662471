//! Early release: a batch gives its locks back before the disk sync, so that the batches of other servers share that sync.
//!
//! Row locks are released when a commit is written, and with `synchronous_commit=off` that is before the disk has it. What
//! follows in the write-ahead log, a flush of this server or the batch of another one, becomes durable only after it. So an
//! answer after a flush on the same connection is as durable as an ordinary commit, and a crash loses a suffix of the log
//! of which nothing was answered.
//!
//! In return events are visible some milliseconds before they are durable. The server must not send such an event: the client
//! would keep an event that a crash removes, and miss the one that gets its `seq`. So a read of events is followed by
//! [`make_durable`], unless it ends at a head that is known to be durable: one of a flushed batch, of a notification, which
//! is sent after the flush, or of a read like that.

use deadpool_postgres::ClientWrapper;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Writes to the write-ahead log, and syncs it: what is before that is durable afterwards. On another connection than that
/// of a batch it proves nothing about the batch, because the database may have been started again or replaced.
pub(super) const FLUSH: &str = "SELECT pg_logical_emit_message(true, 'hubbub', '')::text";

/// Returns a row if events are visible early on this installation: whether some may not be durable at this time. The local
/// position of the flush says nothing about a synchronous standby.
const SELECT_UNFLUSHED: &str = "
    SELECT current_setting('synchronous_standby_names') <> ''
        OR pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()
    FROM log WHERE early";

/// Other servers that write, from which on a server releases its locks early. With fewer there is nothing to gain: while one
/// batch is synced, the other server's batch waits for its clients.
const EARLY_FROM_OTHERS: usize = 2;

/// The time for which a server counts as one that writes after its last message about new events.
const WRITES_FOR: Duration = Duration::from_secs(10);

/// Servers that are remembered, at most.
const MAX_SERVERS: usize = 1_000;

/// Returns when everything that a statement before it on `client` has read is durable.
///
/// # Errors
/// The database fails; then what was read must not be shown.
pub(super) async fn make_durable(client: &ClientWrapper) -> Result<(), tokio_postgres::Error> {
    let statement = client.prepare_cached(SELECT_UNFLUSHED).await?;
    let row = client.query_opt(&statement, &[]).await?;
    if row.map(|row| row.try_get(0)).transpose()? == Some(true) {
        let flush = client.prepare_cached(FLUSH).await?;
        client.query_one(&flush, &[]).await?;
    }
    Ok(())
}

/// The other servers that write.
#[derive(Default)]
pub(super) struct WritingServers(Mutex<HashMap<String, Instant>>);

impl WritingServers {
    /// Notes that another server has appended events.
    pub(super) fn note(&self, server: &str, now: Instant) {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = servers.get_mut(server) {
            *at = now;
            return;
        }
        servers.retain(|_, at| now.duration_since(*at) < WRITES_FOR);
        if servers.len() < MAX_SERVERS {
            servers.insert(server.to_owned(), now);
        }
    }

    /// Returns `true` if so many other servers write that locks are to be released early.
    pub(super) fn are_many(&self, now: Instant) -> bool {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = servers.values().filter(|at| now.duration_since(**at) < WRITES_FOR);
        recent.take(EARLY_FROM_OTHERS).count() == EARLY_FROM_OTHERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_other_servers_are_many_while_both_write() {
        let (servers, start) = (WritingServers::default(), Instant::now());
        servers.note("one", start);
        servers.note("one", start);
        assert!(!servers.are_many(start));
        servers.note("two", start + WRITES_FOR / 2);
        assert!(servers.are_many(start + WRITES_FOR / 2));
        assert!(!servers.are_many(start + WRITES_FOR), "one has stopped");
        servers.note("one", start + WRITES_FOR);
        assert!(servers.are_many(start + WRITES_FOR));
    }

    #[test]
    fn servers_that_stopped_make_room_for_others() {
        let (servers, start) = (WritingServers::default(), Instant::now());
        (0..=MAX_SERVERS).for_each(|n| servers.note(&n.to_string(), start));
        assert_eq!(servers.0.lock().unwrap().len(), MAX_SERVERS);
        servers.note("another", start + WRITES_FOR);
        assert_eq!(servers.0.lock().unwrap().len(), 1);
    }
}
