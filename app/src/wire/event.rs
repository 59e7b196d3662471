//! The events of a room's log, and the messages that they produce.

use super::{CommandId, Files, Mentions, Millis, Reactions, Seq, User};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its sequence number in the room.
    pub seq: Seq,
    /// The time of its commit.
    pub at: Millis,
    /// The id of the command that caused it.
    pub id: CommandId,
    /// The user who sent the command.
    pub author: User,
    /// The content.
    #[serde(flatten)]
    pub body: EventBody,
}

impl Event {
    /// Returns whether the event posts a message.
    pub fn is_message(&self) -> bool {
        matches!(self.body, EventBody::Message { .. })
    }
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// A user posted a message.
    Message {
        /// The text, trimmed; empty if the message was deleted since.
        text: Arc<str>,
        /// The `seq` of the message that this one answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// The users whom it addresses.
        #[serde(default, skip_serializing_if = "Mentions::is_empty")]
        mentions: Mentions,
        /// The files that it shows.
        #[serde(default, skip_serializing_if = "Files::is_empty")]
        files: Files,
    },
    /// The author of a message changed its text.
    Edit {
        /// The `seq` of the message.
        target: Seq,
        /// The new text, trimmed.
        text: Arc<str>,
        /// The users whom the new text addresses.
        #[serde(default, skip_serializing_if = "Mentions::is_empty")]
        mentions: Mentions,
    },
    /// The author or the owner of the room deleted a message.
    Delete {
        /// The `seq` of the message.
        target: Seq,
    },
    /// A user gave a reaction to a message, or took it back.
    React {
        /// The `seq` of the message.
        target: Seq,
        /// The emoji.
        emoji: Arc<str>,
        /// The user gave it.
        on: bool,
    },
    /// Messages were kept as long as the room keeps them: those up to a `seq` are gone, with everything about them.
    Expire {
        /// The `seq` of the last event that has expired.
        up_to: Seq,
    },
    /// The place of an event that has expired. Nothing is left of it but its `seq`, id, time and author.
    Expired,
    /// A kind that this version does not know. Its `seq` counts nevertheless.
    #[serde(other)]
    Unknown,
}

impl EventBody {
    /// Returns the users whom its text addresses.
    pub fn mentions(&self) -> Option<&Mentions> {
        match self {
            Self::Message { mentions, .. } | Self::Edit { mentions, .. } => Some(mentions),
            _ => None,
        }
    }

    /// Returns the users whom its text addresses.
    pub fn mentions_mut(&mut self) -> Option<&mut Mentions> {
        match self {
            Self::Message { mentions, .. } | Self::Edit { mentions, .. } => Some(mentions),
            _ => None,
        }
    }
}

/// A message in its current state, after all edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The `seq` of the event that posted it.
    pub seq: Seq,
    /// The time when it was posted.
    pub at: Millis,
    /// The id of the command that posted it.
    pub id: CommandId,
    /// The user who posted it.
    pub author: User,
    /// The text; empty if the message was deleted.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub text: Arc<str>,
    /// The `seq` of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The time of its last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Millis>,
    /// The users whom it addresses.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    /// The files that it shows.
    #[serde(default, skip_serializing_if = "Files::is_empty")]
    pub files: Files,
    /// The message was deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// The reactions to it.
    #[serde(flatten)]
    pub reactions: Reactions,
}

impl Message {
    /// Returns the message that `event` posted, if it posted one.
    pub fn from_event(event: &Event) -> Option<Self> {
        let EventBody::Message { text, reply_to, mentions, files } = &event.body else { return None };
        Some(Self {
            seq: event.seq,
            at: event.at,
            id: event.id,
            author: event.author.clone(),
            text: text.clone(),
            reply_to: *reply_to,
            edited_at: None,
            mentions: mentions.clone(),
            files: files.clone(),
            deleted: text.is_empty(),
            reactions: Reactions::default(),
        })
    }

    /// Replaces the text and its mentions with those of an edit committed at `at`.
    pub fn edit(&mut self, text: Arc<str>, mentions: Mentions, at: Millis) {
        self.text = text;
        self.mentions = mentions;
        self.edited_at = Some(at);
    }

    /// Marks the message as deleted and removes its text, files and reactions.
    pub fn delete(&mut self) {
        self.text = Arc::default();
        self.reactions = Reactions::default();
        self.mentions = Mentions::default();
        self.files = Files::default();
        self.edited_at = None;
        self.deleted = true;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}
