//! The log of `--ephemeral`: as durable as the process.

use super::{Appended, Log, LogError, LogResult, NewMessage, Page, WAKES_WAITING, Wake, now};
use app::wire::{Author, CommandId, Event, EventBody, Message, PersonId, PersonName, RoomName, Seq};
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// A log in memory.
pub struct MemoryLog {
    id: String,
    /// Sections under this lock are short and never wait.
    shelf: Arc<Mutex<Shelf>>,
    wakes: broadcast::Sender<Wake>,
}

#[derive(Default)]
struct Shelf {
    rooms: BTreeMap<RoomName, Vec<Kept>>,
    ids: HashMap<CommandId, (RoomName, Seq)>,
    names: HashMap<PersonId, PersonName>,
}

/// An event without its author's name, which may change.
struct Kept {
    event: Arc<Event>,
    author: PersonId,
}

impl MemoryLog {
    /// An empty log with an identity of its own.
    pub fn new() -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            shelf: Arc::default(),
            wakes: broadcast::channel(WAKES_WAITING).0,
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl Shelf {
    fn append(&mut self, new: NewMessage) -> LogResult<(Appended, Option<Arc<Event>>)> {
        if let Some((room, seq)) = self.ids.get(&new.id) {
            let first = &self.rooms[room][*seq as usize - 1];
            if first.author != new.author {
                return Err(LogError::IdTaken);
            }
            return Ok((Appended { room: room.clone(), seq: *seq, at: first.event.at, dup: true }, None));
        }
        let head = self.head(&new.room);
        if new.reply_to.is_some_and(|target| target == 0 || target > head) {
            return Err(LogError::NoSuchMessage);
        }
        let event = Arc::new(Event {
            seq: head + 1,
            at: now(),
            id: new.id,
            author: Author { id: new.author, name: self.name(new.author) },
            body: EventBody::Message { text: new.text, reply_to: new.reply_to },
        });
        self.ids.insert(new.id, (new.room.clone(), event.seq));
        let kept = Kept { event: event.clone(), author: new.author };
        self.rooms.entry(new.room.clone()).or_default().push(kept);
        Ok((Appended { room: new.room, seq: event.seq, at: event.at, dup: false }, Some(event)))
    }

    fn head(&self, room: &RoomName) -> Seq {
        self.rooms.get(room).map_or(0, |kept| kept.len() as Seq)
    }

    fn name(&self, person: PersonId) -> PersonName {
        self.names.get(&person).cloned().unwrap_or_else(|| PersonName::given(person))
    }

    /// The event with its author's present name.
    fn named(&self, kept: &Kept) -> Arc<Event> {
        let name = self.name(kept.author);
        if kept.event.author.name == name {
            return kept.event.clone();
        }
        Arc::new(Event { author: Author { id: kept.author, name }, ..(*kept.event).clone() })
    }

    fn read_after(&self, room: &RoomName, after: Seq, limit: u32) -> Vec<Arc<Event>> {
        let kept = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        kept.iter().skip(after as usize).take(limit as usize).map(|kept| self.named(kept)).collect()
    }

    fn read_before(&self, room: &RoomName, before: Seq, limit: u32) -> Page {
        let kept = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        let end = kept.len().min(before.saturating_sub(1) as usize);
        let start = end.saturating_sub(limit as usize);
        let messages =
            kept[start..end].iter().filter_map(|kept| Message::posted(&self.named(kept))).collect();
        Page { messages, more: start > 0 }
    }
}

impl Log for MemoryLog {
    fn id(&self) -> &str {
        &self.id
    }

    fn append(&self, message: NewMessage) -> BoxFuture<'static, LogResult<Appended>> {
        let mut shelf = self.shelf();
        let appended = shelf.append(message).map(|(appended, event)| {
            if let Some(event) = event {
                // Sent under the lock, so that wakes keep the order; nobody listening is no error.
                let _ = self.wakes.send(Wake { room: appended.room.clone(), events: [event].into() });
            }
            appended
        });
        ready(appended).boxed()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, LogResult<Vec<Arc<Event>>>> {
        ready(Ok(self.shelf().read_after(room, after, limit))).boxed()
    }

    fn read_before(&self, room: &RoomName, before: Seq, limit: u32) -> BoxFuture<'static, LogResult<Page>> {
        ready(Ok(self.shelf().read_before(room, before, limit))).boxed()
    }

    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        let shelf = self.shelf();
        rooms.iter().map(|room| shelf.head(room)).collect()
    }

    fn rooms(&self) -> Vec<(RoomName, Seq)> {
        self.shelf().rooms.iter().map(|(room, kept)| (room.clone(), kept.len() as Seq)).collect()
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn names(&self, people: &[PersonId]) -> BoxFuture<'static, LogResult<Vec<PersonName>>> {
        let shelf = self.shelf();
        ready(Ok(people.iter().map(|person| shelf.name(*person)).collect())).boxed()
    }

    fn rename(&self, person: PersonId, name: PersonName) -> BoxFuture<'static, LogResult<()>> {
        self.shelf().names.insert(person, name);
        ready(Ok(())).boxed()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
