//! The number of entries that a timeline stores, and a reader's way to those that it has dropped.

use super::{Entry, Timeline, assign_group_indexes};
use crate::wire::{Message, Seq};
use std::ops::Range;

/// Confirmed entries that a browser stores of a room, at most.
pub const MAX_ENTRIES: usize = 1_600;

/// Entries that are dropped at once when there are too many, so that trimming costs little for each new entry.
const ENTRIES_PER_TRIM: usize = 200;

impl Timeline {
    /// Drops entries beyond [`MAX_ENTRIES`], some more so that this is seldom, and returns how many of the oldest went. If
    /// entries have expired since the last call, it returns how many, and drops no others.
    ///
    /// A reader who follows the end loses the oldest entries. For a reader elsewhere it drops those that are farther
    /// from `visible`; without the newest ones the timeline is detached from the end of the log.
    pub fn trim(&mut self, visible: Range<usize>, follows_end: bool) -> usize {
        let expired = std::mem::take(&mut self.expired);
        if expired > 0 {
            return expired;
        }
        let len = self.confirmed.len();
        if len <= MAX_ENTRIES {
            return 0;
        }
        let excess = len - (MAX_ENTRIES - ENTRIES_PER_TRIM);
        if !follows_end && visible.start < len.saturating_sub(visible.end) {
            self.confirmed.truncate(len - excess);
            self.detached_at = self.confirmed.last().and_then(|entry| entry.delivery.seq());
            return 0;
        }
        let dropped = if follows_end { excess } else { excess.min(visible.start) };
        self.confirmed.drain(..dropped);
        self.has_oldest = false;
        dropped
    }

    /// Returns the last `seq` up to which a detached timeline has every entry; `None` while it follows the end of the
    /// log.
    pub fn detached_at(&self) -> Option<Seq> {
        self.detached_at
    }

    /// Adds the messages that follow in a detached timeline, up to the event `to`. If that is the last event that is
    /// known, the timeline follows the end of the log again.
    pub fn append_page(&mut self, messages: Vec<Message>, to: Seq) {
        let Some(detached_at) = self.detached_at else { return };
        let from = self.confirmed.len();
        let newer = messages.into_iter().filter(|message| message.seq > detached_at);
        self.confirmed.extend(newer.map(Entry::from));
        assign_group_indexes(&mut self.confirmed, from);
        self.detached_at = (to < self.last).then_some(to);
        self.last = self.last.max(to);
    }

    /// Returns the index of the message `seq`, if the timeline has it.
    pub fn index_of(&self, seq: Seq) -> Option<usize> {
        self.confirmed.binary_search_by_key(&Some(seq), |entry| entry.delivery.seq()).ok()
    }
}
