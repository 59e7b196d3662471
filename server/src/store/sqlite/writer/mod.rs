//! Writing: one thread that commits whatever waits, so that one disk sync serves many messages.
//!
//! Group commit without a timer: while one commit is being synced the next batch gathers by itself.

mod rooms;
#[cfg(test)]
mod tests;
mod upkeep;
mod users;

use super::{
    Rooms,
    health::Health,
    queries::{self, kind},
    record::Record,
    schema::fold_in,
    sql,
};
use crate::store::{About, Appended, Deed, NewEvent, ReadMarker, StoreError, StoreResult, Wake, now};
use app::wire::{CommandId, DisplayName, Event, Millis, RoomName, RoomTitle, Seq, Topic, User, UserId};
pub(super) use rooms::fill_in_title_keys;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    sync::{
        Arc, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
};
use tokio::sync::{broadcast, oneshot};
pub(super) use upkeep::{BUSY_WAIT, Upkeep};
pub(super) use users::fill_in_keys;

/// Most commands in one commit; it bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 1_024;

/// Who people are, as far as it was asked for.
type People = HashMap<UserId, User>;

/// Who has been where, as far as it was asked for: whoever is here has a row for how far they have read.
type Visitors = HashSet<(UserId, RoomName)>;

/// What a transaction added to each room, in order.
type Grown = BTreeMap<RoomName, Vec<Arc<Event>>>;

/// What a transaction has changed of what is known about rooms.
type Told = HashMap<RoomName, About>;

/// What a transaction has done, to be told once it is durable.
struct News {
    at: Millis,
    grown: Grown,
    told: Told,
    /// As in [`Wake`].
    ambiguous: Vec<User>,
    /// A text was purged.
    has_purged: bool,
}

/// What a command has come to.
pub(super) enum Done {
    /// Its event stands there.
    Appended(Appended),
    /// These people are to be seen otherwise.
    Renamed(Vec<User>),
    /// What has become of a read marker.
    Read(ReadMarker),
    /// There is nothing to say about it.
    Quietly,
}

/// What a command comes to.
type Outcome = StoreResult<Done>;

/// What the writer is asked to do.
pub(super) enum Work {
    /// A command, and who waits for its commit.
    Store(Command, oneshot::Sender<Outcome>),
    /// Everything before this is committed; then the writer ends.
    Close(oneshot::Sender<Outcome>),
}

/// What can be stored.
pub(super) enum Command {
    Append(NewEvent),
    Rename(UserId, DisplayName),
    Read(UserId, RoomName, Seq),
    Leave(UserId, RoomName),
    Create(RoomName, About),
    Retitle {
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    },
    /// Writes something and takes it away again, to find out whether the disk takes it.
    Probe,
}

/// Bytes that a probe writes: a few of the longest messages.
const PROBE_BYTES: u32 = 64 * 1_024;

/// Bytes that an event, a room or a user takes beside its text, with its places in the indexes.
const ROW_BYTES: u64 = 512;

/// The one who writes.
pub(super) struct Writer {
    connection: Connection,
    rooms: Rooms,
    people: People,
    visitors: Visitors,
    wakes: broadcast::Sender<Wake>,
    upkeep: Upkeep,
    record: Record,
    health: Arc<Health>,
}

/// What one transaction has done so far; told to nobody before it is durable.
struct Batch<'a> {
    at: Millis,
    transaction: Transaction<'a>,
    committed: &'a Rooms,
    people: &'a mut People,
    visitors: &'a mut Visitors,
    grown: Grown,
    /// What else is known about rooms now.
    told: Told,
    /// Who is to be seen otherwise since somebody has spoken for the first time.
    ambiguous: Vec<User>,
    /// Bytes that it may still add; `None` without a quota.
    room_left: Option<u64>,
    /// A text was purged.
    has_purged: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        rooms: Rooms,
        wakes: broadcast::Sender<Wake>,
        (upkeep, record, health): (Upkeep, Record, Arc<Health>),
    ) -> Self {
        let (people, visitors) = (People::new(), Visitors::new());
        Self { connection, rooms, people, visitors, wakes, upkeep, record, health }
    }

    pub(super) fn spawn(self, work: mpsc::Receiver<Work>) {
        let run = move || self.run(&work);
        thread::Builder::new().name("log".into()).spawn(run).expect("a process may start one thread");
    }

    fn run(mut self, work: &mpsc::Receiver<Work>) {
        while let Some(first) = self.next(work) {
            // Who is just about to hand something in comes along. At rest nobody is, and this takes nothing.
            thread::yield_now();
            let (mut commands, mut waiting) = (Vec::new(), Vec::new());
            for work in std::iter::once(first).chain(work.try_iter().take(MOST_PER_COMMIT - 1)) {
                match work {
                    Work::Store(command, answer) => {
                        commands.push(command);
                        waiting.push(answer);
                    }
                    Work::Close(answer) => {
                        self.commit(commands, waiting);
                        return self.close(answer);
                    }
                }
            }
            self.commit(commands, waiting);
        }
    }

    /// Waits for work, and does meanwhile what is due.
    fn next(&mut self, work: &mpsc::Receiver<Work>) -> Option<Work> {
        loop {
            let Some(wait) = self.upkeep.due_in() else { return work.recv().ok() };
            let received = work.recv_timeout(wait);
            self.upkeep.run(&self.connection);
            match received {
                Err(RecvTimeoutError::Timeout) => {}
                received => return received.ok(),
            }
        }
    }

    /// Stores all of `commands` in one transaction, or none; then tells.
    fn commit(&mut self, commands: Vec<Command>, waiting: Vec<oneshot::Sender<Outcome>>) {
        if commands.is_empty() {
            return;
        }
        let transacted = self.transact(commands);
        self.health.note(transacted.is_err());
        let outcomes = match transacted {
            Ok((outcomes, news)) => {
                if news.has_purged {
                    self.upkeep.note_purge();
                }
                self.tell(news);
                outcomes
            }
            Err(error) => {
                // They may have something of what was not done.
                self.people.clear();
                self.visitors.clear();
                tracing::error!(%error, commands = waiting.len(), "nothing of this batch could be stored");
                let error = queries::storage(error);
                waiting.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (answer, outcome) in waiting.into_iter().zip(outcomes) {
            // Who no longer waits has hung up; the command is stored all the same.
            let _ = answer.send(outcome);
        }
    }

    fn transact(&mut self, commands: Vec<Command>) -> rusqlite::Result<(Vec<Outcome>, News)> {
        let room_left = self.upkeep.room(&self.connection)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (committed, people, visitors) = (&self.rooms, &mut self.people, &mut self.visitors);
        let mut batch = Batch {
            at: now(),
            transaction,
            committed,
            people,
            visitors,
            grown: Grown::new(),
            told: Told::new(),
            ambiguous: Vec::new(),
            room_left,
            has_purged: false,
        };
        let outcomes = commands.into_iter().map(|command| batch.store(command)).collect::<Result<_, _>>()?;
        batch.store_heads()?;
        let Batch { at, transaction, grown, told, ambiguous, has_purged, .. } = batch;
        transaction.commit()?;
        Ok((outcomes, News { at, grown, told, ambiguous, has_purged }))
    }

    /// Rooms first, so that who is woken finds their heads raised.
    fn tell(&self, News { at, grown, told, mut ambiguous, .. }: News) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        told.into_iter().for_each(|(room, about)| rooms.tell(room, about, at));
        grown.iter().for_each(|(room, events)| rooms.grow(room, events));
        drop(rooms);
        for (room, events) in grown {
            // Nobody listening is no error.
            let _ =
                self.wakes.send(Wake { room, events: events.into(), ambiguous: mem::take(&mut ambiguous) });
        }
    }

    /// Leaves one file in rollback mode, which needs nothing beside it. While another process reads the log, SQLite
    /// keeps the write-ahead log, and the file says so.
    fn close(self, answer: oneshot::Sender<Outcome>) {
        let folded = fold_in(&self.connection);
        let single = folded.and_then(|()| self.connection.pragma_update(None, "journal_mode", "DELETE"));
        let closed = single.and(self.connection.close().map_err(|(_, error)| error));
        match closed {
            Ok(()) => {
                if let Err(error) = self.record.note_closed() {
                    tracing::warn!(%error, "noting the clean close failed");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be folded in; nothing is lost");
            }
        }
        let _ = answer.send(Ok(Done::Quietly));
    }
}

impl Batch<'_> {
    /// An inner error is the command's own; an outer one ends the whole transaction.
    fn store(&mut self, command: Command) -> rusqlite::Result<Outcome> {
        match command {
            Command::Append(event) => Ok(self.append(event)?.map(Done::Appended)),
            Command::Rename(person, _)
                if !self.takes(0) && queries::person(&self.transaction, person)?.is_none() =>
            {
                Ok(Err(StoreError::ReadOnly))
            }
            Command::Rename(person, name) => {
                self.rename(person, name).map(|people| Ok(Done::Renamed(people)))
            }
            Command::Read(person, room, seq) => Ok(self.read(person, &room, seq)?.map(Done::Read)),
            Command::Leave(person, room) => self.leave(person, room).map(|()| Ok(Done::Quietly)),
            Command::Create(room, about) => self.create(room, about),
            Command::Retitle { room, person, title, topic } => self.retitle(room, person, title, topic),
            Command::Probe => self.probe().map(|()| Ok(Done::Quietly)),
        }
    }

    fn append(&mut self, new: NewEvent) -> rusqlite::Result<StoreResult<Appended>> {
        // What depends on nothing else is found out to be a repeat when it is stored.
        let depends = !matches!(new.deed, Deed::Post { reply_to: None, .. });
        if depends {
            if let Some(first) = self.repeated(&new)? {
                return Ok(first);
            }
            if let Err(refused) = self.may(&new)? {
                return Ok(Err(refused));
            }
        }
        if !self.takes(text_bytes(&new.deed)) && !matches!(new.deed, Deed::Delete { .. }) {
            return Ok(self.repeated(&new)?.unwrap_or(Err(StoreError::ReadOnly)));
        }
        let seq = self.head(&new.room) + 1;
        if !self.insert(&new, seq)? {
            return self.repeated(&new)?.ok_or(rusqlite::Error::QueryReturnedNoRows);
        }
        self.change(&new)?;
        self.visited(new.author, &new.room, seq)?;
        let author = self.author(new.author)?;
        let event = Event { seq, at: self.at, id: new.id, author, body: new.deed.into() };
        self.grown.entry(new.room.clone()).or_default().push(Arc::new(event));
        Ok(Ok(Appended { room: new.room, seq, at: self.at, dup: false }))
    }

    /// What became of a command that was done before.
    fn repeated(&self, new: &NewEvent) -> rusqlite::Result<Option<StoreResult<Appended>>> {
        let first = self.find(new.id)?;
        Ok(first
            .map(|(author, first)| if author == new.author { Ok(first) } else { Err(StoreError::IdTaken) }))
    }

    /// Whether what the deed is about is there, and is its author's where it must be.
    fn may(&self, new: &NewEvent) -> rusqlite::Result<StoreResult<()>> {
        Ok(match new.deed {
            Deed::Post { reply_to: None, .. } => Ok(()),
            Deed::Post { reply_to: Some(target), .. } => {
                self.author_of(&new.room, target)?.map(drop).ok_or(StoreError::NoSuchMessage)
            }
            Deed::Edit { target, .. } | Deed::Delete { target } => {
                let may_any = matches!(new.deed, Deed::Delete { .. }) && self.owns(new.author, &new.room);
                match self.author_of(&new.room, target)? {
                    None => Err(StoreError::NoSuchMessage),
                    Some(author) if author == new.author || may_any => Ok(()),
                    Some(_) => Err(StoreError::NotAllowed),
                }
            }
        })
    }

    /// Brings the present state of a message up to its edit or delete. What it said before is gone, from past events
    /// too. Touches a constant number of rows: of all edits, only the newest had a text.
    fn change(&mut self, new: &NewEvent) -> rusqlite::Result<()> {
        let (target, text) = match &new.deed {
            Deed::Post { .. } => return Ok(()),
            Deed::Edit { target, text } => (*target, Some(&**text)),
            Deed::Delete { target } => (*target, None),
        };
        let (room, row) = (new.room.as_str(), self.transaction.last_insert_rowid());
        self.transaction.prepare_cached(sql::CHANGE)?.execute((room, target, self.at, text))?;
        self.transaction.prepare_cached(sql::REPLACE_TEXT)?.execute((
            room,
            target,
            text.unwrap_or_default(),
        ))?;
        self.transaction.prepare_cached(sql::PURGE_EDIT_BEFORE)?.execute((room, target, row))?;
        self.has_purged = true;
        Ok(())
    }

    /// Returns `true` if the quota has room for a row with a text of so many bytes, and takes that much of it.
    fn takes(&mut self, text_bytes: usize) -> bool {
        let Some(left) = &mut self.room_left else { return true };
        let after = left.checked_sub(text_bytes as u64 + ROW_BYTES);
        *left = after.unwrap_or(*left);
        after.is_some()
    }

    fn probe(&self) -> rusqlite::Result<()> {
        self.transaction.execute("INSERT INTO probe (filler) VALUES (zeroblob(?1))", [PROBE_BYTES])?;
        self.transaction.execute("DELETE FROM probe", []).map(drop)
    }

    /// Who used this id before, and for what.
    fn find(&self, id: CommandId) -> rusqlite::Result<Option<(UserId, Appended)>> {
        let mut statement = self.transaction.prepare_cached(sql::BY_ID)?;
        statement
            .query_row([id.as_bytes()], |row| {
                let author = UserId(row.get::<_, i64>(0)?.cast_unsigned());
                let room = queries::room_name(row, 1)?;
                Ok((author, Appended { room, seq: row.get(2)?, at: row.get(3)?, dup: true }))
            })
            .optional()
    }

    /// Who posted the message at that place, if there is one and it was not deleted.
    fn author_of(&self, room: &RoomName, seq: Seq) -> rusqlite::Result<Option<UserId>> {
        let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
        let mut statement = self.transaction.prepare_cached(sql::AUTHOR_OF)?;
        let author = statement.query_row((room.as_str(), seq), |row| row.get::<_, i64>(0)).optional()?;
        Ok(author.map(|author| UserId(author.cast_unsigned())))
    }

    /// The room's newest `seq`, this transaction's own included.
    fn head(&self, room: &RoomName) -> Seq {
        let here = self.grown.get(room).and_then(|events| events.last()).map(|event| event.seq);
        here.unwrap_or_else(|| self.committed.read().unwrap_or_else(PoisonError::into_inner).head(room))
    }

    /// Whether the room has been made, by this transaction too. The lobby needs nobody to make it.
    fn is_made(&self, room: &RoomName) -> bool {
        self.grown.contains_key(room) || room.is_lobby() || self.has(room)
    }

    /// Whether something is stored about the room, by this transaction too.
    fn has(&self, room: &RoomName) -> bool {
        let committed = || self.committed.read().unwrap_or_else(PoisonError::into_inner).has(room);
        self.told.contains_key(room) || committed()
    }

    fn owns(&self, person: UserId, room: &RoomName) -> bool {
        self.about(room).owner == Some(person)
    }

    /// Whether it was new.
    fn insert(&self, new: &NewEvent, seq: Seq) -> rusqlite::Result<bool> {
        let (kind, text, reply_to, target) = match &new.deed {
            Deed::Post { text, reply_to } => (kind::MESSAGE, &**text, *reply_to, None),
            Deed::Edit { target, text } => (kind::EDIT, &**text, None, Some(*target)),
            Deed::Delete { target } => (kind::DELETE, "", None, Some(*target)),
        };
        let mut statement = self.transaction.prepare_cached(sql::INSERT)?;
        let author = new.author.0.cast_signed();
        let (room, id) = (new.room.as_str(), new.id.as_bytes());
        let stored = statement.execute((room, seq, self.at, id, author, kind, text, reply_to, target))?;
        Ok(stored == 1)
    }

    fn store_heads(&mut self) -> rusqlite::Result<()> {
        self.make_addressed_rooms()?;
        let mut statement = self.transaction.prepare_cached(sql::HEAD)?;
        for (room, events) in &self.grown {
            statement.execute((room.as_str(), events.last().map_or(0, |event| event.seq)))?;
        }
        Ok(())
    }
}

/// Bytes of the text that an operation stores.
fn text_bytes(deed: &Deed) -> usize {
    match deed {
        Deed::Post { text, .. } | Deed::Edit { text, .. } => text.len(),
        Deed::Delete { .. } => 0,
    }
}
