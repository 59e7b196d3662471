//! Checks the order of deliveries: which messages were posted, and which connection received them when.
//!
//! All connections must receive one order. The first that receives a message at a position decides which message
//! belongs there; every other connection compares at its own position. A correct delivery costs one comparison of
//! eight bytes.

use crate::report::Faults;

/// Bytes of a message's number, in hexadecimal, at the beginning of its text.
pub const NUMBER: usize = 8;

/// A message's number as text.
pub type Key = [u8; NUMBER];

/// The position of a message that no connection has received yet.
const UNPLACED: u32 = u32::MAX;

/// A message that was posted.
struct Post {
    sender: u32,
    /// The number of earlier messages of its sender.
    count: u32,
    /// Its position in the order, or [`UNPLACED`].
    place: u32,
    /// When it was due, in µs.
    due: u64,
}

/// The message at a position of the order.
struct Position {
    key: Key,
    due: u64,
}

/// The positions that one connection has received.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    /// The position that it receives next.
    next: u32,
    /// Earlier positions that it has not received; empty unless something is lost or late.
    missing: Vec<u32>,
}

/// Every posted message, and the order in which connections receive them.
pub struct Order {
    posts: Vec<Post>,
    positions: Vec<Position>,
    /// The text after the number; the same in every message.
    padding: Vec<u8>,
    /// The messages that each sender has posted, and those of them that have a position.
    counts: Vec<u32>,
    placed: Vec<u32>,
    faults: Faults,
}

impl Order {
    /// Creates an empty order for `senders` senders and texts of `bytes` bytes.
    pub fn new(senders: usize, bytes: usize) -> Self {
        Self {
            posts: Vec::new(),
            positions: Vec::new(),
            padding: b"la ".iter().copied().cycle().take(bytes - NUMBER - 1).chain([b'!']).collect(),
            counts: vec![0; senders],
            placed: vec![0; senders],
            faults: Faults::default(),
        }
    }

    /// Returns the text of every message after its number.
    pub fn padding(&self) -> &[u8] {
        &self.padding
    }

    /// Returns the number of posted messages.
    pub fn posted(&self) -> usize {
        self.posts.len()
    }

    /// Registers a message that is due at `due` µs, and returns its number.
    pub fn post(&mut self, sender: usize, due: u64) -> u32 {
        let number = self.posts.len() as u32;
        let count = self.counts[sender];
        self.counts[sender] += 1;
        self.posts.push(Post { sender: sender as u32, count, place: UNPLACED, due });
        number
    }

    /// Returns when a message was due, in µs, if it exists.
    pub fn due(&self, number: u32) -> Option<u64> {
        self.posts.get(number as usize).map(|post| post.due)
    }

    /// Records that a connection received `text`. Returns when it was due, in µs, if it is a valid delivery.
    #[inline]
    pub fn record(&mut self, receiver: &mut Receiver, text: &[u8]) -> Option<u64> {
        let (key, rest) = text.split_first_chunk::<NUMBER>().unwrap_or((&[0; NUMBER], text));
        if rest == self.padding.as_slice() {
            if let Some(place) = self.positions.get(receiver.next as usize)
                && place.key == *key
            {
                receiver.next += 1;
                return Some(place.due);
            }
            return self.record_out_of_place(receiver, *key);
        }
        self.faults.foreign += 1;
        None
    }

    /// Records a text that is not at the connection's position, or is the first at a new one.
    #[cold]
    fn record_out_of_place(&mut self, receiver: &mut Receiver, key: Key) -> Option<u64> {
        let Some(number) = number(key).filter(|number| (*number as usize) < self.posts.len()) else {
            self.faults.foreign += 1;
            return None;
        };
        if self.posts[number as usize].place == UNPLACED {
            self.place(number, key);
        }
        let post = &self.posts[number as usize];
        if post.place >= receiver.next {
            receiver.missing.extend(receiver.next..post.place);
            receiver.next = post.place + 1;
        } else if let Some(late) = receiver.missing.iter().position(|place| *place == post.place) {
            receiver.missing.swap_remove(late);
            self.faults.reordered += 1;
        } else {
            self.faults.repeated += 1;
            return None;
        }
        Some(post.due)
    }

    /// Appends a message to the order and checks the order of its sender.
    fn place(&mut self, number: u32, key: Key) {
        let post = &mut self.posts[number as usize];
        post.place = self.positions.len() as u32;
        self.positions.push(Position { key, due: post.due });
        let placed = &mut self.placed[post.sender as usize];
        self.faults.reordered += u64::from(post.count < *placed);
        *placed = (*placed).max(post.count + 1);
    }

    /// Returns `true` if the receiver has every message.
    pub fn has_received_all(&self, receiver: &Receiver) -> bool {
        receiver.next as usize == self.posts.len() && receiver.missing.is_empty()
    }

    /// Returns all faults, after the last delivery.
    pub fn faults<'a>(&self, receivers: impl Iterator<Item = &'a Receiver>, disconnected: u64) -> Faults {
        let lost = |receiver: &Receiver| self.posts.len() + receiver.missing.len() - receiver.next as usize;
        Faults { lost: receivers.map(|receiver| lost(receiver) as u64).sum(), disconnected, ..self.faults }
    }
}

/// Formats a number as the beginning of a text.
pub fn key(number: u32) -> Key {
    std::array::from_fn(|digit| b"0123456789abcdef"[(number >> (28 - 4 * digit)) as usize & 15])
}

/// Parses a number from a text, if it is one.
pub fn number(key: Key) -> Option<u32> {
    u32::from_str_radix(str::from_utf8(&key).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets two senders alternate, and two connections receive these numbers.
    fn faults(posted: u32, one: &[u32], other: &[u32]) -> Faults {
        let mut order = Order::new(2, 12);
        for number in 0..posted {
            assert_eq!(order.post(number as usize % 2, 0), number);
        }
        let mut receivers = [Receiver::default(), Receiver::default()];
        for (receiver, received) in receivers.iter_mut().zip([one, other]) {
            for number in received {
                order.record(receiver, &text(&order, *number));
            }
        }
        order.faults(receivers.iter(), 0)
    }

    fn text(order: &Order, number: u32) -> Vec<u8> {
        [&key(number)[..], order.padding()].concat()
    }

    #[test]
    fn deliveries_in_one_order_have_no_faults() {
        assert_eq!(faults(4, &[0, 1, 2, 3], &[0, 1, 2, 3]), Faults::default());
        assert_eq!(faults(4, &[1, 0, 3, 2], &[1, 0, 3, 2]), Faults::default(), "senders may overtake");
    }

    #[test]
    fn a_gap_is_a_lost_message() {
        assert_eq!(faults(4, &[0, 1, 2, 3], &[0, 2, 3]), Faults { lost: 1, ..Faults::default() });
        assert_eq!(faults(4, &[0, 2, 3], &[0, 1, 2, 3]).lost, 1, "the first receiver may miss it too");
    }

    #[test]
    fn a_message_without_delivery_is_lost_on_each_connection() {
        assert_eq!(faults(3, &[0, 1], &[0, 1]), Faults { lost: 2, ..Faults::default() });
    }

    #[test]
    fn a_repeat_is_counted_and_no_delivery() {
        assert_eq!(faults(3, &[0, 1, 1, 2], &[0, 1, 2]), Faults { repeated: 1, ..Faults::default() });
        assert_eq!(faults(3, &[0, 1, 2], &[0, 1, 2, 0]), Faults { repeated: 1, ..Faults::default() });
    }

    #[test]
    fn a_swap_is_reordered() {
        assert_eq!(faults(3, &[0, 1, 2], &[1, 0, 2]), Faults { reordered: 1, ..Faults::default() });
    }

    #[test]
    fn reordering_is_a_fault_even_if_all_receive_the_same_order() {
        assert_eq!(faults(3, &[2, 0, 1], &[2, 0, 1]), Faults { reordered: 1, ..Faults::default() });
    }

    #[test]
    fn an_unknown_number_or_text_is_foreign() {
        assert_eq!(faults(1, &[0, 7], &[0]), Faults { foreign: 1, ..Faults::default() });
        let mut order = Order::new(1, 12);
        assert_eq!(order.record(&mut Receiver::default(), b"hello"), None);
        assert_eq!(order.faults(std::iter::empty(), 0).foreign, 1);
    }

    #[test]
    fn numbers_survive_a_round_trip() {
        for n in [0, 1, 0xabc, 0x1234_5678, u32::MAX] {
            assert_eq!(number(key(n)), Some(n));
        }
        assert_eq!(number(*b"notanum!"), None);
    }
}
