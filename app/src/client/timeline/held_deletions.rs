//! Deletions that their author can still undo.

use super::{Entry, PendingChange, Timeline};
use crate::{
    client::{Command, OutboxOperation},
    wire::{CommandId, User},
};

impl Timeline {
    /// Hides the message that `deletion` deletes, until [`release_deletion`](Self::release_deletion) or
    /// [`remove_pending`](Self::remove_pending).
    pub fn hold_deletion(&mut self, deletion: &Command, author: User) {
        self.changes.push(PendingChange { command: deletion.clone(), author, refused: None, is_held: true });
    }

    /// Shows a held deletion as one that is being sent, and returns it; `None` if it is no longer held.
    pub fn release_deletion(&mut self, id: CommandId) -> Option<Command> {
        let change = self.changes.iter_mut().find(|change| change.command.id == id && change.is_held)?;
        change.is_held = false;
        Some(change.command.clone())
    }

    /// Returns the deletions that can still be undone, oldest first.
    pub fn held_deletions(&self) -> Vec<Command> {
        self.changes.iter().filter(|change| change.is_held).map(|change| change.command.clone()).collect()
    }

    /// Returns `true` if the entry's deletion is held.
    pub(super) fn is_hidden(&self, entry: &Entry) -> bool {
        let seq = entry.delivery.seq();
        let hides = |change: &PendingChange| {
            change.is_held
                && matches!(change.command.operation, OutboxOperation::Delete { target } if Some(target) == seq)
        };
        !self.changes.is_empty() && self.changes.iter().any(hides)
    }
}
