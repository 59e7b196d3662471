//! Objects whose bytes come one after the other.

use super::FileError;
use crate::store::ContentHash;
use axum::body::Bytes;
use futures_util::{Stream, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart, path::Path};
use sha2::{Digest, Sha256};

/// Chunks that are under way at once: no more of an object is in memory.
const MAX_CHUNKS: usize = 2;

/// Puts an object in chunks. If that fails, or the bytes have another hash than the `expected` one, no object is there, and
/// of the chunks nothing stays if the object store can be reached.
///
/// # Errors
/// [`FileError::Broken`] if the hash is another one; [`FileError::Objects`], and those of `bytes`.
pub(super) async fn put_stream(
    objects: &dyn ObjectStore,
    path: &Path,
    bytes: impl Stream<Item = Result<Bytes, FileError>> + Unpin,
    expected: Option<ContentHash>,
) -> Result<(), FileError> {
    let mut writer = WriteMultipart::new(objects.put_multipart(path).await?);
    let written = write_all(&mut writer, bytes).await;
    // Parts may have come a second time meanwhile, with other bytes. Nothing but what the hash says may be under it: another
    // user's file of the same content would show it.
    let is_expected = |hash: ContentHash| expected.is_none_or(|expected| expected == hash);
    match written.and_then(|hash| if is_expected(hash) { Ok(()) } else { Err(FileError::Broken) }) {
        Ok(()) => Ok(writer.finish().await.map(drop)?),
        Err(error) => {
            // The first error counts. A bucket has a rule for what stays.
            let _ = writer.abort().await;
            Err(error)
        }
    }
}

/// Returns the hash of what was written.
async fn write_all(
    writer: &mut WriteMultipart,
    mut bytes: impl Stream<Item = Result<Bytes, FileError>> + Unpin,
) -> Result<ContentHash, FileError> {
    let mut digest = Sha256::new();
    while let Some(part) = bytes.try_next().await? {
        digest.update(&part);
        writer.wait_for_capacity(MAX_CHUNKS).await?;
        writer.put(part);
    }
    Ok(digest.finalize().into())
}
