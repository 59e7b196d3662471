//! What the columns of both kinds of database have in common.

use app::wire::{Operation, Seq, UserId};

/// The column `kind` of an event.
pub(super) mod kind {
    pub(in super::super) const MESSAGE: i16 = 0;
    pub(in super::super) const EDIT: i16 = 1;
    pub(in super::super) const DELETE: i16 = 2;
    pub(in super::super) const REACT: i16 = 3;
    pub(in super::super) const UNREACT: i16 = 4;
}

/// Returns the columns `kind`, `text`, `reply_to` and `target` of an event.
pub(super) fn of_operation(operation: &Operation) -> (i16, &str, Option<Seq>, Option<Seq>) {
    match operation {
        Operation::Post { text, reply_to } => (kind::MESSAGE, text, *reply_to, None),
        Operation::Edit { target, text } => (kind::EDIT, text, None, Some(*target)),
        Operation::Delete { target } => (kind::DELETE, "", None, Some(*target)),
        Operation::React { target, emoji, on: true } => (kind::REACT, emoji, None, Some(*target)),
        Operation::React { target, emoji, on: false } => (kind::UNREACT, emoji, None, Some(*target)),
    }
}

/// Returns a position as a database compares it; one that no event can have is after all events.
pub(super) fn position(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Returns the id of a user, which a database stores as a signed integer.
pub(super) fn user_id(id: i64) -> UserId {
    UserId(id.cast_unsigned())
}
