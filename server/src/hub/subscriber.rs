//! The half of a reader that others see: who it is, and what it is told.

use crate::{
    hub::{
        batch::Encoding,
        outbound::{Flow, Item, Outlet},
        sync::{Mutex, MutexGuard},
    },
    net::Account,
};
use app::wire::{DisplayName, RoomName, User, UserId};
use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// The shared half of one reader of rooms.
#[derive(Debug)]
pub struct Link {
    /// Unique in this process.
    pub id: u64,
    /// Who reads.
    pub person: UserId,
    /// Whether others see that this person is here.
    pub seen: bool,
    author: Mutex<User>,
    /// Sections under this lock are short and never wait; what a room tells is written to the network
    /// under it, as far as the network takes it at once.
    flow: Mutex<Flow>,
    ready: Notify,
}

impl Link {
    /// A link for `person`, who is seen to be here.
    pub fn new(author: User) -> Arc<Self> {
        Self::made(author, true)
    }

    /// A link for whoever follows without being here.
    pub fn onlooker() -> Arc<Self> {
        let nobody = UserId(0);
        Self::made(User::new(nobody, DisplayName::generated(nobody)), false)
    }

    fn made(author: User, seen: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            person: author.id,
            seen,
            author: Mutex::new(author),
            flow: Mutex::default(),
            ready: Notify::new(),
        })
    }

    /// Who reads, under their present name.
    pub fn author(&self) -> User {
        self.author.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reader is called something else now.
    pub fn rename(&self, author: User) {
        *self.author.lock().unwrap_or_else(PoisonError::into_inner) = author;
    }

    /// What this reader is told goes straight into `outlet` from now on, wherever nothing waits before
    /// it.
    pub fn attach(&self, outlet: Arc<dyn Outlet>, encoding: Encoding) {
        self.flow().attach(outlet, encoding);
        self.ready.notify_one();
    }

    /// What waits for this reader is charged to `account`.
    pub fn charge_to(&self, account: Arc<Account>) {
        self.flow().charge_to(account);
    }

    /// Drops what waits and can be read from the log again. Returns how many bytes that were.
    pub fn drop_queue(&self) -> usize {
        self.flow().drop_queue()
    }

    /// What this reader is told waits from now on until it is taken.
    pub fn detach(&self) {
        self.flow().detach();
    }

    /// Tells something. Never waits: it goes into the outlet or the queue, and a full queue is
    /// forgotten.
    pub fn tell(&self, item: Item) {
        if self.flow().tell(item) {
            self.ready.notify_one();
        }
    }

    /// The rooms that this reader follows.
    pub fn rooms(&self) -> Vec<RoomName> {
        self.flow().rooms().cloned().collect()
    }

    /// Resolves when the reader has to do something.
    pub async fn ready(&self) {
        while !self.flow().needs_reader() {
            self.ready.notified().await;
        }
    }

    pub(crate) fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
