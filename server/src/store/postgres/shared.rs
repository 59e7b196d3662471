//! The state that the tasks of a store share: the subscribers, the generation of names, what waits for other servers, and
//! health.

use super::{durability::WritingServers, history::History, schema::Identity, signal::Outgoing};
use crate::store::{Notification, Notifier};
use app::wire::{RoomName, Seq, UserId};
use std::{
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

/// Time between two lines about a failure of one part, at least.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The state that the tasks of a store share.
pub(super) struct Shared {
    /// The past that this process has shown.
    pub(super) history: History,
    /// The subscribers of this process.
    pub(super) notifier: Notifier,
    /// The generation of names that this process knows. It only increases.
    pub(super) names: AtomicU64,
    /// The generation of names up to which this process has announced every change.
    announced: AtomicI64,
    /// The name of this process among the servers.
    pub(super) node: String,
    /// The channel of the servers of this installation.
    pub(super) channel: String,
    /// Sections under this lock are short and never wait.
    outgoing: Mutex<Outgoing>,
    /// Wakes the task that sends.
    pub(super) has_outgoing: Notify,
    /// The other servers that append events.
    pub(super) writing_servers: WritingServers,
    /// The lease of this process must be renewed at once, because the database may have lost it.
    pub(super) lease_due: Notify,
    /// The health of writes: the last one may have failed.
    pub(super) writes: Health,
    /// The health of reads: the last one may have failed.
    pub(super) reads: Health,
    /// The health of the connection that listens: it may be lost.
    pub(super) listening: Health,
}

impl Shared {
    pub(super) fn new(Identity { log_id, epoch, history, names, .. }: &Identity) -> Self {
        let names = *names;
        let name: String = log_id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        Self {
            history: History::new(history.clone(), epoch.clone()),
            notifier: Notifier::default(),
            names: AtomicU64::new(names.cast_unsigned()),
            announced: AtomicI64::new(names),
            node: format!("{:016x}", Uuid::new_v4().as_u64_pair().0),
            channel: format!("hubbub_{}", name.to_lowercase()),
            outgoing: Mutex::default(),
            has_outgoing: Notify::new(),
            writing_servers: WritingServers::default(),
            lease_due: Notify::new(),
            writes: Health::new("writes"),
            reads: Health::new("reads"),
            listening: Health::new("notifications"),
        }
    }

    /// Returns `true` if the database did not answer the last time, or has another past.
    pub(super) fn is_away(&self) -> bool {
        self.history.ensure_current().is_err()
            || self.writes.is_away()
            || self.reads.is_away()
            || self.listening.is_away()
    }

    /// Notes that names have changed: their generation is at least this one.
    fn note_names(&self, generation: i64) {
        self.names.fetch_max(generation.cast_unsigned(), Ordering::AcqRel);
    }

    /// Returns the generation of names up to which this process has announced every change.
    pub(super) fn announced_names(&self) -> i64 {
        self.announced.load(Ordering::Acquire)
    }

    /// Notes that the changes of one generation are announced. After a gap the next poll finds what is missing.
    pub(super) fn note_names_announced(&self, generation: i64) {
        let _ =
            self.announced.compare_exchange(generation - 1, generation, Ordering::AcqRel, Ordering::Acquire);
        self.note_names(generation);
    }

    /// Notes that the changes of all generations up to this one are announced.
    pub(super) fn note_names_announced_up_to(&self, generation: i64) {
        self.announced.fetch_max(generation, Ordering::AcqRel);
        self.note_names(generation);
    }

    /// Notifies the subscribers of this process that users appear differently.
    pub(super) fn publish_users(&self, users: Vec<UserId>) {
        if !users.is_empty() {
            self.notifier.send(Notification::UsersChanged(users));
        }
    }

    /// Notifies the subscribers of this process and the other servers of a read marker.
    pub(super) fn publish_marker(&self, user: UserId, room: RoomName, seq: Seq) {
        self.send(|outgoing| outgoing.add_marker(user, room.clone(), seq));
        self.notifier.send(Notification::ReadMarkerMoved { user, room, seq });
    }

    /// Notifies the subscribers of this process and the other servers that a user has marked messages as unread.
    pub(super) fn publish_unread(&self, user: UserId, room: RoomName) {
        self.send(|outgoing| outgoing.add_unread(user, room.clone()));
        self.notifier.send(Notification::MarkedUnread { user, room });
    }

    /// Queues something for the other servers.
    pub(super) fn send(&self, add: impl FnOnce(&mut Outgoing)) {
        add(&mut self.outgoing());
        self.has_outgoing.notify_one();
    }

    /// Takes what waits for the other servers.
    pub(super) fn take_payloads(&self) -> Vec<String> {
        self.outgoing().take_payloads(&self.node)
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The availability of the database, as one of the tasks sees it. Logs one line when the database goes away, and one when
/// it is back: at most two in a [`LOG_INTERVAL`], since a database with a full disk comes and goes with each probe.
pub(super) struct Health {
    part: &'static str,
    is_away: AtomicBool,
    /// When the failure that lasts, or the last one, was logged. Sections under this lock are short and never wait.
    logged: Mutex<Logged>,
}

#[derive(Default)]
struct Logged {
    failed_at: Option<Instant>,
    /// The last line says that the database is away.
    is_open: bool,
}

impl Health {
    fn new(part: &'static str) -> Self {
        Self { part, is_away: AtomicBool::new(false), logged: Mutex::default() }
    }

    /// Notes that the database has answered.
    pub(super) fn note_answer(&self) {
        if self.is_away()
            && self.is_away.swap(false, Ordering::AcqRel)
            && mem::take(&mut self.logged().is_open)
        {
            tracing::info!(part = self.part, "database available again");
        }
    }

    /// Notes that the database does not answer, or refuses.
    pub(super) fn note_failure(&self, error: &str) {
        if self.is_away.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut logged = self.logged();
        if logged.failed_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            *logged = Logged { failed_at: Some(Instant::now()), is_open: true };
            tracing::error!(error, part = self.part, "database unavailable; retrying");
        }
    }

    fn logged(&self) -> MutexGuard<'_, Logged> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if the database did not answer the last time.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Acquire)
    }
}
