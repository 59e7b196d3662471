//! One change of an upload at a time.

use app::wire::FileId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The right to change an upload, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// The uploads that this server changes now: one part, or the end of an upload, after the other.
#[derive(Default)]
pub(super) struct Turns {
    /// Sections under this lock are short and never wait. It has an entry for each upload that a request or a task is about.
    taken: Mutex<HashMap<FileId, Weak<AsyncMutex<()>>>>,
}

impl Turns {
    /// Waits until no other request or task of this server changes the upload.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub(super) async fn take(&self, id: FileId) -> Turn {
        self.lock(id).lock_owned().await
    }

    fn lock(&self, id: FileId) -> Arc<AsyncMutex<()>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = taken.get(&id).and_then(Weak::upgrade) {
            return lock;
        }
        taken.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        taken.insert(id, Arc::downgrade(&lock));
        lock
    }
}
