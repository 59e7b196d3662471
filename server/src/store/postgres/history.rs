//! The continuity of the database with the past that this process has shown to clients.
//!
//! A promotion of a standby or a recovery to a point in time begins a new timeline, and a dump that is restored has tables
//! of its own. What the standby or the copy lacks is lost then, although clients have seen it, and the positions of their
//! events soon belong to others. So the log gets a new epoch, and each process starts again: its clients reconnect under the
//! new identity, and those whose last event is still there resume. Every connection is checked before its first use.

use std::sync::atomic::{AtomicI64, Ordering};
use tokio_postgres::{Client, Error};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The server with its timeline and the table, the end of its write-ahead log on disk, and the epoch of the log.
pub(super) const SELECT_HISTORY: &str = "
    SELECT c.system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8)
            || '/' || 'log'::regclass::oid,
        (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::int8, l.epoch, l.history
    FROM pg_control_system() c, log l";

/// Bytes by which the end of the write-ahead log may go back when the server recovers: an incomplete record.
const MAX_INCOMPLETE_BYTES: i64 = 16 * 1_024;

/// Digits in the name of an epoch: enough that two failovers get different names.
const EPOCH_DIGITS: usize = 12;

/// The past that this process has shown.
#[derive(Debug)]
pub(super) struct History {
    /// As [`SELECT_HISTORY`] has it.
    known: String,
    epoch: String,
    /// The end of the write-ahead log that was last seen.
    end: AtomicI64,
    superseded: CancellationToken,
}

/// The database has another past.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the database has another past than before, as after a failover or a restore")]
pub(super) struct Superseded;

/// The reason why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    #[error(transparent)]
    Superseded(#[from] Superseded),
    #[error("the database failed")]
    Database(#[from] Error),
}

impl History {
    pub(super) fn new(known: String, epoch: String) -> Self {
        Self { known, epoch, end: AtomicI64::new(0), superseded: CancellationToken::new() }
    }

    /// Resolves when the database has another past.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub(super) async fn superseded(&self) {
        self.superseded.cancelled().await;
    }

    /// Returns an error if the database has another past.
    pub(super) fn ensure_current(&self) -> Result<(), Superseded> {
        if self.superseded.is_cancelled() { Err(Superseded) } else { Ok(()) }
    }

    /// Checks that the database on the other end of a connection continues this past. If it does not, begins a new epoch
    /// unless another process was first, and nothing is read or written any more.
    pub(super) async fn check(&self, client: &Client) -> Result<(), HistoryError> {
        self.ensure_current()?;
        let end_before = self.end.load(Ordering::Acquire);
        let row = client.query_one(SELECT_HISTORY, &[]).await?;
        let (found, end, epoch): (String, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let is_rewound = end < end_before - MAX_INCOMPLETE_BYTES;
        if !is_rewound && found == self.known && epoch == self.epoch {
            self.end.fetch_max(end, Ordering::AcqRel);
            return Ok(());
        }
        if is_rewound && found == self.known {
            // A copy of the same timeline has the same history; only the rewound log of this process shows the difference.
            begin_epoch(client, &epoch, &found).await?;
        }
        // Another connection may have been first.
        if !self.superseded.is_cancelled() {
            tracing::warn!("{Superseded}; clients reconnect");
            self.superseded.cancel();
        }
        Err(Superseded.into())
    }
}

/// Begins an epoch in `history`, unless `epoch` has been followed by another one.
pub(super) async fn begin_epoch(client: &Client, epoch: &str, history: &str) -> Result<(), Error> {
    let name = Uuid::new_v4().simple().to_string();
    let update = "UPDATE log SET epoch = $1, history = $2 WHERE epoch = $3";
    client.execute(update, &[&&name[..EPOCH_DIGITS], &history, &epoch]).await.map(drop)
}
