//! The live rooms of this process. The hub follows the log's wakes and lets each room tell.

use crate::{
    link::{Item, Link},
    log::{Log, LogResult, Wake},
    room::Room,
    sync::{Mutex, MutexGuard},
};
use app::wire::{PersonId, PersonName, RoomName, ServerFrame};
use axum::extract::ws::Utf8Bytes;
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
            .flat_map(|room| room.everybody())
            .map(|link| (link.id, link))
            .collect();
        let frame = Utf8Bytes::from(ServerFrame::Renamed { id: person, name: name.clone() }.to_json());
        for link in told.into_values() {
            if link.person == person {
                link.rename(name.clone());
            }
            link.push(Item::Frame(frame.clone()));
        }
        Ok(())
    }

    async fn follow(self: Arc<Self>, mut wakes: Receiver<Wake>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wake = wakes.recv() => match wake {
                    Ok(wake) => self.hear(&wake).await,
                    Err(RecvError::Lagged(_)) => self.look().await,
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => self.look().await,
            }
        }
    }

    /// Tells what a wake brings, or reads what is missing before it. One at a time.
    pub async fn hear(&self, wake: &Wake) {
        let Some(room) = self.rooms().get(&wake.room).cloned() else { return };
        let (Some(first), Some(last)) = (wake.events.first(), wake.events.last()) else { return };
        if first.seq == room.told() + 1 {
            room.broadcast(&wake.events);
        } else if last.seq > room.told() {
            self.heal(&room).await;
        }
    }

    /// Looks at every open room, whatever wakes there were.
    async fn look(&self) {
        let open = self.open_rooms();
        let names: Vec<RoomName> = open.iter().map(|room| room.name.clone()).collect();
        for (room, head) in open.iter().zip(self.log.heads(&names)) {
            if head > room.told() {
                self.heal(room).await;
            }
        }
    }

    /// Reads and tells until nothing is missing. Where the log cannot be read, the next look tries
    /// again.
    async fn heal(&self, room: &Room) {
        loop {
            match self.log.read_after(&room.name, room.told(), HEAL).await {
                Ok(events) if events.is_empty() => return,
                Ok(events) => room.broadcast(&events),
                Err(error) => {
                    return tracing::error!(%error, room = %room.name, "a gap could not be healed yet");
                }
            }
        }
    }

    fn open_rooms(&self) -> Vec<Arc<Room>> {
        self.rooms().values().cloned().collect()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
