//! The position from which a client resumes a room, and the identity of the log that it belongs to.

use app::wire::{CommandId, Seq};

/// The claim of a client that it has the events of a room up to `after`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamPosition {
    /// The last event that the client has; 0 if it has none.
    pub after: Seq,
    /// The id of that event, if the client knows it.
    pub after_id: Option<CommandId>,
    /// The identity of the log that the event came from, if the client sent it.
    pub log: Option<String>,
}

impl StreamPosition {
    /// Returns `true` if the position may be one of the log `own`, in whatever epoch.
    pub(super) fn may_be_of_log(&self, own: &str) -> bool {
        self.log.as_deref().is_none_or(|log| split_log_id(log).0 == split_log_id(own).0)
    }
}

/// Returns the identity of a log with its present epoch.
pub(super) fn log_id(id: &str, epoch: &str) -> String {
    if epoch.is_empty() { id.into() } else { format!("{id}.{epoch}") }
}

/// Splits a log's identity from its epoch. The first epoch has an empty name.
pub(super) fn split_log_id(log: &str) -> (&str, &str) {
    log.split_once('.').unwrap_or((log, ""))
}
