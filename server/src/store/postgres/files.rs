//! Uploads and files in a [`PostgresStore`].

use super::{PostgresStore, queue::Request, rows, session::WriteError, writer::Writer};
use crate::store::{
    Content, ContentHash, ContentState, FileStore, MAX_REMOVED_PER_STEP, NewFile, PendingCommit, StoreError,
    StoreResult, StoredFile, UNPOSTED_LIFETIME, columns,
    files::{FileCommand, FileOutput, Unposted, file_writes},
    rules,
};
use app::wire::{CommandId, FileId, FileInfo, Files, RoomName, UserId};
use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Transaction};
use futures_util::FutureExt;
use std::{collections::HashMap, ops::Range, sync::Arc};
use tokio_postgres::{Error, Row, types::ToSql};

const SELECT_FILE: &str = "
    SELECT f.id, f.owner, f.room, f.info, f.size, f.received, f.content, f.ready, f.message, f.posted
    FROM file f WHERE f.id = $1";

const SELECT_FILES: &str = "
    SELECT f.id, f.owner, f.room, f.info, f.size, f.received, f.content, f.ready, f.message, f.posted
    FROM file f WHERE f.id = ANY ($1)";

const SELECT_ABANDONED_FILES: &str = "
    SELECT f.id FROM file f WHERE NOT f.posted AND f.touched_at < now_millis() - $1 ORDER BY f.touched_at LIMIT $2";

/// Whether the user `$1` is being erased, whether the file `$2` exists, and the files in no message of the user and of the
/// network `$3`.
const SELECT_UNPOSTED: &str = "
    SELECT erases(ARRAY[$1::int8]), EXISTS (SELECT FROM file f WHERE f.id = $2), o.files, o.bytes, n.files, n.bytes
    FROM (
        SELECT count(*) AS files, coalesce(sum(f.size), 0)::int8 AS bytes FROM file f
        WHERE f.owner = $1 AND NOT f.posted
    ) o, (
        SELECT count(*) AS files, coalesce(sum(f.size), 0)::int8 AS bytes FROM file f
        WHERE f.network = $3::text AND NOT f.posted
    ) n";

/// One change of files after the other, so that a content is never removed while a file gets it.
const LOCK: &str = "SELECT u.bytes FROM file_usage u FOR UPDATE";

/// The result of a change, and an error of the database outside.
type Changed = Result<StoreResult<FileOutput>, Error>;

#[async_trait]
impl FileStore for PostgresStore {
    async fn file(&self, id: FileId) -> StoreResult<Option<StoredFile>> {
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(SELECT_FILE).await?;
            let row = client.query_opt(&statement, &[&id]).await?;
            row.map(|row| stored_file(&row)?).transpose()
        });
        read.await
    }

    async fn abandoned_files(&self) -> StoreResult<Vec<FileId>> {
        let (lifetime, most) = (rows::position(UNPOSTED_LIFETIME), i64::from(MAX_REMOVED_PER_STEP));
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(SELECT_ABANDONED_FILES).await?;
            let rows = client.query(&statement, &[&lifetime, &most]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        });
        read.await
    }

    async fn file_bytes(&self) -> StoreResult<u64> {
        let read = self.readers.read(async |client| {
            rows::number(&client.query_one("SELECT u.bytes FROM file_usage u", &[]).await?, 0)
        });
        read.await
    }

    file_writes!();
}

impl PostgresStore {
    fn change_file<T: 'static>(
        &self,
        command: FileCommand,
        select: fn(FileOutput) -> Option<T>,
    ) -> PendingCommit<T> {
        let changed = self.queue.request(|reply| Request::ChangeFile(Box::new(command), reply));
        let wrong = || StoreError::backend("the store has changed something else");
        changed.map(move |output| select(output?).ok_or_else(wrong)).boxed()
    }
}

impl Writer {
    pub(super) async fn change_file(&mut self, command: &FileCommand) -> StoreResult<FileOutput> {
        let changed: Result<_, WriteError> =
            self.session.run(async |client| change(client, command).await).await;
        self.result(changed)?
    }
}

async fn change(client: &mut ClientWrapper, command: &FileCommand) -> Changed {
    let transaction = client.transaction().await?;
    let used: i64 = transaction.query_one(LOCK, &[]).await?.try_get(0)?;
    let used = rows::unsigned(used);
    let changed = match command {
        FileCommand::Create(file, quota) => create(&transaction, file, used, *quota).await,
        FileCommand::NotePart { id, from, to, quota } => {
            note_part(&transaction, *id, *from..*to, used, *quota).await
        }
        FileCommand::Shrink(id, owner, size) => shrink(&transaction, *id, *owner, *size).await,
        FileCommand::Reserve { id, content, info, quota } => {
            reserve(&transaction, *id, *content, info, used, *quota).await
        }
        FileCommand::ReleaseContent(content) => release_content(&transaction, *content).await,
        FileCommand::NoteReady(id) => {
            let note = "UPDATE file SET ready = true, touched_at = now_millis() WHERE id = $1 AND content IS NOT NULL";
            let changed = transaction.execute(note, &[id]).await?;
            Ok(if changed == 0 { Err(StoreError::FileNotFound) } else { Ok(FileOutput::None) })
        }
        FileCommand::Describe(id, owner, alt) => describe(&transaction, *id, *owner, alt).await,
        FileCommand::Claim { owner, room, message, files } => {
            claim(&transaction, *owner, room, *message, files).await
        }
        FileCommand::ReleaseClaim(owner, message) => {
            release_claim(&transaction, *owner, *message).await?;
            Ok(Ok(FileOutput::None))
        }
        FileCommand::Forget(id, owner) => forget(&transaction, *id, *owner).await,
        FileCommand::TakeUnused => take_unused(&transaction).await,
        FileCommand::ForgetContents(hashes) => {
            let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
            transaction.execute("DELETE FROM content WHERE hash = ANY ($1) AND removing", &[&hashes]).await?;
            Ok(Ok(FileOutput::None))
        }
    }?;
    transaction.commit().await?;
    Ok(changed)
}

async fn create(transaction: &Transaction<'_>, file: &NewFile, used: u64, quota: u64) -> Changed {
    let owner = file.owner.0.cast_signed();
    let network = file.network.map(|network| network.to_string());
    let row = transaction.query_one(SELECT_UNPOSTED, &[&owner, &file.id, &network]).await?;
    if row.try_get(0)? {
        return Ok(Err(StoreError::Erased));
    }
    if row.try_get(1)? {
        // The answer to the first attempt was lost.
        return Ok(Ok(FileOutput::None));
    }
    let (of_owner, of_network) = (unposted(&row, 2)?, unposted(&row, 4)?);
    if let Err(refused) = rules::may_upload(file, of_owner, of_network, used, quota) {
        return Ok(Err(refused));
    }
    let insert = "
        INSERT INTO file (id, owner, room, info, size, touched_at, network)
        VALUES ($1, $2, $3, $4, $5, now_millis(), $6)";
    let (info, size) = (columns::new_file_info(file), rows::position(file.size));
    transaction.execute(insert, &[&file.id, &owner, &file.room.as_str(), &info, &size, &network]).await?;
    Ok(Ok(FileOutput::None))
}

/// Reads the number of files in no message and their bytes from the column `at` and the next one.
fn unposted(row: &Row, at: usize) -> Result<Unposted, Error> {
    let files = u32::try_from(row.try_get::<_, i64>(at)?).unwrap_or(u32::MAX);
    Ok(Unposted { files, bytes: rows::unsigned(row.try_get(at + 1)?) })
}

async fn note_part(
    transaction: &Transaction<'_>,
    id: FileId,
    part: Range<u64>,
    used: u64,
    quota: u64,
) -> Changed {
    let select = "SELECT f.received, f.size FROM file f WHERE f.id = $1";
    let Some(row) = transaction.query_opt(select, &[&id]).await? else {
        return Ok(Err(StoreError::FileNotFound));
    };
    let (received, size) = (rows::unsigned(row.try_get(0)?), rows::unsigned(row.try_get(1)?));
    if received != part.start || part.end > size {
        return Ok(Ok(FileOutput::Received(received)));
    }
    if let Err(refused) = rules::may_keep(used, part.end.saturating_sub(part.start), quota) {
        return Ok(Err(refused));
    }
    let note = "UPDATE file SET received = $2, touched_at = now_millis() WHERE id = $1";
    transaction.execute(note, &[&id, &rows::position(part.end)]).await?;
    Ok(Ok(FileOutput::Received(part.end)))
}

async fn shrink(transaction: &Transaction<'_>, id: FileId, owner: UserId, size: u64) -> Changed {
    let row = transaction.query_opt(SELECT_FILE, &[&id]).await?;
    let file = row.map(|row| stored_file(&row)).transpose()?.and_then(Result::ok);
    let file = match rules::may_shrink(file, owner, size) {
        Ok(file) => file,
        Err(refused) => return Ok(Err(refused)),
    };
    let info = columns::of_file_info(&FileInfo { size, ..file.info });
    let update = "UPDATE file SET size = $2, info = $3, touched_at = now_millis() WHERE id = $1";
    transaction.execute(update, &[&id, &rows::position(size), &info]).await?;
    Ok(Ok(FileOutput::None))
}

async fn reserve(
    transaction: &Transaction<'_>,
    id: FileId,
    content: Content,
    info: &FileInfo,
    used: u64,
    quota: u64,
) -> Changed {
    let hash = content.hash.as_slice();
    let state = "
        SELECT f.content, (SELECT c.removing FROM content c WHERE c.hash = $2), f.received
        FROM file f WHERE f.id = $1";
    let Some(row) = transaction.query_opt(state, &[&id, &hash]).await? else {
        return Ok(Err(StoreError::FileNotFound));
    };
    let present = row.try_get::<_, Option<&[u8]>>(0)?.and_then(self::hash);
    if let Some(state) = rules::content_state(present, content.hash) {
        return Ok(Ok(FileOutput::State(state)));
    }
    let is_removing: Option<bool> = row.try_get(1)?;
    if is_removing == Some(true) {
        return Ok(Ok(FileOutput::State(ContentState::Removing)));
    }
    let added = if is_removing.is_none() { content.bytes } else { 0 };
    let others = used.saturating_sub(rows::unsigned(row.try_get(2)?));
    if let Err(refused) = rules::may_keep(others, added, quota) {
        return Ok(Err(refused));
    }
    let upsert = "
        INSERT INTO content (hash, bytes) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET unused = false";
    transaction.execute(upsert, &[&hash, &rows::position(content.bytes)]).await?;
    let update = "UPDATE file SET content = $2, info = $3, touched_at = now_millis() WHERE id = $1";
    transaction.execute(update, &[&id, &hash, &columns::of_file_info(info)]).await?;
    Ok(Ok(FileOutput::State(ContentState::Reserved)))
}

async fn release_content(transaction: &Transaction<'_>, content: Content) -> Changed {
    let hash = content.hash.as_slice();
    let insert = "INSERT INTO content (hash, bytes, unused) VALUES ($1, $2, true) ON CONFLICT DO NOTHING";
    transaction.execute(insert, &[&hash, &rows::position(content.bytes)]).await?;
    let row = transaction.query_one("SELECT c.removing FROM content c WHERE c.hash = $1", &[&hash]).await?;
    let state = if row.try_get(0)? { ContentState::Removing } else { ContentState::Reserved };
    Ok(Ok(FileOutput::State(state)))
}

async fn describe(transaction: &Transaction<'_>, id: FileId, owner: UserId, alt: &Arc<str>) -> Changed {
    let row = transaction.query_opt(SELECT_FILE, &[&id]).await?;
    let file = row.map(|row| stored_file(&row)).transpose()?.and_then(Result::ok);
    let file = match rules::may_describe(file, owner) {
        Ok(file) => file,
        Err(refused) => return Ok(Err(refused)),
    };
    let info = columns::of_file_info(&FileInfo { alt: alt.clone(), ..file.info });
    let update = "UPDATE file SET info = $2, touched_at = now_millis() WHERE id = $1";
    transaction.execute(update, &[&id, &info]).await?;
    Ok(Ok(FileOutput::None))
}

async fn claim(
    transaction: &Transaction<'_>,
    owner: UserId,
    room: &RoomName,
    message: CommandId,
    ids: &[FileId],
) -> Changed {
    let was_carried_out = "SELECT EXISTS (SELECT FROM event e WHERE e.id = $1 AND e.author = $2)";
    let row = transaction.query_one(was_carried_out, &[&message, &owner.0.cast_signed()]).await?;
    if row.try_get(0)? {
        return Ok(Ok(FileOutput::Claimed(Files::default())));
    }
    let mut found = Vec::new();
    for id in ids {
        let row = transaction.query_opt(SELECT_FILE, &[id]).await?;
        let file = row.map(|row| stored_file(&row)).transpose()?.and_then(Result::ok);
        if let Err(refused) = rules::may_claim(file.as_ref(), owner, room, message) {
            return Ok(Err(refused));
        }
        found.extend(file);
    }
    release_claim(transaction, owner, message).await?;
    let claim = "UPDATE file SET message = $2, touched_at = now_millis() WHERE id = ANY ($1)";
    transaction.execute(claim, &[&ids, &message]).await?;
    Ok(Ok(FileOutput::Claimed(rules::in_order(ids, &found))))
}

async fn release_claim(
    transaction: &Transaction<'_>,
    owner: UserId,
    message: CommandId,
) -> Result<(), Error> {
    let release = "UPDATE file SET message = NULL WHERE message = $1 AND owner = $2 AND NOT posted";
    transaction.execute(release, &[&message, &owner.0.cast_signed()]).await.map(drop)
}

async fn forget(transaction: &Transaction<'_>, id: FileId, owner: Option<UserId>) -> Changed {
    let changed = match owner {
        Some(owner) => {
            let forget = "DELETE FROM file WHERE id = $1 AND owner = $2 AND NOT posted AND message IS NULL";
            transaction.execute(forget, &[&id, &owner.0.cast_signed()]).await?
        }
        None => {
            let forget = "DELETE FROM file WHERE id = $1 AND NOT posted AND touched_at < now_millis() - $2";
            transaction.execute(forget, &[&id, &rows::position(UNPOSTED_LIFETIME)]).await?
        }
    };
    Ok(Ok(FileOutput::Forgotten(changed > 0)))
}

async fn take_unused(transaction: &Transaction<'_>) -> Changed {
    let take = "
        UPDATE content SET removing = true
        WHERE hash IN (SELECT c.hash FROM content c WHERE c.unused LIMIT $1) RETURNING hash";
    let most: &(dyn ToSql + Sync) = &i64::from(MAX_REMOVED_PER_STEP);
    let rows = transaction.query(take, &[most]).await?;
    let hash = |row: &Row| Ok(hash(row.try_get(0)?));
    let hashes = rows.iter().map(hash).collect::<Result<Vec<Option<ContentHash>>, Error>>()?;
    Ok(Ok(FileOutput::Unused(hashes.into_iter().flatten().collect())))
}

/// Returns those files that exist. If there are `ids`, no other transaction changes files until the end of this one, which may
/// have locked rooms before.
pub(super) async fn lock_files(
    transaction: &Transaction<'_>,
    ids: Vec<FileId>,
) -> Result<HashMap<FileId, StoredFile>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    transaction.execute(LOCK, &[]).await?;
    let rows = transaction.query(SELECT_FILES, &[&ids]).await?;
    let files = rows.iter().map(stored_file).collect::<Result<Vec<_>, Error>>()?;
    // One that breaks its rule counts as missing.
    Ok(files.into_iter().flatten().map(|file| (file.info.id, file)).collect())
}

/// Reads a file in the columns of [`SELECT_FILE`]. The inner error means that a value breaks its rule.
fn stored_file(row: &Row) -> Result<StoreResult<StoredFile>, Error> {
    let room = match rows::room_name(row.try_get(2)?) {
        Ok(room) => room,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(StoredFile {
        owner: rows::user_id(row.try_get(1)?),
        room,
        info: columns::file_info(row.try_get(3)?, row.try_get(0)?),
        size: rows::unsigned(row.try_get(4)?),
        received: rows::unsigned(row.try_get(5)?),
        content: row.try_get::<_, Option<&[u8]>>(6)?.and_then(hash),
        is_ready: row.try_get(7)?,
        message: row.try_get(8)?,
        is_posted: row.try_get(9)?,
    }))
}

fn hash(bytes: &[u8]) -> Option<ContentHash> {
    bytes.try_into().ok()
}
