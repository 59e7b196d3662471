//! The entries of a timeline that are in the page's document: enough to read on in both directions, never all of
//! ten thousand.

use std::ops::Range;

/// Entries that the document holds, at most.
const MAX_ENTRIES: usize = 300;

/// Entries that are added at once when the reader comes to an end of the viewport.
pub const STEP: usize = 100;

/// Entries that are added in one frame, at most: what a slow machine can draw in it.
const MAX_ENTRIES_PER_FRAME: usize = 40;

/// A range of a timeline's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewport {
    start: usize,
    end: usize,
    /// It moves on with the timeline.
    follows_end: bool,
}

impl Viewport {
    /// Shows the end of a timeline of `len` entries.
    pub fn at_end(len: usize) -> Self {
        Self { start: len.saturating_sub(MAX_ENTRIES), end: len, follows_end: true }
    }

    /// Returns the range of its entries.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns `true` if the newest entry is in it.
    pub fn has_newest(&self) -> bool {
        self.follows_end
    }

    /// Returns `true` if the oldest entry is in it.
    pub fn has_oldest(&self) -> bool {
        self.start == 0
    }

    /// Updates the viewport after the timeline has grown to `len` entries. For a reader at the end it advances by at
    /// most `MAX_ENTRIES_PER_FRAME` and drops old entries; otherwise it stays where it is. Returns `true` if another
    /// frame is needed.
    pub fn on_append(&mut self, len: usize, is_at_end: bool) -> bool {
        if self.follows_end && is_at_end {
            // Entries that would be dropped at once are not shown at all.
            let end = self.end.max(len.saturating_sub(MAX_ENTRIES));
            self.end = end.saturating_add(MAX_ENTRIES_PER_FRAME).min(len);
            self.start = self.start.max(len.saturating_sub(MAX_ENTRIES)).min(self.end);
            return self.end < len;
        }
        if self.follows_end {
            self.end = len.min(self.start + MAX_ENTRIES + STEP);
            self.follows_end = self.end == len;
        }
        self.end = self.end.min(len);
        self.start = self.start.min(self.end);
        false
    }

    /// Keeps the same entries after `count` older ones were added before all others.
    pub fn on_prepend(&mut self, count: usize) {
        self.start += count;
        self.end += count;
    }

    /// Keeps the same entries, as far as they exist, after `count` of the oldest were dropped.
    pub fn on_trim(&mut self, count: usize) {
        self.start = self.start.saturating_sub(count);
        self.end = self.end.saturating_sub(count);
    }

    /// Shows entries around the one at `index`, in a timeline of `len` entries.
    pub fn around(index: usize, len: usize) -> Self {
        let start = index.saturating_sub(STEP);
        let end = (start + MAX_ENTRIES).min(len);
        Self { start, end, follows_end: end == len }
    }

    /// Adds one older entry, since the reader comes to the viewport's beginning, and drops the newest one if it is full.
    pub fn extend_back(&mut self) {
        self.start = self.start.saturating_sub(1);
        if self.end - self.start > MAX_ENTRIES {
            self.end = self.start + MAX_ENTRIES;
            self.follows_end = false;
        }
    }

    /// Adds newer entries, since the reader comes to the viewport's end, in a timeline of `len` entries.
    pub fn extend_forward(&mut self, len: usize) {
        self.end = (self.end + STEP).min(len);
        self.start = self.start.max(self.end.saturating_sub(MAX_ENTRIES));
        self.follows_end = self.end == len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reader_at_the_end_sees_new_entries_in_a_bounded_document() {
        let mut viewport = Viewport::at_end(50);
        for len in 51..1_000 {
            assert!(!viewport.on_append(len, true));
        }
        assert_eq!((viewport.range(), viewport.has_newest()), (699..999, true));
    }

    #[test]
    fn flood_is_added_frame_by_frame_without_entries_to_be_dropped() {
        let mut viewport = Viewport::at_end(50);
        let mut frames = 1;
        while viewport.on_append(10_000, true) {
            assert!(
                viewport.range().len() <= frames * MAX_ENTRIES_PER_FRAME && viewport.range().start >= 9_700
            );
            frames += 1;
        }
        assert_eq!((viewport.range(), frames), (9_700..10_000, MAX_ENTRIES.div_ceil(MAX_ENTRIES_PER_FRAME)));
    }

    #[test]
    fn a_reader_further_up_keeps_the_same_entries() {
        let mut viewport = Viewport::at_end(300);
        viewport.on_append(10_000, false);
        assert_eq!((viewport.range(), viewport.has_newest()), (0..400, false));
        viewport.on_append(20_000, false);
        assert_eq!(viewport.range(), 0..400);
    }

    #[test]
    fn reading_back_and_forth_reaches_both_ends() {
        let mut viewport = Viewport::at_end(1_000);
        while !viewport.has_oldest() {
            viewport.extend_back();
        }
        assert_eq!((viewport.range(), viewport.has_newest()), (0..300, false));
        while !viewport.has_newest() {
            viewport.extend_forward(1_000);
        }
        assert_eq!(viewport.range(), 700..1_000);
    }

    proptest! {
        #[test]
        fn the_viewport_stays_bounded_and_within_the_timeline(
            steps in prop::collection::vec((0_u8..7, 0_usize..500, any::<bool>()), 0..100),
        ) {
            let mut len = 50;
            let mut viewport = Viewport::at_end(len);
            for (step, n, at_end) in steps {
                match step {
                    0 => { len += n; while viewport.on_append(len, at_end) {} }
                    1 => { len += n; viewport.on_prepend(n); }
                    2 => viewport.extend_back(),
                    3 => viewport.extend_forward(len),
                    4 => { let dropped = n.min(len); len -= dropped; viewport.on_trim(dropped); while viewport.on_append(len, at_end) {} }
                    5 => { len = len.max(1); viewport = Viewport::around(n % len, len); }
                    _ => { len = n; viewport = Viewport::at_end(len); }
                }
                let range = viewport.range();
                prop_assert!(range.start <= range.end && range.end <= len && range.len() <= MAX_ENTRIES + STEP);
                prop_assert!(!viewport.has_newest() || range.end == len);
            }
        }
    }
}
