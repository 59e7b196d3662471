//! What the writer does beside commands: it takes purged texts out of the write-ahead log, and knows how full the disk
//! may become.

use super::super::files::size_of;
use crate::data::durable::beside;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// From the first purge to the checkpoint that empties the write-ahead log, and from one try to the next while another
/// process reads an older state. It bounds how often purges cost a checkpoint.
const SCRUB_DELAY: Duration = Duration::from_secs(5);

/// How long a checkpoint waits for readers. Commands wait as long.
const SCRUB_WAIT: Duration = Duration::from_millis(100);

/// How long a statement waits for a lock that another process holds.
pub(in super::super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Time between two checkpoints that only make room under the quota, unless the write-ahead log has much of it.
const RELIEF_INTERVAL: Duration = Duration::from_secs(1);

/// Upkeep of one log file.
pub(in super::super) struct Upkeep {
    wal: PathBuf,
    /// Bytes that the log and its write-ahead log may have together.
    max_bytes: Option<u64>,
    /// When purged texts are to be taken out of the write-ahead log, if any are in it.
    scrub_at: Option<Instant>,
    relieved_at: Option<Instant>,
}

impl Upkeep {
    pub(in super::super) fn new(path: &Path, max_bytes: Option<u64>) -> Self {
        Self { wal: beside(path, "-wal"), max_bytes, scrub_at: None, relieved_at: None }
    }

    /// A commit has purged a text, which earlier frames of the write-ahead log still have.
    pub(super) fn note_purge(&mut self) {
        self.scrub_at.get_or_insert_with(|| Instant::now() + SCRUB_DELAY);
    }

    /// How long until there is something to do; `None` while there is nothing.
    pub(super) fn due_in(&self) -> Option<Duration> {
        self.scrub_at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Does what is due. Takes at most [`SCRUB_WAIT`] beside the checkpoint itself.
    pub(super) fn run(&mut self, connection: &Connection) {
        if self.scrub_at.is_some_and(|at| at <= Instant::now()) {
            self.scrub_at = (!scrub(connection)).then(|| Instant::now() + SCRUB_DELAY);
        }
    }

    /// Bytes that the next commit may add; `None` without a quota.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn room(&mut self, connection: &Connection) -> rusqlite::Result<Option<u64>> {
        let Some(max) = self.max_bytes else { return Ok(None) };
        let mut wal = self.wal_bytes();
        let mut room = max.saturating_sub(used(connection)? + wal);
        let may_relieve = self.relieved_at.is_none_or(|at| at.elapsed() >= RELIEF_INTERVAL) || wal >= max / 4;
        if room == 0 && wal > 0 && may_relieve {
            self.relieved_at = Some(Instant::now());
            scrub(connection);
            wal = self.wal_bytes();
            room = max.saturating_sub(used(connection)? + wal);
        }
        Ok(Some(room))
    }

    fn wal_bytes(&self) -> u64 {
        size_of(&self.wal).unwrap_or_default().unwrap_or_default()
    }
}

/// Bytes of the pages that are in use: those that deletes have freed are used again before the file grows.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}

/// Writes the write-ahead log into the file and empties it. Returns `false` if a reader or an error prevented that.
fn scrub(connection: &Connection) -> bool {
    let scrubbed = connection.busy_timeout(SCRUB_WAIT).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
    });
    if let Err(error) = connection.busy_timeout(BUSY_WAIT) {
        tracing::warn!(%error, "setting the busy timeout failed");
    }
    scrubbed.is_ok_and(|busy| busy == 0)
}
