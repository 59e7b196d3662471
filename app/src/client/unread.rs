//! The number of unread messages of a room, as events arrive and as the user reads on other devices.

use crate::{
    page_data::RoomSummary,
    wire::{Event, EventBody, Mentions, Seq, UserId, limits::MAX_UNREAD_COUNT},
};
use std::sync::Arc;

/// The server's count of a room's unread messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadCount {
    /// The room's newest `seq` when the server counted.
    pub head: Seq,
    /// Messages of others, up to [`MAX_UNREAD_COUNT`].
    pub unread: u32,
    /// Those of them that address the user, up to [`MAX_UNREAD_COUNT`].
    pub mentions: u32,
}

impl RoomSummary {
    /// Counts events of the room, and returns the new messages of others among them. Those of users whom the user has blocked do
    /// not count.
    pub fn apply_events<'a>(
        &mut self,
        events: &'a [Arc<Event>],
        you: UserId,
        is_blocked: impl Fn(UserId) -> bool,
    ) -> Vec<&'a Event> {
        // The server has counted the messages up to the page's head.
        if self.counted == 0 {
            self.counted = self.head;
        }
        let mut new = Vec::new();
        let head = self.head;
        let counts = |event: &Event| event.author.id != you && !is_blocked(event.author.id);
        for event in events.iter().map(|event| &**event).filter(|event| event.seq > head) {
            match &event.body {
                EventBody::Message { mentions, .. } if counts(event) => {
                    new.push(event);
                    self.count(event.seq);
                    self.count_mention(event.seq, mentions.is_to(you));
                }
                EventBody::Edit { target, mentions, .. } if counts(event) => {
                    self.recount_mention(*target, mentions, you);
                }
                EventBody::Delete { target } => {
                    self.uncount(*target, event.author.id == you);
                    self.uncount_mention(*target);
                }
                EventBody::Expire { up_to } => self.expire(*up_to),
                EventBody::Expired => self.expire(event.seq),
                _ => {}
            }
        }
        self.head = events.iter().map(|event| event.seq).fold(self.head, Seq::max);
        new
    }

    /// Records that the user has read up to `seq` on another device. Without the server's count the page estimates it
    /// from the events that it has received; the estimate is at most too high.
    pub fn mark_read(&mut self, seq: Seq, counted: Option<UnreadCount>) {
        if seq < self.read || (seq == self.read && counted.is_none()) {
            return;
        }
        self.read = self.read.max(seq);
        let is_counted = seq < self.counted;
        let (unknown, unknown_mentions) =
            if is_counted { (self.unknown(), self.unknown_mentions()) } else { (0, 0) };
        self.fresh.retain(|fresh| *fresh > seq);
        self.fresh_mentions.retain(|fresh| *fresh > seq);
        let known_mentions = self.fresh_mentions.len() as u32;
        self.mentions = match counted {
            _ if seq >= self.head => 0,
            Some(counted) => {
                let later = self.fresh_mentions.iter().filter(|fresh| **fresh > counted.head).count() as u32;
                (counted.mentions + later).min(MAX_UNREAD_COUNT)
            }
            None => (unknown_mentions + known_mentions).min(self.mentions),
        };
        self.unread = match counted {
            _ if seq >= self.head => 0,
            Some(counted) => {
                // An event that the server has counted is not counted again when this page receives it.
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

    /// Takes the position that the server has when the page joins the room; 0 if it has none. The page knows it from the
    /// server only, so that a lower one shows that the user has marked messages as unread meanwhile.
    pub fn on_join(&mut self, read: Seq) {
        if (1..self.read).contains(&read) {
            self.mark_unread(read, None);
        } else {
            self.mark_read(read, None);
        }
    }

    /// Records that the user has marked what follows `seq` as unread. Without the server's count the page estimates it; the
    /// estimate is at most too high.
    pub fn mark_unread(&mut self, seq: Seq, counted: Option<UnreadCount>) {
        let UnreadCount { head, unread, mentions } = counted.unwrap_or(UnreadCount {
            head: self.head,
            unread: u32::try_from(self.head.saturating_sub(seq)).unwrap_or(MAX_UNREAD_COUNT),
            // The page does not know which of the events address the user.
            mentions: self.mentions,
        });
        self.read = seq;
        self.counted = head;
        let later = self.fresh.iter().filter(|fresh| **fresh > head).count() as u32;
        self.unread = (unread + later).min(MAX_UNREAD_COUNT);
        self.fresh.retain(|fresh| *fresh > seq);
        let later = self.fresh_mentions.iter().filter(|fresh| **fresh > head).count() as u32;
        self.mentions = (mentions + later).min(MAX_UNREAD_COUNT);
        self.fresh_mentions.retain(|fresh| *fresh > seq);
    }

    /// Removes messages up to `up_to`, which are kept no longer, from the counts. Of those that the server has counted it is
    /// not known which ones they are: they are removed when all of them have expired.
    fn expire(&mut self, up_to: Seq) {
        let (unknown, unknown_mentions) =
            if up_to < self.counted { (self.unknown(), self.unknown_mentions()) } else { (0, 0) };
        self.fresh.retain(|fresh| *fresh > up_to);
        self.fresh_mentions.retain(|fresh| *fresh > up_to);
        self.unread = (unknown + self.fresh.len() as u32).min(self.unread);
        self.mentions = (unknown_mentions + self.fresh_mentions.len() as u32).min(self.mentions);
    }

    fn count(&mut self, seq: Seq) {
        if seq > self.counted.max(self.read) && self.unread < MAX_UNREAD_COUNT {
            // The count of the page's own room is computed without this list.
            if self.fresh.len() >= MAX_UNREAD_COUNT as usize {
                self.fresh.remove(0);
            }
            self.fresh.push(seq);
            self.unread += 1;
        }
    }

    fn count_mention(&mut self, seq: Seq, is_to_you: bool) {
        if is_to_you && seq > self.counted.max(self.read) && self.mentions < MAX_UNREAD_COUNT {
            self.fresh_mentions.push(seq);
            self.mentions += 1;
        }
    }

    /// Counts a message that was edited, if it has come since the page was rendered: the server has counted the others.
    fn recount_mention(&mut self, target: Seq, mentions: &Mentions, you: UserId) {
        let is_counted = self.fresh_mentions.contains(&target);
        match mentions.is_to(you) {
            true if !is_counted => self.count_mention(target, self.fresh.contains(&target)),
            false if is_counted => self.uncount_mention(target),
            _ => {}
        }
    }

    fn uncount_mention(&mut self, target: Seq) {
        if let Some(at) = self.fresh_mentions.iter().position(|fresh| *fresh == target) {
            self.fresh_mentions.remove(at);
            self.mentions -= 1;
        }
        // More messages than that are not unread.
        self.mentions = self.mentions.min(self.unread.max(self.fresh_mentions.len() as u32));
    }

    /// Removes a deleted message from the count. `by_you` is `true` if the user has deleted it. At the bound the count
    /// stays, since there may be more messages than are counted.
    fn uncount(&mut self, target: Seq, by_you: bool) {
        let fresh = self.fresh.iter().position(|fresh| *fresh == target);
        let was_counted = match fresh {
            Some(at) => {
                self.fresh.remove(at);
                true
            }
            // The server may have counted it before the page was loaded.
            None => target > self.read && !by_you && self.unknown() > 0 && target <= self.counted,
        };
        if was_counted && self.unread < MAX_UNREAD_COUNT {
            self.unread -= 1;
        }
    }

    fn unknown_mentions(&self) -> u32 {
        self.mentions.saturating_sub(self.fresh_mentions.len() as u32)
    }

    /// Returns the number of unread messages whose `seq` is unknown.
    fn unknown(&self) -> u32 {
        self.unread.saturating_sub(self.fresh.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, Files, Mention, RoomName, User};

    const YOU: UserId = UserId(1);
    const NOBODY: fn(UserId) -> bool = |_| false;

    fn event(seq: Seq, author: u64, body: EventBody) -> Arc<Event> {
        let author = User::new(UserId(author), DisplayName::generated(UserId(author)));
        Arc::new(Event { seq, at: 0, id: uuid::Uuid::nil(), author, body })
    }

    fn message(seq: Seq, author: u64) -> Arc<Event> {
        event(
            seq,
            author,
            EventBody::Message {
                text: "hi".into(),
                reply_to: None,
                mentions: Mentions::default(),
                files: Files::default(),
            },
        )
    }

    fn delete(seq: Seq, target: Seq) -> Arc<Event> {
        event(seq, 2, EventBody::Delete { target })
    }

    /// Returns a room of a new page, read up to 10 of 20, with `unread` messages.
    fn entry(unread: u32) -> RoomSummary {
        let room: RoomName = "tea".parse().unwrap();
        let title = room.title();
        RoomSummary {
            title,
            room,
            head: 20,
            read: 10,
            unread,
            mentions: 0,
            is_joined: true,
            private: false,
            exists: true,
            fresh: Vec::new(),
            fresh_mentions: Vec::new(),
            counted: 0,
        }
    }

    #[test]
    fn messages_of_others_are_unread_and_repeats_do_not_count() {
        let mut tea = entry(0);
        let events = [message(20, 2), message(21, 2), message(22, 1), delete(23, 9)];
        assert_eq!(tea.apply_events(&events, YOU, NOBODY).len(), 1);
        assert_eq!((tea.unread, tea.head), (1, 23));
        assert!(tea.apply_events(&events, YOU, NOBODY).is_empty(), "a repeat");
    }

    #[test]
    fn messages_that_have_expired_are_not_unread() {
        let expire = |seq, up_to| event(seq, 0, EventBody::Expire { up_to });
        let mut tea = entry(5);
        tea.apply_events(&[message(21, 2), message(22, 2), expire(23, 15)], YOU, NOBODY);
        assert_eq!(tea.unread, 7, "which of the first five have expired is not known");
        tea.apply_events(&[expire(24, 20)], YOU, NOBODY);
        assert_eq!(tea.unread, 2);
        tea.apply_events(&[expire(25, 21)], YOU, NOBODY);
        assert_eq!((tea.unread, tea.head), (1, 25));
    }

    #[test]
    fn the_count_stops_at_its_bound_and_a_deletion_there_keeps_it() {
        let mut tea = entry(0);
        let flood: Vec<_> = (21..300).map(|seq| message(seq, 2)).collect();
        tea.apply_events(&flood, YOU, NOBODY);
        assert_eq!(tea.unread, MAX_UNREAD_COUNT);
        tea.apply_events(&[delete(300, 25)], YOU, NOBODY);
        assert_eq!(tea.unread, MAX_UNREAD_COUNT);
    }

    #[test]
    fn deletion_lowers_the_unread_count_before_and_after_the_page() {
        let mut tea = entry(2);
        tea.apply_events(&[message(21, 2), message(22, 3)], YOU, NOBODY);
        assert_eq!(tea.unread, 4);
        for (seq, target, unread) in
            [(23, 21, 3), (24, 15, 2), (25, 5, 2), (26, 22, 1), (27, 12, 0), (28, 13, 0)]
        {
            tea.apply_events(&[delete(seq, target)], YOU, NOBODY);
            assert_eq!(tea.unread, unread, "after the deletion of {target}");
        }
    }

    #[test]
    fn a_deletion_of_an_own_message_keeps_the_count() {
        let mut tea = entry(2);
        tea.apply_events(&[message(21, 1), event(22, 1, EventBody::Delete { target: 21 })], YOU, NOBODY);
        tea.apply_events(&[event(23, 1, EventBody::Delete { target: 15 })], YOU, NOBODY);
        assert_eq!(tea.unread, 2);
    }

    #[test]
    fn messages_to_the_user_are_counted_apart() {
        let to = |id: u64| {
            let user = User::new(UserId(id), DisplayName::generated(UserId(id)));
            Mentions::from_iter([Mention { name: "Ann".into(), user }])
        };
        let post = |seq, author, mentions| {
            event(
                seq,
                author,
                EventBody::Message { text: "hi".into(), reply_to: None, mentions, files: Files::default() },
            )
        };
        let edit =
            |seq, target, mentions| event(seq, 2, EventBody::Edit { target, text: "hi".into(), mentions });
        let mut tea = RoomSummary { mentions: 1, ..entry(3) };
        let events =
            [post(21, 2, to(1)), post(22, 2, to(3)), post(23, 1, to(1)), post(24, 2, Mentions::default())];
        tea.apply_events(&events, YOU, NOBODY);
        assert_eq!((tea.unread, tea.mentions), (6, 2));
        tea.apply_events(&[edit(25, 24, to(1)), edit(26, 21, to(3)), edit(27, 12, to(1))], YOU, NOBODY);
        assert_eq!(tea.mentions, 2, "one more and one less");
        tea.apply_events(&[delete(28, 24)], YOU, NOBODY);
        assert_eq!((tea.unread, tea.mentions), (5, 1));
        let is_two = |author| author == UserId(2);
        assert!(tea.apply_events(&[post(29, 2, to(1)), edit(30, 22, to(1))], YOU, is_two).is_empty());
        assert_eq!((tea.unread, tea.mentions), (5, 1), "a blocked user counts for nothing");
        tea.mark_read(18, Some(UnreadCount { head: 30, unread: 3, mentions: 0 }));
        assert_eq!(tea.mentions, 0);
        tea.apply_events(&[post(31, 2, to(1))], YOU, NOBODY);
        tea.mark_read(30, None);
        assert_eq!((tea.unread, tea.mentions), (1, 1));
        tea.mark_read(31, None);
        assert_eq!(tea.mentions, 0);
    }

    #[test]
    fn reading_on_another_device_lowers_the_count() {
        let mut tea = entry(3);
        tea.apply_events(&[message(21, 2), message(22, 2), message(23, 2)], YOU, NOBODY);
        tea.mark_read(9, None);
        assert_eq!(tea.unread, 6, "it was read before");
        tea.mark_read(18, None);
        assert_eq!(tea.unread, 5, "of the three at most two are left");
        tea.mark_read(22, None);
        assert_eq!(tea.unread, 1);
        tea.mark_read(23, None);
        assert_eq!(tea.unread, 0);
    }

    #[test]
    fn messages_that_are_marked_as_unread_count_again() {
        let mut tea = entry(0);
        tea.apply_events(&[message(21, 2), message(24, 2)], YOU, NOBODY);
        tea.mark_read(24, None);
        tea.mark_unread(17, Some(UnreadCount { head: 23, unread: 4, mentions: 2 }));
        assert_eq!((tea.read, tea.unread, tea.mentions), (17, 4, 2));
        tea.apply_events(&[message(25, 2)], YOU, NOBODY);
        assert_eq!(tea.unread, 5);
        tea.mark_read(18, None);
        assert_eq!(tea.unread, 5, "of the four at least one may be read");
        tea.mark_unread(20, None);
        assert_eq!(tea.unread, 5, "without a count: the events after it");
        tea.mark_unread(22, Some(UnreadCount { head: 24, unread: 1, mentions: 0 }));
        assert_eq!((tea.unread, tea.mentions), (2, 0), "one came after it was counted");
        tea.on_join(23);
        assert_eq!((tea.read, tea.unread), (23, 2), "read meanwhile");
        tea.on_join(0);
        assert_eq!((tea.read, tea.unread), (23, 2), "no marker");
        tea.on_join(22);
        assert_eq!((tea.read, tea.unread), (22, 3), "marked meanwhile");
        tea.mark_read(25, None);
        assert_eq!(tea.unread, 0);
    }

    #[test]
    fn server_count_replaces_the_estimate_and_counts_nothing_twice() {
        let mut tea = entry(3);
        tea.apply_events(&[message(21, 2), message(24, 2)], YOU, NOBODY);
        tea.mark_read(18, Some(UnreadCount { head: 23, unread: 4, mentions: 0 }));
        assert_eq!(tea.unread, 5, "one came after it was counted");
        let mut work = entry(3);
        work.apply_events(&[], YOU, NOBODY);
        work.mark_read(3, Some(UnreadCount { head: 20, unread: 9, mentions: 0 }));
        assert_eq!(work.unread, 3, "a position never goes back");
        work.mark_read(18, Some(UnreadCount { head: 22, unread: 3, mentions: 0 }));
        work.apply_events(&[message(21, 2), message(22, 2), message(23, 2)], YOU, NOBODY);
        assert_eq!(work.unread, 4, "two of them were counted");
        work.apply_events(&[delete(24, 22)], YOU, NOBODY);
        assert_eq!(work.unread, 3);
    }
}
