//! Copies of files: for a backup, for its restore, and for a move to another place.

use super::{FileError, content_path, put::put_stream, thumbnail_path};
use crate::store::ContentHash;
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

/// The number of files that were copied, and of those that were not found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files that are at the target now.
    pub files: u64,
    /// Files that the source does not have.
    pub missing: u64,
}

/// Copies contents with their thumbnails, without those that the target has already. One chunk of a file is in memory.
///
/// # Errors
/// [`FileError::Objects`]; what was copied stays.
pub async fn copy_contents(
    from: &dyn ObjectStore,
    to: &dyn ObjectStore,
    contents: &[ContentHash],
) -> Result<Copied, FileError> {
    let mut copied = Copied::default();
    for hash in contents {
        // Only pictures have one. The content comes last, so that one that is there is complete.
        copy_object(from, to, &thumbnail_path(*hash)).await?;
        if copy_object(from, to, &content_path(*hash)).await? {
            copied.files += 1;
        } else {
            copied.missing += 1;
        }
    }
    Ok(copied)
}

/// Returns `false` if the source does not have the object.
async fn copy_object(from: &dyn ObjectStore, to: &dyn ObjectStore, path: &Path) -> Result<bool, FileError> {
    let found = match from.get(path).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if to.head(path).await.is_ok_and(|there| there.size == found.meta.size) {
        return Ok(true);
    }
    put_stream(to, path, found.into_stream().map_err(FileError::from), None).await?;
    Ok(true)
}
