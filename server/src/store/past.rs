//! What a client says of the past that it has, so that a log put back from an older copy is told from the one it knew.

use app::wire::{CommandId, Seq};

/// A client has the events of a room up to `after`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The last event that it has; 0 for none.
    pub after: Seq,
    /// The id of that event, if the client knows it.
    pub after_id: Option<CommandId>,
    /// The identity of the log that it had the event from, if the client says so.
    pub log: Option<String>,
}

/// The identity of a log, with the epoch that is its present one.
pub(super) fn log_id(id: &str, epoch: &str) -> String {
    if epoch.is_empty() { id.into() } else { format!("{id}.{epoch}") }
}

/// A log's identity and its epoch; the first epoch has an empty name.
pub(super) fn split_log_id(log: &str) -> (&str, &str) {
    log.split_once('.').unwrap_or((log, ""))
}
