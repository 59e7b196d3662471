//! The log on disk: one SQLite file, one thread that writes it, readers that never wait for it.

mod open;
mod reader;
mod sql;
mod writer;

pub use open::{OpenError, Synchronous};

use super::{Appended, Log, LogError, LogResult, NewEvent, Page, Wake};
use app::wire::{Event, PersonId, PersonName, RoomName, Seq};
use futures_util::future::{BoxFuture, FutureExt};
use reader::Readers;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock, mpsc},
};
use tokio::sync::{broadcast, oneshot};
use writer::{Command, Work, Writer};

/// The newest durable `seq` of each room. Written by the writer after a commit, before its wakes.
type Heads = Arc<RwLock<BTreeMap<RoomName, Seq>>>;

/// A log in a SQLite file.
pub struct SqliteLog {
    id: String,
    heads: Heads,
    /// Order of sending is order in the log.
    work: mpsc::Sender<Work>,
    wakes: broadcast::Sender<Wake>,
    readers: Readers,
}

impl SqliteLog {
    /// Opens the log at `path`, making it where there is none.
    ///
    /// # Errors
    /// [`OpenError`]; a file that is not ours or is newer than this program is left as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, Synchronous::Full)
    }

    /// The same, synced in another way.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: &Path, synchronous: Synchronous) -> Result<Self, OpenError> {
        let opened = open::open(path, synchronous)?;
        let heads = Heads::new(RwLock::new(opened.heads));
        let (work, waiting) = mpsc::channel();
        let wakes = broadcast::channel(super::WAKES_WAITING).0;
        Writer::new(opened.connection, heads.clone(), wakes.clone()).spawn(waiting);
        Ok(Self { id: opened.id, heads, work, wakes, readers: Readers::new(path) })
    }

    /// Hands work to the writer now; the answer comes when its commit is durable.
    fn write(
        &self,
        work: impl FnOnce(oneshot::Sender<LogResult<Option<Appended>>>) -> Work,
    ) -> impl Future<Output = LogResult<Option<Appended>>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        // A failed send drops the sender, which the receiver reports.
        let _ = self.work.send(work(answer));
        async { answered.await.unwrap_or_else(|_| Err(closed())) }
    }
}

fn closed() -> LogError {
    LogError::Storage("it is closed".into())
}

impl Log for SqliteLog {
    fn id(&self) -> &str {
        &self.id
    }

    fn append(&self, event: NewEvent) -> BoxFuture<'static, LogResult<Appended>> {
        let stored = self.write(|answer| Work::Store(Command::Append(event), answer));
        async { stored.await?.ok_or_else(closed) }.boxed()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, LogResult<Vec<Arc<Event>>>> {
        let room = room.clone();
        self.readers.read(move |db| reader::after(db, &room, after, limit))
    }

    fn read_before(&self, room: &RoomName, before: Seq, limit: u32) -> BoxFuture<'static, LogResult<Page>> {
        let room = room.clone();
        self.readers.read(move |db| reader::before(db, &room, before, limit))
    }

    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().map(|room| heads.get(room).copied().unwrap_or(0)).collect()
    }

    fn rooms(&self) -> Vec<(RoomName, Seq)> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        heads.iter().map(|(room, head)| (room.clone(), *head)).collect()
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn names(&self, people: &[PersonId]) -> BoxFuture<'static, LogResult<Vec<PersonName>>> {
        let people = people.to_vec();
        self.readers.read(move |db| reader::names(db, &people))
    }

    fn rename(&self, person: PersonId, name: PersonName) -> BoxFuture<'static, LogResult<()>> {
        self.write(|answer| Work::Store(Command::Rename(person, name), answer))
            .map(|stored| stored.map(drop))
            .boxed()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.readers.close();
        self.write(Work::Close).map(drop).boxed()
    }
}
