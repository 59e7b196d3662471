//! The check of every page of a file: in the background after the start of a large store, and on demand.

use super::{
    connection::open_reader,
    error::OpenError,
    files::{self, FileState},
    health::Health,
    schema::check_pages,
};
use rusqlite::Connection;
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// Pages that a start checks before it serves anything (16 MB, about 25 ms). A larger file is checked in the background,
/// so that the time to the first answer does not grow with the file.
pub(super) const MAX_PAGES_CHECKED_AT_START: u64 = 4_096;

/// Time from the start to the check in the background, so that it does not compete with the first clients.
const CHECK_DELAY: Duration = Duration::from_secs(2);

/// Steps of SQLite after which the check in the background pauses for as long as they took. So it uses at most half of
/// one core and half of the disk's time.
const STEPS_PER_PAUSE: i32 = 2_000;

/// The check in the background. Dropping it stops the check.
pub(super) struct BackgroundCheck {
    /// Wakes the thread while it waits for its start.
    _wake: mpsc::Sender<()>,
    stopped: Arc<AtomicBool>,
}

impl BackgroundCheck {
    /// Starts a thread that checks the file at `path` once. If the file is corrupt, `health` refuses writes from then
    /// on.
    pub(super) fn spawn(path: PathBuf, health: Arc<Health>) -> io::Result<Self> {
        let (wake, waiting) = mpsc::channel::<()>();
        let stopped = Arc::new(AtomicBool::new(false));
        let check = Self { _wake: wake, stopped: stopped.clone() };
        thread::Builder::new().name("store-check".into()).spawn(move || {
            if waiting.recv_timeout(CHECK_DELAY) == Err(RecvTimeoutError::Timeout) {
                run(&path, &health, stopped);
            }
        })?;
        Ok(check)
    }
}

impl Drop for BackgroundCheck {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn run(path: &Path, health: &Health, stopped: Arc<AtomicBool>) {
    let started = Instant::now();
    let is_stopped = stopped.clone();
    let checked = open_reader(path).map_err(OpenError::from).and_then(|connection| {
        throttle(&connection, is_stopped)?;
        check_pages(&connection)
    });
    match checked {
        _ if stopped.load(Ordering::Relaxed) => {}
        Ok(()) => tracing::info!(seconds = started.elapsed().as_secs(), "every page checked"),
        Err(OpenError::Corrupt(report)) => {
            health.note_corruption();
            tracing::error!(
                file = %path.display(), report,
                "the database is damaged: writes are refused; stop the server and put a backup in its place"
            );
        }
        Err(error) => tracing::warn!(%error, "check of the database failed"),
    }
}

/// Lets the connection pause as long as it works, and interrupts it once the check is stopped.
fn throttle(connection: &Connection, stopped: Arc<AtomicBool>) -> rusqlite::Result<()> {
    let mut resumed = Instant::now();
    let pause = move || {
        thread::park_timeout(resumed.elapsed());
        resumed = Instant::now();
        stopped.load(Ordering::Relaxed)
    };
    connection.progress_handler(STEPS_PER_PAUSE, Some(pause))
}

/// Checks every page and every index of the file at `path`, while a server may be using it. Returns the number of bytes
/// checked.
///
/// # Errors
/// [`OpenError::Corrupt`] if the file is damaged; another one if it cannot be read or is not a store.
pub fn check(path: &Path) -> Result<u64, OpenError> {
    let path = files::resolve(path)?;
    if files::check(&path)? == FileState::Nothing {
        return Err(io::Error::new(ErrorKind::NotFound, "there are no messages to check").into());
    }
    let connection = open_reader(&path)?;
    super::schema::check_integrity(&connection)?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok(number("page_count")? * number("page_size")?)
}
