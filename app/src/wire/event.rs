//! What durably happened in a room, and the message that comes of it.

use super::{CommandId, Millis, Seq, User};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the room's order.
    pub seq: Seq,
    /// When it was committed.
    pub at: Millis,
    /// The command that made it.
    pub id: CommandId,
    /// Whose command it was.
    pub author: User,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

impl Event {
    /// Whether somebody posted something.
    pub fn is_message(&self) -> bool {
        matches!(self.body, EventBody::Message { .. })
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// Somebody posted.
    Message {
        /// What they said, trimmed; empty where it was taken back since.
        text: Arc<str>,
        /// The `seq` of the message that this one answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
    },
    /// The author of a message changed what it says.
    Edit {
        /// The `seq` of the message.
        target: Seq,
        /// What it says now, trimmed.
        text: Arc<str>,
    },
    /// The author of a message took it back.
    Delete {
        /// The `seq` of the message.
        target: Seq,
    },
    /// A kind that this program does not know; its `seq` counts all the same.
    #[serde(other)]
    Unknown,
}

/// A message in its present state: what events have made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The `seq` of the event that posted it.
    pub seq: Seq,
    /// When it was posted.
    pub at: Millis,
    /// The command that posted it.
    pub id: CommandId,
    /// Who posted it.
    pub author: User,
    /// What it says; nothing where it was deleted.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub text: Arc<str>,
    /// The `seq` of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When its author last changed it, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Millis>,
    /// Its author took it back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
}

impl Message {
    /// The message that `event` posted, if it posted one.
    pub fn from_event(event: &Event) -> Option<Self> {
        let EventBody::Message { text, reply_to } = &event.body else { return None };
        Some(Self {
            seq: event.seq,
            at: event.at,
            id: event.id,
            author: event.author.clone(),
            text: text.clone(),
            reply_to: *reply_to,
            edited_at: None,
            deleted: text.is_empty(),
        })
    }

    /// The message says something else since `at`.
    pub fn edit(&mut self, text: Arc<str>, at: Millis) {
        self.text = text;
        self.edited_at = Some(at);
    }

    /// The message was taken back.
    pub fn delete(&mut self) {
        self.text = Arc::default();
        self.edited_at = None;
        self.deleted = true;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}
