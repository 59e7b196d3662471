//! How far the user has read the room, and what the server knows of it.

use crate::wire::{Millis, Seq};

/// Milliseconds between two reports, at least: reading is no reason to write to a disk all the time.
const MIN_REPORT_INTERVAL_MS: Millis = 2_000;

/// A position that only goes forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarker {
    position: Seq,
    /// The position that the server has; `None` if that is unknown.
    reported: Option<Seq>,
    reported_at: Millis,
}

impl ReadMarker {
    /// Begins at the position that the server has, which is reported once more at the first opportunity.
    pub fn new(position: Seq) -> Self {
        Self { position, reported: None, reported_at: 0 }
    }

    /// Returns the last event that the user has read.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Advances to `seq`. Returns `true` if the server has yet to receive this position.
    pub fn advance(&mut self, seq: Seq) -> bool {
        let is_unreported = seq > self.position || self.reported.is_none();
        self.position = self.position.max(seq);
        is_unreported
    }

    /// Advances to `seq`, which the user has read on another device.
    pub fn advance_remote(&mut self, seq: Seq) {
        self.position = self.position.max(seq);
        self.reported = self.reported.max(Some(seq));
    }

    /// Returns the position to report at `now`, if one is due, and takes it as reported.
    pub fn take_report(&mut self, now: Millis) -> Option<Seq> {
        if self.reported >= Some(self.position) || now < self.reported_at + MIN_REPORT_INTERVAL_MS {
            return None;
        }
        (self.reported, self.reported_at) = (Some(self.position), now);
        self.reported
    }

    /// Makes the next report due at once: the user is about to leave.
    pub fn report_now(&mut self) {
        self.reported_at = 0;
    }

    /// Reports nothing more over this connection: the user leaves the room, which removes the marker. A report that another
    /// server receives at the same time would add it again.
    pub fn stop(&mut self) {
        self.reported = Some(Seq::MAX);
    }

    /// Reports the position again: what was sent over the last connection may not have arrived.
    pub fn on_reconnect(&mut self) {
        self.reported = None;
    }

    /// Begins again in another log, of which the user has read nothing.
    pub fn reset(&mut self) {
        *self = Self::new(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_reported_every_two_seconds_and_never_goes_back() {
        let mut marker = ReadMarker::new(3);
        assert!(marker.advance(5));
        assert_eq!(marker.take_report(10_000), Some(5));
        assert!(!marker.advance(4) && marker.advance(6));
        assert_eq!((marker.take_report(10_001), marker.take_report(12_000)), (None, Some(6)));
        assert!(marker.advance(7));
        marker.report_now();
        assert_eq!((marker.take_report(12_001), marker.position()), (Some(7), 7));
        assert_eq!(marker.take_report(20_000), None);
    }

    #[test]
    fn a_position_from_another_device_is_not_reported_again() {
        let mut marker = ReadMarker::new(0);
        marker.advance_remote(9);
        assert_eq!((marker.advance(8), marker.take_report(10_000)), (false, None));
    }

    #[test]
    fn a_user_who_leaves_the_room_reports_nothing_until_the_next_connection() {
        let mut marker = ReadMarker::new(3);
        marker.advance(5);
        marker.stop();
        marker.report_now();
        assert_eq!(marker.take_report(10_000), None);
        marker.on_reconnect();
        assert_eq!(marker.take_report(10_000), Some(5));
    }

    #[test]
    fn a_visit_to_an_empty_room_is_reported_once() {
        let mut marker = ReadMarker::new(0);
        assert!(marker.advance(0));
        assert_eq!((marker.take_report(10_000), marker.take_report(20_000)), (Some(0), None));
    }
}
