//! The live rooms of this process. The hub follows the log's wakes and lets each room tell.

use crate::{
    flow::Item,
    link::Link,
    log::{Log, LogResult, Wake},
    room::{Next, Room},
    sync::{Mutex, MutexGuard},
    websocket::frame,
};
use app::wire::{PersonId, PersonName, RoomName, ServerFrame};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{MissedTickBehavior, interval},
};

/// How often the hub looks by itself whether a room has grown, so that a lost wake costs no more
/// than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Events that are read at once to heal a gap.
const HEAL: u32 = 500;

/// The live rooms of this process. A room lives while somebody is connected to it.
pub struct Hub {
    log: Arc<dyn Log>,
    /// Sections under this lock are short and never wait.
    rooms: Mutex<HashMap<RoomName, Arc<Room>>>,
}

impl Hub {
    /// A hub that follows `log` until the log's wakes end.
    pub fn start(log: Arc<dyn Log>) -> Arc<Self> {
        let wakes = log.wakes();
        let hub = Arc::new(Self::idle(log));
        tokio::spawn(hub.clone().follow(wakes));
        hub
    }

    /// A hub that follows nothing by itself: somebody lets it [`hear`](Self::hear).
    pub fn idle(log: Arc<dyn Log>) -> Self {
        Self { log, rooms: Mutex::new(HashMap::new()) }
    }

    /// Everything that is told in `room` from now on reaches `link`.
    pub fn join(&self, room: &RoomName, link: Arc<Link>) -> Arc<Room> {
        let mut rooms = self.rooms();
        // The head is read before the room can be told of anything, so the room misses nothing.
        let open = || Arc::new(Room::new(room.clone(), self.log.heads(std::slice::from_ref(room))[0]));
        let room = rooms.entry(room.clone()).or_insert_with(open).clone();
        room.join(link);
        room
    }

    /// Nothing more of `room` reaches `link`; an empty room is closed.
    pub fn leave(&self, room: &RoomName, link: &Link) {
        let mut rooms = self.rooms();
        if rooms.get(room).is_some_and(|room| room.leave(link)) {
            rooms.remove(room);
        }
    }

    /// Calls `person` something else, durably, and tells everybody who shares a room with them.
    ///
    /// # Errors
    /// [`crate::log::LogError::Storage`]; nothing has changed then.
    pub async fn rename(&self, person: PersonId, name: PersonName) -> LogResult<()> {
        self.log.rename(person, name.clone()).await?;
        let told: HashMap<u64, Arc<Link>> = self
            .open_rooms()
            .iter()
            .filter(|room| room.has(person))
            .flat_map(|room| room.row().to_vec())
            .map(|link| (link.id, link))
            .collect();
        let frame =
            frame::text(&ServerFrame::Renamed { id: person, name: name.clone(), alike: false }.to_json());
        for link in told.into_values() {
            if link.person == person {
                link.rename(name.clone());
            }
            link.tell(Item::Frame(frame.clone()));
        }
        Ok(())
    }

    async fn follow(self: Arc<Self>, mut wakes: Receiver<Wake>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let grown = tokio::select! {
                wake = wakes.recv() => match wake {
                    Ok(wake) => self.room(&wake.room).filter(|room| room.hear(Some(&wake.events))).into_iter().collect(),
                    Err(RecvError::Lagged(_)) => self.look(),
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
                    return tracing::error!(%error, room = %room.name, "a gap could not be healed yet");
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

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
