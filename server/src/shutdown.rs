//! When to stop: SIGTERM from a service manager, SIGINT from a person or from cargo-leptos.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first of the signals. They are caught from the call on, not from the first poll.
///
/// # Errors
/// Where the process may not catch signals.
pub fn asked_to_stop() -> io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}
