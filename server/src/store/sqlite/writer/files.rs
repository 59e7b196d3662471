//! Uploads and files.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    Content, ContentHash, ContentState, MAX_REMOVED_PER_STEP, NewEvent, NewFile, StoreError, StoreResult,
    StoredFile, UNPOSTED_LIFETIME, columns,
    files::{FileCommand, FileOutput, Unposted},
    rules,
    sqlite::files_table,
};
use app::wire::{CommandId, FileId, FileInfo, Files, RoomName, UserId};
use rusqlite::{OptionalExtension, Row, ToSql};
use std::{collections::HashMap, sync::Arc};

impl WriteTransaction<'_> {
    pub(super) fn change_file(&mut self, command: FileCommand) -> rusqlite::Result<WriteResult> {
        let output = match command {
            FileCommand::Create(file, quota) => self.create_file(&file, quota)?.map(|()| FileOutput::None),
            FileCommand::NotePart { id, from, to, quota } => {
                self.note_part(id, from, to, quota)?.map(FileOutput::Received)
            }
            FileCommand::Shrink(id, owner, size) => {
                self.shrink_file(id, owner, size)?.map(|()| FileOutput::None)
            }
            FileCommand::Reserve { id, content, info, quota } => {
                self.reserve_content(id, content, &info, quota)?.map(FileOutput::State)
            }
            FileCommand::ReleaseContent(content) => Ok(FileOutput::State(self.release_content(content)?)),
            FileCommand::NoteReady(id) => {
                let note = "UPDATE file SET ready = 1, touched_at = ?2 WHERE id = ?1 AND content IS NOT NULL";
                self.update_file(note, id)?.map(|()| FileOutput::None)
            }
            FileCommand::Describe(id, owner, alt) => {
                self.describe_file(id, owner, alt)?.map(|()| FileOutput::None)
            }
            FileCommand::Claim { owner, room, message, files } => {
                self.claim_files(owner, &room, message, &files)?.map(FileOutput::Claimed)
            }
            FileCommand::ReleaseClaim(owner, message) => {
                self.release_files(owner, message)?;
                Ok(FileOutput::None)
            }
            FileCommand::Forget(id, owner) => Ok(FileOutput::Forgotten(self.forget_file(id, owner)?)),
            FileCommand::TakeUnused => Ok(FileOutput::Unused(self.take_unused_contents()?)),
            FileCommand::ForgetContents(hashes) => {
                self.forget_contents(&hashes)?;
                Ok(FileOutput::None)
            }
        };
        Ok(output.map(WriteOutput::File))
    }

    fn create_file(&mut self, file: &NewFile, quota: u64) -> rusqlite::Result<StoreResult<()>> {
        if self.is_erased(file.owner)? {
            return Ok(Err(StoreError::Erased));
        }
        let owner = file.owner.0.cast_signed();
        let network = file.network.map(|network| network.to_string());
        let of_owner = "SELECT count(*), coalesce(sum(size), 0) FROM file WHERE owner = ?1 AND posted = 0";
        let of_owner = self.unposted(of_owner, owner)?;
        let of_network =
            "SELECT count(*), coalesce(sum(size), 0) FROM file WHERE network = ?1 AND posted = 0";
        let of_network = match &network {
            Some(network) => self.unposted(of_network, network)?,
            None => Unposted::default(),
        };
        if let Err(refused) = rules::may_upload(file, of_owner, of_network, self.file_bytes()?, quota) {
            return Ok(Err(refused));
        }
        let info = columns::new_file_info(file);
        if !self.take_bytes(info.len()) {
            return Ok(Err(StoreError::ReadOnly));
        }
        let insert = "
            INSERT INTO file (id, owner, room, info, size, touched_at, network)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
        let mut insert = self.transaction.prepare_cached(insert)?;
        insert.execute((file.id.as_bytes(), owner, file.room.as_str(), info, file.size, self.at, network))?;
        Ok(Ok(()))
    }

    /// Returns the files in no message that `select` counts for its parameter.
    fn unposted(&self, select: &str, parameter: impl ToSql) -> rusqlite::Result<Unposted> {
        let unposted = |row: &Row<'_>| Ok(Unposted { files: row.get(0)?, bytes: row.get(1)? });
        self.transaction.prepare_cached(select)?.query_row([parameter], unposted)
    }

    fn file_bytes(&self) -> rusqlite::Result<u64> {
        self.transaction.prepare_cached("SELECT bytes FROM file_usage")?.query_row([], |row| row.get(0))
    }

    fn note_part(&self, id: FileId, from: u64, to: u64, quota: u64) -> rusqlite::Result<StoreResult<u64>> {
        let Some(file) = files_table::file(&self.transaction, id)? else {
            return Ok(Err(StoreError::FileNotFound));
        };
        if file.received != from || to > file.size {
            return Ok(Ok(file.received));
        }
        if let Err(refused) = rules::may_keep(self.file_bytes()?, to.saturating_sub(from), quota) {
            return Ok(Err(refused));
        }
        let note = "UPDATE file SET received = ?2, touched_at = ?3 WHERE id = ?1";
        self.transaction.prepare_cached(note)?.execute((id.as_bytes(), to, self.at))?;
        Ok(Ok(to))
    }

    fn shrink_file(&self, id: FileId, owner: UserId, size: u64) -> rusqlite::Result<StoreResult<()>> {
        let file = files_table::file(&self.transaction, id)?;
        let file = match rules::may_shrink(file, owner, size) {
            Ok(file) => file,
            Err(refused) => return Ok(Err(refused)),
        };
        let info = columns::of_file_info(&FileInfo { size, ..file.info });
        let update = "UPDATE file SET size = ?2, info = ?3, touched_at = ?4 WHERE id = ?1";
        self.transaction.prepare_cached(update)?.execute((id.as_bytes(), size, info, self.at))?;
        Ok(Ok(()))
    }

    fn reserve_content(
        &self,
        id: FileId,
        content: Content,
        info: &FileInfo,
        quota: u64,
    ) -> rusqlite::Result<StoreResult<ContentState>> {
        let Some(file) = files_table::file(&self.transaction, id)? else {
            return Ok(Err(StoreError::FileNotFound));
        };
        if let Some(state) = rules::content_state(file.content, content.hash) {
            return Ok(Ok(state));
        }
        let is_removing = self.is_removing(content)?;
        if is_removing == Some(true) {
            return Ok(Ok(ContentState::Removing));
        }
        let added = if is_removing.is_none() { content.bytes } else { 0 };
        let others = self.file_bytes()?.saturating_sub(file.received);
        if let Err(refused) = rules::may_keep(others, added, quota) {
            return Ok(Err(refused));
        }
        let upsert = "
            INSERT INTO content (hash, bytes) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET unused = 0";
        self.transaction.prepare_cached(upsert)?.execute((content.hash, content.bytes))?;
        let update = "UPDATE file SET content = ?2, info = ?3, touched_at = ?4 WHERE id = ?1";
        let mut update = self.transaction.prepare_cached(update)?;
        update.execute((id.as_bytes(), content.hash, columns::of_file_info(info), self.at))?;
        Ok(Ok(ContentState::Reserved))
    }

    /// Returns whether a content is being removed; `None` if there is none.
    fn is_removing(&self, content: Content) -> rusqlite::Result<Option<bool>> {
        let select = "SELECT removing FROM content WHERE hash = ?1";
        self.transaction.prepare_cached(select)?.query_row([content.hash], |row| row.get(0)).optional()
    }

    fn release_content(&self, content: Content) -> rusqlite::Result<ContentState> {
        if self.is_removing(content)? == Some(true) {
            return Ok(ContentState::Removing);
        }
        let insert = "INSERT INTO content (hash, bytes, unused) VALUES (?1, ?2, 1) ON CONFLICT DO NOTHING";
        self.transaction.prepare_cached(insert)?.execute((content.hash, content.bytes))?;
        Ok(ContentState::Reserved)
    }

    fn describe_file(&self, id: FileId, owner: UserId, alt: Arc<str>) -> rusqlite::Result<StoreResult<()>> {
        let file = files_table::file(&self.transaction, id)?;
        let file = match rules::may_describe(file, owner) {
            Ok(file) => file,
            Err(refused) => return Ok(Err(refused)),
        };
        let info = columns::of_file_info(&FileInfo { alt, ..file.info });
        let update = "UPDATE file SET info = ?2, touched_at = ?3 WHERE id = ?1";
        self.transaction.prepare_cached(update)?.execute((id.as_bytes(), info, self.at))?;
        Ok(Ok(()))
    }

    fn update_file(&self, statement: &str, id: FileId) -> rusqlite::Result<StoreResult<()>> {
        let changed = self.transaction.prepare_cached(statement)?.execute((id.as_bytes(), self.at))?;
        Ok(if changed == 0 { Err(StoreError::FileNotFound) } else { Ok(()) })
    }

    fn claim_files(
        &self,
        owner: UserId,
        room: &RoomName,
        message: CommandId,
        ids: &[FileId],
    ) -> rusqlite::Result<StoreResult<Files>> {
        let was_carried_out = "SELECT 1 FROM event WHERE id = ?1 AND author = ?2";
        let mut select = self.transaction.prepare_cached(was_carried_out)?;
        if select.exists((message.as_bytes(), owner.0.cast_signed()))? {
            return Ok(Ok(Files::default()));
        }
        let mut found = Vec::new();
        for id in ids {
            let file = files_table::file(&self.transaction, *id)?;
            if let Err(refused) = rules::may_claim(file.as_ref(), owner, room, message) {
                return Ok(Err(refused));
            }
            found.extend(file);
        }
        self.release_files(owner, message)?;
        let files = rules::in_order(ids, &found);
        self.claim(message, &files)?;
        Ok(Ok(files))
    }

    fn claim(&self, message: CommandId, files: &Files) -> rusqlite::Result<()> {
        for file in files {
            let claim = "UPDATE file SET message = ?2, touched_at = ?3 WHERE id = ?1";
            let mut claim = self.transaction.prepare_cached(claim)?;
            claim.execute((file.id.as_bytes(), message.as_bytes(), self.at))?;
        }
        Ok(())
    }

    fn release_files(&self, owner: UserId, message: CommandId) -> rusqlite::Result<()> {
        let release = "UPDATE file SET message = NULL WHERE message = ?1 AND owner = ?2 AND posted = 0";
        let mut release = self.transaction.prepare_cached(release)?;
        release.execute((message.as_bytes(), owner.0.cast_signed())).map(drop)
    }

    /// Returns those files that exist.
    pub(super) fn files(
        &self,
        ids: impl Iterator<Item = FileId>,
    ) -> rusqlite::Result<HashMap<FileId, StoredFile>> {
        let mut found = HashMap::new();
        for id in ids {
            found.extend(files_table::file(&self.transaction, id)?.map(|file| (id, file)));
        }
        Ok(found)
    }

    /// Gives files, which no message has, to the message of a command.
    pub(super) fn claim_and_post(&self, message: CommandId, files: &Files) -> rusqlite::Result<()> {
        self.claim(message, files)?;
        self.post_files(message, files)
    }

    fn forget_file(&self, id: FileId, owner: Option<UserId>) -> rusqlite::Result<bool> {
        let id = id.as_bytes();
        let changed = match owner {
            Some(owner) => {
                let forget =
                    "DELETE FROM file WHERE id = ?1 AND owner = ?2 AND posted = 0 AND message IS NULL";
                self.transaction.prepare_cached(forget)?.execute((id, owner.0.cast_signed()))?
            }
            None => {
                let forget = "DELETE FROM file WHERE id = ?1 AND posted = 0 AND touched_at < ?2";
                let before = self.at.saturating_sub(UNPOSTED_LIFETIME);
                self.transaction.prepare_cached(forget)?.execute((id, before))?
            }
        };
        Ok(changed > 0)
    }

    fn take_unused_contents(&self) -> rusqlite::Result<Vec<ContentHash>> {
        let take = "
            UPDATE content SET removing = 1 WHERE hash IN (SELECT hash FROM content WHERE unused = 1 LIMIT ?1)
            RETURNING hash";
        let mut take = self.transaction.prepare_cached(take)?;
        let hashes = take.query_map([MAX_REMOVED_PER_STEP], |row| row.get(0))?;
        hashes.collect()
    }

    fn forget_contents(&self, hashes: &[ContentHash]) -> rusqlite::Result<()> {
        for hash in hashes {
            let forget = "DELETE FROM content WHERE hash = ?1 AND removing = 1";
            self.transaction.prepare_cached(forget)?.execute([hash])?;
        }
        Ok(())
    }

    /// Returns `true` if the files of a message are there, and its author's, and no other command has claimed them.
    pub(super) fn has_files(&self, new: &NewEvent) -> rusqlite::Result<bool> {
        let select = "SELECT 1 FROM file WHERE id = ?1 AND owner = ?2 AND posted = 0 AND (message = ?3 OR message IS NULL)";
        for file in &new.files {
            let row = (file.id.as_bytes(), new.author.0.cast_signed(), new.id.as_bytes());
            if !self.transaction.prepare_cached(select)?.exists(row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Records that the message of a command shows its files.
    pub(super) fn post_files(&self, message: CommandId, files: &Files) -> rusqlite::Result<()> {
        for file in files {
            let post = "UPDATE file SET message = ?2, posted = 1 WHERE id = ?1";
            self.transaction.prepare_cached(post)?.execute((file.id.as_bytes(), message.as_bytes()))?;
        }
        Ok(())
    }
}
