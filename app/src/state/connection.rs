//! The connection to the server.

use crate::wire::Millis;
use leptos::prelude::*;

/// The status of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The script has not started.
    Asleep,
    /// The first connection is being opened.
    Connecting,
    /// The connection has joined the room.
    Open,
    /// The connection is lost, and the page will connect again.
    Offline,
    /// The device was signed out, and the page will not connect again.
    SignedOut,
}

/// The connection to the server, and what the user has to know about it.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionState {
    /// Its status.
    pub status: RwSignal<Status>,
    /// When the page connects again, by the monotonic clock; `None` unless it is offline.
    pub next_retry_at: RwSignal<Option<Millis>>,
    /// A sentence that says what this browser does not store.
    pub storage_warning: RwSignal<Option<&'static str>>,
    /// The server accepts no commands from the page's origin.
    pub is_origin_rejected: RwSignal<bool>,
    /// Raised when there may be something to send.
    pub wakeups: RwSignal<u64>,
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            status: RwSignal::new(Status::Asleep),
            next_retry_at: RwSignal::new(None),
            storage_warning: RwSignal::new(None),
            is_origin_rejected: RwSignal::new(false),
            wakeups: RwSignal::new(0),
        }
    }

    /// Lets the session send what waits.
    pub fn wake(self) {
        self.wakeups.update(|wakeups| *wakeups += 1);
    }
}
