//! The list of rooms: what happens in them, and how much of it is unread.

use crate::state::Live;
#[cfg(feature = "hydrate")]
use crate::{
    browser::{dom, notifications},
    client::{Attention, AttentionChange, Timeline, unread::UnreadCount},
    clock::steady,
    page_data::RoomSummary,
    wire::{Event, EventBody, RoomName, Seq, UserId, limits},
};
use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use std::sync::Arc;

impl Live {
    /// Returns the number of unread messages in this room.
    pub fn unread_here(&self) -> u32 {
        self.room.with_value(|here| {
            self.rooms
                .with(|rooms| rooms.iter().find(|entry| entry.room == *here).map_or(0, |entry| entry.unread))
        })
    }

    /// Returns the number of unread messages in all rooms of the user.
    pub fn unread(&self) -> u32 {
        self.rooms.with(|rooms| rooms.iter().filter(|entry| entry.is_joined).map(|entry| entry.unread).sum())
    }
}

#[cfg(feature = "hydrate")]
impl Live {
    /// The other rooms to follow, and after which event.
    pub(crate) fn followed(&self) -> Vec<(RoomName, Seq)> {
        let here = self.room.get_value();
        self.rooms.with_untracked(|rooms| {
            let others = rooms.iter().filter(|entry| entry.is_joined && entry.room != here);
            others.take(limits::MAX_FOLLOWED_ROOMS).map(|entry| (entry.room.clone(), entry.head)).collect()
        })
    }

    /// Counts events of a room, and notifies the user of them if the user wants that.
    pub(crate) fn apply_room_events(&self, room: &RoomName, events: &[Arc<Event>]) {
        let (you, attends) = (self.you.get_untracked(), self.attends());
        let change = |entry: &mut RoomSummary| {
            let new = entry.apply_events(events, you.id);
            if !attends {
                new.iter().for_each(|event| notifications::announce(entry, event, &you));
            }
        };
        self.entry(room, change);
        for event in events {
            if let EventBody::Delete { target } = event.body {
                notifications::withdraw(room, target, true);
            }
        }
    }

    /// Begins again at `head` of a room: its past is unknown here, so that none of it counts as unread.
    pub(crate) fn reset_head(&self, room: &RoomName, head: Seq) {
        self.entry(room, |entry| {
            (entry.head, entry.counted) = (head, head);
            entry.fresh.clear();
        });
    }

    /// How many messages of a room are unread now.
    pub(crate) fn set_unread(&self, room: &RoomName, unread: u32) {
        let same = |entry: &RoomSummary| entry.room == *room && entry.unread == unread;
        if !self.rooms.with_untracked(|rooms| rooms.iter().any(same)) {
            self.entry(room, |entry| {
                entry.unread = unread;
                entry.fresh.clear();
            });
        }
    }

    /// This person has read a room elsewhere, of which the server may have counted the rest.
    pub(crate) fn read_elsewhere(&self, room: &RoomName, seq: Seq, counted: Option<UnreadCount>) {
        notifications::withdraw(room, seq, false);
        if self.room.with_value(|here| here == room) {
            self.count_here();
        } else {
            self.entry(room, |entry| entry.mark_read(seq, counted));
        }
    }

    /// A room is called something else.
    pub(crate) fn titled(&self, room: &RoomName, title: String, topic: String) {
        let title = self.strings.title_of(room, title);
        self.entry(room, |entry| entry.title.clone_from(&title));
        if self.room.with_value(|here| here == room) {
            let topic = self.strings.topic_of(room, topic);
            dom::set_text("about-title", &title);
            dom::set_text("about-topic", &topic);
            self.title.set(title);
            self.topic.set(topic);
        }
    }

    fn entry(&self, room: &RoomName, change: impl FnOnce(&mut RoomSummary)) {
        self.rooms.update(|rooms| {
            if let Some(entry) = rooms.iter_mut().find(|entry| entry.room == *room) {
                change(entry);
            }
        });
    }

    /// Whether a person attends to this page.
    pub(crate) fn attends(&self) -> bool {
        self.attention.with_value(Attention::is_attentive)
    }

    /// Follows the person's attention: when it is gained the messages in view are read.
    pub(crate) fn attend(&self) {
        if self.update_attention() == AttentionChange::Gained {
            self.read_view();
        }
    }

    /// From the moment at which attention is lost what comes is new.
    fn update_attention(&self) -> AttentionChange {
        let has_focus = !document().hidden() && document().has_focus().unwrap_or(true);
        let update = |attention: &mut Attention| attention.update(has_focus, steady());
        let change = self.attention.try_update_value(update).unwrap_or(AttentionChange::None);
        if change == AttentionChange::Lost {
            self.look_away();
        }
        change
    }

    /// A pointer, a key, a touch or a scroll.
    pub(crate) fn is_active(&self) {
        self.attention.update_value(|attention| attention.on_activity(steady()));
        if !self.attends() {
            self.attend();
        }
    }

    /// The messages in view have been read, if a person attends to them.
    pub fn look(&self) {
        self.update_attention();
        if self.attends() { self.read_view() } else { self.count_here() }
    }

    fn read_view(&self) {
        let seen =
            if self.at_end.get_untracked() { Some(self.with_feed(Timeline::last)) } else { lowest_row() };
        let news = seen.filter(|seq| self.with_session(|session| session.read_marker.advance(*seq)));
        self.count_here();
        if let Some(seq) = news {
            self.room.with_value(|room| notifications::withdraw(room, seq, false));
            self.work.update(|work| *work += 1);
        }
    }

    /// The page may be about to go: its read marker is reported at once, and kept for the next page of this tab.
    pub(crate) fn leaves(&self) {
        self.with_session(|session| session.read_marker.report_now());
        self.work.update(|work| *work += 1);
        self.session.with_value(|session| {
            self.storage().set_read_marker(session.timeline.log(), session.read_marker.position());
        });
    }

    /// Applies the read marker that this tab's last page had, if the server did not know it yet.
    pub(crate) fn recall_read(&self) {
        let (read, you) = self.read_by();
        let kept = self.with_feed(|feed| self.storage().read_marker(feed.log()));
        if let Some(seq) = kept.filter(|seq| *seq > read) {
            self.with_session(|session| session.read_marker.advance(seq));
            self.change(|feed| feed.set_unread_after(seq, you));
            self.count_here();
        }
    }

    /// The read marker, and the user whose it is.
    fn read_by(&self) -> (Seq, UserId) {
        let read = self.session.with_value(|session| session.read_marker.position());
        (read, self.you.with_untracked(|you| you.id))
    }

    /// Marks messages from now on as unread, since the user no longer attends.
    fn look_away(&self) {
        self.leaves();
        let (read, you) = self.read_by();
        self.change(|feed| feed.set_unread_after(read, you));
    }

    fn count_here(&self) {
        // Of a detached feed only the events are counted, as they come.
        if self.with_feed(|feed| feed.detached_at().is_some()) {
            return;
        }
        let (read, you) = self.read_by();
        let unread = self.with_feed(|feed| feed.count_unread_after(read, you));
        self.room.with_value(|here| {
            self.set_unread(here, unread.min(limits::MAX_UNREAD_COUNT as usize) as u32);
        });
    }
}

/// The `seq` of the lowest row that is in view.
#[cfg(feature = "hydrate")]
fn lowest_row() -> Option<Seq> {
    let scroller = dom::scroller()?.get_bounding_client_rect();
    // At the lines' edge: the way to the latest lies over their middle.
    let edge = document().query_selector(".lines").ok()??.get_bounding_client_rect().left() + 2.0;
    // From the lower edge up, since there may be a gap between rows.
    (1..4).find_map(|step| {
        let at = scroller.bottom() - f64::from(step) * 12.0;
        let found = document().element_from_point(edge as f32, at as f32)?;
        found.closest(".line").ok()??.id().strip_prefix('m')?.parse().ok()
    })
}
