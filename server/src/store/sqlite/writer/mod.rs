//! Writing: one thread commits everything that is queued, so that one disk sync serves many commands.
//!
//! This is group commit without a timer: while one commit is being synced, the next batch queues up.

mod access;
mod command_rate;
mod device_links;
mod devices;
mod erasure;
mod files;
mod import;
mod read_markers;
mod retention;
mod rooms;
mod search;
#[cfg(test)]
mod tests;
mod transaction;
mod upkeep;
mod users;

use super::{
    access::AccessHistory, connection::close_as_single_file, health::Health, record::Record,
    search::IndexBatch,
};
use crate::store::{
    Appended, CodeHash, DeviceLabel, ImportRefusal, LinkError, LinkHash, MarkerUpdate, Moderation, NewEvent,
    Notification, Notifier, RoomImport, RoomInfo, ScanPosition, Setting, SignIn, SignOut, StoreError,
    StoreResult, Sweep, TooManyLinks, WriterLoad,
    files::{FileCommand, FileOutput},
};
use app::wire::{DisplayName, Millis, Retention, RoomName, RoomTitle, Seq, Topic, User, UserId};
use command_rate::CommandRate;
use rusqlite::{Connection, config::DbConfig};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use transaction::{CommitEffects, MovedMarker, WriteTransaction};
pub(super) use upkeep::{Upkeep, used as used_bytes};

/// Commands in one commit, at most. It bounds how long the first of them waits.
const MAX_COMMANDS_PER_COMMIT: usize = 1_024;

/// Users that transactions have read, as of the last commit.
type UserCache = HashMap<UserId, User>;

/// Rooms in which users have a read marker, as far as transactions have read it.
type ReadMarkerCache = HashSet<(UserId, RoomName)>;

/// Rooms in which users may write without restrictions, as far as transactions have read it. Cleared when rights change.
type UnrestrictedCache = HashSet<(UserId, RoomName)>;

/// The latest positions of rooms that have a row, as far as transactions have read or written them. No other process
/// writes, so they stay right.
type HeadCache = HashMap<RoomName, Seq>;

/// The output of a command.
pub(super) enum WriteOutput {
    Appended(Appended),
    /// The users who appear differently now.
    Users(Vec<User>),
    Marker(MarkerUpdate),
    LinkCreated(Result<(), TooManyLinks>),
    LinkRedeemed(Result<UserId, LinkError>),
    InvitationRedeemed(Result<Option<RoomName>, LinkError>),
    AdminLinkRedeemed(bool),
    /// The generation of the user's cookies.
    Generation(u64),
    /// The user got the recovery code.
    CodeSet(bool),
    /// The user of a recovery code.
    Recovered(Option<UserId>),
    /// The number of events that have expired.
    Expired(u32),
    RoomRemoved(bool),
    /// There may be more to merge.
    Merged(bool),
    Indexed {
        /// How many other commands were committed meanwhile.
        load: WriterLoad,
        /// The quota is used up.
        is_full: bool,
    },
    File(FileOutput),
    /// The number of events that an import has added.
    Imported(Result<u32, ImportRefusal>),
    None,
}

/// The result of a command.
type WriteResult = StoreResult<WriteOutput>;

/// A request to the writer.
pub(super) enum WriterRequest {
    /// Executes a command, and answers after its commit.
    Execute(WriteCommand, oneshot::Sender<WriteResult>),
    /// Commits everything before it, then ends the writer.
    Shutdown(oneshot::Sender<WriteResult>),
}

/// A command that the writer carries out.
pub(super) enum WriteCommand {
    Append(NewEvent),
    SetDisplayName(UserId, DisplayName),
    SetReadMarker(UserId, RoomName, Seq),
    MarkUnread(UserId, RoomName, Seq),
    RemoveReadMarker(UserId, RoomName),
    CreateRoom(RoomName, RoomInfo),
    UpdateRoom {
        room: RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
    },
    CreateDeviceLink(LinkHash, UserId, Duration),
    RedeemDeviceLink(LinkHash),
    Moderate(Box<Moderation>),
    Set(Setting, Option<Arc<str>>),
    RedeemAdminLink(LinkHash, UserId),
    Admit(UserId),
    RedeemInvitation(LinkHash, UserId),
    Report {
        user: UserId,
        room: RoomName,
        seq: Seq,
        reason: String,
    },
    SetBlocked {
        user: UserId,
        other: UserId,
        is_blocked: bool,
    },
    RecordDevice(UserId, SignIn, Option<DeviceLabel>),
    SignOut(UserId, SignOut),
    SetRecoveryCode(UserId, CodeHash),
    RevokeRecoveryCode(UserId),
    RedeemRecoveryCode(CodeHash),
    SetRetention(RoomName, UserId, Option<Retention>),
    Expire(RoomName, Sweep),
    RemoveIfAbandoned(RoomName, Millis),
    RecordRoomVisit(RoomName, Millis),
    BeginErasure(UserId),
    NoteErased(UserId, u64, Option<ScanPosition>),
    Index(Box<IndexBatch>),
    MergeIndex,
    ChangeFile(Box<FileCommand>),
    ImportEvents(Box<RoomImport>),
    /// Writes something and removes it, to find out whether the disk accepts writes.
    Probe,
}

/// The places where effects are published.
pub(super) struct Publisher {
    pub(super) notifier: Notifier,
    /// The generation of names.
    pub(super) names_generation: Arc<AtomicU64>,
    pub(super) access: Arc<AccessHistory>,
}

/// The thread that writes.
pub(super) struct Writer {
    connection: Connection,
    heads: HeadCache,
    /// The most recently active room, if it is known.
    last_active: Option<RoomName>,
    users: UserCache,
    read_markers: ReadMarkerCache,
    unrestricted: UnrestrictedCache,
    publisher: Publisher,
    upkeep: Upkeep,
    /// `None` if the file ends with the process.
    record: Option<Record>,
    health: Arc<Health>,
    rate: CommandRate,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        publisher: Publisher,
        (upkeep, record, health): (Upkeep, Option<Record>, Arc<Health>),
    ) -> Self {
        Self {
            connection,
            heads: HeadCache::new(),
            last_active: None,
            users: UserCache::new(),
            read_markers: ReadMarkerCache::new(),
            unrestricted: UnrestrictedCache::new(),
            publisher,
            upkeep,
            record,
            health,
            rate: CommandRate::new(Instant::now()),
        }
    }

    pub(super) fn spawn(self, requests: mpsc::Receiver<WriterRequest>) {
        let run = move || self.run(&requests);
        thread::Builder::new().name("store".into()).spawn(run).expect("a process may start one thread");
    }

    fn run(mut self, requests: &mpsc::Receiver<WriterRequest>) {
        while let Some(first) = self.next_request(requests) {
            // Yields once so that threads that are about to queue a command can join this commit. When the queue is
            // idle the yield returns immediately.
            thread::yield_now();
            let (mut commands, mut answers) = (Vec::new(), Vec::new());
            let queued = requests.try_iter().take(MAX_COMMANDS_PER_COMMIT - 1);
            for request in std::iter::once(first).chain(queued) {
                match request {
                    WriterRequest::Execute(command, answer) => {
                        commands.push(command);
                        answers.push(answer);
                    }
                    WriterRequest::Shutdown(answer) => {
                        self.commit(commands, answers);
                        return self.close(answer);
                    }
                }
            }
            self.commit(commands, answers);
        }
    }

    /// Waits for a request, and runs upkeep that falls due meanwhile.
    fn next_request(&mut self, requests: &mpsc::Receiver<WriterRequest>) -> Option<WriterRequest> {
        loop {
            let Some(wait) = self.upkeep.due_in() else { return requests.recv().ok() };
            let received = requests.recv_timeout(wait);
            self.upkeep.run(&self.connection);
            match received {
                Err(RecvTimeoutError::Timeout) => {}
                received => return received.ok(),
            }
        }
    }

    /// Stores all of `commands` in one transaction, or none; then publishes the effects and answers.
    fn commit(&mut self, commands: Vec<WriteCommand>, answers: Vec<oneshot::Sender<WriteResult>>) {
        if commands.is_empty() {
            return;
        }
        if self.health.is_corrupt() {
            return answers.into_iter().for_each(|answer| drop(answer.send(Err(StoreError::Corrupt))));
        }
        let transacted = self.transact(commands);
        self.health.note(transacted.is_err());
        let results = match transacted {
            Ok((results, effects)) => {
                if effects.has_purged {
                    self.upkeep.note_purge();
                }
                self.publish(effects);
                results
            }
            Err(error) => {
                // They may have values that were rolled back.
                self.heads.clear();
                self.last_active = None;
                self.users.clear();
                self.read_markers.clear();
                self.unrestricted.clear();
                tracing::error!(%error, commands = answers.len(), "commit failed");
                let error = StoreError::backend(error);
                answers.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // The client may have disconnected; the command is stored all the same.
            let _ = answer.send(result);
        }
    }

    fn transact(
        &mut self,
        commands: Vec<WriteCommand>,
    ) -> rusqlite::Result<(Vec<WriteResult>, CommitEffects)> {
        let load = self.rate.load(commands.len(), Instant::now());
        let mut transaction = WriteTransaction::begin(self)?;
        transaction.load = load;
        let results =
            commands.into_iter().map(|command| transaction.execute(command)).collect::<Result<_, _>>()?;
        Ok((results, transaction.commit()?))
    }

    fn publish(&self, effects: CommitEffects) {
        let Publisher { notifier, names_generation, access } = &self.publisher;
        if !effects.access_changes.is_empty() {
            effects.access_changes.into_iter().for_each(|change| access.add(change));
            // Before the events of the same commit, so that these do not reach users whose access has ended.
            notifier.send(Notification::AccessChanged);
        }
        for (room, events) in effects.events {
            let Some(head) = events.last().map(|last| last.seq) else { continue };
            notifier.send(Notification::Appended { room, head, events: Some(events.into()) });
        }
        for (room, head) in effects.imported {
            notifier.send(Notification::Appended { room, head, events: None });
        }
        if !effects.users.is_empty() {
            names_generation.fetch_add(1, Ordering::AcqRel);
            notifier.send(Notification::UsersChanged(effects.users));
        }
        effects.rooms.into_iter().for_each(|room| notifier.send(Notification::RoomChanged(room)));
        effects.signed_out.into_iter().for_each(|user| notifier.send(Notification::SignedOut(user)));
        for (user, room, moved) in effects.read_markers {
            notifier.send(match moved {
                MovedMarker::To(seq) => Notification::ReadMarkerMoved { user, room, seq },
                MovedMarker::Unread => Notification::MarkedUnread { user, room },
            });
        }
    }

    /// Closes the file as a single one, and records that.
    fn close(self, answer: oneshot::Sender<WriteResult>) {
        let Some(record) = &self.record else {
            drop(self.connection);
            drop(answer.send(Ok(WriteOutput::None)));
            return;
        };
        if self.health.is_corrupt() {
            // What is left of the file must not change.
            let no_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            drop(self.connection.set_db_config(no_checkpoint, true));
            drop(self.connection);
            drop(answer.send(Ok(WriteOutput::None)));
            return;
        }
        match close_as_single_file(self.connection) {
            Ok(()) => {
                if let Err(error) = record.note_closed() {
                    tracing::warn!(%error, "noting the clean close failed");
                }
            }
            Err(error) => tracing::warn!(%error, "final checkpoint failed; the write-ahead log is kept"),
        }
        let _ = answer.send(Ok(WriteOutput::None));
    }
}
