//! The store in a SQLite file: one thread writes it, and readers never wait for the writer.

mod backfill;
mod backup;
mod check;
mod connection;
mod create;
mod ephemeral;
mod epoch;
mod error;
mod files;
mod health;
mod open;
mod pool;
mod queries;
mod record;
mod rows;
mod schema;
mod sql;
mod writer;

pub use backup::{Summary, back_up, restore};
pub use check::check;
pub use connection::Synchronous;
pub use error::OpenError;

use super::{
    Appended, ListedRoom, MarkerUpdate, MessagePage, NewEvent, RoomInfo, Store, StoreError, StoreResult,
    StreamPosition, Wake, position, room_index::RoomIndex,
};
use app::wire::{DisplayName, Event, RoomName, RoomTitle, Seq, Topic, User, UserId};
use check::BackgroundCheck;
use epoch::{Epochs, Shared};
use futures_util::future::{BoxFuture, FutureExt, ready};
use health::Health;
use open::Opened;
use pool::ReadPool;
use record::Record;
use std::{
    collections::HashSet,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, mpsc},
};
use tokio::sync::{broadcast, oneshot};
use writer::{Upkeep, WriteCommand, WriteOutput, Writer, WriterRequest};

/// The durable rooms. The writer updates them after a commit, before it notifies.
type Rooms = Arc<RwLock<RoomIndex>>;

/// A store in a SQLite file.
pub struct SqliteStore {
    /// The identity of the event log, with its present epoch.
    log_id: String,
    epochs: Epochs,
    is_unused: bool,
    rooms: Rooms,
    /// The order of the queue is the order of the event log.
    requests: mpsc::Sender<WriterRequest>,
    notifications: broadcast::Sender<Wake>,
    readers: ReadPool,
    health: Arc<Health>,
    check: Mutex<Option<BackgroundCheck>>,
}

/// How a store is opened.
pub struct Options<'a> {
    /// When a commit is on disk.
    pub synchronous: Synchronous,
    /// Bytes that the file and its write-ahead log may have; `None` for no quota. Past it only deletes are stored, and
    /// updates of existing rows.
    pub max_bytes: Option<u64>,
    /// Saves the cookie key that the file carries if it is a backup.
    pub save_key: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl SqliteStore {
    /// Opens the store at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// [`OpenError`]; a file that is not ours or is too new stays as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let save_key = &mut |_: &[u8]| Ok(());
        Self::open_with(path, Options { synchronous: Synchronous::Full, max_bytes: None, save_key })
    }

    /// Opens the store at `path` with other options.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        let opened = open::open(path, options.synchronous, options.save_key)?;
        let readers = ReadPool::new(&opened.path);
        let upkeep = Upkeep::new(&opened.path, options.max_bytes);
        let record = Record::of(&opened.path);
        Self::start(opened, readers, upkeep, Some(record))
    }

    /// Opens an empty store that ends with the process. Its files are in a temporary folder and unlinked, so that they
    /// are gone even if the process is killed. No commit is synced to disk.
    ///
    /// # Errors
    /// [`OpenError`] if no temporary folder can be written.
    pub fn ephemeral() -> Result<Self, OpenError> {
        let (opened, readers) = ephemeral::open()?;
        let upkeep = Upkeep::new(&opened.path, None);
        Self::start(opened, readers, upkeep, None)
    }

    fn start(
        opened: Opened,
        readers: ReadPool,
        upkeep: Upkeep,
        record: Option<Record>,
    ) -> Result<Self, OpenError> {
        let health = Arc::new(Health::default());
        let check = if opened.is_checked {
            None
        } else {
            Some(BackgroundCheck::spawn(opened.path.clone(), health.clone())?)
        };
        let rooms = Rooms::new(RwLock::new(opened.rooms));
        let (requests, queue) = mpsc::channel();
        let notifications = broadcast::channel(super::NOTIFICATION_CAPACITY).0;
        let upkeep = (upkeep, record, health.clone());
        Writer::new(opened.connection, rooms.clone(), notifications.clone(), upkeep).spawn(queue);
        Ok(Self {
            log_id: position::log_id(&opened.id, opened.epochs.present()),
            epochs: opened.epochs,
            is_unused: opened.is_unused,
            rooms,
            requests,
            notifications,
            readers,
            health,
            check: Mutex::new(check),
        })
    }

    /// Returns `true` if no user had an identity that the store knew when it was opened.
    pub fn is_unused(&self) -> bool {
        self.is_unused
    }

    /// Queues a request now; the future resolves after its commit.
    fn request(
        &self,
        request: impl FnOnce(oneshot::Sender<StoreResult<WriteOutput>>) -> WriterRequest,
    ) -> impl Future<Output = StoreResult<WriteOutput>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        // A failed send drops the sender, which the receiver reports.
        let _ = self.requests.send(request(answer));
        async { answered.await.unwrap_or_else(|_| Err(closed())) }
    }

    fn execute(
        &self,
        command: WriteCommand,
    ) -> impl Future<Output = StoreResult<WriteOutput>> + Send + 'static {
        self.request(|answer| WriterRequest::Execute(command, answer))
    }

    fn rooms(&self) -> RwLockReadGuard<'_, RoomIndex> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> StoreError {
    StoreError::backend("the store is closed")
}

impl Store for SqliteStore {
    fn log_id(&self) -> &str {
        &self.log_id
    }

    fn continues(&self, room: &RoomName, position: StreamPosition) -> BoxFuture<'static, StoreResult<bool>> {
        let StreamPosition { after, after_id, log } = position;
        let has_same_id = |log: &str| position::split_log_id(log).0 == position::split_log_id(&self.log_id).0;
        if !log.as_deref().is_none_or(has_same_id) {
            return ready(Ok(false)).boxed();
        }
        let shared = log.map_or(Shared::All, |log| self.epochs.shared(position::split_log_id(&log).1));
        if after == 0 || (after_id.is_none() && matches!(shared, Shared::All | Shared::Unknown)) {
            return ready(Ok(after == 0 || shared == Shared::All)).boxed();
        }
        let room = room.clone();
        self.readers.read(move |db| {
            Ok(match (queries::event_at(db, &room, after)?, after_id, shared) {
                (Some((id, _)), Some(expected), _) => id == expected,
                (Some((_, row)), None, Shared::Before(bound)) => row < bound,
                _ => false,
            })
        })
    }

    fn ready(&self) -> BoxFuture<'static, StoreResult<()>> {
        if self.health.is_corrupt() {
            return ready(Err(StoreError::Corrupt)).boxed();
        }
        if !self.health.has_failed() {
            return ready(Ok(())).boxed();
        }
        if !self.health.may_probe() {
            return ready(Err(StoreError::backend("the last commit failed"))).boxed();
        }
        self.execute(WriteCommand::Probe).map(|done| done.map(drop)).boxed()
    }

    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>> {
        let stored = self.execute(WriteCommand::Append(event));
        async {
            match stored.await? {
                WriteOutput::Appended(appended) => Ok(appended),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn events_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::events_after(db, &room, after, limit))
    }

    fn messages_before(
        &self,
        room: &RoomName,
        before: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<MessagePage>> {
        let room = room.clone();
        self.readers.read(move |db| queries::messages_before(db, &room, before, limit))
    }

    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        let index = self.rooms();
        rooms.iter().map(|room| index.head(room)).collect()
    }

    fn list_rooms(&self, after: Option<&RoomName>, limit: usize) -> Vec<ListedRoom> {
        self.rooms().list(after, limit)
    }

    fn recent_rooms(&self, excluded: &HashSet<RoomName>, limit: usize) -> Vec<RoomName> {
        self.rooms().recent(excluded, limit)
    }

    fn rooms_by_title(
        &self,
        after: Option<&RoomName>,
        excluded: &HashSet<RoomName>,
        limit: usize,
    ) -> Vec<RoomName> {
        self.rooms().by_title(after, excluded, limit)
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.notifications.subscribe()
    }

    fn room(&self, room: &RoomName) -> Arc<RoomInfo> {
        self.rooms().info(room)
    }

    fn create_room(&self, room: RoomName, info: RoomInfo) -> BoxFuture<'static, StoreResult<()>> {
        self.execute(WriteCommand::CreateRoom(room, info)).map(|done| done.map(drop)).boxed()
    }

    fn update_room(
        &self,
        room: RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>> {
        self.execute(WriteCommand::UpdateRoom { room, user, title, topic }).map(|done| done.map(drop)).boxed()
    }

    fn users(&self, users: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        let users = users.to_vec();
        self.readers.read(move |db| queries::users(db, &users))
    }

    fn set_display_name(
        &self,
        user: UserId,
        name: DisplayName,
    ) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        let stored = self.execute(WriteCommand::SetDisplayName(user, name));
        async {
            match stored.await? {
                WriteOutput::Users(users) => Ok(users),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn set_read_marker(
        &self,
        user: UserId,
        room: RoomName,
        seq: Seq,
    ) -> BoxFuture<'static, StoreResult<MarkerUpdate>> {
        let stored = self.execute(WriteCommand::SetReadMarker(user, room, seq));
        async {
            match stored.await? {
                WriteOutput::Marker(update) => Ok(update),
                _ => Err(closed()),
            }
        }
        .boxed()
    }

    fn remove_read_marker(&self, user: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>> {
        self.execute(WriteCommand::RemoveReadMarker(user, room)).map(|done| done.map(drop)).boxed()
    }

    fn read_markers(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>> {
        self.readers.read(move |db| queries::read_markers(db, user, skip, limit))
    }

    fn read_marker(&self, user: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::read_marker(db, user, &room))
    }

    fn unread_counts(
        &self,
        user: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>> {
        let heads = self.heads(&rooms.iter().map(|(room, _)| room.clone()).collect::<Vec<_>>());
        self.readers.read(move |db| {
            let counts = heads.into_iter().zip(&rooms);
            counts.map(|(head, (room, after))| queries::unread_count(db, user, room, *after, head)).collect()
        })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.check.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.close();
        self.request(WriterRequest::Shutdown).map(drop).boxed()
    }
}
