//! The parts of an upload: an object each, named by the place where it begins.

use super::FileError;
use app::wire::FileId;
use axum::body::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of a part, but of the last one.
pub const MIN_PART_BYTES: usize = 64 * 1_024;

/// Bytes of a part.
pub const MAX_PART_BYTES: usize = 1_024 * 1_024;

/// Parts that are read, or removed, at once.
const READ_AHEAD: usize = 8;

/// The longest time in which a part is read, with further attempts.
const READ_TIMEOUT: Duration = Duration::from_secs(45);

/// A part of an upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The place where it begins.
    offset: u64,
    /// Its bytes.
    length: u64,
}

/// Returns the path of the part that begins at `offset`.
pub(super) fn path(id: FileId, offset: u64) -> Path {
    Path::from(format!("parts/{}/{offset:016}", id.simple()))
}

/// The parts of one upload.
pub(super) struct Parts<'a> {
    objects: &'a dyn ObjectStore,
    id: FileId,
}

impl<'a> Parts<'a> {
    pub(super) fn new(objects: &'a dyn ObjectStore, id: FileId) -> Self {
        Self { objects, id }
    }

    /// Returns the parts that make the `size` bytes of the upload, in order.
    ///
    /// # Errors
    /// [`FileError::Broken`] if they do not: a part that another request has replaced may have another length.
    pub(super) async fn list(&self, size: u64) -> Result<Vec<Part>, FileError> {
        let mut found = Vec::new();
        let mut listed = self.objects.list(Some(&self.folder()));
        while let Some(part) = listed.try_next().await? {
            let offset = part.location.filename().and_then(|name| name.parse().ok());
            // A part that was refused may be behind the end.
            let offset = offset.filter(|offset| *offset < size);
            found.extend(offset.map(|offset| Part { offset, length: part.size }));
            if found.len() as u64 > size / MIN_PART_BYTES as u64 + 1 {
                return Err(FileError::Broken);
            }
        }
        found.sort_unstable_by_key(|part| part.offset);
        let mut end = 0;
        for part in &found {
            if part.offset != end || part.length == 0 {
                return Err(FileError::Broken);
            }
            end += part.length;
        }
        if end == size { Ok(found) } else { Err(FileError::Broken) }
    }

    /// Returns the first bytes, as far as the first part has them.
    pub(super) async fn read_begin(&self, list: &[Part], bytes: usize) -> Result<Bytes, FileError> {
        let first = self.part(*list.first().ok_or(FileError::Broken)?).await?;
        Ok(first.slice(..first.len().min(bytes)))
    }

    /// Reads the parts of a list in order: [`READ_AHEAD`] at a time are in memory.
    pub(super) fn read<'b>(&'b self, list: &'b [Part]) -> BoxStream<'b, Result<Bytes, FileError>> {
        stream::iter(list).map(|part| self.part(*part)).buffered(READ_AHEAD).boxed()
    }

    /// Returns all bytes.
    pub(super) async fn read_all(&self, list: &[Part]) -> Result<Vec<u8>, FileError> {
        let size = list.last().map_or(0, |last| last.offset + last.length);
        let mut all = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut parts = self.read(list);
        while let Some(part) = parts.try_next().await? {
            all.extend_from_slice(&part);
        }
        Ok(all)
    }

    /// Removes them.
    pub(super) async fn remove(&self) -> Result<(), FileError> {
        let found: Vec<_> = self.objects.list(Some(&self.folder())).try_collect().await?;
        let removed =
            stream::iter(found).map(|part| async move { remove(self.objects, &part.location).await });
        removed.buffer_unordered(READ_AHEAD).try_collect().await
    }

    fn folder(&self) -> Path {
        Path::from(format!("parts/{}", self.id.simple()))
    }

    async fn part(&self, part: Part) -> Result<Bytes, FileError> {
        let bytes = async { self.objects.get(&path(self.id, part.offset)).await?.bytes().await };
        match timeout(READ_TIMEOUT, bytes).await.map_err(|_| FileError::Busy)? {
            Ok(bytes) if bytes.len() as u64 == part.length => Ok(bytes),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Err(FileError::Broken),
            Err(error) => Err(error.into()),
        }
    }
}

/// Removes an object, unless it is gone already.
pub(super) async fn remove(objects: &dyn ObjectStore, path: &Path) -> Result<(), FileError> {
    match objects.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
