//! The position up to which the user has read the room, and the server's knowledge of it.

use crate::wire::{Millis, Seq};

/// Milliseconds between two reports, at least: reading is no reason to write to a disk all the time.
const MIN_REPORT_INTERVAL_MS: Millis = 2_000;

/// A position that goes forward as the user reads, and back only if they mark messages as unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarker {
    position: Seq,
    /// The furthest position that the server had, as far as it is known. If the server's position is lower, the user has
    /// marked messages as unread on another device.
    confirmed: Seq,
    /// The position that the server has; `None` if that is unknown.
    reported: Option<Seq>,
    reported_at: Millis,
    /// The first message that the user has marked as unread, until the server has confirmed it.
    unread_from: Option<Seq>,
    /// `unread_from` was sent over this connection.
    is_unread_sent: bool,
    /// The user has marked messages as unread, and has not left the page since: what is in view is not read.
    is_held: bool,
}

impl ReadMarker {
    /// Begins at the position that the server has, which is reported once more at the first opportunity.
    pub fn new(position: Seq) -> Self {
        Self {
            position,
            confirmed: position,
            reported: None,
            reported_at: 0,
            unread_from: None,
            is_unread_sent: false,
            is_held: false,
        }
    }

    /// Returns the last event that the user has read.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Advances to `seq`, unless the user has marked messages as unread and not [left](Self::release) since. Returns `true`
    /// if the server has yet to receive this position.
    pub fn advance(&mut self, seq: Seq) -> bool {
        if self.is_held {
            return false;
        }
        let is_unreported = seq > self.position || self.reported.is_none();
        self.position = self.position.max(seq);
        self.unread_from.take_if(|from| *from <= seq);
        is_unreported
    }

    /// Marks the message `seq` and all later ones as unread.
    pub fn mark_unread(&mut self, seq: Seq) {
        self.confirmed = self.confirmed.max(self.position);
        self.position = seq.saturating_sub(1);
        self.reported = Some(self.position);
        (self.unread_from, self.is_unread_sent, self.is_held) = (Some(seq), false, true);
    }

    /// Lets the position advance again: the user has come back to the page, or has written, or has jumped to the end.
    pub fn release(&mut self) {
        self.is_held = false;
    }

    /// Takes the position that the user has on another device. It is taken as it is if they have `marked` messages as unread,
    /// also on this device; otherwise it only goes forward.
    pub fn apply_remote(&mut self, seq: Seq, marked: bool) {
        if marked {
            (self.position, self.confirmed, self.reported) = (seq, seq, Some(seq));
            (self.unread_from, self.is_held) = (None, true);
        } else {
            self.confirmed = self.confirmed.max(seq);
            // The server's reply to a mark comes later.
            if self.unread_from.is_none() {
                self.is_held &= seq <= self.position;
                self.position = self.position.max(seq);
                self.reported = self.reported.max(Some(seq));
            }
        }
    }

    /// Takes the position that the server has when the room is joined; 0 if it has none. What was sent over the last
    /// connection may not have arrived, so it is sent again unless the server's position shows that it has, or that the user
    /// has read or marked messages on another device since.
    pub fn on_join(&mut self, read: Seq) {
        self.on_reconnect();
        let is_arrived = self.unread_from.is_some_and(|from| from == read + 1);
        let is_moved_back = self.unread_from.is_none() && (1..self.confirmed).contains(&read);
        if is_arrived || is_moved_back {
            self.apply_remote(read, true);
        } else if read > self.confirmed {
            self.unread_from = None;
            self.apply_remote(read, false);
        } else if self.unread_from.is_some() {
            self.reported = Some(self.position);
        } else if read > 0 {
            self.reported = Some(read);
        }
    }

    /// Takes the position to report at `now`, if one is due, as reported.
    pub fn take_report(&mut self, now: Millis) -> Option<Seq> {
        if self.reported >= Some(self.position) || now < self.reported_at + MIN_REPORT_INTERVAL_MS {
            return None;
        }
        self.confirm_report();
        (self.reported, self.reported_at) = (Some(self.position), now);
        self.reported
    }

    /// Takes the message to send that the user has marked as unread together with all later ones.
    pub fn take_unread(&mut self) -> Option<Seq> {
        self.unread_from.filter(|_| !std::mem::replace(&mut self.is_unread_sent, true))
    }

    /// Notes that the server has answered since the last report, which has arrived therefore.
    pub fn confirm_report(&mut self) {
        // A reported position beyond the own one is that of a user who has left the room.
        self.confirmed = self.confirmed.max(self.reported.unwrap_or(0).min(self.position));
    }

    /// Makes the next report due at once: the user is about to leave.
    pub fn report_now(&mut self) {
        self.reported_at = 0;
    }

    /// Reports nothing more over this connection: the user leaves the room, which removes the marker. A report that another
    /// server receives at the same time would add it again.
    pub fn stop(&mut self) {
        (self.reported, self.unread_from) = (Some(Seq::MAX), None);
    }

    /// Reports the position again: what was sent over the last connection may not have arrived.
    pub fn on_reconnect(&mut self) {
        (self.reported, self.is_unread_sent) = (None, false);
    }

    /// Begins again in another log, of which the user has read nothing.
    pub fn reset(&mut self) {
        *self = Self::new(0);
    }

    /// Returns what the tab's next page needs to continue.
    pub fn to_stored(&self) -> String {
        let Self { position, confirmed, unread_from, is_held, .. } = self;
        format!("{position}.{confirmed}.{}.{}", unread_from.unwrap_or(0), u8::from(*is_held))
    }

    /// Continues what the tab's last page has [stored](Self::to_stored), if the server did not know it when it rendered this
    /// page. The user has left the last page unless they have reloaded it. Returns `true` if that changes the position.
    pub fn restore(&mut self, stored: &str, is_reload: bool) -> bool {
        let mut numbers = stored.split('.').map(str::parse::<Seq>);
        let mut next = || numbers.next().and_then(Result::ok);
        let (Some(position), Some(confirmed), Some(from), Some(held)) = (next(), next(), next(), next())
        else {
            return false;
        };
        let server = self.position;
        let is_marked = from > 0 || held > 0;
        let is_newer = if is_marked { server <= confirmed.max(position) } else { server < position };
        if is_newer {
            self.unread_from = Some(from).filter(|from| *from > 0);
            self.is_held = held > 0 && is_reload;
            (self.position, self.confirmed) = (position, self.confirmed.max(confirmed));
        }
        is_newer && position != server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_is_reported_every_two_seconds_and_never_goes_back() {
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
        marker.apply_remote(9, false);
        assert_eq!((marker.advance(8), marker.take_report(10_000)), (false, None));
    }

    #[test]
    fn leaving_the_room_stops_reports_until_the_next_connection() {
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

    /// Returns the marker of a user who has read up to 9 and has marked 5 as unread.
    fn marked() -> ReadMarker {
        let mut marker = ReadMarker::new(9);
        marker.on_join(9);
        marker.mark_unread(5);
        marker
    }

    #[test]
    fn messages_marked_as_unread_stay_unread_until_the_user_returns() {
        let mut marker = marked();
        assert_eq!((marker.take_unread(), marker.take_unread()), (Some(5), None));
        marker.apply_remote(4, true);
        assert!(!marker.advance(9));
        assert_eq!((marker.position(), marker.take_report(10_000)), (4, None));
        marker.release();
        assert!(marker.advance(9));
        assert_eq!(marker.take_report(10_000), Some(9));
    }

    #[test]
    fn a_mark_is_sent_again_until_the_server_has_confirmed_it() {
        let mut marker = marked();
        assert_eq!(marker.take_unread(), Some(5));
        marker.on_join(9);
        assert_eq!((marker.take_unread(), marker.take_report(10_000)), (Some(5), None));
        marker.on_join(4);
        assert_eq!((marker.take_unread(), marker.position()), (None, 4), "the server has it");
        let mut marker = marked();
        marker.on_join(12);
        assert_eq!((marker.take_unread(), marker.position()), (None, 12), "the user has read on elsewhere");
        let mut marker = marked();
        marker.release();
        marker.advance(9);
        assert_eq!((marker.take_unread(), marker.take_report(10_000)), (None, Some(9)), "and read again");
    }

    #[test]
    fn remote_mark_moves_the_position_back_even_after_a_reconnect() {
        let mut marker = ReadMarker::new(3);
        marker.on_join(3);
        marker.advance(9);
        marker.take_report(10_000);
        marker.on_join(3);
        assert_eq!((marker.position(), marker.take_report(20_000)), (9, Some(9)), "the report was lost");
        marker.confirm_report();
        marker.on_join(4);
        assert_eq!((marker.position(), marker.take_report(30_000)), (4, None));
        assert!(!marker.advance(9), "a tab in view does not read them again");
        marker.on_join(0);
        assert_eq!(marker.position(), 4, "the server has no marker");
        marker.apply_remote(6, false);
        assert_eq!((marker.position(), marker.advance(9)), (6, true), "the user reads elsewhere");
    }

    #[test]
    fn a_tab_restores_its_position_and_mark_on_its_next_page() {
        let mut read = ReadMarker::new(3);
        read.advance(9);
        let restored = |stored: &ReadMarker, server, is_reload| {
            let mut marker = ReadMarker::new(server);
            let has_changed = marker.restore(&stored.to_stored(), is_reload);
            (has_changed, marker)
        };
        let (has_changed, mut marker) = restored(&read, 3, false);
        assert_eq!((has_changed, marker.position(), marker.take_report(10_000)), (true, 9, Some(9)));
        assert_eq!(restored(&read, 12, true), (false, ReadMarker::new(12)));
        let (has_changed, mut marker) = restored(&marked(), 9, true);
        assert_eq!(
            (has_changed, marker.position(), marker.take_unread()),
            (true, 4, Some(5)),
            "not yet sent"
        );
        let mut confirmed = marked();
        confirmed.apply_remote(4, true);
        let (has_changed, mut marker) = restored(&confirmed, 4, true);
        assert_eq!((has_changed, marker.advance(9)), (false, false), "a reload keeps it unread");
        let (_, mut marker) = restored(&confirmed, 4, false);
        assert!(marker.advance(9), "the user has come back");
        assert_eq!(restored(&confirmed, 7, true), (false, ReadMarker::new(7)), "read on another device");
        for malformed in ["", "9", "9.9.0", "a.b.c.d"] {
            assert!(!ReadMarker::new(3).restore(malformed, true), "{malformed}");
        }
    }
}
