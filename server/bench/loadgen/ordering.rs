//! What was posted, in which order it is heard, and what is wrong with that.
//!
//! All connections hear one order. The first of them to hear something at a place decides which message
//! stands there; every other compares at its own place. That costs one comparison of eight bytes for a
//! delivery that is as it should be.

use crate::report::Faults;

/// Bytes of a message's number, in hexadecimal, at the beginning of its text.
pub const NUMBER: usize = 8;

/// A message's number as it is written.
pub type Key = [u8; NUMBER];

/// The place of a message that nobody has heard yet.
const NOWHERE: u32 = u32::MAX;

/// A message that was posted.
struct Post {
    sender: u32,
    /// How many its sender has posted before it.
    count: u32,
    /// Where it stands in the order, or [`NOWHERE`].
    place: u32,
    /// When it had to go out, in µs.
    due: u64,
}

/// What stands at a place of the order.
struct Place {
    key: Key,
    due: u64,
}

/// How far one connection has heard.
#[derive(Debug, Clone, Default)]
pub struct Ear {
    /// The place that it hears next.
    next: u32,
    /// Earlier places that it has not heard. Empty, and without memory, as long as all is well.
    missing: Vec<u32>,
}

/// Everything posted, and the order in which it is heard.
pub struct Order {
    posts: Vec<Post>,
    places: Vec<Place>,
    /// What comes after the number in every text.
    padding: Vec<u8>,
    /// How many messages each sender has posted, and how far they stand in the order.
    counts: Vec<u32>,
    placed: Vec<u32>,
    faults: Faults,
}

impl Order {
    /// Nothing yet, for that many senders and texts of `bytes` bytes.
    pub fn new(senders: usize, bytes: usize) -> Self {
        Self {
            posts: Vec::new(),
            places: Vec::new(),
            padding: b"la ".iter().copied().cycle().take(bytes - NUMBER - 1).chain([b'!']).collect(),
            counts: vec![0; senders],
            placed: vec![0; senders],
            faults: Faults::default(),
        }
    }

    /// The text of every message after its number.
    pub fn padding(&self) -> &[u8] {
        &self.padding
    }

    /// How many messages were posted.
    pub fn posted(&self) -> usize {
        self.posts.len()
    }

    /// Notes a message that had to go out at `due` µs, and gives it its number.
    pub fn post(&mut self, sender: usize, due: u64) -> u32 {
        let number = self.posts.len() as u32;
        let count = self.counts[sender];
        self.counts[sender] += 1;
        self.posts.push(Post { sender: sender as u32, count, place: NOWHERE, due });
        number
    }

    /// When that message had to go out, in µs; none where there is no such message.
    pub fn due(&self, number: u32) -> Option<u64> {
        self.posts.get(number as usize).map(|post| post.due)
    }

    /// One connection hears a text. Gives when it had to go out, in µs; none where it does not count.
    #[inline]
    pub fn hear(&mut self, ear: &mut Ear, text: &[u8]) -> Option<u64> {
        let (key, rest) = text.split_first_chunk::<NUMBER>().unwrap_or((&[0; NUMBER], text));
        if rest == self.padding.as_slice() {
            if let Some(place) = self.places.get(ear.next as usize)
                && place.key == *key
            {
                ear.next += 1;
                return Some(place.due);
            }
            return self.hear_elsewhere(ear, *key);
        }
        self.faults.foreign += 1;
        None
    }

    /// It is not what stands at this connection's place, or nobody has come so far yet.
    #[cold]
    fn hear_elsewhere(&mut self, ear: &mut Ear, key: Key) -> Option<u64> {
        let Some(number) = number(key).filter(|number| (*number as usize) < self.posts.len()) else {
            self.faults.foreign += 1;
            return None;
        };
        if self.posts[number as usize].place == NOWHERE {
            self.place(number, key);
        }
        let post = &self.posts[number as usize];
        if post.place >= ear.next {
            ear.missing.extend(ear.next..post.place);
            ear.next = post.place + 1;
        } else if let Some(late) = ear.missing.iter().position(|place| *place == post.place) {
            ear.missing.swap_remove(late);
            self.faults.reordered += 1;
        } else {
            self.faults.repeated += 1;
            return None;
        }
        Some(post.due)
    }

    /// The order goes on with a message, which is the next of its author.
    fn place(&mut self, number: u32, key: Key) {
        let post = &mut self.posts[number as usize];
        post.place = self.places.len() as u32;
        self.places.push(Place { key, due: post.due });
        let placed = &mut self.placed[post.sender as usize];
        self.faults.reordered += u64::from(post.count < *placed);
        *placed = (*placed).max(post.count + 1);
    }

    /// Whether somebody has heard everything.
    pub fn complete_for(&self, ear: &Ear) -> bool {
        ear.next as usize == self.posts.len() && ear.missing.is_empty()
    }

    /// What was wrong, when nobody hears anything any more.
    pub fn faults<'a>(&self, ears: impl Iterator<Item = &'a Ear>, disconnected: u64) -> Faults {
        let lost = |ear: &Ear| self.posts.len() + ear.missing.len() - ear.next as usize;
        Faults { lost: ears.map(|ear| lost(ear) as u64).sum(), disconnected, ..self.faults }
    }
}

/// Writes a number as it stands at the beginning of a text.
pub fn key(number: u32) -> Key {
    std::array::from_fn(|digit| b"0123456789abcdef"[(number >> (28 - 4 * digit)) as usize & 15])
}

/// Reads it back; none where it is no number.
pub fn number(key: Key) -> Option<u32> {
    u32::from_str_radix(str::from_utf8(&key).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two senders take turns, in texts of 12 bytes, and two connections hear these numbers.
    fn faults(posted: u32, one: &[u32], other: &[u32]) -> Faults {
        let mut order = Order::new(2, 12);
        for number in 0..posted {
            assert_eq!(order.post(number as usize % 2, 0), number);
        }
        let mut ears = [Ear::default(), Ear::default()];
        for (ear, heard) in ears.iter_mut().zip([one, other]) {
            for number in heard {
                order.hear(ear, &text(&order, *number));
            }
        }
        order.faults(ears.iter(), 0)
    }

    fn text(order: &Order, number: u32) -> Vec<u8> {
        [&key(number)[..], order.padding()].concat()
    }

    #[test]
    fn everybody_hears_everything_once_in_one_order() {
        assert_eq!(faults(4, &[0, 1, 2, 3], &[0, 1, 2, 3]), Faults::default());
        assert_eq!(faults(4, &[1, 0, 3, 2], &[1, 0, 3, 2]), Faults::default(), "senders may overtake");
    }

    #[test]
    fn a_hole_is_lost() {
        assert_eq!(faults(4, &[0, 1, 2, 3], &[0, 2, 3]), Faults { lost: 1, ..Faults::default() });
        assert_eq!(faults(4, &[0, 2, 3], &[0, 1, 2, 3]).lost, 1, "the first to hear may miss it too");
    }

    #[test]
    fn what_nobody_hears_is_lost_to_everybody() {
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
    fn a_sender_s_own_order_counts_even_if_everybody_hears_the_same() {
        assert_eq!(faults(3, &[2, 0, 1], &[2, 0, 1]), Faults { reordered: 1, ..Faults::default() });
    }

    #[test]
    fn an_unknown_number_or_text_is_foreign() {
        assert_eq!(faults(1, &[0, 7], &[0]), Faults { foreign: 1, ..Faults::default() });
        let mut order = Order::new(1, 12);
        assert_eq!(order.hear(&mut Ear::default(), b"hello"), None);
        assert_eq!(order.faults(std::iter::empty(), 0).foreign, 1);
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for number in [0, 1, 0xabc, 0x1234_5678, u32::MAX] {
            assert_eq!(super::number(key(number)), Some(number));
        }
        assert_eq!(super::number(*b"notanum!"), None);
    }
}
