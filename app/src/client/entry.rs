//! One message as a browser has it, and as it shows it.

use crate::{
    markup::excerpt,
    page_data::QuotedMessage,
    wire::{CommandId, ErrorCode, Files, Mentions, Message, Millis, Reactions, Seq, User, UserId},
};
use std::sync::Arc;

/// Messages of one author within this time stand together under one head.
pub(super) const GROUPING_WINDOW_MS: Millis = 5 * 60 * 1_000;

/// Messages under one head, at most: then the name is repeated, so that it is in sight wherever one reads.
const MAX_ENTRIES_PER_GROUP: u8 = 10;

/// A message as one browser has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The command that posted it.
    pub id: CommandId,
    /// Its author.
    pub author: User,
    /// Its text.
    pub text: Arc<str>,
    /// The message that it replies to.
    pub reply_to: Option<Seq>,
    /// The users whom it addresses.
    pub mentions: Mentions,
    /// The files that it shows.
    pub files: Files,
    /// Its author has edited it.
    pub edited: bool,
    /// It was deleted.
    pub deleted: bool,
    /// The reactions to it.
    pub reactions: Reactions,
    /// The state of its delivery.
    pub delivery: DeliveryState,
    /// Its index in its group, from 0 for the one with the head. It is stored with the entry, so that heads stay where
    /// they are when entries before it come or go.
    pub(super) group_index: u8,
}

/// The state of a message's delivery.
///
/// A message begins as *pending*. The server's event makes it *confirmed*; a refusal makes it *failed*, and a retry
/// makes it pending again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is in the log.
    Confirmed {
        /// Its position.
        seq: Seq,
        /// When it was committed.
        at: Millis,
    },
    /// It waits for the server.
    Pending,
    /// The server has refused it.
    Failed {
        /// The reason.
        why: ErrorCode,
    },
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// The message, with its author's pending change applied.
    pub entry: Entry,
    /// It has a head with its author's name.
    pub starts_group: bool,
    /// It is the first of a day.
    pub starts_day: bool,
    /// It is not shown: its author has deleted it and can still undo that.
    pub is_hidden: bool,
    /// It is the first that the user has not read.
    pub is_first_unread: bool,
    /// The message that it replies to.
    pub quote: Option<Quote>,
    /// The command that changes it, and why the server has refused that command, if it has.
    pub pending_change: Option<(CommandId, Option<ErrorCode>)>,
}

/// The message that another one replies to, as the reply shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Its position.
    pub seq: Seq,
    /// Its author and the beginning of its text; `None` as long as the browser does not have it.
    pub source: Option<QuotedMessage>,
}

impl EntryView {
    /// Returns `true` if another user has posted the message, and it mentions `user` or replies to them.
    pub fn is_to(&self, user: UserId) -> bool {
        // Replies that are older than mentions name no user.
        let source = self.quote.as_ref().and_then(|quote| quote.source.as_ref());
        let is_reply = source.is_some_and(|source| source.author.id == user);
        let entry = &self.entry;
        entry.is_to(user) || is_reply && !entry.deleted && entry.author.id != user
    }
}

/// Gives the entries from the index `from` on their indexes in their groups.
pub(super) fn assign_group_indexes(entries: &mut [Entry], from: usize) {
    for at in from..entries.len() {
        let (before, rest) = entries.split_at_mut(at);
        if let (Some(before), Some(entry)) = (before.last(), rest.first_mut()) {
            entry.group_index = if entry.continues_group(before) {
                (before.group_index + 1) % MAX_ENTRIES_PER_GROUP
            } else {
                0
            };
        }
    }
}

impl Entry {
    /// Creates an entry that is in no log yet.
    pub(super) fn local(
        id: CommandId,
        author: User,
        text: Arc<str>,
        reply_to: Option<Seq>,
        (mentions, files): (Mentions, Files),
        delivery: DeliveryState,
    ) -> Self {
        Self {
            id,
            author,
            text,
            reply_to,
            mentions,
            files,
            edited: false,
            deleted: false,
            reactions: Reactions::default(),
            delivery,
            group_index: 0,
        }
    }

    /// Returns what a reply to it shows.
    pub(super) fn quoted(&self) -> QuotedMessage {
        let excerpt = (!self.deleted).then(|| excerpt(&self.text));
        QuotedMessage { author: self.author.clone(), excerpt }
    }

    /// Returns its index in the group of the entry above, whose index there is `above`: 0 if it starts a group.
    pub(super) fn group_index_after(&self, above: u8) -> u8 {
        match self.delivery {
            // The index that it has in the log, unless the entries between are hidden.
            DeliveryState::Confirmed { .. } => self.group_index,
            _ => (above + 1) % MAX_ENTRIES_PER_GROUP,
        }
    }

    pub(super) fn edit(&mut self, text: Arc<str>) {
        self.text = text;
        self.edited = true;
    }

    /// Returns `true` if it is another user's and addresses `user`.
    pub(super) fn is_to(&self, user: UserId) -> bool {
        !self.deleted && self.author.id != user && self.mentions.is_to(user)
    }

    pub(super) fn delete(&mut self) {
        self.text = Arc::default();
        self.reactions = Reactions::default();
        self.mentions = Mentions::default();
        self.files = Files::default();
        self.deleted = true;
    }

    pub(super) fn continues_group(&self, before: &Self) -> bool {
        let is_soon = match (self.delivery.at(), before.delivery.at()) {
            (Some(now), Some(then)) => now.saturating_sub(then) < GROUPING_WINDOW_MS,
            _ => true,
        };
        self.author.id == before.author.id && is_soon
    }
}

impl From<Message> for Entry {
    fn from(message: Message) -> Self {
        let Message { seq, at, id, author, text, reply_to, edited_at, mentions, files, deleted, reactions } =
            message;
        let delivery = DeliveryState::Confirmed { seq, at };
        let edited = edited_at.is_some();
        Self {
            id,
            author,
            text,
            reply_to,
            mentions,
            files,
            edited,
            deleted,
            reactions,
            delivery,
            group_index: 0,
        }
    }
}

impl DeliveryState {
    /// Returns its position in the log, if it is confirmed.
    pub fn seq(&self) -> Option<Seq> {
        if let Self::Confirmed { seq, .. } = self { Some(*seq) } else { None }
    }

    /// Returns when it was committed, if it is confirmed.
    pub fn at(&self) -> Option<Millis> {
        if let Self::Confirmed { at, .. } = self { Some(*at) } else { None }
    }

    /// Returns why it has failed, if it has.
    pub fn failure(&self) -> Option<ErrorCode> {
        if let Self::Failed { why } = self { Some(*why) } else { None }
    }

    /// Returns its name for style sheets and tests.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Pending => "pending",
            Self::Failed { .. } => "failed",
        }
    }
}
