//! What one browser shows of a room: confirmed messages in the log's order, then its own that wait.

use crate::wire::{Author, CommandId, Event, EventBody, Message, Millis, PersonId, PersonName, Seq};
use std::sync::Arc;

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

/// A row, and whether it opens a group: another person, or the same after a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The row.
    pub row: Row,
    /// It stands under a head of its own.
    pub opens: bool,
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
    confirmed: Vec<Row>,
    waiting: Vec<Row>,
}

impl Feed {
    /// A feed that has everything up to `last`, of which `messages` are shown.
    pub fn new(log: String, last: Seq, messages: Vec<Message>) -> Self {
        Self { log, last, confirmed: messages.into_iter().map(Row::from).collect(), waiting: Vec::new() }
    }

    /// The log that it belongs to.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The last `seq` that it has.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Every row in order, those that wait at the end.
    pub fn shown(&self) -> Vec<Shown> {
        let mut before: Option<&Row> = None;
        let rows = self.confirmed.iter().chain(&self.waiting);
        rows.map(|row| {
            let opens = before.replace(row).is_none_or(|before| !row.continues(before));
            Shown { row: row.clone(), opens }
        })
        .collect()
    }

    /// Somebody here has written something.
    pub fn post(&mut self, id: CommandId, author: Author, text: Arc<str>) {
        if !self.confirmed.iter().any(|row| row.id == id) {
            let standing = Standing::Pending;
            self.waiting.push(Row { id, author, text, edited: false, deleted: false, standing });
        }
    }

    /// The server does not take it.
    pub fn fail(&mut self, id: CommandId, why: String) {
        self.waiting_row(id, |row| row.standing = Standing::Failed { why });
    }

    /// It is tried again. What it says, if it had failed.
    pub fn retry(&mut self, id: CommandId) -> Option<Arc<str>> {
        let mut text = None;
        self.waiting_row(id, |row| {
            if matches!(row.standing, Standing::Failed { .. }) {
                row.standing = Standing::Pending;
                text = Some(row.text.clone());
            }
        });
        text
    }

    /// Its author gives it up.
    pub fn forget(&mut self, id: CommandId) {
        self.waiting.retain(|row| row.id != id);
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
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self::new(log, last, messages);
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
        match &event.body {
            EventBody::Message { .. } => {
                self.forget(event.id);
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

    fn waiting_row(&mut self, id: CommandId, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.waiting.iter_mut().find(|row| row.id == id) {
            change(row);
        }
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

    fn empty() -> Feed {
        Feed::new("log".into(), 0, Vec::new())
    }

    fn seqs(feed: &Feed) -> Vec<Seq> {
        feed.shown().iter().filter_map(|shown| shown.row.standing.seq()).collect()
    }

    #[test]
    fn a_pending_row_becomes_the_confirmed_one() {
        let mut feed = empty();
        feed.post(Uuid::from_u128(1), author(1), "message 1".into());
        assert_eq!(feed.shown()[0].row.standing, Standing::Pending);
        assert_eq!(feed.hear(&[event(1)]), Heard::Applied);
        assert_eq!(seqs(&feed), [1]);
        assert_eq!(feed.shown().len(), 1, "it is not shown twice");
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
        let rows: Vec<_> = feed
            .shown()
            .into_iter()
            .map(|shown| (shown.row.text.to_string(), shown.row.edited, shown.row.deleted))
            .collect();
        let expected = [("better", true, false), ("message 2", false, false), ("", false, true)];
        assert_eq!(rows, expected.map(|(text, edited, deleted)| (text.to_owned(), edited, deleted)));
        assert_eq!(feed.last(), 6);
    }

    #[test]
    fn a_reset_replaces_what_was_and_keeps_what_waits() {
        let mut feed = empty();
        feed.hear(&[event(1)]);
        feed.post(Uuid::from_u128(7), author(1), "mine".into());
        feed.post(Uuid::from_u128(9), author(1), "stored meanwhile".into());
        let messages = vec![Message::posted(&event(9)).unwrap()];
        feed.reset("other".into(), 9, messages);
        let ids: Vec<u128> = feed.shown().iter().map(|shown| shown.row.id.as_u128()).collect();
        assert_eq!((feed.log(), feed.last(), ids), ("other", 9, vec![9, 7]));
    }

    #[test]
    fn a_failed_message_keeps_its_text_until_its_author_decides() {
        let mut feed = empty();
        let id = Uuid::from_u128(5);
        feed.post(id, author(1), "too much".into());
        feed.fail(id, "too long".into());
        assert_eq!(feed.shown()[0].row.standing.failure(), Some("too long".into()));
        assert_eq!(feed.retry(id), Some("too much".into()));
        assert_eq!(feed.retry(id), None, "it is under way already");
        feed.forget(id);
        assert!(feed.shown().is_empty());
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
        let opens: Vec<bool> = feed.shown().iter().map(|shown| shown.opens).collect();
        assert_eq!(opens, [true, false, true, true]);
    }

    #[test]
    fn a_new_name_is_on_every_row_of_its_owner() {
        let mut feed = empty();
        feed.hear(&[event(1), event(2)]);
        feed.rename(PersonId(1), &"Ann".parse().unwrap());
        let names: Vec<String> = feed.shown().iter().map(|shown| shown.row.author.name.to_string()).collect();
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
            let shown = feed.shown();
            let mut ids: Vec<_> = shown.iter().map(|shown| shown.row.id).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert!(shown.iter().all(|shown| shown.row.standing.seq().is_some() || shown.row.id.as_u128() > 40));
        }
    }
}
