//! One message as a browser has it.

use crate::wire::{CommandId, ErrorCode, Message, Millis, Seq, User};
use std::sync::Arc;

/// Lines of one person within this time stand together under one head.
pub(super) const TOGETHER: Millis = 5 * 60 * 1_000;

/// Lines under one head, at most: then the name stands there again, so that it is in sight wherever one reads.
const MAX_LINES_PER_HEAD: u8 = 10;

/// A message as one browser has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The command that posted it.
    pub id: CommandId,
    /// Whose it is.
    pub author: User,
    /// What it says.
    pub text: Arc<str>,
    /// Its author has changed it.
    pub edited: bool,
    /// Its author took it back.
    pub deleted: bool,
    /// How far it has come.
    pub standing: Standing,
    /// Its place under the head that it stands under, from 0; after the last place a new head begins. Kept with the
    /// row, so that heads stay where they are when rows before it come or go.
    pub(super) place: u8,
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It stands in the log.
    Confirmed {
        /// Its place.
        seq: Seq,
        /// When it was committed.
        at: Millis,
    },
    /// It waits for the server.
    Pending,
    /// The server does not take it.
    Failed {
        /// Why.
        why: ErrorCode,
    },
}

/// Gives the rows from `from` on their places under their heads.
pub(super) fn number(rows: &mut [Row], from: usize) {
    for at in from..rows.len() {
        let (before, rest) = rows.split_at_mut(at);
        if let (Some(before), Some(row)) = (before.last(), rest.first_mut()) {
            row.place = if row.continues(before) { (before.place + 1) % MAX_LINES_PER_HEAD } else { 0 };
        }
    }
}

impl Row {
    /// A row that stands in no log yet.
    pub(super) fn written(id: CommandId, author: User, text: Arc<str>, standing: Standing) -> Self {
        Self { id, author, text, edited: false, deleted: false, standing, place: 0 }
    }

    /// Its place under the head of the row above, whose place there is `above`: 0 for a head of its own.
    pub(super) fn place_after(&self, above: u8) -> u8 {
        match self.standing {
            // The place that it has in the log, unless the rows between were hidden.
            Standing::Confirmed { .. } => self.place,
            _ => (above + 1) % MAX_LINES_PER_HEAD,
        }
    }

    pub(super) fn edit(&mut self, text: Arc<str>) {
        self.text = text;
        self.edited = true;
    }

    pub(super) fn delete(&mut self) {
        self.text = Arc::default();
        self.deleted = true;
    }

    pub(super) fn continues(&self, before: &Self) -> bool {
        let soon = match (self.standing.at(), before.standing.at()) {
            (Some(now), Some(then)) => now.saturating_sub(then) < TOGETHER,
            _ => true,
        };
        self.author.id == before.author.id && soon
    }
}

impl From<Message> for Row {
    fn from(message: Message) -> Self {
        let Message { seq, at, id, author, text, edited_at, deleted, .. } = message;
        let standing = Standing::Confirmed { seq, at };
        Self { id, author, text, edited: edited_at.is_some(), deleted, standing, place: 0 }
    }
}

impl Standing {
    /// Its place in the log, once it has one.
    pub fn seq(&self) -> Option<Seq> {
        if let Self::Confirmed { seq, .. } = self { Some(*seq) } else { None }
    }

    /// When it was committed.
    pub fn at(&self) -> Option<Millis> {
        if let Self::Confirmed { at, .. } = self { Some(*at) } else { None }
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<ErrorCode> {
        if let Self::Failed { why } = self { Some(*why) } else { None }
    }

    /// One word for style sheets and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Pending => "pending",
            Self::Failed { .. } => "failed",
        }
    }
}
