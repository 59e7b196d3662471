//! How far somebody has read, and what the server knows of it.

use crate::wire::{Millis, Seq};

/// Milliseconds between two reports, at least: reading is no reason to write to a disk all the time.
const REPORT_MS: Millis = 2_000;

/// A position that only goes forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    read: Seq,
    told: Option<Seq>,
    told_at: Millis,
}

impl Reading {
    /// The read marker that the server has, which is reported once more at the first chance.
    pub fn from(read: Seq) -> Self {
        Self { read, told: None, told_at: 0 }
    }

    /// The last event that was read.
    pub fn read(&self) -> Seq {
        self.read
    }

    /// Everything up to `seq` was seen here. Whether that is news.
    pub fn sees(&mut self, seq: Seq) -> bool {
        let news = seq > self.read || self.told.is_none();
        self.read = self.read.max(seq);
        news
    }

    /// It was read up to `seq` on another device.
    pub fn elsewhere(&mut self, seq: Seq) {
        self.read = self.read.max(seq);
        self.told = self.told.max(Some(seq));
    }

    /// What to tell the server at `now`, if anything.
    pub fn report(&mut self, now: Millis) -> Option<Seq> {
        if self.told >= Some(self.read) || now < self.told_at + REPORT_MS {
            return None;
        }
        (self.told, self.told_at) = (Some(self.read), now);
        self.told
    }

    /// The next report is due at once: whoever reads is about to go.
    pub fn hurry(&mut self) {
        self.told_at = 0;
    }

    /// The connection is another: what was told over the last one may not have arrived.
    pub fn again(&mut self) {
        self.told = None;
    }

    /// The log is another: nothing of it was read.
    pub fn start_afresh(&mut self) {
        *self = Self::from(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_reported_now_and_then_and_never_goes_back() {
        let mut reading = Reading::from(3);
        assert!(reading.sees(5));
        assert_eq!(reading.report(10_000), Some(5));
        assert!(!reading.sees(4) && reading.sees(6));
        assert_eq!((reading.report(10_001), reading.report(12_000)), (None, Some(6)));
        assert!(reading.sees(7));
        reading.hurry();
        assert_eq!((reading.report(12_001), reading.read(), reading.report(20_000)), (Some(7), 7, None));
    }

    #[test]
    fn what_was_read_elsewhere_is_not_reported_again() {
        let mut reading = Reading::from(0);
        reading.elsewhere(9);
        assert_eq!((reading.sees(8), reading.report(10_000)), (false, None));
    }

    #[test]
    fn a_reader_of_an_empty_room_reports_once_that_they_were_there() {
        let mut reading = Reading::from(0);
        assert!(reading.sees(0));
        assert_eq!((reading.report(10_000), reading.report(20_000)), (Some(0), None));
    }
}
