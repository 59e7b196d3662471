//! Files: how they come in, where their bytes are, and how they go.
//!
//! The bytes are in an [object store](objects): a folder beside the messages, or a bucket that several servers share. What they
//! are of is in the [store](crate::store::FileStore). An upload comes in parts, each an object of its own, so that it can
//! continue on another server; when it is complete, the parts become one object under the hash of what it has.

mod bucket;
mod copy;
mod finish;
mod import;
mod kind;
mod name;
pub mod objects;
mod parts;
mod picture;
mod put;
mod staged;
mod sweep;
mod turns;

pub use copy::{Copied, copy_contents};
pub use import::ImportedFile;
pub use kind::{Kind, OTHER, is_shown};
pub use name::{clean_alt, clean_name};
pub use parts::{MAX_PART_BYTES, MIN_PART_BYTES};
pub use picture::{MAX_PICTURE_BYTES, MAX_PIXELS, MAX_SIDE, PictureError, prepare};
pub use staged::StagedFiles;

use crate::{
    hexadecimal,
    limits::network::Network,
    store::{ContentHash, NewFile, Store, StoreError, StoredFile},
};
use app::wire::{FileId, FileInfo, RoomName, UserId};
use axum::body::Bytes;
use finish::Finishing;
use futures_util::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, path::Path};
use objects::Objects;
use parts::Parts;
use std::{
    ops::Range,
    sync::{Arc, Mutex},
};
use turns::Turns;
use uuid::Uuid;

/// The end of the name of a thumbnail.
const THUMBNAIL_SUFFIX: &str = ".thumbnail";

/// The size limits of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Bytes of one file; 0 for no files.
    pub max_bytes: u64,
    /// Bytes of all files.
    pub quota: u64,
}

/// The reason why a file is refused, or cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file has too many bytes, or none.
    #[error("a file has 1 to {0} bytes")]
    Size(u64),
    /// The part does not follow those that have come.
    #[error("the part does not follow those that have come")]
    Offset(u64),
    /// The part is too short or too long.
    #[error("a part has {MIN_PART_BYTES} to {MAX_PART_BYTES} bytes, only the last one fewer")]
    PartSize,
    /// The parts do not make the file that was announced.
    #[error("the upload is broken; begin again")]
    Broken,
    /// The picture is refused.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The server has too much to do.
    #[error("the server is busy")]
    Busy,
    /// The store has refused it, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store has failed.
    #[error("{0}")]
    Objects(#[from] object_store::Error),
}

/// The progress of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have come.
    pub received: u64,
    /// The file, once it is complete.
    pub file: Option<FileInfo>,
    /// A message shows the file, or is about to: no other one can.
    pub is_claimed: bool,
}

/// The bytes of a file as they are read.
pub type FileStream = BoxStream<'static, object_store::Result<Bytes>>;

/// The files of a server.
pub struct FileService {
    store: Arc<dyn Store>,
    objects: Arc<dyn ObjectStore>,
    limits: FileLimits,
    turns: Turns,
    finishing: Finishing,
    /// What is staged in the folder of files, if they are in one. A step holds the lock while it blocks a thread of its own.
    staged: Option<Arc<Mutex<StagedFiles>>>,
}

impl FileService {
    /// Creates the service of a server whose files are in `objects`.
    pub fn new(store: Arc<dyn Store>, objects: impl Into<Objects>, limits: FileLimits) -> Self {
        let Objects { store: objects, folder } = objects.into();
        let staged = folder.map(|folder| Arc::new(Mutex::new(StagedFiles::new(folder))));
        Self { store, objects, limits, turns: Turns::default(), finishing: Finishing::new(), staged }
    }

    /// Returns how large files may be.
    pub fn limits(&self) -> FileLimits {
        self.limits
    }

    /// Begins an upload of `owner`, who may post in `room`, from `network` if networks are limited.
    ///
    /// # Errors
    /// [`FileError::Size`], [`FileError::Store`].
    pub async fn create(
        &self,
        owner: UserId,
        network: Option<Network>,
        room: RoomName,
        (name, alt): (&str, &str),
        size: u64,
    ) -> Result<FileId, FileError> {
        // Random: a user without the right to the room must not guess it either.
        let id = Uuid::new_v4();
        let (name, alt) = (clean_name(name).into(), clean_alt(alt).into());
        self.begin(NewFile { id, owner, room, name, alt, size, network, is_imported: false }).await?;
        Ok(id)
    }

    async fn begin(&self, file: NewFile) -> Result<(), FileError> {
        if file.size == 0 || file.size > self.limits.max_bytes {
            return Err(FileError::Size(self.limits.max_bytes));
        }
        Ok(self.store.create_file(file, self.limits.quota).await?)
    }

    /// Adds the part of an upload of `owner` that begins at `offset`. The last one completes the file; an empty part tries that
    /// again.
    ///
    /// # Cancel safety
    /// This method is cancel safe: what has come stays, and the client asks how far that is. A file that is being completed is
    /// completed also without the caller; the next call waits for that.
    ///
    /// # Errors
    /// [`FileError`]; a picture that is refused is forgotten.
    pub async fn append(
        self: &Arc<Self>,
        id: FileId,
        owner: UserId,
        offset: u64,
        part: Bytes,
    ) -> Result<Progress, FileError> {
        let turn = self.turns.take(id).await;
        let file = self.upload(id, owner).await?;
        let received = self.add_part(&file, offset, part).await?;
        if received < file.size {
            return Ok(Progress { received, file: None, is_claimed: false });
        }
        let file = if file.is_ready { file.info } else { self.finish_in_task(id, owner, turn).await? };
        Ok(Progress { received, file: Some(file), is_claimed: false })
    }

    /// Returns how many bytes of the upload have come with the part.
    async fn add_part(&self, file: &StoredFile, offset: u64, part: Bytes) -> Result<u64, FileError> {
        if file.received != offset {
            return Err(FileError::Offset(file.received));
        }
        let end = offset.saturating_add(part.len() as u64);
        let is_short = part.len() < MIN_PART_BYTES && end < file.size;
        if end > file.size || part.len() > MAX_PART_BYTES || is_short {
            return Err(FileError::PartSize);
        }
        if part.is_empty() {
            return Ok(end);
        }
        // The store decides when it notes the part. What surely does not fit need not be written.
        if self.store.file_bytes().await?.saturating_add(part.len() as u64) > self.limits.quota {
            return Err(StoreError::FilesFull.into());
        }
        let id = file.info.id;
        self.objects.put(&parts::path(id, offset), part.into()).await?;
        match self.store.note_part(id, offset, end, self.limits.quota).await {
            Ok(received) if received == end => Ok(end),
            Ok(received) => Err(FileError::Offset(received)),
            Err(error) => {
                if matches!(error, StoreError::FileNotFound) {
                    // The upload was forgotten meanwhile, and nothing else knows of this part.
                    Parts::new(&*self.objects, id).remove().await?;
                }
                Err(error.into())
            }
        }
    }

    /// Returns how far an upload of `owner` is.
    ///
    /// # Errors
    /// [`FileError::Store`].
    pub async fn progress(&self, id: FileId, owner: UserId) -> Result<Progress, FileError> {
        let file = self.upload(id, owner).await?;
        let is_claimed = file.message.is_some();
        Ok(Progress { received: file.received, file: file.is_ready.then_some(file.info), is_claimed })
    }

    /// Announces that an upload of `owner` has `size` bytes, fewer than was said first.
    ///
    /// # Errors
    /// [`FileError::Store`].
    pub async fn resize(&self, id: FileId, owner: UserId, size: u64) -> Result<(), FileError> {
        Ok(self.store.shrink_file(id, owner, size).await?)
    }

    /// Sets what is said of a file of `owner` that is in no message.
    ///
    /// # Errors
    /// [`FileError::Store`].
    pub async fn describe(&self, id: FileId, owner: UserId, alt: &str) -> Result<(), FileError> {
        Ok(self.store.describe_file(id, owner, clean_alt(alt).into()).await?)
    }

    /// Forgets an upload of `owner` that is in no message.
    ///
    /// # Errors
    /// [`FileError::Store`], [`FileError::Objects`].
    pub async fn forget(&self, id: FileId, owner: UserId) -> Result<(), FileError> {
        let file = self.upload(id, owner).await?;
        if file.message.is_none() {
            Parts::new(&*self.objects, id).remove().await?;
            self.store.forget_file(id, Some(owner)).await?;
        }
        Ok(())
    }

    /// Returns the bytes of a file, or of a part of them.
    ///
    /// # Errors
    /// [`FileError::Objects`]: of a file that is posted the bytes are there, unless the object store has lost them.
    pub async fn read(
        &self,
        content: ContentHash,
        range: Option<Range<u64>>,
    ) -> Result<FileStream, FileError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(self.objects.get_opts(&content_path(content), options).await?.into_stream())
    }

    /// Returns how many bytes of a content there are; `None` if the object store does not have it.
    ///
    /// # Errors
    /// [`FileError::Objects`].
    pub async fn size(&self, content: ContentHash) -> Result<Option<u64>, FileError> {
        match self.objects.head(&content_path(content)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the thumbnail of a picture.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn thumbnail(&self, content: ContentHash) -> Result<Bytes, FileError> {
        Ok(self.objects.get(&thumbnail_path(content)).await?.bytes().await?)
    }

    async fn upload(&self, id: FileId, owner: UserId) -> Result<StoredFile, FileError> {
        let file = self.store.file(id).await?.filter(|file| file.owner == owner);
        Ok(file.ok_or(StoreError::FileNotFound)?)
    }
}

fn content_path(hash: ContentHash) -> Path {
    Path::from(hexadecimal::encode(&hash))
}

fn thumbnail_path(hash: ContentHash) -> Path {
    Path::from(format!("{}{THUMBNAIL_SUFFIX}", hexadecimal::encode(&hash)))
}
