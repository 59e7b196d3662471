//! The size of messages and events in JSON, which bounds pages and frames.

use super::{
    Event, EventBody, FileInfo, Files, Mention, Mentions, Message, Reaction, Reactions, User,
    limits::MAX_PAGE_BYTES,
};

/// Upper bound of the bytes of a message or an event besides its text, name and numbers: field names, ids and flags.
const FIELD_BYTES: usize = 200;

/// Upper bound of the bytes of a page besides its messages or events. `joined` has members as well.
const ENVELOPE_BYTES: usize = 2_048;

/// Returns the bytes of `text` as a JSON string without its quotation marks (RFC 8259, section 7). `text` must have no
/// control characters except LF and TAB; stored texts never do.
pub fn json_bytes(text: &str) -> usize {
    // One pass for each character with memchr is faster than one pass over every byte.
    ['"', '\\', '\n', '\t'].iter().fold(text.len(), |bytes, escaped| bytes + text.matches(*escaped).count())
}

impl User {
    /// Returns an upper bound of the bytes of the user in JSON.
    pub fn json_bytes(&self) -> usize {
        const USER_OVERHEAD_BYTES: usize = 80;
        json_bytes(self.name.as_str()) + USER_OVERHEAD_BYTES
    }
}

impl Mentions {
    /// Returns an upper bound of the bytes of the field in JSON.
    pub fn json_bytes(&self) -> usize {
        const FIELD_BYTES: usize = 16;
        const MENTION_OVERHEAD_BYTES: usize = 24;
        let mention = |mention: &Mention| {
            json_bytes(&mention.name) + mention.user.json_bytes() + MENTION_OVERHEAD_BYTES
        };
        if self.is_empty() { 0 } else { FIELD_BYTES + self.iter().map(mention).sum::<usize>() }
    }
}

impl Files {
    /// Returns an upper bound of the bytes of the field in JSON.
    pub fn json_bytes(&self) -> usize {
        const LIST_BYTES: usize = 16;
        const FILE_OVERHEAD_BYTES: usize = 180;
        let file = |file: &FileInfo| {
            json_bytes(&file.name)
                + json_bytes(&file.media_type)
                + json_bytes(&file.alt)
                + FILE_OVERHEAD_BYTES
        };
        if self.is_empty() { 0 } else { LIST_BYTES + self.iter().map(file).sum::<usize>() }
    }
}

impl Message {
    /// Returns an upper bound of the bytes of the message in JSON.
    pub fn json_bytes(&self) -> usize {
        let numbers = [self.seq, self.at, self.reply_to.unwrap_or(0), self.edited_at.unwrap_or(0)];
        FIELD_BYTES
            + numbers.map(digits).iter().sum::<usize>()
            + json_bytes(&self.text)
            + self.mentions.json_bytes()
            + self.files.json_bytes()
            + name_bytes(&self.author)
            + self.reactions.json_bytes()
    }
}

impl Reactions {
    /// Returns an upper bound of the bytes of the reactions in JSON.
    pub fn json_bytes(&self) -> usize {
        const LIST_BYTES: usize = 64;
        if self.seq.is_none() && self.list.is_empty() {
            return 0;
        }
        LIST_BYTES + self.list.iter().map(Reaction::json_bytes).sum::<usize>()
    }
}

impl Reaction {
    fn json_bytes(&self) -> usize {
        const FIELD_BYTES: usize = 64;
        // An id with quotation marks and a comma; the same around a name.
        const LISTED_BYTES: usize = 19 + 3;
        let names = self.names.iter().map(|name| json_bytes(name)).sum::<usize>();
        FIELD_BYTES + json_bytes(&self.emoji) + LISTED_BYTES * self.by.len() + names
    }
}

impl Event {
    /// Returns an upper bound of the bytes of the event in JSON.
    pub fn json_bytes(&self) -> usize {
        let (text, other) = match &self.body {
            EventBody::Message { text, reply_to, files, .. } => {
                (json_bytes(text) + files.json_bytes(), reply_to.unwrap_or(0))
            }
            EventBody::Edit { text, target, .. } => (json_bytes(text), *target),
            EventBody::Delete { target } => (0, *target),
            EventBody::React { emoji, target, .. } => (json_bytes(emoji), *target),
            EventBody::Expire { up_to } => (0, *up_to),
            EventBody::Expired | EventBody::Unknown => (0, 0),
        };
        let numbers = [self.seq, self.at, other];
        let mentions = self.body.mentions().map_or(0, Mentions::json_bytes);
        FIELD_BYTES + numbers.map(digits).iter().sum::<usize>() + text + mentions + name_bytes(&self.author)
    }
}

fn name_bytes(author: &User) -> usize {
    json_bytes(author.name.as_str())
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The bytes that remain on a page.
#[derive(Debug)]
pub struct PageBudget {
    left: usize,
    is_empty: bool,
}

impl PageBudget {
    /// Creates the budget of a page of [`MAX_PAGE_BYTES`] on which `taken` bytes are used otherwise.
    pub fn besides(taken: usize) -> Self {
        Self { left: MAX_PAGE_BYTES.saturating_sub(ENVELOPE_BYTES + taken), is_empty: true }
    }

    /// Takes the bytes of one more entry. Returns `false` if they do not fit; then no later entry fits either. The
    /// first entry always fits.
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
    fn page_takes_any_first_entry_and_none_after_one_does_not_fit() {
        let mut page = PageBudget::default();
        assert!(page.take(2 * MAX_PAGE_BYTES) && !page.take(1));
        let mut page = PageBudget::besides(MAX_PAGE_BYTES - ENVELOPE_BYTES - 100);
        assert!(page.take(60) && !page.take(41) && !page.take(1));
    }

    proptest! {
        #[test]
        fn json_is_within_the_computed_bound(text in any::<String>(), name in "[a-z\"\\\\ é字]{1,32}") {
            let text = sanitize_for_display(&text).into_owned();
            prop_assert_eq!(serde_json::to_string(&text).unwrap().len(), json_bytes(&text) + 2);
            let author = User {
                ambiguous: true,
                tag: Some("#4294967295".into()),
                ..User::new(UserId(u64::MAX), name.parse().unwrap_or_else(|_| DisplayName::generated(UserId(1))))
            };
            let mut reactions = Reactions::default();
            for seq in 1..9 {
                let user = User { id: UserId(seq), ..author.clone() };
                reactions.apply(seq, &["👍", "\"\n"][seq as usize % 2].into(), &user, true);
            }
            reactions.seq = Some(u64::MAX);
            let mention = |name: &str| Mention { name: name.into(), user: author.clone() };
            let mentions = Mentions::from_iter([mention(author.name.as_str()), mention("")]);
            let file = FileInfo {
                id: Uuid::max(),
                name: text.as_str().into(),
                media_type: "application/octet-stream".into(),
                size: u64::MAX,
                width: Some(u32::MAX),
                height: Some(u32::MAX),
                alt: text.as_str().into(),
                animated: true,
            };
            let files = Files::from_iter([file.clone(), file]);
            let message = Message {
                seq: u64::MAX,
                at: u64::MAX,
                id: Uuid::max(),
                author: author.clone(),
                text: text.as_str().into(),
                reply_to: Some(u64::MAX),
                edited_at: Some(u64::MAX),
                mentions: mentions.clone(),
                files: files.clone(),
                deleted: true,
                reactions,
            };
            prop_assert!(serde_json::to_string(&author).unwrap().len() < author.json_bytes());
            prop_assert!(serde_json::to_string(&message).unwrap().len() < message.json_bytes());
            for body in [
                EventBody::Message {
                    text: text.as_str().into(),
                    reply_to: Some(u64::MAX),
                    mentions: mentions.clone(),
                    files: files.clone(),
                },
                EventBody::Edit { target: u64::MAX, text: text.as_str().into(), mentions: mentions.clone() },
                EventBody::Delete { target: u64::MAX },
                EventBody::React { target: u64::MAX, emoji: text.as_str().into(), on: false },
            ] {
                let event = Event { seq: u64::MAX, at: u64::MAX, id: Uuid::max(), author: author.clone(), body };
                prop_assert!(serde_json::to_string(&event).unwrap().len() < event.json_bytes());
            }
        }
    }
}
