//! The half of a reader that others see: who it is, and the bounded queue of what waits for it.

use crate::{
    batch::Batch,
    sync::{Mutex, MutexGuard},
};
use app::wire::{Author, PersonId, PersonName};
use axum::extract::ws::Utf8Bytes;
use std::{
    mem,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// Frames that may wait for one reader. What does not fit is read from the log afterwards.
pub const QUEUE_FRAMES: usize = 256;

/// Bytes that may wait for one reader.
pub const QUEUE_BYTES: usize = 1_024 * 1_024;

/// Something that waits for a reader.
#[derive(Debug, Clone)]
pub enum Item {
    /// Events, which can also be read from the log.
    Events(Arc<Batch>),
    /// Something that only matters now.
    Frame(Utf8Bytes),
}

/// The shared half of one reader of rooms.
#[derive(Debug)]
pub struct Link {
    /// Unique in this process.
    pub id: u64,
    /// Who reads.
    pub person: PersonId,
    /// Whether others see that this person is here.
    pub seen: bool,
    name: Mutex<PersonName>,
    waiting: Mutex<Waiting>,
    ready: Notify,
}

/// What waits for a reader. Sections under its lock are short and never wait.
#[derive(Debug, Default)]
pub struct Waiting {
    /// In order of arrival.
    pub items: Vec<Item>,
    bytes: usize,
    /// The queue was full and was forgotten: the rooms must be read from the log.
    pub behind: bool,
}

impl Link {
    /// A link for `person`, who is seen to be here.
    pub fn new(person: PersonId, name: PersonName) -> Arc<Self> {
        Self::made(person, name, true)
    }

    /// A link for whoever follows without being here.
    pub fn onlooker() -> Arc<Self> {
        let nobody = PersonId(0);
        Self::made(nobody, PersonName::given(nobody), false)
    }

    fn made(person: PersonId, name: PersonName, seen: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            person,
            seen,
            name: Mutex::new(name),
            waiting: Mutex::default(),
            ready: Notify::new(),
        })
    }

    /// Who reads, under their present name.
    pub fn author(&self) -> Author {
        let name = self.name.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Author { id: self.person, name }
    }

    /// The reader is called something else now.
    pub fn rename(&self, name: PersonName) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Puts something into the queue. Never waits: a full queue is forgotten instead.
    pub fn push(&self, item: Item) {
        self.waiting().push(item);
        self.ready.notify_one();
    }

    /// Resolves when something waits.
    pub async fn ready(&self) {
        while self.waiting().is_empty() {
            self.ready.notified().await;
        }
    }

    /// Everything that waits.
    pub fn take(&self) -> Waiting {
        mem::take(&mut *self.waiting())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.behind
    }

    fn push(&mut self, item: Item) {
        if self.behind && matches!(item, Item::Events(_)) {
            return;
        }
        self.bytes += item.bytes();
        self.items.push(item);
        if self.items.len() > QUEUE_FRAMES || self.bytes > QUEUE_BYTES {
            *self = Self { behind: true, ..Self::default() };
        }
    }
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Events(batch) => batch.bytes(),
            Self::Frame(frame) => frame.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::{Event, EventBody, RoomName};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn batch(bytes: usize) -> Item {
        let author = Author { id: PersonId(1), name: PersonName::given(PersonId(1)) };
        let body = EventBody::Message { text: "x".repeat(bytes).into(), reply_to: None };
        let event = Arc::new(Event { seq: 1, at: 0, id: Uuid::nil(), author, body });
        Item::Events(Batch::cut(&RoomName::lobby(), &[event]).remove(0))
    }

    proptest! {
        #[test]
        fn whatever_is_pushed_what_waits_stays_within_its_bound(sizes in prop::collection::vec(0_usize..60_000, 0..400)) {
            let link = Link::onlooker();
            for (n, size) in sizes.into_iter().enumerate() {
                link.push(if n % 7 == 0 { Item::Frame("x".repeat(size / 7).into()) } else { batch(size) });
                let waiting = link.waiting();
                prop_assert!(waiting.items.len() <= QUEUE_FRAMES && waiting.bytes <= QUEUE_BYTES);
                prop_assert_eq!(waiting.bytes, waiting.items.iter().map(Item::bytes).sum::<usize>());
            }
        }
    }

    #[test]
    fn a_queue_that_was_full_remembers_that_something_was_there() {
        let link = Link::onlooker();
        (0..QUEUE_FRAMES + 2).for_each(|_| link.push(batch(1)));
        let waiting = link.take();
        assert!(waiting.behind && waiting.items.is_empty());
        assert!(!link.take().behind, "it is told once");
    }
}
