//! Posting: when whose next message goes out.

use super::Crowd;
use crate::{Pace, connection::State, ordering::key};

/// Posting, since some moment in µs, and so many messages ago.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    since: u64,
    posted: u64,
}

impl Crowd {
    /// Lets the senders post from now on.
    pub fn post_from_now(&mut self) {
        let now = self.now();
        self.posting = Some(Posting { since: now, posted: 0 });
        let first = match self.pace {
            Pace::Closed => 1,
            Pace::Rate(_) => 0,
            Pace::Posts { outstanding } => outstanding,
        };
        for sender in 0..self.senders {
            for _ in 0..first {
                self.post(sender, now);
            }
        }
    }

    /// Nobody posts any more.
    pub fn stop_posting(&mut self) {
        self.posting = None;
    }

    /// When the next message has to go out, at a fixed rate.
    pub(super) fn next_due(&self) -> Option<u64> {
        match (self.pace, self.posting) {
            (Pace::Rate(rate), Some(posting)) => {
                Some(posting.since + (posting.posted as f64 * 1_000_000.0 / rate) as u64)
            }
            _ => None,
        }
    }

    /// Posts what has to be out by now, at a fixed rate; the senders take turns.
    pub(super) fn post_what_is_due(&mut self) {
        while let Some(due) = self.next_due()
            && due <= self.now()
            && let Some(posting) = &mut self.posting
        {
            posting.posted += 1;
            let turn = posting.posted as usize;
            let mut turns = (turn..turn + self.senders).map(|turn| turn % self.senders);
            match turns.find(|sender| self.connections[sender * self.stride].state == State::In) {
                Some(sender) => self.post(sender, due),
                None => self.posting = None,
            }
        }
    }

    fn post(&mut self, sender: usize, due: u64) {
        let connection = &mut self.connections[sender * self.stride];
        if connection.state == State::In {
            let number = self.order.post(sender, due);
            connection.awaits = key(number);
            connection.send(self.post.numbered(number));
        }
    }

    /// Posts once more for the connection that has heard its own message, or got it acknowledged.
    pub(super) fn post_again(&mut self, who: usize, now: u64) {
        if self.posting.is_some() {
            self.post(who / self.stride, now);
        }
    }
}
