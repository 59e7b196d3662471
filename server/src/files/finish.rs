//! The end of an upload: its parts become one object under the hash of what it has. It is done in a task, because it may
//! take longer than a request, and one that began again at each request might never end.

use super::{
    FileError, FileService, Kind, MAX_PICTURE_BYTES, OTHER, PictureError, content_path,
    kind::SNIFFED_BYTES,
    parts::{Part, Parts},
    picture::Picture,
    prepare,
    put::put_stream,
    thumbnail_path,
    turns::Turn,
};
use crate::store::{Content, ContentHash, ContentState, StoredFile};
use app::wire::{FileId, FileInfo, UserId};
use futures_util::TryStreamExt;
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::spawn_blocking, time::sleep};

/// Pictures that are decoded at once.
const MAX_PICTURES_AT_ONCE: usize = 1;

/// Uploads that are put together at once: each has a few parts in memory, or a picture.
const MAX_FINISHING: usize = 2;

/// Uploads that wait for that.
const MAX_TASKS: usize = 1_000;

/// The number of attempts for a content that is being removed, or a file that another server finishes, and the pause after
/// each.
const WAIT_ATTEMPTS: u32 = 20;
const WAIT_PAUSE: Duration = Duration::from_millis(250);

/// A file before its bytes are put.
struct Prepared {
    info: FileInfo,
    content: Content,
    bytes: PreparedBytes,
}

/// The place of the bytes of a file before they are put.
enum PreparedBytes {
    /// They are the parts.
    Parts,
    /// The picture that was made of the parts, and its thumbnail.
    Picture { picture: Vec<u8>, thumbnail: Vec<u8> },
}

/// The limits of uploads that end at once.
pub(super) struct Finishing {
    tasks: Arc<Semaphore>,
    slots: Semaphore,
    pictures: Arc<Semaphore>,
}

impl Finishing {
    pub(super) fn new() -> Self {
        Self {
            tasks: Arc::new(Semaphore::new(MAX_TASKS)),
            slots: Semaphore::new(MAX_FINISHING),
            pictures: Arc::new(Semaphore::new(MAX_PICTURES_AT_ONCE)),
        }
    }
}

impl FileService {
    /// Finishes a complete upload in a task, which goes on without the caller and keeps the turn until it has ended.
    pub(super) async fn finish_in_task(
        self: &Arc<Self>,
        id: FileId,
        owner: UserId,
        turn: Turn,
    ) -> Result<FileInfo, FileError> {
        let place = self.finishing.tasks.clone().try_acquire_owned().map_err(|_| FileError::Busy)?;
        let service = self.clone();
        let task = tokio::spawn(async move {
            let _held = (place, turn);
            service.finish_or_forget(id, owner).await
        });
        task.await.map_err(|_| FileError::Busy)?
    }

    /// Finishes an upload, or forgets it if it is of no use.
    async fn finish_or_forget(&self, id: FileId, owner: UserId) -> Result<FileInfo, FileError> {
        let refused = match self.finish(id, owner).await {
            Err(refused @ (FileError::Picture(_) | FileError::Broken)) => refused,
            finished => return finished,
        };
        // The parts may be gone, or be others, because another server finishes the upload.
        for _ in 0..WAIT_ATTEMPTS {
            let file = self.upload(id, owner).await?;
            if let Some(finished) = self.finished(&file).await? {
                return Ok(finished);
            }
            if file.content.is_none() {
                break;
            }
            sleep(WAIT_PAUSE).await;
        }
        self.forget(id, owner).await?;
        Err(refused)
    }

    /// Puts the parts of a complete upload together. Whatever was done before is not done again.
    async fn finish(&self, id: FileId, owner: UserId) -> Result<FileInfo, FileError> {
        let _slot = self.finishing.slots.acquire().await.map_err(|_| FileError::Busy)?;
        let file = &self.upload(id, owner).await?;
        if let Some(finished) = self.finished(file).await? {
            return Ok(finished);
        }
        let parts = Parts::new(&*self.objects, id);
        let list = parts.list(file.size).await?;
        let Prepared { info, content, bytes } = self.prepare(file, &parts, &list).await?;
        self.reserve(id, content, &info).await?;
        let put = match bytes {
            PreparedBytes::Parts => self.put_parts(content.hash, &parts, &list).await,
            PreparedBytes::Picture { picture, thumbnail } => {
                self.put_picture(content.hash, picture, thumbnail).await
            }
        };
        let stored = match put {
            Ok(()) => self.note_ready(id).await,
            failed => failed,
        };
        // The request that forgets a file does not know of bytes that come later.
        if stored.is_err() && self.store.file(id).await?.is_none() {
            self.release(content).await?;
        }
        stored.map(|()| info)
    }

    /// Returns an upload that is finished, but for the note of it: the server that has done it has stopped, or is another
    /// one.
    async fn finished(&self, file: &StoredFile) -> Result<Option<FileInfo>, FileError> {
        let Some(content) = file.content else { return Ok(None) };
        if !file.is_ready {
            if self.objects.head(&content_path(content)).await.is_err() {
                return Ok(None);
            }
            self.note_ready(file.info.id).await?;
        }
        Ok(Some(file.info.clone()))
    }

    async fn note_ready(&self, id: FileId) -> Result<(), FileError> {
        Parts::new(&*self.objects, id).remove().await?;
        Ok(self.store.note_ready(id).await?)
    }

    /// Finds out what the bytes are, and under which hash they are kept.
    async fn prepare(
        &self,
        file: &StoredFile,
        parts: &Parts<'_>,
        list: &[Part],
    ) -> Result<Prepared, FileError> {
        let begin = parts.read_begin(list, SNIFFED_BYTES).await?;
        let media_type = match Kind::of(&begin) {
            Kind::Picture(_) if file.size <= MAX_PICTURE_BYTES => {
                return self.prepare_picture(file, parts.read_all(list).await?).await;
            }
            // A picture that is too large to be looked into is only downloaded.
            Kind::Picture(_) => OTHER,
            kind => kind.media_type(),
        };
        let mut digest = Sha256::new();
        let mut bytes = parts.read(list);
        while let Some(part) = bytes.try_next().await? {
            digest.update(&part);
        }
        let info = FileInfo { media_type: media_type.into(), size: file.size, ..file.info.clone() };
        let content = Content { hash: digest.finalize().into(), bytes: file.size };
        Ok(Prepared { info, content, bytes: PreparedBytes::Parts })
    }

    async fn prepare_picture(&self, file: &StoredFile, bytes: Vec<u8>) -> Result<Prepared, FileError> {
        let turn = self.finishing.pictures.clone().acquire_owned().await.map_err(|_| FileError::Busy)?;
        let prepared = spawn_blocking(move || {
            // The place is given back when the work is done, not when its caller is gone.
            let _turn = turn;
            prepare(&bytes)
        });
        let Picture { bytes: picture, format, width, height, is_animated, thumbnail } =
            prepared.await.map_err(|_| FileError::Picture(PictureError::Damaged))??;
        let info = FileInfo {
            media_type: format.media_type().into(),
            size: picture.len() as u64,
            width: Some(width),
            height: Some(height),
            animated: is_animated,
            ..file.info.clone()
        };
        let hash = Sha256::digest(&picture).into();
        let content = Content { hash, bytes: (picture.len() + thumbnail.len()) as u64 };
        Ok(Prepared { info, content, bytes: PreparedBytes::Picture { picture, thumbnail } })
    }

    async fn put_picture(
        &self,
        hash: ContentHash,
        picture: Vec<u8>,
        thumbnail: Vec<u8>,
    ) -> Result<(), FileError> {
        // The picture comes last: if it is there, so is the thumbnail.
        self.objects.put(&thumbnail_path(hash), thumbnail.into()).await?;
        self.objects.put(&content_path(hash), picture.into()).await?;
        Ok(())
    }

    async fn put_parts(&self, hash: ContentHash, parts: &Parts<'_>, list: &[Part]) -> Result<(), FileError> {
        if self.objects.head(&content_path(hash)).await.is_ok() {
            return Ok(());
        }
        put_stream(&*self.objects, &content_path(hash), parts.read(list), Some(hash)).await
    }

    /// Gives a file its content. If the same content is being removed, waits for that.
    ///
    /// # Errors
    /// [`FileError::Broken`] if another server has given it other bytes, which came as the same part.
    async fn reserve(&self, id: FileId, content: Content, info: &FileInfo) -> Result<(), FileError> {
        for _ in 0..WAIT_ATTEMPTS {
            match self.store.reserve_content(id, content, info.clone(), self.limits.quota).await? {
                ContentState::Reserved => return Ok(()),
                ContentState::Different => return Err(FileError::Broken),
                ContentState::Removing => sleep(WAIT_PAUSE).await,
            }
        }
        Err(FileError::Busy)
    }

    /// Lets the sweep remove bytes that were put for a file that is gone. If it is removing them already, waits for that: it
    /// may have looked before they were there.
    async fn release(&self, content: Content) -> Result<(), FileError> {
        for _ in 0..WAIT_ATTEMPTS {
            if self.store.release_content(content).await? != ContentState::Removing {
                return Ok(());
            }
            sleep(WAIT_PAUSE).await;
        }
        Err(FileError::Busy)
    }
}
