//! The operations of a user in a room.

use super::{EventBody, Files, Mentions, Seq};
use std::sync::Arc;

/// An operation of a user in a room. Its text is already trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Posts a message.
    Post {
        /// The text of the message.
        text: Arc<str>,
        /// The `seq` of the message that this one replies to.
        reply_to: Option<Seq>,
    },
    /// Replaces the text of a message.
    Edit {
        /// The `seq` of the message.
        target: Seq,
        /// The new text.
        text: Arc<str>,
    },
    /// Deletes a message and its text, also from the event log.
    Delete {
        /// The `seq` of the message.
        target: Seq,
    },
    /// Gives a reaction to a message, or takes it back.
    React {
        /// The `seq` of the message.
        target: Seq,
        /// The emoji.
        emoji: Arc<str>,
        /// The user gives it.
        on: bool,
    },
}

impl Operation {
    /// Returns the message that the operation needs: the one that it replies to, edits, deletes or reacts to.
    pub fn target(&self) -> Option<Seq> {
        match self {
            Self::Post { reply_to, .. } => *reply_to,
            Self::Edit { target, .. } | Self::Delete { target } | Self::React { target, .. } => Some(*target),
        }
    }

    /// Returns the bytes of text that the operation stores.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Post { text, .. } | Self::Edit { text, .. } => text.len(),
            Self::React { emoji, .. } => emoji.len(),
            Self::Delete { .. } => 0,
        }
    }
}

impl Operation {
    /// Returns the content of the event that the operation makes. Its text addresses the users of `mentions`; a
    /// message shows `files`.
    pub fn into_body(self, mentions: Mentions, files: Files) -> EventBody {
        match self {
            Self::Post { text, reply_to } => EventBody::Message { text, reply_to, mentions, files },
            Self::Edit { target, text } => EventBody::Edit { target, text, mentions },
            Self::Delete { target } => EventBody::Delete { target },
            Self::React { target, emoji, on } => EventBody::React { target, emoji, on },
        }
    }
}
