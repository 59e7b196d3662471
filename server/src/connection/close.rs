//! The reasons for which the server closes a connection.
//!
//! | reason | code | clients reconnect |
//! |---|---|---|
//! | [`RESTART`] | 1012 | yes |
//! | [`TOO_SLOW`], [`CROWDED`], [`TOO_MANY_ROOMS`], [`READ_ONLY`], [`SLOW_MODE`], [`REMOVED`] | 1013 | yes |
//! | [`IDLE_TIMEOUT`] | 1001 | yes |
//! | [`NOT_STORED`] | 1011 | yes |
//! | [`SIGNED_OUT`] | 4001 | no |
//! | [`TEXT_ONLY`] | 1003 | no |
//! | [`MALFORMED`], [`ACCESS_ENDED`], [`MAY_NOT_WRITE`] | 1008 | no |
//! | [`LINE_TOO_LONG`] | 1009 | no |
//! | a [`ProtocolError`] | 1002, 1007 or 1009 | no |
//!
//! The browser's client reconnects after every code but that of [`SIGNED_OUT`], with backoff.

use super::writer::WriteError;
use crate::websocket::{
    ProtocolError,
    close::{
        GOING_AWAY, INTERNAL_ERROR, MESSAGE_TOO_BIG, POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER,
        UNSUPPORTED_DATA,
    },
};

/// The close code of a signed-out connection, one of those that RFC 6455, section 7.4.2, leaves to programs.
const SIGNED_OUT_CODE: u16 = 4001;

/// The close code and the reason that a close frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseReason {
    /// A code of RFC 6455, section 7.4.1, of the IANA registry, or of this protocol.
    pub code: u16,
    /// At most 123 bytes, for people.
    pub reason: &'static str,
}

/// The server shuts down.
pub(super) const RESTART: CloseReason = CloseReason::new(SERVICE_RESTART, "restarting, come back");

/// The client takes no bytes, or has too many unsent bytes.
pub(super) const TOO_SLOW: CloseReason = CloseReason::new(TRY_AGAIN_LATER, "too slow, come back");

/// Another client needs the permit of a connection that is in no room.
pub(super) const CROWDED: CloseReason = CloseReason::new(TRY_AGAIN_LATER, "too many connections, come back");

/// The client's network has created too many rooms.
pub(super) const TOO_MANY_ROOMS: CloseReason =
    CloseReason::new(TRY_AGAIN_LATER, "too many new rooms, come back later");

/// A line was rejected because the store is full, for which RFC 6455 has no code.
pub(super) const READ_ONLY: CloseReason =
    CloseReason::new(TRY_AGAIN_LATER, "your last message was not stored: the server has no room for more");

/// The client gave no sign of life.
pub(super) const IDLE_TIMEOUT: CloseReason = CloseReason::new(GOING_AWAY, "silent for 60 s");

/// A line could not be stored.
pub(super) const NOT_STORED: CloseReason =
    CloseReason::new(INTERNAL_ERROR, "your last message could not be stored");

/// The device of the connection's cookie was signed out.
pub(super) const SIGNED_OUT: CloseReason = CloseReason::new(SIGNED_OUT_CODE, "this device was signed out");

/// The client sent a binary message.
pub(super) const TEXT_ONLY: CloseReason = CloseReason::new(UNSUPPORTED_DATA, "text only");

/// The client sent too many malformed frames.
pub(super) const MALFORMED: CloseReason =
    CloseReason::new(POLICY_VIOLATION, "20 malformed messages in a row");

/// The user may not enter the server, or any more.
pub(super) const ACCESS_ENDED: CloseReason =
    CloseReason::new(POLICY_VIOLATION, "you may not enter this server");

/// A moderator has removed the user from a room while bytes were under way that could be of it.
pub(super) const REMOVED: CloseReason =
    CloseReason::new(TRY_AGAIN_LATER, "you were removed from a room, come back");

/// A line was refused, because its author may not write.
pub(super) const MAY_NOT_WRITE: CloseReason =
    CloseReason::new(POLICY_VIOLATION, "you may not write in this room");

/// A line was refused, because the room is in slow mode.
pub(super) const SLOW_MODE: CloseReason =
    CloseReason::new(TRY_AGAIN_LATER, "the room is in slow mode: your last message was not posted");

/// A line is too long. The reason names the limit, because a line gets no other answer.
pub(super) const LINE_TOO_LONG: CloseReason =
    CloseReason::new(MESSAGE_TOO_BIG, "a message has at most 8192 bytes");

impl CloseReason {
    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }
}

impl From<ProtocolError> for CloseReason {
    fn from(error: ProtocolError) -> Self {
        let (code, reason) = error.code_and_reason();
        Self { code, reason }
    }
}

impl WriteError {
    /// Returns the reason to close with, or `None` if the client can no longer receive one.
    pub(super) fn close_reason(self) -> Option<CloseReason> {
        match self {
            Self::Closed => None,
            Self::Timeout | Self::OverBudget => Some(TOO_SLOW),
        }
    }
}
