//! The log on disk: one SQLite file, one thread that writes it, readers that never wait for it.

mod backup;
mod create;
mod epoch;
mod files;
mod health;
mod queries;
mod record;
mod schema;
mod sql;
mod writer;

pub use backup::{Summary, back_up, restore};
pub use schema::{OpenError, Synchronous};

use super::{
    About, Appended, ListedRoom, NewEvent, Page, Past, ReadMarker, Store, StoreError, StoreResult,
    UNREAD_AMONG, Wake, past, room_index::Catalogue,
};
use app::wire::{DisplayName, Event, RoomName, RoomTitle, Seq, Topic, User, UserId};
use epoch::{Epochs, Shared};
use futures_util::future::{BoxFuture, FutureExt, ready};
use health::Health;
use queries::Readers;
use record::Record;
use std::{
    collections::HashSet,
    io,
    path::Path,
    sync::{Arc, PoisonError, RwLock, mpsc},
};
use tokio::sync::{broadcast, oneshot};
use writer::{Command, Done, Upkeep, Work, Writer};

/// What is durable of every room. Written by the writer after a commit, before its wakes.
type Rooms = Arc<RwLock<Catalogue>>;

/// A log in a SQLite file.
pub struct SqliteStore {
    /// With the present epoch.
    id: String,
    epochs: Epochs,
    is_unused: bool,
    rooms: Rooms,
    /// Order of sending is order in the log.
    work: mpsc::Sender<Work>,
    wakes: broadcast::Sender<Wake>,
    readers: Readers,
    health: Arc<Health>,
}

/// How a log is opened.
pub struct Options<'a> {
    /// When what was committed is on disk.
    pub synchronous: Synchronous,
    /// Bytes that the log may have, its write-ahead log included; `None` for no quota. Past it only deletes are stored,
    /// and what overwrites.
    pub max_bytes: Option<u64>,
    /// Keeps the key that the file carries, if it is a backup.
    pub keep_key: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl SqliteStore {
    /// Opens the log at `path`, making it where there is none.
    ///
    /// # Errors
    /// [`OpenError`]; a file that is not ours or is newer than this program is left as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let keep_key = &mut |_: &[u8]| Ok(());
        Self::open_with(path, Options { synchronous: Synchronous::Full, max_bytes: None, keep_key })
    }

    /// The same in another way.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        let opened = schema::open(path, options.synchronous, options.keep_key)?;
        let path = &opened.path;
        let (rooms, health) = (Rooms::new(RwLock::new(opened.catalogue)), Arc::new(Health::default()));
        let (work, waiting) = mpsc::channel();
        let wakes = broadcast::channel(super::WAKES_WAITING).0;
        let upkeep = (Upkeep::new(path, options.max_bytes), Record::of(path), health.clone());
        Writer::new(opened.connection, rooms.clone(), wakes.clone(), upkeep).spawn(waiting);
        Ok(Self {
            id: past::log_id(&opened.id, opened.epochs.present()),
            epochs: opened.epochs,
            is_unused: opened.is_unused,
            rooms,
            work,
            wakes,
            readers: Readers::new(path),
            health,
        })
    }

    /// Returns `true` if no user had an identity that the log knew of when it was opened.
    pub fn is_unused(&self) -> bool {
        self.is_unused
    }

    /// Which row an event must stand before, if its id does not show that it is the client's.
    fn bound(&self, log: &str) -> Shared {
        self.epochs.shared(past::split_log_id(log).1)
    }

    /// Hands work to the writer now; the answer comes when its commit is durable.
    fn write(
        &self,
        work: impl FnOnce(oneshot::Sender<StoreResult<Done>>) -> Work,
    ) -> impl Future<Output = StoreResult<Done>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        // A failed send drops the sender, which the receiver reports.
        let _ = self.work.send(work(answer));
        async { answered.await.unwrap_or_else(|_| Err(closed())) }
    }
}

fn closed() -> StoreError {
    StoreError::Storage("it is closed".into())
}

impl Store for SqliteStore {
    fn id(&self) -> &str {
        &self.id
    }

    fn continues(&self, room: &RoomName, past: Past) -> BoxFuture<'static, StoreResult<bool>> {
        let Past { after, after_id, log } = past;
        let has_same_id = |log: &str| past::split_log_id(log).0 == past::split_log_id(&self.id).0;
        if !log.as_deref().is_none_or(has_same_id) {
            return ready(Ok(false)).boxed();
        }
        let bound = log.map_or(Shared::All, |log| self.bound(&log));
        if after == 0 || (after_id.is_none() && matches!(bound, Shared::All | Shared::Unknown)) {
            return ready(Ok(after == 0 || bound == Shared::All)).boxed();
        }
        let room = room.clone();
        self.readers.read(move |db| {
            Ok(match (queries::event_at(db, &room, after)?, after_id, bound) {
                (Some((id, _)), Some(expected), _) => id == expected,
                (Some((_, row)), None, Shared::Before(bound)) => row < bound,
                _ => false,
            })
        })
    }

    fn ready(&self) -> BoxFuture<'static, StoreResult<()>> {
        if !self.health.has_failed() {
            return ready(Ok(())).boxed();
        }
        if !self.health.may_probe() {
            return ready(Err(StoreError::Storage("the last commit failed".into()))).boxed();
        }
        self.write(|answer| Work::Store(Command::Probe, answer)).map(|done| done.map(drop)).boxed()
    }

    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>> {
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
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::after(db, &room, after, limit))
    }

    fn read_before(&self, room: &RoomName, before: Seq, limit: u32) -> BoxFuture<'static, StoreResult<Page>> {
        let room = room.clone();
        self.readers.read(move |db| queries::before(db, &room, before, limit))
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

    fn create_room(&self, room: RoomName, about: About) -> BoxFuture<'static, StoreResult<()>> {
        self.write(|answer| Work::Store(Command::Create(room, about), answer))
            .map(|done| done.map(drop))
            .boxed()
    }

    fn retitle(
        &self,
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>> {
        self.write(|answer| Work::Store(Command::Retitle { room, person, title, topic }, answer))
            .map(|done| done.map(drop))
            .boxed()
    }

    fn people(&self, people: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        let people = people.to_vec();
        self.readers.read(move |db| queries::people(db, &people))
    }

    fn rename(&self, person: UserId, name: DisplayName) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        let stored = self.write(|answer| Work::Store(Command::Rename(person, name), answer));
        async {
            match stored.await? {
                Done::Renamed(people) => Ok(people),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn read(&self, person: UserId, room: RoomName, seq: Seq) -> BoxFuture<'static, StoreResult<ReadMarker>> {
        let stored = self.write(|answer| Work::Store(Command::Read(person, room, seq), answer));
        async {
            match stored.await? {
                Done::Read(marker) => Ok(marker),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn leave(&self, person: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>> {
        let left = self.write(|answer| Work::Store(Command::Leave(person, room), answer));
        async { left.await.map(drop) }.boxed()
    }

    fn visits(
        &self,
        person: UserId,
        skip: u32,
        most: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>> {
        self.readers.read(move |db| queries::visits(db, person, skip, most))
    }

    fn read_up_to(&self, person: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::read_up_to(db, person, &room))
    }

    fn unread(
        &self,
        person: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>> {
        let heads = self.heads(&rooms.iter().map(|(room, _)| room.clone()).collect::<Vec<_>>());
        self.readers.read(move |db| {
            let among = |(head, (room, after)): (Seq, &(RoomName, Seq))| {
                let from = (*after).max(head.saturating_sub(UNREAD_AMONG));
                if from >= head { Ok(0) } else { queries::unread(db, person, room, from) }
            };
            heads.into_iter().zip(&rooms).map(among).collect()
        })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.readers.close();
        self.write(Work::Close).map(drop).boxed()
    }
}
