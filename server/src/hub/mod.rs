//! The live rooms of this process. The hub follows the log's wakes and lets each room tell.

pub mod batch;
pub mod outbound;
pub mod presence;
pub mod room;
pub mod subscriber;
pub mod subscription;
mod sync;

use crate::{
    hub::{
        outbound::Item,
        presence::{Members, TOLD_EVERY},
        room::{Next, Room},
        subscriber::Link,
        sync::{Mutex, MutexGuard},
    },
    redact::LoggableRoom,
    store::{MAX_VISITS, Store, StoreError, StoreResult, Wake},
    websocket::frame,
};
use app::wire::{DisplayName, RoomName, RoomTitle, Seq, ServerFrame, Topic, User, UserId};
use smallvec::SmallVec;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{
        Mutex as Turn,
        broadcast::{Receiver, error::RecvError},
        mpsc::{UnboundedSender, unbounded_channel},
    },
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

/// How often the hub looks by itself whether a room has grown, so that a lost wake costs no more
/// than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events that are read at once to heal a gap.
const HEAL: u32 = 500;

/// The live rooms of this process. A room lives while somebody is connected to it.
pub struct Hub {
    log: Arc<dyn Store>,
    /// Sections under this lock are short and never wait.
    rooms: Mutex<HashMap<RoomName, Arc<Room>>>,
    /// Everybody's links. Sections under this lock are short and never wait.
    people: Mutex<HashMap<UserId, SmallVec<[Arc<Link>; 1]>>>,
    /// Rooms in which somebody has come or gone.
    stirred: UnboundedSender<Arc<Room>>,
    /// One at a time tells what somebody or a room is called, and reads it then: the last that is told is how
    /// it is, in whatever order the commits are heard of.
    calling: Turn<()>,
    /// Moves on after every commit that changes what users are called or how they are marked. It begins at random,
    /// so that no value of an earlier process comes again.
    names_generation: AtomicU64,
}

impl Hub {
    /// A hub that follows `log` until the log's wakes end.
    pub fn start(log: Arc<dyn Store>) -> Arc<Self> {
        let wakes = log.wakes();
        let (stirred, mut stirs) = unbounded_channel();
        let hub = Arc::new(Self { stirred, ..Self::idle(log) });
        tokio::spawn(hub.clone().follow(wakes));
        tokio::spawn(async move {
            while let Some(room) = stirs.recv().await {
                tokio::spawn(settle(room));
            }
        });
        hub
    }

    /// A hub that follows nothing by itself: somebody lets it [`hear`](Self::hear).
    pub fn idle(log: Arc<dyn Store>) -> Self {
        let (stirred, _) = unbounded_channel();
        let names_generation = AtomicU64::new(Uuid::new_v4().as_u64_pair().0);
        let (rooms, people) = (Mutex::new(HashMap::new()), Mutex::new(HashMap::new()));
        Self { log, rooms, people, stirred, calling: Turn::new(()), names_generation }
    }

    /// Returns the generation of users' names and marks: as long as it stays, no name that was read changes.
    pub fn names_generation(&self) -> u64 {
        self.names_generation.load(Ordering::Acquire)
    }

    /// `link` is another one of its person's.
    pub fn meet(&self, link: &Arc<Link>) {
        self.people().entry(link.person).or_default().push(link.clone());
    }

    /// `link` is gone.
    pub fn part(&self, link: &Link) {
        let mut people = self.people();
        if let Some(links) = people.get_mut(&link.person) {
            links.retain(|known| known.id != link.id);
            if links.is_empty() {
                people.remove(&link.person);
            }
        }
    }

    /// Everything that is told in `room` from now on reaches `link`, who is seen there unless it is `quiet`.
    pub fn join(&self, room: &RoomName, link: Arc<Link>, quiet: bool) -> Arc<Room> {
        let mut rooms = self.rooms();
        // The head is read before the room can be told of anything, so the room misses nothing.
        let open = || Arc::new(Room::new(room.clone(), self.log.heads(std::slice::from_ref(room))[0]));
        let room = rooms.entry(room.clone()).or_insert_with(open).clone();
        if room.join(link, quiet) {
            // Without anybody who settles it there is nobody to tell either.
            let _ = self.stirred.send(room.clone());
        }
        room
    }

    /// Nothing more of `room` reaches `link`; an empty room is closed.
    pub fn leave(&self, room: &RoomName, link: &Link) {
        let mut rooms = self.rooms();
        let Some(left) = rooms.get(room) else { return };
        let (is_empty, settle) = left.leave(link);
        if settle {
            let _ = self.stirred.send(left.clone());
        }
        if is_empty {
            rooms.remove(room);
        }
    }

    /// Returns the users present in a room as `you` list them, each once, however many connections they have.
    pub fn members(&self, room: &RoomName, you: UserId) -> Members {
        self.room(room).map(|room| room.members(you)).unwrap_or_default()
    }

    /// Informs the connections of `person`, except the link with the id `here`, that `person` has read `room` up
    /// to `seq`, and how much is still unread.
    pub async fn has_read(&self, person: UserId, here: Option<u64>, room: &RoomName, seq: Seq) {
        let others: SmallVec<[Arc<Link>; 4]> = match self.people().get(&person) {
            Some(links) => links.iter().filter(|link| Some(link.id) != here).cloned().collect(),
            None => return,
        };
        if others.is_empty() {
            return;
        }
        let head = self.log.heads(std::slice::from_ref(room))[0];
        let unread = if seq >= head {
            Some(0)
        } else {
            // Without a count the clients estimate.
            let counts = self.log.unread(person, vec![(room.clone(), seq)]).await;
            counts.ok().and_then(|counts| counts.first().copied())
        };
        let read = ServerFrame::Read { room: room.clone(), seq, head: unread.map(|_| head), unread };
        let frame = frame::text(&read.to_json());
        others.iter().for_each(|link| link.tell(Item::Frame(frame.clone())));
    }

    /// Calls `person` something else, durably, and tells everybody who may have something of theirs on the
    /// screen, also where the future is dropped. It takes its place in the order when this is called. How
    /// `person` is to be seen once that is told.
    ///
    /// # Errors
    /// [`StoreError::Storage`]; nothing has changed then.
    pub fn rename(
        self: &Arc<Self>,
        person: UserId,
        name: DisplayName,
    ) -> impl Future<Output = StoreResult<User>> + Send + use<> {
        let (hub, fallback) = (self.clone(), User::new(person, name.clone()));
        let renamed = self.log.rename(person, name);
        to_its_end(async move {
            let told = hub.tell_renamed(renamed.await?).await;
            Ok(told.into_iter().find(|told| told.id == person).unwrap_or(fallback))
        })
    }

    /// Tells how those who have `changed` are to be seen now.
    async fn tell_renamed(&self, changed: Vec<User>) -> Vec<User> {
        self.names_generation.fetch_add(1, Ordering::AcqRel);
        let _turn = self.calling.lock().await;
        let ids: Vec<UserId> = changed.iter().map(|changed| changed.id).collect();
        let present = self.log.people(&ids).await.unwrap_or(changed);
        for person in &present {
            self.tell_name(person).await;
        }
        present
    }

    async fn tell_name(&self, person: &User) {
        let links = self.people().get(&person.id).cloned().unwrap_or_default();
        links.iter().for_each(|link| link.rename(person.clone()));
        let visited = self.log.visits(person.id, 0, MAX_VISITS).await.unwrap_or_default();
        let visited: HashSet<RoomName> = visited.into_iter().map(|(room, _)| room).collect();
        let followed: HashSet<RoomName> = links.iter().flat_map(|link| link.rooms()).collect();
        // Only rooms in which the user is or has been: a rename costs no more if many others are open.
        let rooms: Vec<Arc<Room>> = {
            let open = self.rooms();
            visited.union(&followed).filter_map(|room| open.get(room).cloned()).collect()
        };
        for room in rooms.iter().filter(|room| room.rename(person)) {
            let _ = self.stirred.send(room.clone());
        }
        let theirs = rooms.iter().filter(|room| visited.contains(&room.name) || room.has(person.id));
        let told: HashMap<u64, Arc<Link>> =
            theirs.flat_map(|room| room.row().to_vec()).map(|link| (link.id, link)).collect();
        let User { id, name, alike, tag } = person.clone();
        let frame = frame::text(&ServerFrame::Renamed { id, name, alike, tag }.to_json());
        told.into_values().for_each(|link| link.tell(Item::Frame(frame.clone())));
    }

    /// Its owner calls a room something else, durably; everybody in it is told, also where the future is
    /// dropped. It takes its place in the order when this is called.
    ///
    /// # Errors
    /// As [`Store::retitle`].
    pub fn retitle(
        self: &Arc<Self>,
        room: &RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> impl Future<Output = StoreResult<()>> + Send + use<> {
        let (hub, name) = (self.clone(), room.clone());
        let retitled = self.log.retitle(room.clone(), person, title, topic);
        to_its_end(async move {
            retitled.await?;
            hub.tell_title(name).await;
            Ok(())
        })
    }

    async fn tell_title(&self, name: RoomName) {
        let _turn = self.calling.lock().await;
        let Some(room) = self.room(&name) else { return };
        let about = self.log.about(&name);
        let (title, topic) = (about.title(&name), about.topic.to_string());
        room.tell_all(&ServerFrame::Titled { room: name, title, topic });
    }

    async fn follow(self: Arc<Self>, mut wakes: Receiver<Wake>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let grown = tokio::select! {
                wake = wakes.recv() => match wake {
                    Ok(wake) => self.wake(wake),
                    Err(RecvError::Lagged(_)) => {
                        self.names_generation.fetch_add(1, Ordering::AcqRel);
                        self.look()
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => self.look(),
            };
            for room in grown {
                let hub = self.clone();
                tokio::spawn(async move { hub.tell(&room).await });
            }
        }
    }

    /// The room in which something must be told now.
    fn wake(self: &Arc<Self>, wake: Wake) -> Vec<Arc<Room>> {
        if !wake.alike.is_empty() {
            let hub = self.clone();
            tokio::spawn(async move { hub.tell_renamed(wake.alike).await });
        }
        self.room(&wake.room).filter(|room| room.hear(Some(&wake.events))).into_iter().collect()
    }

    /// Tells what a wake brings, or reads what is missing before it.
    pub async fn hear(&self, wake: &Wake) {
        if let Some(room) = self.room(&wake.room)
            && room.hear(Some(&wake.events))
        {
            self.tell(&room).await;
        }
    }

    /// Looks at every open room, whatever wakes there were: those of which something must be told.
    fn look(&self) -> Vec<Arc<Room>> {
        let open = self.open_rooms();
        let names: Vec<RoomName> = open.iter().map(|room| room.name.clone()).collect();
        let heads = self.log.heads(&names);
        let grown = open.into_iter().zip(heads).filter(|(room, head)| *head > room.told());
        grown.map(|(room, _)| room).filter(|room| room.hear(None)).collect()
    }

    /// Tells what the room has heard until nothing is left. One at a time for each room: what comes
    /// meanwhile is told together, next.
    async fn tell(&self, room: &Room) {
        while let Some(next) = room.next() {
            match next {
                Next::Events(events) => room.broadcast(&events).await,
                Next::FromLog => self.heal(room).await,
            }
        }
    }

    /// Reads and tells until nothing is missing. Where the log cannot be read, the next look tries
    /// again.
    async fn heal(&self, room: &Room) {
        loop {
            match self.log.read_after(&room.name, room.told(), HEAL).await {
                Ok(events) if events.is_empty() => return,
                Ok(events) => room.broadcast(&events).await,
                Err(error) => {
                    return tracing::error!(%error, room = %LoggableRoom(&room.name), "a gap could not be healed yet");
                }
            }
        }
    }

    fn room(&self, name: &RoomName) -> Option<Arc<Room>> {
        self.rooms().get(name).cloned()
    }

    fn open_rooms(&self) -> Vec<Arc<Room>> {
        self.rooms().values().cloned().collect()
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, SmallVec<[Arc<Link>; 1]>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does something that must not be left half done, though whoever asked for it hangs up.
fn to_its_end<T: Send + 'static>(
    deed: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> impl Future<Output = StoreResult<T>> + Send {
    let done = tokio::spawn(deed);
    async { done.await.unwrap_or_else(|error| Err(StoreError::Storage(error.to_string()))) }
}

/// Tells a room who has come and who has gone, until nothing is left to tell.
async fn settle(room: Arc<Room>) {
    loop {
        sleep(TOLD_EVERY).await;
        if !room.tell_presence(Instant::now()) {
            return;
        }
    }
}
