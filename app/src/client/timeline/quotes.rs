//! The messages that others of the timeline reply to. They may stand on a page that the browser does not have.

use super::Timeline;
use crate::{
    client::{Entry, Quote},
    page_data::QuotedMessage,
    wire::{Seq, User},
};
use std::ops::Range;

/// Quoted messages that a browser stores of a room, at most. Beyond them the oldest is dropped (the newest if an older one
/// comes), and fetched again when it is shown.
const MAX_SOURCES: usize = 1_000;

/// The known quoted messages, in the order of their `seq`.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(Vec<(Seq, QuotedMessage)>);

impl Sources {
    pub(super) fn get(&self, seq: Seq) -> Option<&QuotedMessage> {
        self.index(seq).ok().map(|at| &self.0[at].1)
    }

    fn set(&mut self, seq: Seq, message: QuotedMessage) {
        match self.index(seq) {
            Ok(at) => self.0[at].1 = message,
            Err(at) => {
                self.0.insert(at, (seq, message));
                if self.0.len() > MAX_SOURCES {
                    // The new one stays: its reply is shown.
                    self.0.remove(if at == 0 { MAX_SOURCES } else { 0 });
                }
            }
        }
    }

    /// Takes over a change of a message, if something quotes it.
    pub(super) fn update(&mut self, seq: Seq, change: impl FnOnce(&mut QuotedMessage)) {
        if let Ok(at) = self.index(seq) {
            change(&mut self.0[at].1);
        }
    }

    /// Forgets the texts of messages up to a `seq`.
    pub(super) fn expire(&mut self, up_to: Seq) {
        self.0.iter_mut().filter(|(seq, _)| *seq <= up_to).for_each(|(_, message)| message.excerpt = None);
    }

    pub(super) fn update_user(&mut self, user: &User) {
        for (_, message) in &mut self.0 {
            if message.author.id == user.id {
                message.author = user.clone();
            }
        }
    }

    fn index(&self, seq: Seq) -> Result<usize, usize> {
        self.0.binary_search_by_key(&seq, |(seq, _)| *seq)
    }
}

impl Timeline {
    /// Returns the newest message of `range` that is quoted and not known.
    pub fn unknown_source(&self, range: Range<usize>) -> Option<Seq> {
        let replies = range.rev().filter_map(|at| self.entry(at)?.reply_to);
        { replies }.find(|seq| self.sources.get(*seq).is_none())
    }

    /// Adds a message that is quoted and that the timeline does not have.
    pub fn add_source(&mut self, seq: Seq, message: QuotedMessage) {
        self.sources.set(seq, message);
    }

    /// Returns what a reply to the message `seq` shows.
    pub fn quote(&self, seq: Seq) -> Quote {
        Quote { seq, source: self.sources.get(seq).cloned().or_else(|| self.quoted(seq)) }
    }

    fn quoted(&self, seq: Seq) -> Option<QuotedMessage> {
        self.index_of(seq).and_then(|at| self.entry(at)).map(Entry::quoted)
    }

    pub(super) fn look_up_all_sources(&mut self) {
        let replies: Vec<Seq> =
            self.confirmed.iter().chain(&self.pending).filter_map(|entry| entry.reply_to).collect();
        self.look_up_sources(replies.into_iter());
    }

    /// Looks up the quoted messages `replies`.
    pub(super) fn look_up_sources(&mut self, replies: impl Iterator<Item = Seq>) {
        for seq in replies {
            if self.sources.get(seq).is_none()
                && let Some(message) = self.quoted(seq)
            {
                self.sources.set(seq, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, Event, EventBody, Files, Mentions, Message, UserId};
    use std::sync::Arc;
    use uuid::Uuid;

    fn user(id: u64, name: &str) -> User {
        User::new(UserId(id), name.parse::<DisplayName>().unwrap())
    }

    fn event(seq: Seq, body: EventBody) -> Arc<Event> {
        Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: user(seq, "Ann"), body })
    }

    fn message(seq: Seq, text: &str, reply_to: Option<Seq>) -> Arc<Event> {
        event(
            seq,
            EventBody::Message {
                text: text.into(),
                reply_to,
                mentions: Mentions::default(),
                files: Files::default(),
            },
        )
    }

    fn quote(timeline: &Timeline, at: usize) -> Option<Quote> {
        timeline.visible_entries(at..at + 1)[0].quote.clone()
    }

    fn excerpt(timeline: &Timeline, at: usize) -> Option<String> {
        quote(timeline, at)?.source?.excerpt
    }

    #[test]
    fn quote_follows_edits_renames_and_deletion() {
        let mut timeline = Timeline::new("log".into(), 0, Vec::new());
        timeline.apply_events(&[message(1, "**one**", None), message(2, "two", Some(1))]);
        assert_eq!(excerpt(&timeline, 1).as_deref(), Some("one"));
        assert!(timeline.visible_entries(1..2)[0].is_to(UserId(1)));
        timeline.apply_events(&[event(
            3,
            EventBody::Edit { target: 1, text: "first".into(), mentions: Mentions::default() },
        )]);
        assert_eq!(excerpt(&timeline, 1).as_deref(), Some("first"));
        timeline.update_user(&user(1, "Anna"));
        assert_eq!(quote(&timeline, 1).unwrap().source.unwrap().author.name.as_str(), "Anna");
        timeline.apply_events(&[event(4, EventBody::Delete { target: 1 })]);
        let source = quote(&timeline, 1).unwrap().source.unwrap();
        assert_eq!((source.author.name.as_str(), source.excerpt), ("Anna", None));
    }

    #[test]
    fn unknown_message_is_asked_for_until_it_is_added() {
        let newest = Message::from_event(&message(9, "nine", Some(2))).unwrap();
        let mut timeline = Timeline::new("log".into(), 9, vec![newest]);
        assert_eq!(quote(&timeline, 0), Some(Quote { seq: 2, source: None }));
        assert_eq!((timeline.unknown_source(0..1), timeline.unknown_source(0..0)), (Some(2), None));
        timeline.add_source(2, Message::from_event(&message(2, "two", None)).unwrap().into());
        assert_eq!((timeline.unknown_source(0..1), excerpt(&timeline, 0).as_deref()), (None, Some("two")));
    }

    #[test]
    fn older_page_brings_quoted_messages() {
        let newest = Message::from_event(&message(9, "nine", Some(2))).unwrap();
        let mut timeline = Timeline::new("log".into(), 9, vec![newest]);
        timeline.prepend(vec![Message::from_event(&message(2, "two", None)).unwrap()]);
        assert_eq!(excerpt(&timeline, 1).as_deref(), Some("two"));
    }

    #[test]
    fn sources_are_bounded() {
        let mut sources = Sources::default();
        let quoted = QuotedMessage { author: user(1, "Ann"), excerpt: None };
        for seq in 1..=MAX_SOURCES as Seq + 5 {
            sources.set(seq, quoted.clone());
        }
        assert_eq!((sources.0.len(), sources.get(5), sources.get(6)), (MAX_SOURCES, None, Some(&quoted)));
        sources.set(1, quoted.clone());
        assert_eq!((sources.0.len(), sources.get(1)), (MAX_SOURCES, Some(&quoted)));
    }
}
