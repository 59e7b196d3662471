//! What a user can do in a room.

use super::{EventBody, Seq};
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
}

impl Operation {
    /// Returns the message that the operation needs: the one that it replies to, edits or deletes.
    pub fn target(&self) -> Option<Seq> {
        match self {
            Self::Post { reply_to, .. } => *reply_to,
            Self::Edit { target, .. } | Self::Delete { target } => Some(*target),
        }
    }

    /// Returns the bytes of text that the operation stores.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Post { text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Delete { .. } => 0,
        }
    }
}

impl From<Operation> for EventBody {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Post { text, reply_to } => Self::Message { text, reply_to },
            Operation::Edit { target, text } => Self::Edit { target, text },
            Operation::Delete { target } => Self::Delete { target },
        }
    }
}
