//! Which rows of a feed are on the screen's page: enough to read on in both directions, never all of
//! ten thousand.

use std::ops::Range;

/// Most rows that the page holds.
const MOST: usize = 300;

/// Rows that are added at once when the reader comes to an end of what the page holds.
pub(crate) const STEP: usize = 100;

/// Rows that come into the page at once, at most: a frame's worth on a slow machine.
const AT_ONCE: usize = 40;

/// A range of a feed's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    start: usize,
    end: usize,
    /// It moves on with the feed.
    follows: bool,
}

impl Window {
    /// The end of a feed of `len` rows.
    pub fn at_end(len: usize) -> Self {
        Self { start: len.saturating_sub(MOST), end: len, follows: true }
    }

    /// The rows.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether the newest row is in it.
    pub fn has_newest(&self) -> bool {
        self.follows
    }

    /// Whether the oldest row is in it.
    pub fn has_oldest(&self) -> bool {
        self.start == 0
    }

    /// The feed has `len` rows now. Who reads at the end sees what is new, so many rows at once, and
    /// lets go of what is old; who reads back keeps the same rows. Whether there is more to see at once.
    pub fn grown(&mut self, len: usize, reads_at_end: bool) -> bool {
        if self.follows && reads_at_end {
            // What would be let go of at once is not shown at all.
            self.end = self.end.max(len.saturating_sub(MOST)).saturating_add(AT_ONCE).min(len);
            self.start = self.start.max(len.saturating_sub(MOST)).min(self.end);
            return self.end < len;
        }
        if self.follows {
            self.end = len.min(self.start + MOST + STEP);
            self.follows = self.end == len;
        }
        self.end = self.end.min(len);
        self.start = self.start.min(self.end);
        false
    }

    /// So many older rows now stand before all others; the same rows stay in the window.
    pub fn shifted(&mut self, older: usize) {
        self.start += older;
        self.end += older;
    }

    /// So many of the oldest rows are gone; the others of the window stay in it.
    pub fn dropped(&mut self, oldest: usize) {
        self.start = self.start.saturating_sub(oldest);
        self.end = self.end.saturating_sub(oldest);
    }

    /// Rows around the one at `index`, in a feed of `len` rows.
    pub fn around(index: usize, len: usize) -> Self {
        let start = index.saturating_sub(STEP);
        let end = (start + MOST).min(len);
        Self { start, end, follows: end == len }
    }

    /// The reader comes to the window's beginning: one older row, and where the window is full the
    /// newest one goes.
    pub fn back(&mut self) {
        self.start = self.start.saturating_sub(1);
        if self.end - self.start > MOST {
            self.end = self.start + MOST;
            self.follows = false;
        }
    }

    /// The reader comes to the window's end, in a feed of `len` rows.
    pub fn forth(&mut self, len: usize) {
        self.end = (self.end + STEP).min(len);
        self.start = self.start.max(self.end.saturating_sub(MOST));
        self.follows = self.end == len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_reads_at_the_end_sees_what_is_new_and_the_page_stays_small() {
        let mut window = Window::at_end(50);
        for len in 51..1_000 {
            assert!(!window.grown(len, true));
        }
        assert_eq!((window.range(), window.has_newest()), (699..999, true));
    }

    #[test]
    fn a_flood_comes_into_the_page_piece_by_piece_and_what_nobody_could_see_not_at_all() {
        let mut window = Window::at_end(50);
        let mut frames = 1;
        while window.grown(10_000, true) {
            assert!(window.range().len() <= frames * AT_ONCE && window.range().start >= 9_700);
            frames += 1;
        }
        assert_eq!((window.range(), frames), (9_700..10_000, MOST.div_ceil(AT_ONCE)));
    }

    #[test]
    fn who_reads_back_keeps_the_same_rows_however_much_is_new() {
        let mut window = Window::at_end(300);
        window.grown(10_000, false);
        assert_eq!((window.range(), window.has_newest()), (0..400, false));
        window.grown(20_000, false);
        assert_eq!(window.range(), 0..400);
    }

    #[test]
    fn reading_back_and_forth_reaches_both_ends() {
        let mut window = Window::at_end(1_000);
        while !window.has_oldest() {
            window.back();
        }
        assert_eq!((window.range(), window.has_newest()), (0..300, false));
        while !window.has_newest() {
            window.forth(1_000);
        }
        assert_eq!(window.range(), 700..1_000);
    }

    proptest! {
        #[test]
        fn whatever_the_reader_does_the_window_is_small_and_within_the_feed(
            steps in prop::collection::vec((0_u8..7, 0_usize..500, any::<bool>()), 0..100),
        ) {
            let mut len = 50;
            let mut window = Window::at_end(len);
            for (step, n, at_end) in steps {
                match step {
                    0 => { len += n; while window.grown(len, at_end) {} }
                    1 => { len += n; window.shifted(n); }
                    2 => window.back(),
                    3 => window.forth(len),
                    4 => { let gone = n.min(len); len -= gone; window.dropped(gone); while window.grown(len, at_end) {} }
                    5 => { len = len.max(1); window = Window::around(n % len, len); }
                    _ => { len = n; window = Window::at_end(len); }
                }
                let range = window.range();
                prop_assert!(range.start <= range.end && range.end <= len && range.len() <= MOST + STEP);
                prop_assert!(!window.has_newest() || range.end == len);
            }
        }
    }
}
