//! The permissions of a user for files.

use crate::store::{
    ContentHash, ContentState, MAX_UNPOSTED_FILES, MAX_UNPOSTED_FILES_PER_NETWORK, NewFile, StoreError,
    StoreResult, StoredFile, UNPOSTED_SHARE_OF_NETWORK, UNPOSTED_SHARE_OF_USER, files::Unposted,
};
use app::wire::{CommandId, FileId, RoomName, UserId};

/// Decides whether a message of `author` in `room`, posted by the command `message`, may show a file: one of theirs that was
/// uploaded for this room, is ready, and is in no other message.
///
/// # Errors
/// [`StoreError::FileNotFound`].
pub(in super::super) fn may_claim(
    file: Option<&StoredFile>,
    author: UserId,
    room: &RoomName,
    message: CommandId,
) -> StoreResult<()> {
    let may = file.is_some_and(|file| {
        file.owner == author
            && file.room == *room
            && file.is_ready
            && file.message.is_none_or(|claimed| claimed == message)
    });
    if may { Ok(()) } else { Err(StoreError::FileNotFound) }
}

/// Returns a file that `owner` may describe: one of theirs that no command has claimed.
///
/// # Errors
/// [`StoreError::FileNotFound`].
pub(in super::super) fn may_describe(file: Option<StoredFile>, owner: UserId) -> StoreResult<StoredFile> {
    file.filter(|file| file.owner == owner && file.message.is_none()).ok_or(StoreError::FileNotFound)
}

/// Returns an upload of `owner` whose bytes may be announced as `size` instead of more.
///
/// # Errors
/// [`StoreError::FileNotFound`].
pub(in super::super) fn may_shrink(
    file: Option<StoredFile>,
    owner: UserId,
    size: u64,
) -> StoreResult<StoredFile> {
    let may = |file: &StoredFile| {
        file.owner == owner && file.content.is_none() && file.received <= size && size <= file.size
    };
    file.filter(may).ok_or(StoreError::FileNotFound)
}

/// Decides whether `user`, who may enter the room of a file, may read it: one of theirs
/// if they are known, or one that a message shows.
///
/// # Errors
/// [`StoreError::FileNotFound`].
pub fn may_read_file(file: &StoredFile, user: Option<UserId>) -> StoreResult<()> {
    let may = file.is_ready && (file.is_posted || user == Some(file.owner));
    if may { Ok(()) } else { Err(StoreError::FileNotFound) }
}

/// Decides whether an upload may begin: by the files `of_owner` and `of_network` that are in no message, and whether its
/// bytes fit. An import adds what the owner has posted long ago.
///
/// # Errors
/// [`StoreError::TooMany`], [`StoreError::FilesFull`].
pub(in super::super) fn may_upload(
    file: &NewFile,
    of_owner: Unposted,
    of_network: Unposted,
    used: u64,
    quota: u64,
) -> StoreResult<()> {
    let is_owner_within = has_room(of_owner, file.size, MAX_UNPOSTED_FILES, quota / UNPOSTED_SHARE_OF_USER);
    let is_network_within =
        has_room(of_network, file.size, MAX_UNPOSTED_FILES_PER_NETWORK, quota / UNPOSTED_SHARE_OF_NETWORK);
    if file.is_imported || (is_owner_within && is_network_within) {
        may_keep(used, file.size, quota)
    } else {
        Err(StoreError::TooMany)
    }
}

/// Returns `true` if a further file of `size` bytes is within `max_files` and `max_bytes`. A first one always is.
fn has_room(unposted: Unposted, size: u64, max_files: u32, max_bytes: u64) -> bool {
    let Unposted { files, bytes } = unposted;
    files == 0 || (files < max_files && bytes.saturating_add(size) <= max_bytes)
}

/// Decides whether `more` bytes may be kept if `used` of `quota` are taken.
///
/// # Errors
/// [`StoreError::FilesFull`].
pub(in super::super) fn may_keep(used: u64, more: u64, quota: u64) -> StoreResult<()> {
    if used.saturating_add(more) > quota { Err(StoreError::FilesFull) } else { Ok(()) }
}

/// Returns the state of the content `hash` for a file that has `content` already; `None` if the file has none. Bytes that
/// came a second time, with others, do not replace those that the file has.
pub(in super::super) fn content_state(
    content: Option<ContentHash>,
    hash: ContentHash,
) -> Option<ContentState> {
    let content = content?;
    Some(if content == hash { ContentState::Reserved } else { ContentState::Different })
}

/// Returns the files of a message in the order of `ids`, each of which must be among `found`.
pub(in super::super) fn in_order(ids: &[FileId], found: &[StoredFile]) -> app::wire::Files {
    ids.iter()
        .filter_map(|id| found.iter().find(|file| file.info.id == *id))
        .map(|file| file.info.clone())
        .collect()
}

/// Decides whether a user may upload a file for a room: whether they may post there.
///
/// # Errors
/// Those of a post.
pub fn may_upload_to(room: &RoomName, standing: &crate::store::Standing) -> StoreResult<()> {
    super::may_write(room, standing, &app::wire::Operation::Post { text: "".into(), reply_to: None })
}
