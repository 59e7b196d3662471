//! The files of a message, on the way from its author to the store.

use crate::{
    http::identity::Identity,
    state::AppState,
    store::{Appended, NewEvent, PendingCommit, Store, StoreResult},
};
use app::wire::{
    CommandId, FileId, InvalidText, Operation, RoomName, UserId, limits::MAX_FILES, trim_message,
};
use futures_util::FutureExt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Returns the text of a message with `files` files as it is stored. One without a text of its own gets the names of its files
/// when it [gets them](append_with_files).
///
/// # Errors
/// [`InvalidText`].
pub fn message_text(text: &str, files: usize) -> Result<String, InvalidText> {
    match trim_message(text) {
        Err(InvalidText::Blank) if files > 0 => Ok(String::new()),
        trimmed => trimmed.map(Into::into),
    }
}

/// Claims files, which the author of `event` has uploaded, for its message, and appends that; the first [`MAX_FILES`] count.
/// The store reserves the position of the event before this resolves. If the append is refused, or the caller is gone before
/// its end, the claim is released.
///
/// # Errors
/// Those of [`FileStore::claim_files`](crate::store::FileStore::claim_files).
pub async fn append_with_files(
    state: &AppState,
    event: NewEvent,
    files: Vec<FileId>,
) -> StoreResult<PendingCommit<Appended>> {
    if files.is_empty() {
        return Ok(state.store.append(event));
    }
    // Boxed, because most messages never need the room for it.
    Box::pin(claim_and_append(state, event, files)).await
}

async fn claim_and_append(
    state: &AppState,
    mut event: NewEvent,
    mut files: Vec<FileId>,
) -> StoreResult<PendingCommit<Appended>> {
    files.truncate(MAX_FILES);
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|id| seen.insert(*id));
    let claim = Claim { store: Some(state.store.clone()), owner: event.author, message: event.id };
    event.files = state.store.claim_files(event.author, event.room.clone(), event.id, files).await?;
    if let Operation::Post { text, .. } = &mut event.operation
        && text.is_empty()
    {
        *text = event.files.names().into();
    }
    let appended = state.store.append(event);
    Ok(async move { claim.settle(appended.await).await }.boxed())
}

/// The claim of files for a command. Dropped before it is settled, it is released in the background: if its command is
/// appended nevertheless, that finds its files again.
struct Claim {
    store: Option<Arc<dyn Store>>,
    owner: UserId,
    message: CommandId,
}

impl Claim {
    /// Releases the files of a command that was refused.
    async fn settle(mut self, appended: StoreResult<Appended>) -> StoreResult<Appended> {
        if let Some(store) = &self.store
            && appended.is_err()
        {
            store.release_files(self.owner, self.message).await.ok();
        }
        self.store = None;
        appended
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(store) = self.store.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(store.release_files(self.owner, self.message));
        }
    }
}

impl AppState {
    /// Checks that a user may upload files for a room.
    ///
    /// # Errors
    /// Those of a post.
    pub async fn may_upload(&self, identity: Identity, room: &RoomName) -> StoreResult<()> {
        let admission = self.enter(identity, Some(room)).await?;
        crate::store::may_upload_to(room, &admission.standing)
    }
}
