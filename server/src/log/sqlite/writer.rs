//! Writing: one thread that commits whatever waits, so that one disk sync serves many messages.
//!
//! Group commit without a timer: while one commit is being synced the next batch gathers by itself.

mod people;
mod rooms;
#[cfg(test)]
mod tests;

use super::{
    Rooms,
    reader::{self, kind},
    sql,
};
use crate::log::{About, Appended, Deed, LogError, LogResult, NewEvent, ReadMarker, Wake, now};
use app::wire::{Author, CommandId, Event, Millis, PersonId, PersonName, RoomName, RoomTitle, Seq, Topic};
pub(super) use people::fill_in_keys;
pub(super) use rooms::fill_in_title_keys;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    sync::{Arc, PoisonError, mpsc},
    thread,
};
use tokio::sync::{broadcast, oneshot};

/// Most commands in one commit; it bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 1_024;

/// Who people are, as far as it was asked for.
type People = HashMap<PersonId, Author>;

/// Who has been where, as far as it was asked for: whoever is here has a row for how far they have read.
type Visitors = HashSet<(PersonId, RoomName)>;

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
    alike: Vec<Author>,
}

/// What a command has come to.
pub(super) enum Done {
    /// Its event stands there.
    Appended(Appended),
    /// These people are to be seen otherwise.
    Renamed(Vec<Author>),
    /// What has become of a read marker.
    Read(ReadMarker),
    /// There is nothing to say about it.
    Quietly,
}

/// What a command comes to.
type Outcome = LogResult<Done>;

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
    Read(PersonId, RoomName, Seq),
    Leave(PersonId, RoomName),
    Create(RoomName, About),
    Retitle { room: RoomName, person: PersonId, title: RoomTitle, topic: Topic },
}

/// The one who writes.
pub(super) struct Writer {
    connection: Connection,
    rooms: Rooms,
    people: People,
    visitors: Visitors,
    wakes: broadcast::Sender<Wake>,
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
    alike: Vec<Author>,
}

impl Writer {
    pub(super) fn new(connection: Connection, rooms: Rooms, wakes: broadcast::Sender<Wake>) -> Self {
        Self { connection, rooms, people: People::new(), visitors: Visitors::new(), wakes }
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
            Ok((outcomes, news)) => {
                self.tell(news);
                outcomes
            }
            Err(error) => {
                // They may have something of what was not done.
                self.people.clear();
                self.visitors.clear();
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

    fn transact(&mut self, commands: Vec<Command>) -> rusqlite::Result<(Vec<Outcome>, News)> {
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
            alike: Vec::new(),
        };
        let outcomes = commands.into_iter().map(|command| batch.store(command)).collect::<Result<_, _>>()?;
        batch.store_heads()?;
        let Batch { at, transaction, grown, told, alike, .. } = batch;
        transaction.commit()?;
        Ok((outcomes, News { at, grown, told, alike }))
    }

    /// Rooms first, so that who is woken finds their heads raised.
    fn tell(&self, News { at, grown, told, mut alike }: News) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        told.into_iter().for_each(|(room, about)| rooms.tell(room, about, at));
        grown.iter().for_each(|(room, events)| rooms.grow(room, events));
        drop(rooms);
        for (room, events) in grown {
            // Nobody listening is no error.
            let _ = self.wakes.send(Wake { room, events: events.into(), alike: mem::take(&mut alike) });
        }
    }

    /// The last connection that closes folds the WAL in and leaves one file.
    fn close(self, answer: oneshot::Sender<Outcome>) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the log is complete, but its WAL could not be folded in");
        }
        let _ = answer.send(Ok(Done::Quietly));
    }
}

impl Batch<'_> {
    /// An inner error is the command's own; an outer one ends the whole transaction.
    fn store(&mut self, command: Command) -> rusqlite::Result<Outcome> {
        match command {
            Command::Append(event) => Ok(self.append(event)?.map(Done::Appended)),
            Command::Rename(person, name) => {
                self.rename(person, name).map(|people| Ok(Done::Renamed(people)))
            }
            Command::Read(person, room, seq) => Ok(self.read(person, &room, seq)?.map(Done::Read)),
            Command::Leave(person, room) => self.leave(person, room).map(|()| Ok(Done::Quietly)),
            Command::Create(room, about) => self.create(room, about),
            Command::Retitle { room, person, title, topic } => self.retitle(room, person, title, topic),
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
        self.visited(new.author, &new.room, seq)?;
        let author = self.author(new.author)?;
        let event = Event { seq, at: self.at, id: new.id, author, body: new.deed.into() };
        self.grown.entry(new.room.clone()).or_default().push(Arc::new(event));
        Ok(Ok(Appended { room: new.room, seq, at: self.at, dup: false }))
    }

    /// What became of a command that was done before.
    fn repeated(&self, new: &NewEvent) -> rusqlite::Result<Option<LogResult<Appended>>> {
        let first = self.find(new.id)?;
        Ok(first.map(|(author, first)| if author == new.author { Ok(first) } else { Err(LogError::IdTaken) }))
    }

    /// Whether what the deed is about is there, and is its author's where it must be.
    fn may(&self, new: &NewEvent) -> rusqlite::Result<LogResult<()>> {
        Ok(match new.deed {
            Deed::Post { reply_to: None, .. } => Ok(()),
            Deed::Post { reply_to: Some(target), .. } => {
                self.author_of(&new.room, target)?.map(drop).ok_or(LogError::NoSuchMessage)
            }
            Deed::Edit { target, .. } | Deed::Delete { target } => {
                let may_any = matches!(new.deed, Deed::Delete { .. }) && self.owns(new.author, &new.room);
                match self.author_of(&new.room, target)? {
                    None => Err(LogError::NoSuchMessage),
                    Some(author) if author == new.author || may_any => Ok(()),
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

    fn owns(&self, person: PersonId, room: &RoomName) -> bool {
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
