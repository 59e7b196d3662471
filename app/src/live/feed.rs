//! What one browser shows of a room: confirmed messages in the log's order, then its own that wait.

use super::{Command, Deed};
use crate::wire::{Author, CommandId, Event, EventBody, Message, Millis, PersonId, PersonName, Seq};
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
        /// Why, for its author.
        why: String,
    },
}

/// A row as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The row, with what its author is just changing.
    pub row: Row,
    /// It stands under a head of its own: another person, or the same after a while.
    pub opens: bool,
    /// The command that is changing it, and why it was refused, if it was.
    pub changing: Option<(CommandId, Option<String>)>,
}

/// A change of a confirmed row that waits for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    command: Command,
    author: Author,
    refused: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    log: String,
    last: Seq,
    /// In the order of their `seq`.
    confirmed: Vec<Row>,
    waiting: Vec<Row>,
    changes: Vec<Change>,
}

impl Feed {
    /// A feed that has everything up to `last`, of which `messages` are shown.
    pub fn new(log: String, last: Seq, messages: Vec<Message>) -> Self {
        let confirmed = messages.into_iter().map(Row::from).collect();
        Self { log, last, confirmed, waiting: Vec::new(), changes: Vec::new() }
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
        rows.skip(window.start)
            .take(window.len())
            .map(|row| {
                let opens = before.replace(row).is_none_or(|before| !row.continues(before));
                self.show(row, opens)
            })
            .collect()
    }

    fn show(&self, row: &Row, opens: bool) -> Shown {
        let mut shown = Shown { row: row.clone(), opens, changing: None };
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
            shown.changing = Some((command.id, refused.clone()));
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
    pub fn fail(&mut self, id: CommandId, why: String) {
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
        *self = Self { changes, ..Self::new(log, last, messages) };
        let known = |row: &Row| self.confirmed.iter().any(|confirmed| confirmed.id == row.id);
        self.waiting = waiting.into_iter().filter(|row| !known(row)).collect();
    }

    /// Somebody is called something else now, in what they have said too.
    pub fn rename(&mut self, person: PersonId, name: &PersonName) {
        for row in self.confirmed.iter_mut().chain(&mut self.waiting) {
            if row.author.id == person {
                row.author.name = name.clone();
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
        let why = "The message that you were changing is not there any more.".into();
        let (author, standing) = (self.author, Standing::Failed { why });
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
    pub fn failure(&self) -> Option<String> {
        if let Self::Failed { why } = self { Some(why.clone()) } else { None }
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn author(n: u64) -> Author {
        Author { id: PersonId(n), name: PersonName::given(PersonId(n)) }
    }

    fn event(seq: Seq) -> Arc<Event> {
        let body = EventBody::Message { text: format!("message {seq}").into(), reply_to: None };
        Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: author(seq % 3), body })
    }

    fn all(feed: &Feed) -> Vec<Shown> {
        feed.shown(0..feed.len())
    }

    fn empty() -> Feed {
        Feed::new("log".into(), 0, Vec::new())
    }

    fn seqs(feed: &Feed) -> Vec<Seq> {
        all(feed).iter().filter_map(|shown| shown.row.standing.seq()).collect()
    }

    #[test]
    fn a_pending_row_becomes_the_confirmed_one() {
        let mut feed = empty();
        feed.post(Uuid::from_u128(1), author(1), "message 1".into());
        assert_eq!(all(&feed)[0].row.standing, Standing::Pending);
        assert_eq!(feed.hear(&[event(1)]), Heard::Applied);
        assert_eq!(seqs(&feed), [1]);
        assert_eq!(all(&feed).len(), 1, "it is not shown twice");
    }

    #[test]
    fn a_gap_applies_nothing_beyond_it() {
        let mut feed = empty();
        assert_eq!(feed.hear(&[event(1), event(3)]), Heard::Gap);
        assert_eq!((feed.last(), seqs(&feed)), (1, vec![1]));
    }

    #[test]
    fn a_kind_that_is_not_known_counts() {
        let mut feed = empty();
        let unknown = Event { body: EventBody::Unknown, ..(*event(1)).clone() };
        assert_eq!(feed.hear(&[Arc::new(unknown), event(2)]), Heard::Applied);
        assert_eq!((feed.last(), seqs(&feed)), (2, vec![2]));
    }

    fn changed(seq: Seq, body: EventBody) -> Arc<Event> {
        Arc::new(Event { body, ..(*event(seq)).clone() })
    }

    #[test]
    fn an_edit_and_a_delete_change_the_row_they_are_about() {
        let mut feed = empty();
        feed.hear(&[event(1), event(2), event(3)]);
        feed.hear(&[
            changed(4, EventBody::Edit { target: 1, text: "better".into() }),
            changed(5, EventBody::Delete { target: 3 }),
            changed(6, EventBody::Delete { target: 99 }),
        ]);
        let rows: Vec<_> = all(&feed)
            .into_iter()
            .map(|shown| (shown.row.text.to_string(), shown.row.edited, shown.row.deleted))
            .collect();
        let expected = [("better", true, false), ("message 2", false, false), ("", false, true)];
        assert_eq!(rows, expected.map(|(text, edited, deleted)| (text.to_owned(), edited, deleted)));
        assert_eq!(feed.last(), 6);
    }

    #[test]
    fn a_change_is_shown_at_once_and_settled_by_its_event_or_its_refusal() {
        let mut feed = empty();
        feed.hear(&[event(1), event(2)]);
        let (edit, delete) = (Uuid::from_u128(71), Uuid::from_u128(72));
        feed.take(&Command { id: edit, deed: Deed::Edit { target: 1, text: "new".into() } }, author(1));
        feed.take(&Command { id: delete, deed: Deed::Delete { target: 2 } }, author(1));
        let shown = all(&feed);
        assert_eq!((&*shown[0].row.text, shown[1].row.deleted), ("new", true));
        assert_eq!(shown[0].changing, Some((edit, None)));
        let done =
            Event { id: edit, ..(*changed(3, EventBody::Edit { target: 1, text: "new".into() })).clone() };
        feed.hear(&[Arc::new(done)]);
        assert_eq!(all(&feed)[0].changing, None);
        feed.fail(delete, "no".into());
        let shown = &all(&feed)[1];
        assert_eq!((shown.row.deleted, &shown.changing), (false, &Some((delete, Some("no".into())))));
        assert_eq!(feed.retry(delete).map(|command| command.id), Some(delete));
        feed.forget(delete);
        assert_eq!(&*all(&feed)[1].row.text, "message 2");
    }

    #[test]
    fn a_window_shows_its_rows_and_knows_who_spoke_before() {
        let mut feed = empty();
        let said = |seq, who| Arc::new(Event { at: 0, author: author(who), ..(*event(seq)).clone() });
        feed.hear(&[said(1, 1), said(2, 1), said(3, 2)]);
        let shown = feed.shown(1..3);
        let opens: Vec<bool> = shown.iter().map(|shown| shown.opens).collect();
        assert_eq!(opens, [false, true]);
        assert!(feed.shown(3..9).is_empty());
    }

    #[test]
    fn older_messages_stand_before_and_none_comes_twice() {
        let mut feed = Feed::new("log".into(), 9, vec![Message::posted(&event(8)).unwrap()]);
        feed.prepend((5..=8).filter_map(|seq| Message::posted(&event(seq))).collect());
        assert_eq!((seqs(&feed), feed.first(), feed.last()), ((5..=8).collect(), Some(5), 9));
    }

    #[test]
    fn a_reset_replaces_what_was_and_keeps_what_waits() {
        let mut feed = empty();
        feed.hear(&[event(1)]);
        feed.post(Uuid::from_u128(7), author(1), "mine".into());
        feed.post(Uuid::from_u128(9), author(1), "stored meanwhile".into());
        let messages = vec![Message::posted(&event(9)).unwrap()];
        feed.reset("other".into(), 9, messages);
        let ids: Vec<u128> = all(&feed).iter().map(|shown| shown.row.id.as_u128()).collect();
        assert_eq!((feed.log(), feed.last(), ids), ("other", 9, vec![9, 7]));
    }

    #[test]
    fn a_failed_message_keeps_its_text_until_its_author_decides() {
        let mut feed = empty();
        let id = Uuid::from_u128(5);
        feed.post(id, author(1), "too much".into());
        feed.fail(id, "too long".into());
        assert_eq!(all(&feed)[0].row.standing.failure(), Some("too long".into()));
        let again = Command { id, deed: Deed::Post { text: "too much".into() } };
        assert_eq!(feed.retry(id), Some(again));
        assert_eq!(feed.retry(id), None, "it is under way already");
        feed.forget(id);
        assert!(all(&feed).is_empty());
    }

    #[test]
    fn lines_of_one_person_stand_together_for_five_minutes() {
        let mut feed = empty();
        let said = |seq, who, at| Arc::new(Event { at, author: author(who), ..(*event(seq)).clone() });
        feed.hear(&[
            said(1, 1, 0),
            said(2, 1, TOGETHER - 1),
            said(3, 1, 2 * TOGETHER),
            said(4, 2, 2 * TOGETHER),
        ]);
        let opens: Vec<bool> = all(&feed).iter().map(|shown| shown.opens).collect();
        assert_eq!(opens, [true, false, true, true]);
    }

    #[test]
    fn a_new_name_is_on_every_row_of_its_owner() {
        let mut feed = empty();
        feed.hear(&[event(1), event(2)]);
        feed.rename(PersonId(1), &"Ann".parse().unwrap());
        let names: Vec<String> = all(&feed).iter().map(|shown| shown.row.author.name.to_string()).collect();
        assert_eq!(names[0], "Ann");
        assert_ne!(names[1], "Ann");
    }

    proptest! {
        #[test]
        fn whatever_is_repeated_missing_or_late_the_feed_ends_as_the_log(
            pieces in prop::collection::vec((1_u64..40, 1_u64..10), 0..60),
            mine in prop::collection::vec(1_u128..45, 0..10),
        ) {
            let log: Vec<Arc<Event>> = (1..=40).map(event).collect();
            let mut feed = empty();
            for id in mine {
                feed.post(Uuid::from_u128(id), author(1), "mine".into());
            }
            for (from, count) in pieces {
                let piece = &log[from as usize - 1..(from + count - 1).min(40) as usize];
                if feed.hear(piece) == Heard::Gap {
                    let rest = &log[feed.last() as usize..];
                    prop_assert_eq!(feed.hear(&rest[..rest.len().min(3)]), Heard::Applied);
                }
            }
            feed.hear(&log[feed.last() as usize..]);
            prop_assert_eq!(seqs(&feed), (1..=40).collect::<Vec<_>>());
            let shown = all(&feed);
            let mut ids: Vec<_> = shown.iter().map(|shown| shown.row.id).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert!(shown.iter().all(|shown| shown.row.standing.seq().is_some() || shown.row.id.as_u128() > 40));
        }
    }
}
