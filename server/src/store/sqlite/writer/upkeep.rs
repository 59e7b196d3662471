//! Upkeep by the writer: it removes purged texts from the write-ahead log, and enforces the quota of the disk.

use super::super::{connection::BUSY_TIMEOUT, files::size_of};
use crate::data::durable::beside;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Time from the first purge to the checkpoint that truncates the write-ahead log, and between two attempts while
/// another process reads an older state. It bounds how often purges cause a checkpoint.
const SCRUB_DELAY: Duration = Duration::from_secs(5);

/// The time that a checkpoint waits for readers. Commands wait as long.
const SCRUB_TIMEOUT: Duration = Duration::from_millis(100);

/// Time between two checkpoints that only free space under the quota, unless the write-ahead log is large.
const QUOTA_CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// The upkeep of one file.
pub(in super::super) struct Upkeep {
    wal: PathBuf,
    /// Bytes that the file and its write-ahead log may have together.
    max_bytes: Option<u64>,
    /// When to remove purged texts from the write-ahead log; `None` if it has none.
    scrub_at: Option<Instant>,
    checkpointed_at: Option<Instant>,
}

impl Upkeep {
    pub(in super::super) fn new(path: &Path, max_bytes: Option<u64>) -> Self {
        Self { wal: beside(path, "-wal"), max_bytes, scrub_at: None, checkpointed_at: None }
    }

    /// Schedules a checkpoint after a commit that purged a text, because earlier frames of the write-ahead log have it.
    pub(super) fn note_purge(&mut self) {
        self.scrub_at.get_or_insert_with(|| Instant::now() + SCRUB_DELAY);
    }

    /// Returns the time until upkeep is due; `None` if there is none.
    pub(super) fn due_in(&self) -> Option<Duration> {
        self.scrub_at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Runs the upkeep that is due. Waits at most [`SCRUB_TIMEOUT`] beside the checkpoint itself.
    pub(super) fn run(&mut self, connection: &Connection) {
        if self.scrub_at.is_some_and(|at| at <= Instant::now()) {
            self.scrub_at = (!scrub(connection)).then(|| Instant::now() + SCRUB_DELAY);
        }
    }

    /// Returns the bytes that the next commit may add; `None` without a quota.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub(super) fn bytes_left(&mut self, connection: &Connection) -> rusqlite::Result<Option<u64>> {
        let Some(max) = self.max_bytes else { return Ok(None) };
        let mut wal = self.wal_bytes();
        let mut left = max.saturating_sub(used(connection)? + wal);
        let may_checkpoint =
            self.checkpointed_at.is_none_or(|at| at.elapsed() >= QUOTA_CHECKPOINT_INTERVAL) || wal >= max / 4;
        if left == 0 && wal > 0 && may_checkpoint {
            self.checkpointed_at = Some(Instant::now());
            scrub(connection);
            wal = self.wal_bytes();
            left = max.saturating_sub(used(connection)? + wal);
        }
        Ok(Some(left))
    }

    fn wal_bytes(&self) -> u64 {
        size_of(&self.wal).unwrap_or_default().unwrap_or_default()
    }
}

/// Returns the bytes of the pages in use. Freed pages are used again before the file grows.
pub(in super::super) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}

/// Truncates the write-ahead log. Returns `false` if a reader or an error prevents that.
fn scrub(connection: &Connection) -> bool {
    let scrubbed = connection.busy_timeout(SCRUB_TIMEOUT).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
    });
    if let Err(error) = connection.busy_timeout(BUSY_TIMEOUT) {
        tracing::warn!(%error, "setting the busy timeout failed");
    }
    scrubbed.is_ok_and(|busy| busy == 0)
}
