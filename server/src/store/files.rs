//! Uploads, and the files that messages show. Their bytes are in the object store (see [`crate::files`]), by their hash.
//!
//! A file begins as an upload: its owner announces it, and its bytes come in parts. When all have come, it gets its
//! *content*, which other files may have too, and is ready. A post *claims* it for its command, and the append of the
//! message makes it posted; if the append is refused, the claim is *released*. Files that no message shows, and contents
//! that no file has, are removed by the upkeep.

use super::{PendingCommit, StoreResult};
use crate::limits::network::Network;
use app::wire::{CommandId, FileId, FileInfo, Files, Millis, RoomName, UserId};
use async_trait::async_trait;
use std::sync::Arc;

/// The SHA-256 of a content.
pub type ContentHash = [u8; 32];

/// Files of a user that are in no message, at most.
pub const MAX_UNPOSTED_FILES: u32 = 30;

/// Files of a network that are in no message, at most.
pub const MAX_UNPOSTED_FILES_PER_NETWORK: u32 = 1_000;

/// The share of the quota that may be announced for the files of a user, or of a network, that are in no message: one in as
/// many bytes. A first file may always have more.
pub const UNPOSTED_SHARE_OF_USER: u64 = 4;
/// See [`UNPOSTED_SHARE_OF_USER`].
pub const UNPOSTED_SHARE_OF_NETWORK: u64 = 2;

/// The time for which a file that no message shows stays, since something of it came last.
pub const UNPOSTED_LIFETIME: Millis = 60 * 60 * 1_000;

/// Files or contents that one step of the upkeep removes, at most.
pub const MAX_REMOVED_PER_STEP: u32 = 100;

/// An upload that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its id, which is random.
    pub id: FileId,
    /// The user who uploads it.
    pub owner: UserId,
    /// The room in which it may be posted. The users who may enter it may read the file then.
    pub room: RoomName,
    /// Its name.
    pub name: Arc<str>,
    /// The owner's description for those who do not see it.
    pub alt: Arc<str>,
    /// Its bytes.
    pub size: u64,
    /// The network from which it comes, unless networks are not limited. It is kept until a message shows the file.
    pub network: Option<Network>,
    /// It comes from the archive of a room: the limits of its owner do not count.
    pub is_imported: bool,
}

/// An upload, or a file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The user who has uploaded it.
    pub owner: UserId,
    /// Its room.
    pub room: RoomName,
    /// The information that a message shows of it. Type and pixels are known once it has a content.
    pub info: FileInfo,
    /// The bytes that its owner has announced.
    pub size: u64,
    /// Bytes that have come so far.
    pub received: u64,
    /// Its content, once all bytes have come.
    pub content: Option<ContentHash>,
    /// Its bytes are in the object store.
    pub is_ready: bool,
    /// The command that posts it.
    pub message: Option<CommandId>,
    /// A message shows it.
    pub is_posted: bool,
}

/// The files of a user or a network that are in no message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unposted {
    /// Their number.
    pub(super) files: u32,
    /// The bytes that were announced for them.
    pub(super) bytes: u64,
}

/// Bytes that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Their hash.
    pub hash: ContentHash,
    /// Their number, with those of the thumbnail.
    pub bytes: u64,
}

/// The state of the content that a file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentState {
    /// The file has the content, whose bytes must be put into the object store, unless they are there.
    Reserved,
    /// The file has another content. These bytes must not be put.
    Different,
    /// The same content is being removed from the object store. Try again after that.
    Removing,
}

/// Uploads and files.
#[async_trait]
pub trait FileStore: Send + Sync + 'static {
    /// Begins an upload, if `quota` bytes suffice for it and for what is kept and has come of other uploads. It takes
    /// nothing of the quota until its bytes come.
    ///
    /// # Errors
    /// [`StoreError::FilesFull`](super::StoreError::FilesFull); [`StoreError::TooMany`](super::StoreError::TooMany) if the owner
    /// has [`MAX_UNPOSTED_FILES`] or the network [`MAX_UNPOSTED_FILES_PER_NETWORK`], or one of them more than its share of
    /// the quota, and the file is not imported; [`StoreError::Erased`](super::StoreError::Erased);
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn create_file(&self, file: NewFile, quota: u64) -> PendingCommit<()>;

    /// Returns a file; `None` if it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn file(&self, id: FileId) -> StoreResult<Option<StoredFile>>;

    /// Records that the bytes from `from` to `to` have come, if those before have and `quota` bytes suffice. Returns how
    /// many have come.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound);
    /// [`StoreError::FilesFull`](super::StoreError::FilesFull); [`StoreError::Backend`](super::StoreError::Backend).
    fn note_part(&self, id: FileId, from: u64, to: u64, quota: u64) -> PendingCommit<u64>;

    /// Announces that an upload of `owner` has fewer bytes than was said first.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound) if there is no such upload under way, or more bytes have
    /// come; [`StoreError::Backend`](super::StoreError::Backend).
    fn shrink_file(&self, id: FileId, owner: UserId, size: u64) -> PendingCommit<()>;

    /// Gives a file its content, and `info`, if `quota` bytes suffice. A repeat changes nothing; a file with
    /// another content keeps that.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound);
    /// [`StoreError::FilesFull`](super::StoreError::FilesFull); [`StoreError::Backend`](super::StoreError::Backend).
    fn reserve_content(
        &self,
        id: FileId,
        content: Content,
        info: FileInfo,
        quota: u64,
    ) -> PendingCommit<ContentState>;

    /// Records that bytes are in the object store, although the file for which they were put is gone. They are unused unless
    /// another file has them.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn release_content(&self, content: Content) -> PendingCommit<ContentState>;

    /// Records that the content of a file is in the object store.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound); [`StoreError::Backend`](super::StoreError::Backend).
    fn note_ready(&self, id: FileId) -> PendingCommit<()>;

    /// Sets what is said of a file of `owner` for those who do not see it, unless a command has claimed the file.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound); [`StoreError::Backend`](super::StoreError::Backend).
    fn describe_file(&self, id: FileId, owner: UserId, alt: Arc<str>) -> PendingCommit<()>;

    /// Claims ready files of `owner` in `room` for the command `message`, and returns what the message shows. A repeat changes
    /// nothing; with other files it gives up those before. For a command that was carried out it claims and returns none.
    ///
    /// # Errors
    /// [`StoreError::FileNotFound`](super::StoreError::FileNotFound) if one of them does not exist, is not ready, or is
    /// another user's, another room's or another message's; [`StoreError::Backend`](super::StoreError::Backend).
    fn claim_files(
        &self,
        owner: UserId,
        room: RoomName,
        message: CommandId,
        files: Vec<FileId>,
    ) -> PendingCommit<Files>;

    /// Gives up what `owner` has claimed for the command `message`, unless that was appended: other commands may claim it.
    /// An append that is still under way claims its files again, if no other command has them.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn release_files(&self, owner: UserId, message: CommandId) -> PendingCommit<()>;

    /// Returns files that no message shows and of which nothing came for [`UNPOSTED_LIFETIME`]: at most
    /// [`MAX_REMOVED_PER_STEP`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn abandoned_files(&self) -> StoreResult<Vec<FileId>>;

    /// Forgets a file that no message shows; with `owner` only one of theirs that no command has claimed, otherwise only one
    /// that is abandoned. Returns whether it is gone.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn forget_file(&self, id: FileId, owner: Option<UserId>) -> PendingCommit<bool>;

    /// Returns contents that no file has, and marks them: no file gets them until they are
    /// [forgotten](Self::forget_contents). At most [`MAX_REMOVED_PER_STEP`].
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn take_unused_contents(&self) -> PendingCommit<Vec<ContentHash>>;

    /// Forgets marked contents, which are no longer in the object store.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    fn forget_contents(&self, hashes: Vec<ContentHash>) -> PendingCommit<()>;

    /// Returns the bytes that are kept, with those that have come of uploads under way.
    ///
    /// # Errors
    /// [`StoreError::Backend`](super::StoreError::Backend).
    async fn file_bytes(&self) -> StoreResult<u64>;
}

/// A write of [`FileStore`].
#[derive(Debug, Clone)]
pub(super) enum FileCommand {
    Create(NewFile, u64),
    NotePart { id: FileId, from: u64, to: u64, quota: u64 },
    Shrink(FileId, UserId, u64),
    Reserve { id: FileId, content: Content, info: FileInfo, quota: u64 },
    ReleaseContent(Content),
    NoteReady(FileId),
    Describe(FileId, UserId, Arc<str>),
    Claim { owner: UserId, room: RoomName, message: CommandId, files: Vec<FileId> },
    ReleaseClaim(UserId, CommandId),
    Forget(FileId, Option<UserId>),
    TakeUnused,
    ForgetContents(Vec<ContentHash>),
}

/// The output of a [`FileCommand`].
#[derive(Debug, Clone)]
pub(super) enum FileOutput {
    None,
    Received(u64),
    State(ContentState),
    Claimed(Files),
    Forgotten(bool),
    Unused(Vec<ContentHash>),
}

/// Implements the writes of [`FileStore`] with a method `change_file(command, select)`.
macro_rules! file_writes {
    () => {
        fn create_file(&self, file: NewFile, quota: u64) -> PendingCommit<()> {
            self.change_file(FileCommand::Create(file, quota), |_| Some(()))
        }

        fn note_part(&self, id: FileId, from: u64, to: u64, quota: u64) -> PendingCommit<u64> {
            self.change_file(FileCommand::NotePart { id, from, to, quota }, |output| match output {
                FileOutput::Received(bytes) => Some(bytes),
                _ => None,
            })
        }

        fn shrink_file(&self, id: FileId, owner: UserId, size: u64) -> PendingCommit<()> {
            self.change_file(FileCommand::Shrink(id, owner, size), |_| Some(()))
        }

        fn reserve_content(
            &self,
            id: FileId,
            content: Content,
            info: FileInfo,
            quota: u64,
        ) -> PendingCommit<ContentState> {
            let reserve = FileCommand::Reserve { id, content, info, quota };
            self.change_file(reserve, |output| match output {
                FileOutput::State(state) => Some(state),
                _ => None,
            })
        }

        fn release_content(&self, content: Content) -> PendingCommit<ContentState> {
            self.change_file(FileCommand::ReleaseContent(content), |output| match output {
                FileOutput::State(state) => Some(state),
                _ => None,
            })
        }

        fn note_ready(&self, id: FileId) -> PendingCommit<()> {
            self.change_file(FileCommand::NoteReady(id), |_| Some(()))
        }

        fn describe_file(&self, id: FileId, owner: UserId, alt: std::sync::Arc<str>) -> PendingCommit<()> {
            self.change_file(FileCommand::Describe(id, owner, alt), |_| Some(()))
        }

        fn claim_files(
            &self,
            owner: UserId,
            room: RoomName,
            message: CommandId,
            files: Vec<FileId>,
        ) -> PendingCommit<Files> {
            let claim = FileCommand::Claim { owner, room, message, files };
            self.change_file(claim, |output| match output {
                FileOutput::Claimed(files) => Some(files),
                _ => None,
            })
        }

        fn release_files(&self, owner: UserId, message: CommandId) -> PendingCommit<()> {
            self.change_file(FileCommand::ReleaseClaim(owner, message), |_| Some(()))
        }

        fn forget_file(&self, id: FileId, owner: Option<UserId>) -> PendingCommit<bool> {
            self.change_file(FileCommand::Forget(id, owner), |output| match output {
                FileOutput::Forgotten(is_gone) => Some(is_gone),
                _ => None,
            })
        }

        fn take_unused_contents(&self) -> PendingCommit<Vec<ContentHash>> {
            self.change_file(FileCommand::TakeUnused, |output| match output {
                FileOutput::Unused(hashes) => Some(hashes),
                _ => None,
            })
        }

        fn forget_contents(&self, hashes: Vec<ContentHash>) -> PendingCommit<()> {
            self.change_file(FileCommand::ForgetContents(hashes), |_| Some(()))
        }
    };
}
pub(super) use file_writes;
