//! What one browser shows of a room: confirmed messages in the log's order, then its own that wait.

mod bounds;
mod held_deletions;

pub use bounds::MAX_ROWS;

use super::entry::number;
use crate::{
    client::{Command, Deed, Row, Standing},
    clock,
    wire::{CommandId, ErrorCode, Event, EventBody, Message, Millis, Seq, User, UserId},
};
use std::{ops::Range, sync::Arc};

/// A row as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The row, with what its author is just changing.
    pub row: Row,
    /// It stands under a head of its own: another person, or the same after a while.
    pub opens: bool,
    /// It is the first of a day.
    pub day: bool,
    /// Its author has just deleted it and may still undo that: it is not shown.
    pub hidden: bool,
    /// It is the first that whoever sits here has not seen before.
    pub first_new: bool,
    /// The command that is changing it, and why it was refused, if it was.
    pub changing: Option<(CommandId, Option<ErrorCode>)>,
}

/// A change of a confirmed row that waits for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    command: Command,
    author: User,
    refused: Option<ErrorCode>,
    /// A deletion that its author can still undo. Nothing of it has been sent.
    held: bool,
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
    /// The id of the event at `last`, if it is known: the server recognizes another past by it.
    last_id: Option<CommandId>,
    /// What others have posted after this `seq` is new to this person.
    seen: Option<(Seq, UserId)>,
    /// On which day a moment is: in UTC, until the browser says where it is.
    day_of: fn(Millis) -> u64,
    /// There is nothing before the oldest row.
    begins: bool,
    /// Rows of events after this one were dropped or not kept, although `last` is beyond it.
    kept_to: Option<Seq>,
    /// In the order of their `seq`.
    confirmed: Vec<Row>,
    waiting: Vec<Row>,
    changes: Vec<Change>,
}

impl Feed {
    /// A feed that has everything up to `last`, of which `messages` are shown.
    pub fn new(log: String, last: Seq, messages: Vec<Message>) -> Self {
        let last_id = messages.last().filter(|newest| newest.seq == last).map(|newest| newest.id);
        let mut confirmed: Vec<Row> = messages.into_iter().map(Row::from).collect();
        number(&mut confirmed, 0);
        Self {
            log,
            last,
            last_id,
            seen: None,
            day_of: clock::day_in_utc,
            begins: true,
            kept_to: None,
            confirmed,
            waiting: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// What others post after `seq` is new to `person`.
    pub fn seen(&mut self, seq: Seq, person: UserId) {
        self.seen = Some((seq, person));
    }

    /// Whether there is nothing before the oldest row.
    pub fn begins(&mut self, begins: bool) {
        self.begins = begins;
    }

    /// Days begin and end where the browser is.
    #[cfg(feature = "hydrate")]
    pub(crate) fn settle_here(&mut self) {
        self.day_of = clock::day_here;
    }

    /// The newest message of `person` that can still be changed.
    pub fn newest_of(&self, person: UserId) -> Option<Seq> {
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

    /// The id of the event at [`last`](Self::last), if it is known.
    pub fn last_id(&self) -> Option<CommandId> {
        self.last_id
    }

    /// The server goes on after [`last`](Self::last) in a log that has another identity now.
    pub fn continue_in(&mut self, log: &str) {
        if self.log != log {
            log.clone_into(&mut self.log);
        }
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
        // The row above that is shown, and its place under its head.
        let above = (0..window.start).rev().filter_map(|at| self.row(at)).find(|row| !self.is_hidden(row));
        let mut above = above.map(|row| (row, row.place));
        let first_new = self.first_new();
        rows.skip(window.start)
            .take(window.len())
            .map(|row| {
                let day = self.opens_day(row, above.map(|(above, _)| above));
                let first_new = first_new.is_some() && row.standing.seq() == first_new;
                let place = match above {
                    Some((above, place)) if row.continues(above) => row.place_after(place),
                    _ => 0,
                };
                let mut shown = self.show(row, place == 0 || day || first_new, day, first_new);
                shown.hidden = self.is_hidden(row);
                if shown.hidden {
                    (shown.day, shown.first_new) = (false, false);
                } else {
                    above = Some((row, place));
                }
                shown
            })
            .collect()
    }

    fn row(&self, at: usize) -> Option<&Row> {
        self.confirmed.get(at).or_else(|| self.waiting.get(at.checked_sub(self.confirmed.len())?))
    }

    /// The first message that is new to whoever sits here; nothing where that may be on an older page.
    pub fn first_new(&self) -> Option<Seq> {
        let (seen, person) = self.seen?;
        let from = self.confirmed.partition_point(|row| row.standing.seq() <= Some(seen));
        if from == 0 && !self.begins && self.first() > Some(seen + 1) {
            return None;
        }
        let is_new = |row: &&Row| row.author.id != person && !row.deleted && !self.is_hidden(row);
        self.confirmed[from..].iter().find(is_new)?.standing.seq()
    }

    /// Messages of others than `person` after `seq`.
    pub fn new_after(&self, seq: Seq, person: UserId) -> usize {
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
        let mut shown = Shown { row: row.clone(), opens, day, first_new, hidden: false, changing: None };
        let seq = row.standing.seq();
        for Change { command, refused, .. } in self.changes.iter().filter(|change| !change.held) {
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
    pub fn take(&mut self, command: &Command, author: User) {
        match &command.deed {
            Deed::Post { text } => self.post(command.id, author, text.clone()),
            Deed::Edit { .. } | Deed::Delete { .. } => {
                self.changes.push(Change { command: command.clone(), author, refused: None, held: false });
            }
        }
    }

    /// A page of older messages. What is here already is not taken twice.
    pub fn prepend(&mut self, messages: Vec<Message>) {
        let first = self.first().unwrap_or(Seq::MAX);
        let mut older: Vec<Row> =
            messages.into_iter().filter(|message| message.seq < first).map(Row::from).collect();
        number(&mut older, 0);
        self.confirmed.splice(0..0, older);
    }

    fn post(&mut self, id: CommandId, author: User, text: Arc<str>) {
        if !self.confirmed.iter().any(|row| row.id == id) {
            self.waiting.push(Row::written(id, author, text, Standing::Pending));
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
    pub fn rename(&mut self, person: &User) {
        for row in self.confirmed.iter_mut().chain(&mut self.waiting) {
            if row.author.id == person.id {
                row.author = person.clone();
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        self.last = event.seq;
        self.last_id = Some(event.id);
        self.forget(event.id);
        match &event.body {
            EventBody::Message { .. } => {
                if self.kept_to.is_none() {
                    let from = self.confirmed.len();
                    self.confirmed.extend(Message::from_event(event).map(Row::from));
                    number(&mut self.confirmed, from);
                }
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
        let standing = Standing::Failed { why: ErrorCode::NoSuchMessage };
        Some(Row::written(self.command.id, self.author, text, standing))
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
