//! The reasons why the store refuses a request or fails.

use super::Until;
use app::wire::{ErrorCode, Millis, RoomName};
use std::{error::Error, sync::Arc, time::Duration};

/// The pause before a request that failed is sent again. Clients whose requests failed together also wait for each other's
/// answers, so that they do not come back at once.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The result of a request to the store.
pub type StoreResult<T> = Result<T, StoreError>;

/// The reason why the store did not do what it was asked for. Nothing of the request is stored then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another user has already used the id of the command.
    #[error("the id belongs to a command of another user")]
    IdConflict,
    /// The message does not exist in the room, or was deleted.
    #[error("the message does not exist")]
    MessageNotFound,
    /// The user may not do this to the message or room.
    #[error("the user does not own the message or room")]
    Forbidden,
    /// The user needs an invitation or the password first.
    #[error("the user is not admitted")]
    NotAdmitted,
    /// A moderator has ended the user's access to the server.
    #[error("the user is banned")]
    Banned(Until),
    /// A moderator has removed the user from the room.
    #[error("the user was removed from the room")]
    Removed(Until),
    /// A moderator has forbidden the user to write.
    #[error("the user is muted")]
    Muted(Until),
    /// Only the owner and the moderators of the room may post there, or no user.
    #[error("the room accepts no posts of this user")]
    PostsClosed,
    /// The room is in slow mode: the user may post again after this time.
    #[error("the user posts too fast for the room")]
    TooFast(Duration),
    /// A value is out of range.
    #[error("a value is out of range")]
    OutOfRange,
    /// A list has as many entries as it may have.
    #[error("the list is full")]
    TooMany,
    /// The message has as many different reactions as it may have.
    #[error("the message has too many different reactions")]
    TooManyReactions,
    /// The user erases everything of theirs, or has done so, and stores nothing more.
    #[error("the user has erased everything of theirs")]
    Erased,
    /// A room with this name exists.
    #[error("a room with this name exists")]
    RoomExists,
    /// Another public room has a title that a reader could confuse with this one.
    #[error("the room {0} has a title that looks the same")]
    TitleTaken(RoomName),
    /// The file does not exist, is not ready, or is not the user's.
    #[error("the file does not exist")]
    FileNotFound,
    /// The quota of files is used up.
    #[error("there is no space left for files (--files-quota)")]
    FilesFull,
    /// The room was not created.
    #[error("the room does not exist")]
    RoomNotFound,
    /// The quota of the data folder is used up.
    #[error("the data folder is full (--max-bytes)")]
    ReadOnly,
    /// The check of the database has found damage.
    #[error("the database is damaged")]
    Corrupt,
    /// The database does not answer, which the store has logged. The request may be sent again.
    #[error("{0}")]
    Away(Arc<str>),
    /// The database failed. The request may be sent again.
    #[error("{0}")]
    Backend(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Wraps a failure of the database.
    pub fn backend(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Backend(Arc::from(error.into()))
    }

    /// Returns `true` if the store has logged the cause, so that what follows from it needs no line.
    pub fn is_logged(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Returns how long a client should wait before it sends the request again; `None` if that cannot help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Away(_) | Self::Backend(_) => Some(RETRY_DELAY),
            Self::TooFast(wait) => Some(*wait),
            _ => None,
        }
    }

    /// Returns the code of the error on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::OutOfRange | Self::IdConflict | Self::RoomExists | Self::TitleTaken(_) => {
                ErrorCode::BadRequest
            }
            Self::MessageNotFound => ErrorCode::NoSuchMessage,
            Self::FileNotFound => ErrorCode::NoSuchFile,
            Self::Forbidden | Self::TooManyReactions | Self::TooMany | Self::Erased => ErrorCode::NotAllowed,
            Self::NotAdmitted => ErrorCode::NotAdmitted,
            Self::Banned(_) => ErrorCode::Banned,
            Self::Removed(_) => ErrorCode::Removed,
            Self::Muted(_) => ErrorCode::Muted,
            Self::PostsClosed => ErrorCode::PostsClosed,
            Self::TooFast(_) => ErrorCode::RateLimited,
            Self::RoomNotFound => ErrorCode::NoSuchRoom,
            Self::ReadOnly | Self::FilesFull | Self::Corrupt => ErrorCode::ReadOnly,
            Self::Away(_) | Self::Backend(_) => ErrorCode::Internal,
        }
    }

    /// Returns the end of a restriction that is the reason, if it has one.
    pub fn until(&self) -> Option<Millis> {
        match self {
            Self::Banned(until) | Self::Removed(until) | Self::Muted(until) => until.0,
            _ => None,
        }
    }

    /// Returns a sentence for the client.
    pub fn detail(&self) -> &'static str {
        match self {
            Self::NotAdmitted => "You need an invitation or the password of this server first.",
            Self::Banned(_) => "A moderator has ended your access to this server.",
            Self::Removed(_) => "A moderator has removed you from this room.",
            Self::Muted(_) => "A moderator has muted you: you can read, but not write.",
            Self::PostsClosed => "Only the owner and the moderators of this room can post here.",
            Self::TooFast(_) => "This room is in slow mode. Wait before you post again.",
            Self::OutOfRange => "A value is out of range.",
            Self::TooMany => "There are too many of these. Remove some first.",
            Self::IdConflict => "Another user has already used this id.",
            Self::MessageNotFound => "The message does not exist.",
            Self::Forbidden => "Only the author or the owner of the room may do this.",
            Self::TooManyReactions => "A message has at most 20 different reactions.",
            Self::Erased => "This user has erased everything, and writes nothing more.",
            Self::RoomExists => "A room with this name already exists.",
            Self::TitleTaken(_) => "A room with this title already exists.",
            Self::FileNotFound => "A file of this message is no longer there, or was sent already.",
            Self::FilesFull => "The server has no space left for files.",
            Self::RoomNotFound => "The room does not exist.",
            Self::ReadOnly => "The server has no space left for new messages. Deleting messages frees some.",
            Self::Corrupt => "The messages on the server are damaged, so it accepts no changes.",
            Self::Away(_) | Self::Backend(_) => "The server could not read or store this. Try again later.",
        }
    }
}
