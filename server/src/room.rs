//! One live room: who is connected to it, and how far it has told them.

use crate::{
    batch::Batch,
    link::{Item, Link},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};
use app::wire::{Author, Event, PersonId, RoomName, Seq};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
};

/// A room that somebody is connected to.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// The last `seq` that was broadcast. Only the hub's follower moves it.
    told: AtomicU64,
    /// Sections under this lock are short and never wait.
    links: Mutex<HashMap<u64, Arc<Link>>>,
}

impl Room {
    /// A room without anybody, whose events up to `told` need not be broadcast.
    pub fn new(name: RoomName, told: Seq) -> Self {
        Self { name, told: AtomicU64::new(told), links: Mutex::default() }
    }

    /// Everything that is broadcast from now on reaches `link`.
    pub fn join(&self, link: Arc<Link>) {
        self.links().insert(link.id, link);
    }

    /// Nothing more reaches `link`. Whether the room is empty now.
    pub fn leave(&self, link: &Link) -> bool {
        let mut links = self.links();
        links.remove(&link.id);
        links.is_empty()
    }

    /// How far the room has told.
    pub fn told(&self) -> Seq {
        self.told.load(Ordering::Acquire)
    }

    /// Tells everybody `events`, the next in order.
    pub fn broadcast(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let batches = Batch::cut(&self.name, events);
        for link in self.links().values() {
            batches.iter().for_each(|batch| link.push(Item::Events(batch.clone())));
        }
        self.told.store(last.seq, Ordering::Release);
    }

    /// Who is here: people, however many connections each of them has.
    pub fn members(&self) -> Vec<Author> {
        let people: BTreeMap<PersonId, Author> =
            self.links().values().filter(|link| link.seen).map(|link| (link.person, link.author())).collect();
        people.into_values().collect()
    }

    /// Whether `person` is here.
    pub fn has(&self, person: PersonId) -> bool {
        self.links().values().any(|link| link.seen && link.person == person)
    }

    /// Everybody's link.
    pub fn everybody(&self) -> Vec<Arc<Link>> {
        self.links().values().cloned().collect()
    }

    fn links(&self) -> MutexGuard<'_, HashMap<u64, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
