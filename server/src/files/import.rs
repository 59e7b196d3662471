//! Files that come from the archive of a room. They take the way of an upload.

use super::{FileError, FileService};
use crate::store::{ContentHash, NewFile};
use app::wire::{FileId, FileInfo, RoomName, UserId};
use uuid::Uuid;

/// The state of a file of an archive when its import begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedFile {
    /// An import that was interrupted has brought it already.
    Ready(FileInfo),
    /// Its bytes are expected, from the first one on, as [parts](FileService::append) of an upload with this id.
    Begun(FileId),
}

impl FileService {
    /// Begins to add the file of a message of `owner` in `room`, with its name, description, size and hash from an archive. It keeps
    /// its id, unless another file has that.
    ///
    /// # Errors
    /// [`FileError::Size`], [`FileError::Store`], [`FileError::Objects`].
    pub async fn begin_import(
        &self,
        owner: UserId,
        room: RoomName,
        file: &FileInfo,
        content: ContentHash,
    ) -> Result<ImportedFile, FileError> {
        let id = match self.store.file(file.id).await? {
            None => file.id,
            Some(there) if there.owner == owner && there.room == room && there.message.is_none() => {
                let is_same = (&there.info.name, &there.info.alt) == (&file.name, &file.alt);
                if there.is_ready && there.content == Some(content) && is_same {
                    return Ok(ImportedFile::Ready(there.info));
                }
                self.forget(file.id, owner).await?;
                file.id
            }
            Some(_) => Uuid::new_v4(),
        };
        let (name, alt) = (file.name.clone(), file.alt.clone());
        self.begin(NewFile { id, owner, room, name, alt, size: file.size, network: None, is_imported: true })
            .await?;
        Ok(ImportedFile::Begun(id))
    }
}
