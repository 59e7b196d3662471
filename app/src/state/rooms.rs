//! The list of rooms, and how many of their messages are unread.

use crate::{
    client::UnreadCount,
    page_data::RoomSummary,
    wire::{Event, RoomName, Seq, UserId, limits},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The rooms of the user, and public ones of others.
#[derive(Debug, Clone, Copy)]
pub struct RoomListState {
    /// The rooms, in the order of the list.
    pub rooms: RwSignal<Vec<RoomSummary>>,
    /// The room of the page.
    here: StoredValue<RoomName>,
}

impl RoomListState {
    pub(super) fn new(rooms: Vec<RoomSummary>, here: StoredValue<RoomName>) -> Self {
        Self { rooms: RwSignal::new(rooms), here }
    }

    /// Returns the number of unread messages in the room of the page.
    pub fn unread_here(self) -> u32 {
        self.here.with_value(|here| {
            self.rooms
                .with(|rooms| rooms.iter().find(|entry| entry.room == *here).map_or(0, |entry| entry.unread))
        })
    }

    /// Returns the number of unread messages in all rooms of the user.
    pub fn unread(self) -> u32 {
        self.rooms.with(|rooms| rooms.iter().filter(|entry| entry.is_joined).map(|entry| entry.unread).sum())
    }

    /// Returns the number of unread messages that address the user, in all of their rooms.
    pub fn unread_mentions(self) -> u32 {
        self.rooms
            .with(|rooms| rooms.iter().filter(|entry| entry.is_joined).map(|entry| entry.mentions).sum())
    }

    /// Returns the other rooms that the page follows, each with its newest `seq`.
    pub fn followed(self) -> Vec<(RoomName, Seq)> {
        let here = self.here.get_value();
        self.rooms.with_untracked(|rooms| {
            let others = rooms.iter().filter(|entry| entry.is_joined && entry.room != here);
            others.take(limits::MAX_FOLLOWED_ROOMS).map(|entry| (entry.room.clone(), entry.head)).collect()
        })
    }

    /// Counts events of a room, and calls `on_new` with each new message of others than `you` whom the user has not
    /// blocked.
    pub fn apply_events(
        self,
        room: &RoomName,
        events: &[Arc<Event>],
        you: UserId,
        is_blocked: impl Fn(UserId) -> bool,
        mut on_new: impl FnMut(&RoomSummary, &Event),
    ) {
        self.update(room, |entry| {
            let new = entry.apply_events(events, you, is_blocked);
            new.into_iter().for_each(|event| on_new(entry, event));
        });
    }

    /// Begins again at `head` of a room. Its past is unknown to the page, so none of it counts as unread.
    pub fn reset_head(self, room: &RoomName, head: Seq) {
        self.update(room, |entry| {
            (entry.head, entry.counted) = (head, head);
            entry.fresh.clear();
            entry.fresh_mentions.clear();
        });
    }

    /// Sets the number of unread messages in the room of the page, and of those that address the user.
    pub fn set_unread_here(self, unread: u32, mentions: u32) {
        self.here.with_value(|here| {
            let is_same = |entry: &RoomSummary| {
                entry.room == *here && entry.unread == unread && entry.mentions == mentions
            };
            if !self.rooms.with_untracked(|rooms| rooms.iter().any(is_same)) {
                self.update(here, |entry| {
                    (entry.unread, entry.mentions) = (unread, mentions);
                    entry.fresh.clear();
                    entry.fresh_mentions.clear();
                });
            }
        });
    }

    /// Records that the user has read another room up to `seq`. The server may have counted the rest.
    pub fn mark_read(self, room: &RoomName, seq: Seq, counted: Option<UnreadCount>) {
        self.update(room, |entry| entry.mark_read(seq, counted));
    }

    /// Takes the position of the user in another room that the page joins; 0 if they have none.
    pub fn on_join(self, room: &RoomName, read: Seq) {
        self.update(room, |entry| entry.on_join(read));
    }

    /// Records that the user has marked what follows `seq` in another room as unread. The server may have counted it.
    pub fn mark_unread(self, room: &RoomName, seq: Seq, counted: Option<UnreadCount>) {
        self.update(room, |entry| entry.mark_unread(seq, counted));
    }

    /// Changes the title of a room.
    pub fn set_title(self, room: &RoomName, title: &str) {
        self.update(room, |entry| title.clone_into(&mut entry.title));
    }

    /// Removes a room that the user may not enter any more.
    pub fn remove(self, room: &RoomName) {
        self.rooms.update(|rooms| rooms.retain(|entry| entry.room != *room));
    }

    fn update(self, room: &RoomName, change: impl FnOnce(&mut RoomSummary)) {
        self.rooms.update(|rooms| {
            if let Some(entry) = rooms.iter_mut().find(|entry| entry.room == *room) {
                change(entry);
            }
        });
    }
}
