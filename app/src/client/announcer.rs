//! The announcements of a screen reader: each message while few arrive, and only a count now and then while many do.

use crate::wire::Millis;

/// Length in milliseconds of the window in which messages are counted.
const WINDOW_MS: Millis = 4_000;

/// Messages per window that are announced one by one, at most.
const MAX_ANNOUNCED_PER_WINDOW: usize = 4;

/// Limits what the page's live region announces. Plain data; the time is passed in.
#[derive(Debug, Clone, Default)]
pub struct Announcer {
    /// When the present window began.
    window_start: Millis,
    /// Messages of this window.
    count: usize,
    /// Messages of this window that were not announced.
    unannounced: usize,
    is_flood: bool,
}

impl Announcer {
    /// Counts `count` new messages. Returns `true` if each of them is announced.
    pub fn on_messages(&mut self, count: usize, now: Millis) -> bool {
        if self.count == 0 && !self.is_flood {
            self.window_start = now;
        }
        self.count += count;
        self.is_flood |= self.count > MAX_ANNOUNCED_PER_WINDOW;
        if self.is_flood {
            self.unannounced += count;
        }
        self.announces_each()
    }

    /// Returns `true` if each new message is announced.
    pub fn announces_each(&self) -> bool {
        !self.is_flood
    }

    /// Ends the window if it is over, and returns how many of its messages were not announced, if any.
    pub fn take_summary(&mut self, now: Millis) -> Option<usize> {
        if now < self.window_start + WINDOW_MS {
            return None;
        }
        self.is_flood &= self.count > MAX_ANNOUNCED_PER_WINDOW;
        (self.window_start, self.count) = (now, 0);
        Some(std::mem::take(&mut self.unannounced)).filter(|unannounced| *unannounced > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_announced_one_by_one() {
        let mut announcer = Announcer::default();
        for now in 1..20 {
            assert!(announcer.on_messages(1, now * 2_000), "message {now}");
            assert_eq!(announcer.take_summary(now * 2_000), None);
        }
    }

    #[test]
    fn a_flood_is_announced_as_a_count_until_it_is_over() {
        let mut announcer = Announcer::default();
        assert!(announcer.on_messages(MAX_ANNOUNCED_PER_WINDOW, 1_000));
        assert!(!announcer.on_messages(7, 1_100) && !announcer.on_messages(30, 2_000));
        assert_eq!(announcer.take_summary(4_900), None);
        assert_eq!((announcer.take_summary(5_000), announcer.announces_each()), (Some(37), false));
        assert!(!announcer.on_messages(2, 6_000), "the flood is not over yet");
        assert_eq!((announcer.take_summary(9_000), announcer.announces_each()), (Some(2), true));
        assert!(announcer.on_messages(1, 9_500));
        assert_eq!(announcer.take_summary(20_000), None);
    }
}
