//! Deletions that can still be undone.

use super::{Change, Feed, Row};
use crate::{
    client::{Command, Deed},
    wire::{CommandId, User},
};

impl Feed {
    /// Hides the message that `deletion` deletes, until [`release`](Self::release) or [`forget`](Self::forget).
    pub fn hold(&mut self, deletion: &Command, author: User) {
        self.changes.push(Change { command: deletion.clone(), author, refused: None, held: true });
    }

    /// Shows a held deletion as one that is being sent, and returns it; `None` if it is no longer held.
    pub fn release(&mut self, id: CommandId) -> Option<Command> {
        let change = self.changes.iter_mut().find(|change| change.command.id == id && change.held)?;
        change.held = false;
        Some(change.command.clone())
    }

    /// The deletions that can still be undone, oldest first.
    pub fn held(&self) -> Vec<Command> {
        self.changes.iter().filter(|change| change.held).map(|change| change.command.clone()).collect()
    }

    /// Returns whether the row's deletion is held.
    pub(super) fn is_hidden(&self, row: &Row) -> bool {
        let seq = row.standing.seq();
        let hides = |change: &Change| {
            change.held && matches!(change.command.deed, Deed::Delete { target } if Some(target) == seq)
        };
        !self.changes.is_empty() && self.changes.iter().any(hides)
    }
}
