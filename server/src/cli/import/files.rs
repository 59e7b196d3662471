//! The files of the messages of an import.

use super::Failure;
use crate::{
    archive::{ArchiveReader, Line},
    files::{FileError, FileService, ImportedFile},
    store::{ContentHash, StoreError},
};
use app::wire::{Event, EventBody, FileId, FileInfo, Files, RoomName, Seq, UserId};
use std::{collections::HashSet, mem, sync::Arc};

/// Files of one step, and their bytes, beside those of the last event. A step must be stored long before the hour after which files
/// are removed that no message shows.
const MAX_STEP_FILES: usize = 200;
const MAX_STEP_FILE_BYTES: u64 = 64 * 1_024 * 1_024;

/// Uploads the files of messages before these are stored.
pub(super) struct FileImport<'a> {
    files: &'a Arc<FileService>,
    archive: &'a mut ArchiveReader,
    available: HashSet<ContentHash>,
    room: &'a RoomName,
    /// The last event that the room had before.
    head: Seq,
    step: Step,
}

/// The files of the events that are not stored yet.
#[derive(Default)]
struct Step {
    uploaded: Vec<(FileId, UserId)>,
    bytes: u64,
    missing: u64,
}

impl<'a> FileImport<'a> {
    pub(super) fn new(
        files: &'a Arc<FileService>,
        archive: &'a mut ArchiveReader,
        room: &'a RoomName,
        head: Seq,
    ) -> Self {
        let available = archive.contents();
        Self { files, archive, available, room, head, step: Step::default() }
    }

    /// Uploads the files of an event that the room does not have. Returns the event with those that the archive has.
    pub(super) async fn add(&mut self, line: Line) -> Result<Event, Failure> {
        let Line { mut event, contents } = line;
        let (seq, author) = (event.seq, event.author.id);
        let EventBody::Message { files, .. } = &mut event.body else { return Ok(event) };
        let mut uploaded = Vec::new();
        for (file, content) in mem::take(files).iter().zip(contents) {
            if seq <= self.head {
                continue;
            }
            match content.filter(|content| self.available.contains(content)) {
                Some(content) => uploaded.extend(self.upload(author, file, content).await?),
                None => self.step.missing += 1,
            }
        }
        *files = uploaded.into_iter().collect::<Files>();
        Ok(event)
    }

    /// Returns `true` if the step should be stored before further files come.
    pub(super) fn is_step_full(&self) -> bool {
        self.step.bytes > MAX_STEP_FILE_BYTES || self.step.uploaded.len() > MAX_STEP_FILES
    }

    /// Notes that the messages of the files are stored. Returns the number of files, and of those that the archive does not have.
    pub(super) fn stored(&mut self) -> (u64, u64) {
        let Step { uploaded, missing, .. } = mem::take(&mut self.step);
        (uploaded.len() as u64, missing)
    }

    /// Forgets the files whose messages are not stored, as far as that is possible. The upkeep of the server removes the others
    /// after an hour, and the contents that no file has any more.
    pub(super) async fn forget(&mut self) {
        for (id, owner) in mem::take(&mut self.step).uploaded {
            let _ = self.files.forget(id, owner).await;
        }
    }

    /// Uploads a file. Returns `None` if its author has erased everything of theirs.
    async fn upload(
        &mut self,
        author: UserId,
        file: &FileInfo,
        content: ContentHash,
    ) -> Result<Option<FileInfo>, Failure> {
        let id = match self.files.begin_import(author, self.room.clone(), file, content).await {
            Ok(ImportedFile::Ready(info)) => {
                self.step.uploaded.push((info.id, author));
                return Ok(Some(info));
            }
            Ok(ImportedFile::Begun(id)) => id,
            Err(FileError::Store(StoreError::Erased)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        self.step.uploaded.push((id, author));
        self.step.bytes += file.size;
        let archive = |error: crate::archive::ArchiveError| Failure::Archive(error.to_string());
        let mut reader = self.archive.content(content, file.size).map_err(archive)?;
        let (mut offset, mut uploaded) = (0, None);
        while let Some(part) = reader.read_next().map_err(archive)? {
            let bytes = part.len() as u64;
            uploaded = self.files.append(id, author, offset, part).await.map_err(failed)?.file;
            offset += bytes;
        }
        Ok(uploaded)
    }
}

fn failed(error: FileError) -> Failure {
    match error {
        FileError::Store(error) => Failure::Store(error.to_string()),
        error => Failure::Files(format!("cannot keep a file: {error}")),
    }
}
