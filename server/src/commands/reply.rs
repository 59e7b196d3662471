//! The replies to commands of `hubbub.v1`.

use crate::store::{Appended, StoreError, StoreResult};
use app::wire::{
    CommandId, ErrorCode, InvalidRoomName, InvalidText, Malformed, RoomName, ServerFrame, limits,
};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// A reply that comes once the store has committed; `None` if the command has none. The command is carried out even if
/// this is dropped.
pub type PendingReply = BoxFuture<'static, Option<ServerFrame>>;

/// The reason why a command was not carried out.
#[derive(Debug)]
pub struct CommandError {
    id: Option<String>,
    code: ErrorCode,
    message: String,
    retry: Option<Duration>,
}

impl CommandError {
    pub(crate) fn new(id: Option<CommandId>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { id: id.map(|id| id.to_string()), code, message: message.into(), retry: None }
    }

    /// The device of the cookie was signed out.
    pub(crate) fn signed_out() -> Self {
        Self::new(None, ErrorCode::SignedOut, "This device was signed out.")
    }

    pub(crate) fn not_joined(id: Option<CommandId>, room: &RoomName) -> Self {
        Self::new(id, ErrorCode::NotJoined, format!("Join {room} first."))
    }

    pub(crate) fn invalid_room_name(id: Option<CommandId>, invalid: InvalidRoomName) -> Self {
        Self::new(id, ErrorCode::NoSuchRoom, invalid.to_string())
    }

    pub(crate) fn invalid_text(id: CommandId, invalid: InvalidText) -> Self {
        match invalid {
            InvalidText::Blank => Self::new(Some(id), ErrorCode::Blank, "The message is empty."),
            InvalidText::TooLong { .. } => {
                let message = format!("A message has at most {} bytes.", limits::MAX_MESSAGE_BYTES);
                Self::new(Some(id), ErrorCode::TooLong, message)
            }
        }
    }

    pub(crate) fn unknown_emoji(id: CommandId) -> Self {
        Self::new(Some(id), ErrorCode::BadRequest, "A reaction is one emoji.")
    }

    pub(crate) fn rate_limited(id: Option<CommandId>, wait: Duration) -> Self {
        let message = format!("Rate limit exceeded. Retry in {} s.", wait.as_secs() + 1);
        Self { retry: Some(wait), ..Self::new(id, ErrorCode::RateLimited, message) }
    }

    /// Returns the error for an operation that the store rejected.
    pub(crate) fn store(id: Option<CommandId>, error: &StoreError) -> Self {
        if let StoreError::Backend(_) = error {
            tracing::error!(%error, "command failed");
        }
        Self { retry: error.retry_after(), ..Self::new(id, error.code(), error.detail()) }
    }
}

impl From<Malformed> for CommandError {
    fn from(Malformed { code, message, id }: Malformed) -> Self {
        Self { id, code, message, retry: None }
    }
}

impl From<CommandError> for ServerFrame {
    fn from(CommandError { id, code, message, retry }: CommandError) -> Self {
        let retry_ms = retry.map(|wait| wait.as_millis().max(1) as u64);
        Self::Error { id, code, message, retry_ms }
    }
}

/// Returns the reply to a command that appended an event.
pub(super) fn acknowledge(id: CommandId, appended: StoreResult<Appended>) -> ServerFrame {
    match appended {
        Ok(Appended { room, seq, is_duplicate: dup, .. }) => {
            ServerFrame::Ack { id, room: Some(room), seq: Some(seq), dup }
        }
        Err(error) => CommandError::store(Some(id), &error).into(),
    }
}
