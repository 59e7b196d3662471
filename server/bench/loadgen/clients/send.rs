//! Sending: which connection sends its next message when.

use super::Clients;
use crate::{Pace, connection::State, ordering::key};

/// The progress of sending: its start in µs, and the messages sent since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    since: u64,
    posted: u64,
}

impl Clients {
    /// Starts the senders.
    pub fn start_sending(&mut self) {
        let now = self.now();
        self.sending = Some(Sending { since: now, posted: 0 });
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

    /// Stops the senders.
    pub fn stop_sending(&mut self) {
        self.sending = None;
    }

    /// Returns when the next message is due, at a fixed rate.
    pub(super) fn next_due(&self) -> Option<u64> {
        match (self.pace, self.sending) {
            (Pace::Rate(rate), Some(sending)) => {
                Some(sending.since + (sending.posted as f64 * 1_000_000.0 / rate) as u64)
            }
            _ => None,
        }
    }

    /// Sends every message that is due, at a fixed rate; the senders alternate.
    pub(super) fn send_due(&mut self) {
        while let Some(due) = self.next_due()
            && due <= self.now()
            && let Some(sending) = &mut self.sending
        {
            sending.posted += 1;
            let turn = sending.posted as usize;
            let mut turns = (turn..turn + self.senders).map(|turn| turn % self.senders);
            match turns.find(|sender| self.connections[sender * self.stride].state == State::Joined) {
                Some(sender) => self.post(sender, due),
                None => self.sending = None,
            }
        }
    }

    fn post(&mut self, sender: usize, due: u64) {
        let connection = &mut self.connections[sender * self.stride];
        if connection.state == State::Joined {
            let number = self.order.post(sender, due);
            connection.awaited = key(number);
            connection.send(self.post.numbered(number));
        }
    }

    /// Sends the next message of a connection after a delivery or an acknowledgement of its last one.
    pub(super) fn send_next(&mut self, index: usize, now: u64) {
        if self.sending.is_some() {
            self.post(index / self.stride, now);
        }
    }
}
