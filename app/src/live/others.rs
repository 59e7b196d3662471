//! The list of rooms: what happens in them, and how much of it is unread.

use super::Live;
use crate::{
    pages::RoomEntry,
    wire::{Event, PersonId, Seq},
};
use leptos::prelude::*;
use std::sync::Arc;

/// Rooms besides this one that a page follows, at most: the first of the person's own.
pub const FOLLOWED: usize = 30;

/// Rooms of others that a list shows, at most; the page of all rooms has them all.
pub const OTHERS: usize = 20;

/// Unread messages that are counted, at most.
pub const UNREAD_MOST: u32 = 100;

impl RoomEntry {
    /// Takes note of what happened in the room, and gives the messages of others among it.
    pub fn hear<'a>(&mut self, events: &'a [Arc<Event>], you: PersonId) -> Vec<&'a Event> {
        let head = self.head;
        self.head = events.iter().map(|event| event.seq).fold(head, Seq::max);
        let is_new = |event: &&Event| event.seq > head && event.author.id != you && event.is_message();
        let new: Vec<&Event> = events.iter().map(|event| &**event).filter(is_new).collect();
        self.unread = (self.unread + new.len() as u32).min(UNREAD_MOST);
        new
    }
}

impl Live {
    /// Messages in this room that whoever sits here has not seen.
    pub fn unread_here(&self) -> u32 {
        self.room.with_value(|here| {
            self.rooms
                .with(|rooms| rooms.iter().find(|entry| entry.room == *here).map_or(0, |entry| entry.unread))
        })
    }

    /// Unread messages in all rooms of whoever sits here.
    pub fn unread(&self) -> u32 {
        self.rooms.with(|rooms| rooms.iter().filter(|entry| entry.yours).map(|entry| entry.unread).sum())
    }
}

#[cfg(feature = "hydrate")]
impl Live {
    /// The other rooms to follow, and after which event.
    pub(super) fn followed(&self) -> Vec<(crate::wire::RoomName, Seq)> {
        let here = self.room.get_value();
        self.rooms.with_untracked(|rooms| {
            let others = rooms.iter().filter(|entry| entry.yours && entry.room != here);
            others.take(FOLLOWED).map(|entry| (entry.room.clone(), entry.head)).collect()
        })
    }

    /// Something happened in a room: it is counted, and said where somebody wants to know.
    pub(super) fn hear_in(&self, room: &crate::wire::RoomName, events: &[Arc<Event>]) {
        let you = self.you.get_untracked();
        let change = |entry: &mut RoomEntry| {
            let new = entry.hear(events, you.id);
            new.iter().for_each(|event| super::notice::announce(entry, event, &you));
        };
        self.entry(room, change);
    }

    /// A room begins afresh: its past is not known here, so nothing of it counts as unread.
    pub(super) fn entry_at(&self, room: &crate::wire::RoomName, head: Seq) {
        self.entry(room, |entry| entry.head = head);
    }

    /// How many messages of a room are unread now.
    pub(super) fn unread_is(&self, room: &crate::wire::RoomName, unread: u32) {
        let same = |entry: &RoomEntry| entry.room == *room && entry.unread == unread;
        if !self.rooms.with_untracked(|rooms| rooms.iter().any(same)) {
            self.entry(room, |entry| entry.unread = unread);
        }
    }

    /// This person has read a room elsewhere.
    pub(super) fn read_elsewhere(&self, room: &crate::wire::RoomName, seq: Seq) {
        if self.room.with_value(|here| here == room) {
            self.reading.update_value(|reading| reading.elsewhere(seq));
            self.count_here();
        } else {
            self.entry(room, |entry| {
                if seq >= entry.head {
                    entry.unread = 0;
                }
            });
        }
    }

    /// A room is called something else.
    pub(super) fn titled(&self, room: &crate::wire::RoomName, title: String, topic: String) {
        let title = self.words.title_of(room, title);
        self.entry(room, |entry| entry.title.clone_from(&title));
        if self.room.with_value(|here| here == room) {
            let topic = self.words.topic_of(room, topic);
            super::notice::say("about-title", &title);
            super::notice::say("about-topic", &topic);
            self.title.set(title);
            self.topic.set(topic);
        }
    }

    fn entry(&self, room: &crate::wire::RoomName, change: impl FnOnce(&mut RoomEntry)) {
        self.rooms.update(|rooms| {
            if let Some(entry) = rooms.iter_mut().find(|entry| entry.room == *room) {
                change(entry);
            }
        });
    }

    /// Somebody looks at the screen: what is on it has been read.
    pub fn look(&self) {
        if document().hidden() {
            return;
        }
        let seen =
            if self.at_end.get_untracked() { Some(self.with_feed(super::Feed::last)) } else { lowest_row() };
        let news = seen.is_some_and(|seq| {
            self.reading.try_update_value(|reading| reading.sees(seq)).unwrap_or_default()
        });
        self.count_here();
        if news {
            self.work.update(|work| *work += 1);
        }
    }

    /// The page may be about to go: what was read is told at once, so that the next page knows it.
    pub(super) fn leaves(&self) {
        self.reading.update_value(super::Reading::hurry);
        self.work.update(|work| *work += 1);
    }

    /// Nobody looks any more: what comes from now on is new to them.
    pub(super) fn look_away(&self) {
        self.leaves();
        let (read, you) =
            (self.reading.with_value(super::Reading::read), self.you.with_untracked(|you| you.id));
        self.change(|feed| feed.seen(read, you));
    }

    fn count_here(&self) {
        let (read, you) =
            (self.reading.with_value(super::Reading::read), self.you.with_untracked(|you| you.id));
        let unread = self.with_feed(|feed| feed.new_after(read, you));
        self.room.with_value(|here| self.unread_is(here, unread.min(UNREAD_MOST as usize) as u32));
    }
}

/// The `seq` of the lowest row that is in view.
#[cfg(feature = "hydrate")]
fn lowest_row() -> Option<Seq> {
    let scroller = document().query_selector(".scroller").ok()??.get_bounding_client_rect();
    // At the lines' edge: the way to the latest lies over their middle.
    let edge = document().query_selector(".lines").ok()??.get_bounding_client_rect().left() + 2.0;
    // From the lower edge up, since there may be a gap between rows.
    (1..4).find_map(|step| {
        let at = scroller.bottom() - f64::from(step) * 12.0;
        let found = document().element_from_point(edge as f32, at as f32)?;
        found.closest(".line").ok()??.id().strip_prefix('m')?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Author, EventBody, PersonName};

    fn event(seq: Seq, author: u64, body: EventBody) -> Arc<Event> {
        let author = Author::new(PersonId(author), PersonName::given(PersonId(author)));
        Arc::new(Event { seq, at: 0, id: uuid::Uuid::nil(), author, body })
    }

    fn message(seq: Seq, author: u64) -> Arc<Event> {
        event(seq, author, EventBody::Message { text: "hi".into(), reply_to: None })
    }

    fn entry() -> RoomEntry {
        let room: crate::wire::RoomName = "tea".parse().unwrap();
        RoomEntry { title: room.title(), room, head: 3, unread: 0, yours: true, private: false }
    }

    #[test]
    fn messages_of_others_are_unread_and_nothing_counts_twice() {
        let (mut tea, you) = (entry(), PersonId(1));
        let heard =
            [message(3, 2), message(4, 2), message(5, 1), event(6, 2, EventBody::Delete { target: 4 })];
        assert_eq!(tea.hear(&heard, you).len(), 1);
        assert_eq!((tea.unread, tea.head), (1, 6));
        assert!(tea.hear(&heard, you).is_empty(), "a repeat");
    }

    #[test]
    fn more_than_a_hundred_are_not_counted() {
        let mut tea = entry();
        let flood: Vec<_> = (4..300).map(|seq| message(seq, 2)).collect();
        tea.hear(&flood, PersonId(1));
        assert_eq!(tea.unread, UNREAD_MOST);
    }
}
