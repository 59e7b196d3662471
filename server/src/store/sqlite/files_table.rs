//! Uploads and files in a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, rows};
use crate::store::{
    Content, ContentHash, ContentState, FileStore, MAX_REMOVED_PER_STEP, NewFile, PendingCommit, StoreResult,
    StoredFile, UNPOSTED_LIFETIME,
    files::{FileCommand, FileOutput, file_writes},
    now,
};
use app::wire::{CommandId, FileId, FileInfo, Files, RoomName, UserId};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

const SELECT_FILE: &str = "
    SELECT id, owner, room, info, size, received, content, ready, message, posted FROM file WHERE id = ?1";

const SELECT_ABANDONED_FILES: &str =
    "SELECT id FROM file WHERE posted = 0 AND touched_at < ?1 ORDER BY touched_at LIMIT ?2";

#[async_trait]
impl FileStore for SqliteStore {
    async fn file(&self, id: FileId) -> StoreResult<Option<StoredFile>> {
        self.readers.read(move |db| file(db, id)).await
    }

    async fn abandoned_files(&self) -> StoreResult<Vec<FileId>> {
        let before = now().saturating_sub(UNPOSTED_LIFETIME);
        let read = self.readers.read(move |db| {
            let mut select = db.prepare_cached(SELECT_ABANDONED_FILES)?;
            let found =
                select.query_map((before, MAX_REMOVED_PER_STEP), |row| row.get(0).map(Uuid::from_bytes))?;
            found.collect()
        });
        read.await
    }

    async fn file_bytes(&self) -> StoreResult<u64> {
        self.readers.read(|db| db.query_row("SELECT bytes FROM file_usage", [], |row| row.get(0))).await
    }

    file_writes!();
}

impl SqliteStore {
    fn change_file<T: 'static>(
        &self,
        command: FileCommand,
        select: fn(FileOutput) -> Option<T>,
    ) -> PendingCommit<T> {
        self.commit_with(WriteCommand::ChangeFile(Box::new(command)), move |output| match output {
            WriteOutput::File(output) => select(output),
            _ => None,
        })
    }
}

/// Returns a file.
pub(super) fn file(db: &Connection, id: FileId) -> rusqlite::Result<Option<StoredFile>> {
    db.prepare_cached(SELECT_FILE)?.query_row([id.as_bytes()], stored_file).optional()
}

fn stored_file(row: &Row<'_>) -> rusqlite::Result<StoredFile> {
    let info = row.get_ref(3)?.as_str()?;
    Ok(StoredFile {
        owner: rows::user_id(row.get(1)?),
        room: rows::room_name(row, 2)?,
        info: crate::store::columns::file_info(info, Uuid::from_bytes(row.get(0)?)),
        size: row.get(4)?,
        received: row.get(5)?,
        content: row.get(6)?,
        is_ready: row.get(7)?,
        message: row.get::<_, Option<[u8; 16]>>(8)?.map(Uuid::from_bytes),
        is_posted: row.get(9)?,
    })
}
