//! The log on disk: one SQLite file, one thread that writes it, readers that never wait for it.

mod open;
mod reader;
mod sql;
mod writer;

pub use open::{OpenError, Synchronous};

use super::{
    About, Appended, ListedRoom, Log, LogError, LogResult, NewEvent, Page, ReadMarker, UNREAD_AMONG, Wake,
    catalogue::Catalogue,
};
use app::wire::{Author, Event, PersonId, PersonName, RoomName, RoomTitle, Seq, Topic};
use futures_util::future::{BoxFuture, FutureExt};
use reader::Readers;
use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, PoisonError, RwLock, mpsc},
};
use tokio::sync::{broadcast, oneshot};
use writer::{Command, Done, Work, Writer};

/// What is durable of every room. Written by the writer after a commit, before its wakes.
type Rooms = Arc<RwLock<Catalogue>>;

/// A log in a SQLite file.
pub struct SqliteLog {
    id: String,
    rooms: Rooms,
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
        let rooms = Rooms::new(RwLock::new(opened.catalogue));
        let (work, waiting) = mpsc::channel();
        let wakes = broadcast::channel(super::WAKES_WAITING).0;
        Writer::new(opened.connection, rooms.clone(), wakes.clone()).spawn(waiting);
        Ok(Self { id: opened.id, rooms, work, wakes, readers: Readers::new(path) })
    }

    /// Hands work to the writer now; the answer comes when its commit is durable.
    fn write(
        &self,
        work: impl FnOnce(oneshot::Sender<LogResult<Done>>) -> Work,
    ) -> impl Future<Output = LogResult<Done>> + Send + 'static {
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
        async {
            match stored.await? {
                Done::Appended(appended) => Ok(appended),
                _ => Err(closed()),
            }
        }
        .boxed()
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
        let known = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().map(|room| known.head(room)).collect()
    }

    fn list_rooms(&self, after: Option<&RoomName>, most: usize) -> Vec<ListedRoom> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).list(after, most)
    }

    fn lively(&self, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).lively(but, most)
    }

    fn by_title(&self, after: Option<&RoomName>, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).by_title(after, but, most)
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn about(&self, room: &RoomName) -> Arc<About> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).about(room)
    }

    fn create_room(&self, room: RoomName, about: About) -> BoxFuture<'static, LogResult<()>> {
        self.write(|answer| Work::Store(Command::Create(room, about), answer))
            .map(|done| done.map(drop))
            .boxed()
    }

    fn retitle(
        &self,
        room: RoomName,
        person: PersonId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, LogResult<()>> {
        self.write(|answer| Work::Store(Command::Retitle { room, person, title, topic }, answer))
            .map(|done| done.map(drop))
            .boxed()
    }

    fn people(&self, people: &[PersonId]) -> BoxFuture<'static, LogResult<Vec<Author>>> {
        let people = people.to_vec();
        self.readers.read(move |db| reader::people(db, &people))
    }

    fn rename(&self, person: PersonId, name: PersonName) -> BoxFuture<'static, LogResult<Vec<Author>>> {
        let stored = self.write(|answer| Work::Store(Command::Rename(person, name), answer));
        async {
            match stored.await? {
                Done::Renamed(people) => Ok(people),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn read(&self, person: PersonId, room: RoomName, seq: Seq) -> BoxFuture<'static, LogResult<ReadMarker>> {
        let stored = self.write(|answer| Work::Store(Command::Read(person, room, seq), answer));
        async {
            match stored.await? {
                Done::Read(marker) => Ok(marker),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn leave(&self, person: PersonId, room: RoomName) -> BoxFuture<'static, LogResult<()>> {
        let left = self.write(|answer| Work::Store(Command::Leave(person, room), answer));
        async { left.await.map(drop) }.boxed()
    }

    fn visits(
        &self,
        person: PersonId,
        skip: u32,
        most: u32,
    ) -> BoxFuture<'static, LogResult<Vec<(RoomName, Seq)>>> {
        self.readers.read(move |db| reader::visits(db, person, skip, most))
    }

    fn read_up_to(&self, person: PersonId, room: &RoomName) -> BoxFuture<'static, LogResult<Option<Seq>>> {
        let room = room.clone();
        self.readers.read(move |db| reader::read_up_to(db, person, &room))
    }

    fn unread(
        &self,
        person: PersonId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, LogResult<Vec<u32>>> {
        let heads = self.heads(&rooms.iter().map(|(room, _)| room.clone()).collect::<Vec<_>>());
        self.readers.read(move |db| {
            let among = |(head, (room, after)): (Seq, &(RoomName, Seq))| {
                let from = (*after).max(head.saturating_sub(UNREAD_AMONG));
                if from >= head { Ok(0) } else { reader::unread(db, person, room, from) }
            };
            heads.into_iter().zip(&rooms).map(among).collect()
        })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.readers.close();
        self.write(Work::Close).map(drop).boxed()
    }
}
