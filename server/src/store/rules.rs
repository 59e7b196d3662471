//! Who may do what: pure functions that a backend calls inside its transaction.

use super::{StoreError, StoreResult};
use app::wire::{Operation, UserId};

/// The message that an operation replies to, edits, deletes or reacts to. It exists and was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The author of the message.
    pub(super) author: UserId,
}

/// Decides whether `actor` may do `operation`. `owner` returns the owner of the room; it is called only if the
/// decision depends on it.
///
/// - Everyone may post, reply to a message that exists, and react to it.
/// - Only its author may edit a message.
/// - Its author and the owner of the room may delete a message.
///
/// # Errors
/// [`StoreError::MessageNotFound`] without the target that the operation needs; [`StoreError::Forbidden`].
pub(super) fn authorize(
    operation: &Operation,
    actor: UserId,
    target: Option<Target>,
    owner: impl FnOnce() -> Option<UserId>,
) -> StoreResult<()> {
    let allows = |is_allowed: bool| if is_allowed { Ok(()) } else { Err(StoreError::Forbidden) };
    match (operation, target) {
        (Operation::Post { reply_to: None, .. }, _)
        | (Operation::Post { .. } | Operation::React { .. }, Some(_)) => Ok(()),
        (_, None) => Err(StoreError::MessageNotFound),
        (Operation::Edit { .. }, Some(target)) => allows(target.author == actor),
        (Operation::Delete { .. }, Some(target)) => allows(target.author == actor || owner() == Some(actor)),
    }
}

/// Decides whether `actor` may change the title and topic of a room: its owner may.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub(super) fn authorize_update(actor: UserId, owner: Option<UserId>) -> StoreResult<()> {
    if owner == Some(actor) { Ok(()) } else { Err(StoreError::Forbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHOR: UserId = UserId(1);
    const OWNER: UserId = UserId(2);
    const OTHER: UserId = UserId(3);

    fn post(reply_to: Option<u64>) -> Operation {
        Operation::Post { text: "hello".into(), reply_to }
    }

    #[track_caller]
    fn allows(operation: Operation, target: Option<Target>, expected: [Result<(), &str>; 3]) {
        let results = [AUTHOR, OWNER, OTHER].map(|actor| {
            authorize(&operation, actor, target, || Some(OWNER)).map_err(|error| match error {
                StoreError::MessageNotFound => "not found",
                StoreError::Forbidden => "forbidden",
                error => panic!("{error}"),
            })
        });
        assert_eq!(results, expected, "author, owner and another user: {operation:?}");
    }

    #[test]
    fn each_operation_is_allowed_to_its_users_and_needs_its_target() {
        let target = Some(Target { author: AUTHOR });
        let (edit, delete) =
            (Operation::Edit { target: 1, text: "hi".into() }, Operation::Delete { target: 1 });
        let (yes, forbidden, missing) = (Ok(()), Err("forbidden"), Err("not found"));
        allows(post(None), None, [yes; 3]);
        allows(post(Some(1)), target, [yes; 3]);
        allows(post(Some(1)), None, [missing; 3]);
        let react = Operation::React { target: 1, emoji: "👍".into(), on: true };
        allows(react.clone(), target, [yes; 3]);
        allows(react, None, [missing; 3]);
        allows(edit.clone(), target, [yes, forbidden, forbidden]);
        allows(edit, None, [missing; 3]);
        allows(delete.clone(), target, [yes, yes, forbidden]);
        allows(delete, None, [missing; 3]);
    }

    #[test]
    fn only_the_owner_updates_a_room_and_a_room_without_an_owner_stays() {
        assert!(authorize_update(OWNER, Some(OWNER)).is_ok());
        assert!(authorize_update(OTHER, Some(OWNER)).is_err());
        assert!(authorize_update(OTHER, None).is_err());
    }
}
