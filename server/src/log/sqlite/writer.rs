//! Writing: one thread that commits whatever waits, so that one disk sync serves many messages.
//!
//! Group commit without a timer: while one commit is being synced the next batch gathers by itself.

use super::{
    Heads,
    reader::{self, kind},
    sql,
};
use crate::log::{Appended, Deed, LogError, LogResult, NewEvent, Wake, now};
use app::wire::{Author, CommandId, Event, Millis, PersonId, PersonName, RoomName, Seq};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, mpsc},
    thread,
};
use tokio::sync::{broadcast, oneshot};

/// Most commands in one commit; it bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 1_024;

/// People whose names are remembered; past that many it begins afresh.
const NAMES_MOST: usize = 10_000;

/// What people are called, as far as it was asked for.
type Names = HashMap<PersonId, PersonName>;

/// What a transaction added to each room, in order.
type Grown = BTreeMap<RoomName, Vec<Arc<Event>>>;

/// What a command comes to: where its event stands, or nothing where it makes none.
type Outcome = LogResult<Option<Appended>>;

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
    Rename(PersonId, PersonName),
}

/// The one who writes.
pub(super) struct Writer {
    connection: Connection,
    heads: Heads,
    names: Names,
    wakes: broadcast::Sender<Wake>,
}

/// What one transaction has done so far; told to nobody before it is durable.
struct Batch<'a> {
    at: Millis,
    transaction: Transaction<'a>,
    committed: &'a Heads,
    names: &'a mut Names,
    grown: Grown,
}

impl Writer {
    pub(super) fn new(connection: Connection, heads: Heads, wakes: broadcast::Sender<Wake>) -> Self {
        Self { connection, heads, names: Names::new(), wakes }
    }

    pub(super) fn spawn(self, work: mpsc::Receiver<Work>) {
        let run = move || self.run(&work);
        thread::Builder::new().name("log".into()).spawn(run).expect("a process may start one thread");
    }

    fn run(mut self, work: &mpsc::Receiver<Work>) {
        while let Ok(first) = work.recv() {
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

    /// Stores all of `commands` in one transaction, or none; then tells.
    fn commit(&mut self, commands: Vec<Command>, waiting: Vec<oneshot::Sender<Outcome>>) {
        if commands.is_empty() {
            return;
        }
        let outcomes = match self.transact(commands) {
            Ok((outcomes, grown)) => {
                self.tell(grown);
                outcomes
            }
            Err(error) => {
                // It may have a name of what was not done.
                self.names.clear();
                tracing::error!(%error, commands = waiting.len(), "nothing of this batch could be stored");
                let error = reader::storage(error);
                waiting.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (answer, outcome) in waiting.into_iter().zip(outcomes) {
            // Who no longer waits has hung up; the command is stored all the same.
            let _ = answer.send(outcome);
        }
    }

    fn transact(&mut self, commands: Vec<Command>) -> rusqlite::Result<(Vec<Outcome>, Grown)> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (committed, names) = (&self.heads, &mut self.names);
        let mut batch = Batch { at: now(), transaction, committed, names, grown: Grown::new() };
        let outcomes = commands.into_iter().map(|command| batch.store(command)).collect::<Result<_, _>>()?;
        batch.store_heads()?;
        batch.transaction.commit()?;
        Ok((outcomes, batch.grown))
    }

    /// Heads first, so that who is woken finds them raised.
    fn tell(&self, grown: Grown) {
        let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
        for (room, events) in &grown {
            if let Some(newest) = events.last() {
                heads.insert(room.clone(), newest.seq);
            }
        }
        drop(heads);
        for (room, events) in grown {
            // Nobody listening is no error.
            let _ = self.wakes.send(Wake { room, events: events.into() });
        }
    }

    /// The last connection that closes folds the WAL in and leaves one file.
    fn close(self, answer: oneshot::Sender<Outcome>) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the log is complete, but its WAL could not be folded in");
        }
        let _ = answer.send(Ok(None));
    }
}

impl Batch<'_> {
    /// An inner error is the command's own; an outer one ends the whole transaction.
    fn store(&mut self, command: Command) -> rusqlite::Result<Outcome> {
        match command {
            Command::Append(event) => Ok(self.append(event)?.map(Some)),
            Command::Rename(person, name) => self.rename(person, &name).map(|()| Ok(None)),
        }
    }

    fn append(&mut self, new: NewEvent) -> rusqlite::Result<LogResult<Appended>> {
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
        let seq = self.head(&new.room) + 1;
        if !self.insert(&new, seq)? {
            return self.repeated(&new)?.ok_or(rusqlite::Error::QueryReturnedNoRows);
        }
        self.change(&new)?;
        let author = Author::new(new.author, self.name(new.author)?);
        let event = Event { seq, at: self.at, id: new.id, author, body: new.deed.into() };
        self.grown.entry(new.room.clone()).or_default().push(Arc::new(event));
        Ok(Ok(Appended { room: new.room, seq, at: self.at, dup: false }))
    }

    /// What became of a command that was done before.
    fn repeated(&self, new: &NewEvent) -> rusqlite::Result<Option<LogResult<Appended>>> {
        let first = self.find(new.id)?;
        Ok(first.map(|(author, first)| if author == new.author { Ok(first) } else { Err(LogError::IdTaken) }))
    }

    fn name(&mut self, person: PersonId) -> rusqlite::Result<PersonName> {
        if let Some(name) = self.names.get(&person) {
            return Ok(name.clone());
        }
        if self.names.len() >= NAMES_MOST {
            self.names.clear();
        }
        let name = reader::name(&self.transaction, person)?;
        self.names.insert(person, name.clone());
        Ok(name)
    }

    /// Whether what the deed is about is there, and is its author's where it must be.
    fn may(&self, new: &NewEvent) -> rusqlite::Result<LogResult<()>> {
        Ok(match new.deed {
            Deed::Post { reply_to: None, .. } => Ok(()),
            Deed::Post { reply_to: Some(target), .. } => {
                self.author_of(&new.room, target)?.map(drop).ok_or(LogError::NoSuchMessage)
            }
            Deed::Edit { target, .. } | Deed::Delete { target } => {
                match self.author_of(&new.room, target)? {
                    None => Err(LogError::NoSuchMessage),
                    Some(author) if author == new.author => Ok(()),
                    Some(_) => Err(LogError::NotAllowed),
                }
            }
        })
    }

    /// Brings the present state of a message up to its edit or delete. What is deleted is gone.
    fn change(&self, new: &NewEvent) -> rusqlite::Result<()> {
        let (target, text) = match &new.deed {
            Deed::Post { .. } => return Ok(()),
            Deed::Edit { target, text } => (*target, Some(&**text)),
            Deed::Delete { target } => (*target, None),
        };
        let room = new.room.as_str();
        self.transaction.prepare_cached(sql::CHANGE)?.execute((room, target, self.at, text))?;
        if text.is_none() {
            for purge in [sql::PURGE_MESSAGE, sql::PURGE_EDITS] {
                self.transaction.prepare_cached(purge)?.execute((room, target))?;
            }
        }
        Ok(())
    }

    /// Who used this id before, and for what.
    fn find(&self, id: CommandId) -> rusqlite::Result<Option<(PersonId, Appended)>> {
        let mut statement = self.transaction.prepare_cached(sql::BY_ID)?;
        statement
            .query_row([id.as_bytes()], |row| {
                let author = PersonId(row.get::<_, i64>(0)?.cast_unsigned());
                let room = reader::room_name(row, 1)?;
                Ok((author, Appended { room, seq: row.get(2)?, at: row.get(3)?, dup: true }))
            })
            .optional()
    }

    /// Who posted the message at that place, if there is one and it was not deleted.
    fn author_of(&self, room: &RoomName, seq: Seq) -> rusqlite::Result<Option<PersonId>> {
        let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
        let mut statement = self.transaction.prepare_cached(sql::AUTHOR_OF)?;
        let author = statement.query_row((room.as_str(), seq), |row| row.get::<_, i64>(0)).optional()?;
        Ok(author.map(|author| PersonId(author.cast_unsigned())))
    }

    /// The room's newest `seq`, this transaction's own included.
    fn head(&self, room: &RoomName) -> Seq {
        let here = self.grown.get(room).and_then(|events| events.last()).map(|event| event.seq);
        here.unwrap_or_else(|| {
            let committed = self.committed.read().unwrap_or_else(PoisonError::into_inner);
            committed.get(room).copied().unwrap_or(0)
        })
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

    fn rename(&mut self, person: PersonId, name: &PersonName) -> rusqlite::Result<()> {
        self.names.insert(person, name.clone());
        let mut statement = self.transaction.prepare_cached(sql::RENAME)?;
        statement.execute((person.0.cast_signed(), name.as_str())).map(drop)
    }

    fn store_heads(&self) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(sql::HEAD)?;
        for (room, events) in &self.grown {
            statement.execute((room.as_str(), events.last().map_or(0, |event| event.seq)))?;
        }
        Ok(())
    }
}
