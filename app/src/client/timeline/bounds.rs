//! How many rows a feed keeps, and how a reader comes to those that it dropped.

use super::{Feed, Row, number};
use crate::wire::{Message, Seq};
use std::ops::Range;

/// Confirmed rows that a browser keeps of a room, at most.
pub const MAX_ROWS: usize = 2_000;

/// Rows that are dropped at once when there are too many, so that dropping costs little for each new row.
const ROWS_PER_DROP: usize = 200;

impl Feed {
    /// Drops rows beyond [`MAX_ROWS`], some more so that this is seldom, and returns how many of the oldest went.
    ///
    /// A reader who follows the end loses the oldest rows. For a reader elsewhere the rows go that are farther from
    /// `shown`: with the newest ones the feed is detached from the end of the log.
    pub fn bound(&mut self, shown: Range<usize>, follows: bool) -> usize {
        let rows = self.confirmed.len();
        if rows <= MAX_ROWS {
            return 0;
        }
        let excess = rows - (MAX_ROWS - ROWS_PER_DROP);
        if !follows && shown.start < rows.saturating_sub(shown.end) {
            self.confirmed.truncate(rows - excess);
            self.kept_to = self.confirmed.last().and_then(|row| row.standing.seq());
            return 0;
        }
        let dropped = if follows { excess } else { excess.min(shown.start) };
        self.confirmed.drain(..dropped);
        self.begins = false;
        dropped
    }

    /// The last `seq` up to which a detached feed has every row; `None` while the feed follows the end of the log.
    pub fn kept_to(&self) -> Option<Seq> {
        self.kept_to
    }

    /// Takes the messages that follow in a detached feed, up to the event `to`. If that is the last event that is
    /// known, the feed follows the end of the log again.
    pub fn extend(&mut self, messages: Vec<Message>, to: Seq) {
        let Some(kept_to) = self.kept_to else { return };
        let from = self.confirmed.len();
        self.confirmed.extend(messages.into_iter().filter(|message| message.seq > kept_to).map(Row::from));
        number(&mut self.confirmed, from);
        self.kept_to = (to < self.last).then_some(to);
        self.last = self.last.max(to);
    }

    /// The index of the row of `seq`, if it is here.
    pub fn index_of(&self, seq: Seq) -> Option<usize> {
        self.confirmed.binary_search_by_key(&Some(seq), |row| row.standing.seq()).ok()
    }
}
