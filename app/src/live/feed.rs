//! What one browser shows of a room: confirmed messages in the log's order, then its own that wait.

use super::{Command, Deed};
use crate::{
    clock,
    wire::{Author, CommandId, ErrorCode, Event, EventBody, Message, Millis, PersonId, Seq},
};
use std::{ops::Range, sync::Arc};

/// Lines of one person within this time stand together under one head.
const TOGETHER: Millis = 5 * 60 * 1_000;

/// A message as one browser has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The command that posted it.
    pub id: CommandId,
    /// Whose it is.
    pub author: Author,
    /// What it says.
    pub text: Arc<str>,
    /// Its author has changed it.
    pub edited: bool,
    /// Its author took it back.
    pub deleted: bool,
    /// How far it has come.
    pub standing: Standing,
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It stands in the log.
    Confirmed {
        /// Its place.
        seq: Seq,
        /// When it was committed.
        at: Millis,
    },
    /// It waits for the server.
    Pending,
    /// The server does not take it.
    Failed {
        /// Why.
        why: ErrorCode,
    },
}

/// A row as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The row, with what its author is just changing.
    pub row: Row,
    /// It stands under a head of its own: another person, or the same after a while.
    pub opens: bool,
    /// It is the first of a day.
    pub day: bool,
    /// It is the first that whoever sits here has not seen before.
    pub first_new: bool,
    /// The command that is changing it, and why it was refused, if it was.
    pub changing: Option<(CommandId, Option<ErrorCode>)>,
}

/// A change of a confirmed row that waits for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    command: Command,
    author: Author,
    refused: Option<ErrorCode>,
}

/// What became of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// They are in the feed, or were before.
    Applied,
    /// Some are missing before them: join again after [`Feed::last`].
    Gap,
}

/// What one browser shows of a room.
#[derive(Debug, Clone)]
pub struct Feed {
    log: String,
    last: Seq,
    /// What others have posted after this `seq` is new to this person.
    seen: Option<(Seq, PersonId)>,
    /// On which day a moment is: in UTC, until the browser says where it is.
    day_of: fn(Millis) -> u64,
    /// There is nothing before the oldest row.
    begins: bool,
    /// In the order of their `seq`.
    confirmed: Vec<Row>,
    waiting: Vec<Row>,
    changes: Vec<Change>,
}

impl Feed {
    /// A feed that has everything up to `last`, of which `messages` are shown.
    pub fn new(log: String, last: Seq, messages: Vec<Message>) -> Self {
        let confirmed = messages.into_iter().map(Row::from).collect();
        Self {
            log,
            last,
            seen: None,
            day_of: clock::day_in_utc,
            begins: true,
            confirmed,
            waiting: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// What others post after `seq` is new to `person`.
    pub fn seen(&mut self, seq: Seq, person: PersonId) {
        self.seen = Some((seq, person));
    }

    /// Whether there is nothing before the oldest row.
    pub fn begins(&mut self, begins: bool) {
        self.begins = begins;
    }

    /// Days begin and end where the browser is.
    #[cfg(feature = "hydrate")]
    pub(super) fn settle_here(&mut self) {
        self.day_of = clock::day_here;
    }

    /// The newest message of `person` that can still be changed.
    pub fn newest_of(&self, person: PersonId) -> Option<Seq> {
        let mine = |row: &&Row| row.author.id == person && !row.deleted;
        self.confirmed.iter().rev().find(mine).and_then(|row| row.standing.seq())
    }

    /// The log that it belongs to.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The last `seq` that it has.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.confirmed.len() + self.waiting.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `seq` of the oldest row.
    pub fn first(&self) -> Option<Seq> {
        self.confirmed.first().and_then(|row| row.standing.seq())
    }

    /// The rows of `window` in order, those that wait at the end.
    pub fn shown(&self, window: Range<usize>) -> Vec<Shown> {
        let rows = self.confirmed.iter().chain(&self.waiting);
        let mut before = window.start.checked_sub(1).and_then(|before| rows.clone().nth(before));
        let first_new = self.first_new();
        rows.skip(window.start)
            .take(window.len())
            .map(|row| {
                let before = before.replace(row);
                let day = self.opens_day(row, before);
                let first_new = first_new.is_some() && row.standing.seq() == first_new;
                let opens = day || first_new || before.is_none_or(|before| !row.continues(before));
                self.show(row, opens, day, first_new)
            })
            .collect()
    }

    /// The first message that is new to whoever sits here; nothing where that may be on an older page.
    pub fn first_new(&self) -> Option<Seq> {
        let (seen, person) = self.seen?;
        let from = self.confirmed.partition_point(|row| row.standing.seq() <= Some(seen));
        if from == 0 && !self.begins && self.first() > Some(seen + 1) {
            return None;
        }
        let new = self.confirmed[from..].iter().find(|row| row.author.id != person && !row.deleted)?;
        new.standing.seq()
    }

    /// Messages of others than `person` after `seq`.
    pub fn new_after(&self, seq: Seq, person: PersonId) -> usize {
        let from = self.confirmed.partition_point(|row| row.standing.seq() <= Some(seq));
        self.confirmed[from..].iter().filter(|row| row.author.id != person && !row.deleted).count()
    }

    fn opens_day(&self, row: &Row, before: Option<&Row>) -> bool {
        let Some(at) = row.standing.at() else { return false };
        match before.map(|before| before.standing.at()) {
            None => true,
            Some(Some(before)) => (self.day_of)(before) != (self.day_of)(at),
            Some(None) => false,
        }
    }

    fn show(&self, row: &Row, opens: bool, day: bool, first_new: bool) -> Shown {
        let mut shown = Shown { row: row.clone(), opens, day, first_new, changing: None };
        let seq = row.standing.seq();
        for Change { command, refused, .. } in &self.changes {
            match &command.deed {
                Deed::Edit { target, text } if Some(*target) == seq => {
                    // Also where it was deleted meanwhile: what was written is shown until it is settled.
                    shown.row.deleted = false;
                    shown.row.edit(text.clone());
                }
                Deed::Delete { target } if Some(*target) == seq && refused.is_none() => shown.row.delete(),
                Deed::Delete { target } if Some(*target) == seq => {}
                _ => continue,
            }
            shown.changing = Some((command.id, *refused));
        }
        shown
    }

    /// Whether a command of this id is shown as waiting or refused.
    pub fn waits(&self, id: CommandId) -> bool {
        self.waiting.iter().any(|row| row.id == id)
            || self.changes.iter().any(|change| change.command.id == id)
    }

    /// Somebody here wants something: it is shown at once.
    pub fn take(&mut self, command: &Command, author: Author) {
        match &command.deed {
            Deed::Post { text } => self.post(command.id, author, text.clone()),
            Deed::Edit { .. } | Deed::Delete { .. } => {
                self.changes.push(Change { command: command.clone(), author, refused: None });
            }
        }
    }

    /// A page of older messages. What is here already is not taken twice.
    pub fn prepend(&mut self, messages: Vec<Message>) {
        let first = self.first().unwrap_or(Seq::MAX);
        let older = messages.into_iter().filter(|message| message.seq < first).map(Row::from);
        self.confirmed.splice(0..0, older);
    }

    fn post(&mut self, id: CommandId, author: Author, text: Arc<str>) {
        if !self.confirmed.iter().any(|row| row.id == id) {
            let standing = Standing::Pending;
            self.waiting.push(Row { id, author, text, edited: false, deleted: false, standing });
        }
    }

    /// The server does not take it.
    pub fn fail(&mut self, id: CommandId, why: ErrorCode) {
        if let Some(change) = self.changes.iter_mut().find(|change| change.command.id == id) {
            change.refused = Some(why);
        } else if let Some(row) = self.waiting.iter_mut().find(|row| row.id == id) {
            row.standing = Standing::Failed { why };
        }
    }

    /// It is tried again: the command, if it had failed.
    pub fn retry(&mut self, id: CommandId) -> Option<Command> {
        if let Some(change) = self.changes.iter_mut().find(|change| change.command.id == id) {
            return change.refused.take().map(|_| change.command.clone());
        }
        let row = self.waiting.iter_mut().find(|row| row.id == id)?;
        row.standing.failure()?;
        row.standing = Standing::Pending;
        Some(Command { id, deed: Deed::Post { text: row.text.clone() } })
    }

    /// It waits no longer: it is done, or its author gives it up.
    pub fn forget(&mut self, id: CommandId) {
        self.waiting.retain(|row| row.id != id);
        self.changes.retain(|change| change.command.id != id);
    }

    /// The server tells events: repeats are ignored, the next are applied, a gap applies nothing.
    pub fn hear(&mut self, events: &[Arc<Event>]) -> Heard {
        for event in events {
            if event.seq > self.last + 1 {
                return Heard::Gap;
            }
            if event.seq == self.last + 1 {
                self.apply(event);
            }
        }
        Heard::Applied
    }

    /// The server says to start afresh. What waits here is kept: it is not the server's yet.
    pub fn reset(&mut self, log: String, last: Seq, messages: Vec<Message>) {
        let same_log = self.log == log;
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut changes = std::mem::take(&mut self.changes);
        if !same_log {
            // What they are about is not there any more; what was written is.
            waiting.extend(changes.drain(..).filter_map(Change::orphaned));
        }
        let (seen, day_of) = (self.seen.filter(|_| same_log), self.day_of);
        *self = Self { changes, seen, day_of, ..Self::new(log, last, messages) };
        let known = |row: &Row| self.confirmed.iter().any(|confirmed| confirmed.id == row.id);
        self.waiting = waiting.into_iter().filter(|row| !known(row)).collect();
    }

    /// Somebody is called something else now, in what they have said too.
    pub fn rename(&mut self, person: &Author) {
        for row in self.confirmed.iter_mut().chain(&mut self.waiting) {
            if row.author.id == person.id {
                row.author = person.clone();
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        self.last = event.seq;
        self.forget(event.id);
        match &event.body {
            EventBody::Message { .. } => {
                self.confirmed.extend(Message::posted(event).map(Row::from));
            }
            EventBody::Edit { target, text } => self.confirmed_row(*target, |row| row.edit(text.clone())),
            EventBody::Delete { target } => self.confirmed_row(*target, Row::delete),
            EventBody::Unknown => {}
        }
    }

    fn confirmed_row(&mut self, seq: Seq, change: impl FnOnce(&mut Row)) {
        // Rows stand in the order of their seq; one that is not here is on an older page.
        if let Ok(at) = self.confirmed.binary_search_by_key(&Some(seq), |row| row.standing.seq()) {
            change(&mut self.confirmed[at]);
        }
    }
}

impl Change {
    /// A row for what was written, where the message that it was for is gone.
    fn orphaned(self) -> Option<Row> {
        let Deed::Edit { text, .. } = self.command.deed else { return None };
        let (author, standing) = (self.author, Standing::Failed { why: ErrorCode::NoSuchMessage });
        Some(Row { id: self.command.id, author, text, edited: false, deleted: false, standing })
    }
}

impl Row {
    fn edit(&mut self, text: Arc<str>) {
        self.text = text;
        self.edited = true;
    }

    fn delete(&mut self) {
        self.text = Arc::default();
        self.deleted = true;
    }

    fn continues(&self, before: &Self) -> bool {
        let soon = match (self.standing.at(), before.standing.at()) {
            (Some(now), Some(then)) => now.saturating_sub(then) < TOGETHER,
            _ => true,
        };
        self.author.id == before.author.id && soon
    }
}

impl From<Message> for Row {
    fn from(message: Message) -> Self {
        let Message { seq, at, id, author, text, edited_at, deleted, .. } = message;
        let standing = Standing::Confirmed { seq, at };
        Self { id, author, text, edited: edited_at.is_some(), deleted, standing }
    }
}

impl Standing {
    /// Its place in the log, once it has one.
    pub fn seq(&self) -> Option<Seq> {
        if let Self::Confirmed { seq, .. } = self { Some(*seq) } else { None }
    }

    /// When it was committed.
    pub fn at(&self) -> Option<Millis> {
        if let Self::Confirmed { at, .. } = self { Some(*at) } else { None }
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<ErrorCode> {
        if let Self::Failed { why } = self { Some(*why) } else { None }
    }

    /// One word for style sheets and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Pending => "pending",
            Self::Failed { .. } => "failed",
        }
    }
}

#[cfg(test)]
mod tests;
