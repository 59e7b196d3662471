//! Messages that the room keeps no longer.

use super::{PendingChange, Timeline};
use crate::{client::OutboxOperation, wire::Seq};

impl Timeline {
    /// Drops the messages up to a `seq`, and what quotes have of them. The text of an edit that waits for the server stays.
    /// The next [`trim`](Self::trim) returns how many entries are gone.
    pub(super) fn expire(&mut self, up_to: Seq) {
        let dropped = self.confirmed.partition_point(|entry| entry.delivery.seq() <= Some(up_to));
        if dropped > 0 {
            self.confirmed.drain(..dropped);
            self.expired += dropped;
            self.has_oldest = true;
        }
        self.detached_at = self.detached_at.map(|at| at.max(up_to));
        self.sources.expire(up_to);
        let is_gone = |change: &PendingChange| match change.command.operation {
            OutboxOperation::Edit { target, .. }
            | OutboxOperation::Delete { target }
            | OutboxOperation::React { target, .. } => target <= up_to,
            OutboxOperation::Post { .. } => false,
        };
        let (gone, kept) = std::mem::take(&mut self.changes).into_iter().partition(is_gone);
        self.changes = kept;
        self.pending.extend(Vec::into_iter(gone).filter_map(PendingChange::into_failed_entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, Event, EventBody, Files, Mentions, User, UserId};
    use std::sync::Arc;
    use uuid::Uuid;

    fn event(seq: Seq, body: EventBody) -> Arc<Event> {
        let author = User::new(UserId(1), "Ann".parse::<DisplayName>().unwrap());
        Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author, body })
    }

    fn message(seq: Seq, reply_to: Option<Seq>) -> Arc<Event> {
        let text = format!("text {seq}").into();
        event(
            seq,
            EventBody::Message { text, reply_to, mentions: Mentions::default(), files: Files::default() },
        )
    }

    fn seqs(timeline: &Timeline) -> Vec<Option<Seq>> {
        timeline.visible_entries(0..timeline.len()).iter().map(|view| view.entry.delivery.seq()).collect()
    }

    #[test]
    fn expired_messages_are_gone_from_the_timeline_and_from_quotes() {
        let mut timeline = Timeline::new("log".into(), 0, Vec::new());
        let messages: Vec<_> = (1..=4).map(|seq| message(seq, (seq == 4).then_some(1))).collect();
        timeline.apply_events(&messages);
        assert_eq!(timeline.quote(1).source.unwrap().excerpt.as_deref(), Some("text 1"));
        timeline.set_has_oldest(false);
        timeline.apply_events(&[event(5, EventBody::Expire { up_to: 2 })]);
        assert_eq!(seqs(&timeline), [Some(3), Some(4)]);
        assert!(timeline.quote(1).source.unwrap().excerpt.is_none(), "the quote has no text any more");
        assert!(timeline.has_oldest(), "nothing is before the first message");
        assert_eq!((timeline.trim(0..4, true), timeline.trim(0..2, true)), (2, 0));
        assert_eq!(timeline.last(), 5);
    }

    #[test]
    fn the_place_of_an_expired_event_counts_and_shows_nothing() {
        let mut timeline = Timeline::new("log".into(), 0, Vec::new());
        timeline.apply_events(&[event(1, EventBody::Expired), message(2, None)]);
        assert_eq!((seqs(&timeline), timeline.last()), (vec![Some(2)], 2));
    }
}
