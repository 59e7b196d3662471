//! How many bytes messages and events take in JSON: pages and frames are bounded by it.

use super::{Event, EventBody, Message, User, limits::MAX_PAGE_BYTES};

/// Bytes of the names of all fields of a message or an event, of its ids and marks, at most.
const FIELDS: usize = 200;

/// Bytes of a page besides its messages or events, at most; `joined` has members as well.
const ENVELOPE: usize = 2_048;

/// Returns the bytes that `text` takes as a string of JSON, without its quotation marks (RFC 8259, section 7). It has
/// no control characters but LF and TAB, as no text has that is stored or read.
pub fn json_bytes(text: &str) -> usize {
    // One pass for each, by memchr: quicker than one that looks at every byte.
    ['"', '\\', '\n', '\t'].iter().fold(text.len(), |bytes, escaped| bytes + text.matches(*escaped).count())
}

impl User {
    /// Returns the bytes that the author takes in JSON, at most.
    pub fn json_bytes(&self) -> usize {
        const BESIDES_NAME: usize = 80;
        json_bytes(self.name.as_str()) + BESIDES_NAME
    }
}

impl Message {
    /// Returns the bytes that the message takes in JSON, at most.
    pub fn json_bytes(&self) -> usize {
        let numbers = [self.seq, self.at, self.reply_to.unwrap_or(0), self.edited_at.unwrap_or(0)];
        FIELDS + numbers.map(digits).iter().sum::<usize>() + json_bytes(&self.text) + name_bytes(&self.author)
    }
}

impl Event {
    /// Returns the bytes that the event takes in JSON, at most.
    pub fn json_bytes(&self) -> usize {
        let (text, other) = match &self.body {
            EventBody::Message { text, reply_to } => (json_bytes(text), reply_to.unwrap_or(0)),
            EventBody::Edit { text, target } => (json_bytes(text), *target),
            EventBody::Delete { target } => (0, *target),
            EventBody::Unknown => (0, 0),
        };
        let numbers = [self.seq, self.at, other];
        FIELDS + numbers.map(digits).iter().sum::<usize>() + text + name_bytes(&self.author)
    }
}

fn name_bytes(author: &User) -> usize {
    json_bytes(author.name.as_str())
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The bytes that are left on a page.
#[derive(Debug)]
pub struct PageBudget {
    left: usize,
    is_empty: bool,
}

impl PageBudget {
    /// A page of [`MAX_PAGE_BYTES`] on which so many bytes are taken by other things.
    pub fn besides(taken: usize) -> Self {
        Self { left: MAX_PAGE_BYTES.saturating_sub(ENVELOPE + taken), is_empty: true }
    }

    /// Takes the bytes of one more entry. Returns `false` if they do not fit, and nothing more does; the first
    /// entry always fits.
    #[must_use]
    pub fn take(&mut self, bytes: usize) -> bool {
        let fits = self.is_empty || bytes <= self.left;
        self.is_empty = false;
        self.left = if fits { self.left.saturating_sub(bytes) } else { 0 };
        fits
    }
}

impl Default for PageBudget {
    fn default() -> Self {
        Self::besides(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, UserId, sanitize_for_display};
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn a_page_takes_its_first_entry_whatever_its_size_and_nothing_after_one_that_does_not_fit() {
        let mut page = PageBudget::default();
        assert!(page.take(2 * MAX_PAGE_BYTES) && !page.take(1));
        let mut page = PageBudget::besides(MAX_PAGE_BYTES - ENVELOPE - 100);
        assert!(page.take(60) && !page.take(41) && !page.take(1));
    }

    proptest! {
        #[test]
        fn json_is_no_larger_than_its_bytes_say(text in any::<String>(), name in "[a-z\"\\\\ é字]{1,32}") {
            let text = sanitize_for_display(&text).into_owned();
            prop_assert_eq!(serde_json::to_string(&text).unwrap().len(), json_bytes(&text) + 2);
            let author = User {
                ambiguous: true,
                ..User::new(UserId(u64::MAX), name.parse().unwrap_or_else(|_| DisplayName::generated(UserId(1))))
            };
            let message = Message {
                seq: u64::MAX,
                at: u64::MAX,
                id: Uuid::max(),
                author: author.clone(),
                text: text.as_str().into(),
                reply_to: Some(u64::MAX),
                edited_at: Some(u64::MAX),
                deleted: true,
            };
            prop_assert!(serde_json::to_string(&author).unwrap().len() < author.json_bytes());
            prop_assert!(serde_json::to_string(&message).unwrap().len() < message.json_bytes());
            for body in [
                EventBody::Message { text: text.as_str().into(), reply_to: Some(u64::MAX) },
                EventBody::Edit { target: u64::MAX, text: text.as_str().into() },
                EventBody::Delete { target: u64::MAX },
            ] {
                let event = Event { seq: u64::MAX, at: u64::MAX, id: Uuid::max(), author: author.clone(), body };
                prop_assert!(serde_json::to_string(&event).unwrap().len() < event.json_bytes());
            }
        }
    }
}
