//! How many messages of a room are unread, as events come and as the person reads elsewhere.

use crate::{
    page_data::RoomSummary,
    wire::{Event, EventBody, Seq, UserId, limits::MAX_UNREAD_COUNT},
};
use std::sync::Arc;

/// What the server counts as unread when a person has read a part of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The room's newest `seq` when it was counted.
    pub head: Seq,
    /// Messages of others, up to [`MAX_UNREAD_COUNT`].
    pub unread: u32,
}

impl RoomSummary {
    /// Takes note of what happened in the room, and gives the messages of others among it.
    pub fn hear<'a>(&mut self, events: &'a [Arc<Event>], you: UserId) -> Vec<&'a Event> {
        // What was unread when the page came stands before its head.
        if self.counted == 0 {
            self.counted = self.head;
        }
        let mut new = Vec::new();
        let head = self.head;
        for event in events.iter().map(|event| &**event).filter(|event| event.seq > head) {
            match &event.body {
                EventBody::Message { .. } if event.author.id != you => {
                    new.push(event);
                    self.count(event.seq);
                }
                EventBody::Delete { target } => self.uncount(*target, event.author.id == you),
                _ => {}
            }
        }
        self.head = events.iter().map(|event| event.seq).fold(self.head, Seq::max);
        new
    }

    /// The person has read up to `seq` elsewhere. Without the server's count it follows from what has come here,
    /// and is too high at most.
    pub fn read_to(&mut self, seq: Seq, counted: Option<Counted>) {
        if seq < self.read || (seq == self.read && counted.is_none()) {
            return;
        }
        self.read = self.read.max(seq);
        let unknown = if seq >= self.counted { 0 } else { self.unknown() };
        self.fresh.retain(|fresh| *fresh > seq);
        self.unread = match counted {
            _ if seq >= self.head => 0,
            Some(counted) => {
                // An event that the server has counted and this page has yet to receive is not counted twice.
                self.counted = counted.head;
                let later = self.fresh.iter().filter(|fresh| **fresh > counted.head).count() as u32;
                (counted.unread + later).min(MAX_UNREAD_COUNT)
            }
            None => {
                let known = self.fresh.len() as u32;
                (unknown + known)
                    .min(u32::try_from(self.head - seq).unwrap_or(MAX_UNREAD_COUNT))
                    .min(self.unread)
            }
        };
    }

    fn count(&mut self, seq: Seq) {
        if seq > self.counted.max(self.read) && self.unread < MAX_UNREAD_COUNT {
            // The count of the room on the page goes down without this list.
            if self.fresh.len() >= MAX_UNREAD_COUNT as usize {
                self.fresh.remove(0);
            }
            self.fresh.push(seq);
            self.unread += 1;
        }
    }

    /// A message was deleted, by the person itself or by another one. At the bound there may be more than are
    /// counted.
    fn uncount(&mut self, target: Seq, by_you: bool) {
        let fresh = self.fresh.iter().position(|fresh| *fresh == target);
        let was_counted = match fresh {
            Some(at) => {
                self.fresh.remove(at);
                true
            }
            // One of those that the server had counted when the page came.
            None => target > self.read && !by_you && self.unknown() > 0 && target <= self.counted,
        };
        if was_counted && self.unread < MAX_UNREAD_COUNT {
            self.unread -= 1;
        }
    }

    /// Unread messages of which only the number is known.
    fn unknown(&self) -> u32 {
        self.unread.saturating_sub(self.fresh.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, RoomName, User};

    const YOU: UserId = UserId(1);

    fn event(seq: Seq, author: u64, body: EventBody) -> Arc<Event> {
        let author = User::new(UserId(author), DisplayName::generated(UserId(author)));
        Arc::new(Event { seq, at: 0, id: uuid::Uuid::nil(), author, body })
    }

    fn message(seq: Seq, author: u64) -> Arc<Event> {
        event(seq, author, EventBody::Message { text: "hi".into(), reply_to: None })
    }

    fn delete(seq: Seq, target: Seq) -> Arc<Event> {
        event(seq, 2, EventBody::Delete { target })
    }

    /// A room as the page brings it: read up to 10 of 20, with so many unread.
    fn entry(unread: u32) -> RoomSummary {
        let room: RoomName = "tea".parse().unwrap();
        let title = room.title();
        RoomSummary {
            title,
            room,
            head: 20,
            read: 10,
            unread,
            is_joined: true,
            private: false,
            exists: true,
            fresh: Vec::new(),
            counted: 0,
        }
    }

    #[test]
    fn messages_of_others_are_unread_and_nothing_counts_twice() {
        let mut tea = entry(0);
        let heard = [message(20, 2), message(21, 2), message(22, 1), delete(23, 9)];
        assert_eq!(tea.hear(&heard, YOU).len(), 1);
        assert_eq!((tea.unread, tea.head), (1, 23));
        assert!(tea.hear(&heard, YOU).is_empty(), "a repeat");
    }

    #[test]
    fn more_than_the_bound_are_not_counted_and_a_deletion_does_not_pretend_to_know() {
        let mut tea = entry(0);
        let flood: Vec<_> = (21..300).map(|seq| message(seq, 2)).collect();
        tea.hear(&flood, YOU);
        assert_eq!(tea.unread, MAX_UNREAD_COUNT);
        tea.hear(&[delete(300, 25)], YOU);
        assert_eq!(tea.unread, MAX_UNREAD_COUNT);
    }

    #[test]
    fn a_deleted_message_is_unread_no_longer_whether_it_came_before_or_after_the_page() {
        let mut tea = entry(2);
        tea.hear(&[message(21, 2), message(22, 3)], YOU);
        assert_eq!(tea.unread, 4);
        for (seq, target, unread) in
            [(23, 21, 3), (24, 15, 2), (25, 5, 2), (26, 22, 1), (27, 12, 0), (28, 13, 0)]
        {
            tea.hear(&[delete(seq, target)], YOU);
            assert_eq!(tea.unread, unread, "after the deletion of {target}");
        }
    }

    #[test]
    fn a_deletion_of_ones_own_message_changes_no_count() {
        let mut tea = entry(2);
        tea.hear(&[message(21, 1), event(22, 1, EventBody::Delete { target: 21 })], YOU);
        tea.hear(&[event(23, 1, EventBody::Delete { target: 15 })], YOU);
        assert_eq!(tea.unread, 2);
    }

    #[test]
    fn what_is_read_elsewhere_lowers_the_count_at_once_partly_too() {
        let mut tea = entry(3);
        tea.hear(&[message(21, 2), message(22, 2), message(23, 2)], YOU);
        tea.read_to(9, None);
        assert_eq!(tea.unread, 6, "it was read before");
        tea.read_to(18, None);
        assert_eq!(tea.unread, 5, "of the three at most two are left");
        tea.read_to(22, None);
        assert_eq!(tea.unread, 1);
        tea.read_to(23, None);
        assert_eq!(tea.unread, 0);
    }

    #[test]
    fn the_servers_count_is_right_and_what_it_includes_is_not_counted_again() {
        let mut tea = entry(3);
        tea.hear(&[message(21, 2), message(24, 2)], YOU);
        tea.read_to(18, Some(Counted { head: 23, unread: 4 }));
        assert_eq!(tea.unread, 5, "one came after it was counted");
        let mut work = entry(3);
        work.hear(&[], YOU);
        work.read_to(3, Some(Counted { head: 20, unread: 9 }));
        assert_eq!(work.unread, 3, "a position never goes back");
        work.read_to(18, Some(Counted { head: 22, unread: 3 }));
        work.hear(&[message(21, 2), message(22, 2), message(23, 2)], YOU);
        assert_eq!(work.unread, 4, "two of them were counted");
        work.hear(&[delete(24, 22)], YOU);
        assert_eq!(work.unread, 3);
    }
}
