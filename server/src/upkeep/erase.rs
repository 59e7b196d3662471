//! Erasures: everything of a user becomes deleted, step by step.

use crate::store::{NewEvent, Store, StoreError, StoreResult, UserContent, UserRecord};
use app::wire::{Operation, UserId};
use uuid::Uuid;

/// Deletes the next messages of a user whose erasure has begun, and takes back their next reactions, as the user could have
/// done: everyone who follows the rooms sees it. A step that was interrupted is repeated, and finds what is left. Returns
/// `true` when the erasure is finished.
///
/// # Errors
/// [`StoreError::Backend`]; what was done is done.
pub async fn erase_step(store: &dyn Store, user: UserId) -> StoreResult<bool> {
    let Some(erasure) = store.erasure(user).await?.filter(|erasure| erasure.finished_at.is_none()) else {
        return Ok(true);
    };
    let found = store.user_records(user, erasure.position).await?;
    let removals: Vec<_> =
        found.records.into_iter().map(|record| store.append(removal(user, record))).collect();
    let mut erased = 0;
    for removal in removals {
        match removal.await {
            Ok(_) => erased += 1,
            // Another user or a sweep has removed it meanwhile.
            Err(StoreError::MessageNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    store.note_erased(user, erased, found.next).await?;
    Ok(found.next.is_none())
}

fn removal(user: UserId, record: UserRecord) -> NewEvent {
    let operation = match record.content {
        UserContent::Message { .. } => Operation::Delete { target: record.seq },
        UserContent::Reaction { target, emoji } => Operation::React { target, emoji, on: false },
    };
    NewEvent::new(Uuid::now_v7(), record.room, user, operation)
}
