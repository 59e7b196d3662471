//! One live room: who is connected to it, and how far it has told them.

use crate::{
    hub::{
        batch::Batch,
        outbound::Item,
        presence::{Changes, Members, Presence},
        subscriber::Link,
        sync::{
            Mutex, MutexGuard,
            atomic::{AtomicU64, Ordering},
        },
    },
    websocket::frame,
};
use app::wire::{Event, RoomName, Seq, ServerFrame, User, UserId};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError},
};
use tokio::{sync::Notify, task::yield_now, time::Instant};

/// Links that are told before others get a turn on this thread: half a millisecond's worth.
const TURN: usize = 64;

/// Events that wait to be told. What comes beyond is read from the log when its turn comes.
const HEARD_MOST: usize = 4_096;

/// A room that somebody is connected to.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// The last `seq` that was broadcast. Only whoever is telling moves it.
    told: AtomicU64,
    /// Somebody waits until more was told.
    told_more: Notify,
    /// Sections under these locks are short and never wait.
    links: Mutex<Links>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Links {
    by_id: HashMap<u64, Arc<Link>>,
    /// The same in a row, made when it is needed after somebody came or went.
    row: Option<Arc<[Arc<Link>]>>,
    /// Those who follow without being here.
    quiet: HashSet<u64>,
    presence: Presence,
    /// Somebody sees to it that what changes is told.
    settling: bool,
}

/// What the log says has happened and was not yet told.
#[derive(Debug, Default)]
struct Heard {
    /// What each commit brought.
    commits: Vec<Arc<[Arc<Event>]>>,
    events: usize,
    /// More happened than is kept here.
    more: bool,
    /// Somebody is telling, or about to.
    telling: bool,
}

/// What is to be told next.
#[derive(Debug)]
pub enum Next {
    /// These events, which continue what was told.
    Events(Vec<Arc<Event>>),
    /// What the log has after what was told.
    FromLog,
}

impl Room {
    /// A room without anybody, whose events up to `told` need not be broadcast.
    pub fn new(name: RoomName, told: Seq) -> Self {
        Self {
            name,
            told: AtomicU64::new(told),
            told_more: Notify::new(),
            links: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    /// Everything that is broadcast from now on reaches `link`, who is seen here unless it is `quiet`.
    /// Whether somebody must see to it that this is told.
    pub fn join(&self, link: Arc<Link>, quiet: bool) -> bool {
        let mut links = self.links();
        links.row = None;
        let (was_here, is_here) = (links.is_here(&link), link.seen && !quiet);
        if is_here {
            links.quiet.remove(&link.id);
        } else {
            links.quiet.insert(link.id);
        }
        let stirred = match (was_here, is_here) {
            (false, true) => links.presence.came(link.author(), Instant::now()),
            (true, false) => links.presence.left(link.person, Instant::now()),
            _ => false,
        };
        links.by_id.insert(link.id, link);
        stirred && !mem::replace(&mut links.settling, true)
    }

    /// Nothing more reaches `link`. Whether the room is empty now, and whether somebody must settle it.
    pub fn leave(&self, link: &Link) -> (bool, bool) {
        let mut links = self.links();
        links.row = None;
        let stirred = links.is_here(link) && links.presence.left(link.person, Instant::now());
        links.by_id.remove(&link.id);
        links.quiet.remove(&link.id);
        let settle = stirred && !mem::replace(&mut links.settling, true);
        (links.by_id.is_empty(), settle)
    }

    /// Tells who has come and who has gone. Whether there may be more to tell later.
    pub fn tell_presence(&self, now: Instant) -> bool {
        let (changes, count, more) = {
            let mut links = self.links();
            let changes = links.presence.changes(now);
            links.settling = links.presence.may_change();
            (changes, links.presence.count(), links.settling)
        };
        if !changes.is_empty() {
            let Changes { here, gone, only, .. } = changes;
            // The user who has come alone knows that.
            let presence = ServerFrame::Presence { room: self.name.clone(), here, gone, count };
            self.tell_here(Item::Frame(frame::text(&presence.to_json())), only);
        }
        more
    }

    /// Tells everybody else here that `user` is typing.
    pub fn tell_typing(&self, user: User) {
        let but = Some(user.id);
        let typing = ServerFrame::Typing { room: self.name.clone(), user };
        self.tell_here(Item::Passing(frame::text(&typing.to_json())), but);
    }

    fn tell_here(&self, item: Item, but: Option<UserId>) {
        let listeners: Vec<Arc<Link>> = {
            let links = self.links();
            let listens = |link: &&Arc<Link>| !links.quiet.contains(&link.id) && Some(link.person) != but;
            links.by_id.values().filter(listens).cloned().collect()
        };
        listeners.iter().for_each(|link| link.tell(item.clone()));
    }

    /// Tells everybody who follows the room something about it.
    pub fn tell_all(&self, frame: &ServerFrame) {
        let frame = Item::Frame(frame::text(&frame.to_json()));
        self.row().iter().for_each(|link| link.tell(frame.clone()));
    }

    /// How far the room has told.
    pub fn told(&self) -> Seq {
        self.told.load(Ordering::Acquire)
    }

    /// Resolves when the room has told everything up to `seq`.
    pub async fn has_told(&self, seq: Seq) {
        loop {
            let more = self.told_more.notified();
            if self.told() >= seq {
                return;
            }
            more.await;
        }
    }

    /// Takes note of what one commit brought, or that something happened. Whether somebody must
    /// [`tell`](crate::hub::Hub::tell) it now.
    pub fn hear(&self, commit: Option<&Arc<[Arc<Event>]>>) -> bool {
        let mut heard = self.heard();
        match commit {
            Some(commit) if heard.events < HEARD_MOST => {
                heard.events += commit.len();
                heard.commits.push(commit.clone());
            }
            _ => heard.more = true,
        }
        !mem::replace(&mut heard.telling, true)
    }

    /// What is to be told next; nothing where everything is, and then whoever tells is done.
    pub fn next(&self) -> Option<Next> {
        let mut heard = self.heard();
        if heard.commits.is_empty() && !heard.more {
            heard.telling = false;
            return None;
        }
        let Heard { commits, more, .. } =
            mem::replace(&mut *heard, Heard { telling: true, ..Heard::default() });
        let (events, gap) = self.continuing(&commits);
        heard.more = more || gap;
        if events.is_empty() && heard.more {
            heard.more = false;
            return Some(Next::FromLog);
        }
        Some(Next::Events(events))
    }

    /// What continues that which was told, and whether something is missing after it.
    fn continuing(&self, commits: &[Arc<[Arc<Event>]>]) -> (Vec<Arc<Event>>, bool) {
        let (mut last, mut events) = (self.told(), Vec::new());
        for commit in commits {
            match (commit.first(), commit.last()) {
                (Some(first), Some(end)) if first.seq == last + 1 => {
                    events.extend_from_slice(commit);
                    last = end.seq;
                }
                (_, Some(end)) if end.seq > last => return (events, true),
                _ => {}
            }
        }
        (events, false)
    }

    /// Tells everybody `events`, the next in order.
    pub async fn broadcast(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let batches = Batch::cut(&self.name, events);
        for links in self.row().chunks(TURN) {
            for link in links {
                batches.iter().for_each(|batch| link.tell(Item::Events(batch.clone())));
            }
            yield_now().await;
        }
        self.told.store(last.seq, Ordering::Release);
        self.told_more.notify_waiters();
    }

    /// Returns the users present as `you` list them, each once, however many connections they have.
    pub fn members(&self, you: UserId) -> Members {
        self.links().presence.members(you)
    }

    /// Returns the users present as `you` list them, who are sent the changes from now on.
    pub fn subscribe(&self, you: UserId) -> Members {
        self.links().presence.subscribe(you)
    }

    /// Whether `person` is here.
    pub fn has(&self, person: UserId) -> bool {
        self.links().presence.has(person)
    }

    /// Calls a user something else. Returns whether the caller must settle the room, because others may be among the
    /// first users of the list now.
    #[must_use]
    pub fn rename(&self, person: &User) -> bool {
        let mut links = self.links();
        links.presence.rename(person) && !mem::replace(&mut links.settling, true)
    }

    /// Everybody's link.
    pub fn row(&self) -> Arc<[Arc<Link>]> {
        let mut links = self.links();
        let Links { by_id, row, .. } = &mut *links;
        row.get_or_insert_with(|| by_id.values().cloned().collect()).clone()
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    /// Whether `link` is one of those who are seen here.
    fn is_here(&self, link: &Link) -> bool {
        self.by_id.contains_key(&link.id) && !self.quiet.contains(&link.id)
    }
}
