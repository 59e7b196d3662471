//! The removal of what no message shows: uploads that were given up, contents that no file has any more, and what is staged.

use super::{
    FileError, FileService, content_path,
    parts::{Parts, remove},
    thumbnail_path,
};
use crate::store::MAX_REMOVED_PER_STEP;
use std::sync::PoisonError;
use tokio::task::spawn_blocking;

impl FileService {
    /// Removes the next abandoned uploads, unused contents and bytes that a killed server has staged. Returns `true` if
    /// there may be more uploads and contents. What was interrupted is done by the next step.
    ///
    /// # Errors
    /// [`FileError::Store`], [`FileError::Objects`].
    pub async fn sweep(&self) -> Result<bool, FileError> {
        let abandoned = self.store.abandoned_files().await?;
        for id in &abandoned {
            Parts::new(&*self.objects, *id).remove().await?;
            self.store.forget_file(*id, None).await?;
        }
        let unused = self.store.take_unused_contents().await?;
        for hash in &unused {
            remove(&*self.objects, &content_path(*hash)).await?;
            remove(&*self.objects, &thumbnail_path(*hash)).await?;
        }
        let is_full = |count: usize| count >= MAX_REMOVED_PER_STEP as usize;
        let has_more = is_full(abandoned.len()) || is_full(unused.len());
        if !unused.is_empty() {
            self.store.forget_contents(unused).await?;
        }
        self.remove_staged().await?;
        Ok(has_more)
    }

    async fn remove_staged(&self) -> Result<(), FileError> {
        let Some(staged) = self.staged.clone() else { return Ok(()) };
        let step = spawn_blocking(move || staged.lock().unwrap_or_else(PoisonError::into_inner).step());
        let failed = |error| object_store::Error::Generic { store: "folder", source: Box::new(error) };
        step.await.map_err(|_| FileError::Busy)?.map_err(failed)?;
        Ok(())
    }
}
