//! The rules for the posts of a user in a room.

use super::{ErrorCode, json::record};
use serde::{Deserialize, Serialize};

/// The rules for the posts of a user in a room, until the next change: the permission to post, and the limit on how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingRules {
    /// The reason why the user may not post: [`Muted`](ErrorCode::Muted),
    /// [`PostsClosed`](ErrorCode::PostsClosed), or [`ReadOnly`](ErrorCode::ReadOnly) if no user may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ErrorCode>,
    /// Milliseconds until the user may post again by themselves; `None` if only a moderator can end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<u64>,
    /// Seconds between two posts of the user; without limit if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_seconds: Option<u32>,
}

impl PostingRules {
    /// Returns `true` if the user may post at any time.
    pub fn are_open(&self) -> bool {
        *self == Self::default()
    }
}

record!(PostingRules { closed, closed_ms, slow_seconds });
