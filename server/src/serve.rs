//! Accepting connections, and letting them go.
//!
//! An accept loop of our own, since `axum::serve` sets no timer on a request's header, leaves Nagle's
//! algorithm on and does not wait for upgraded sockets.

use crate::{net::http::serve_connection, request_log, router::router, state::AppState};
use axum::Router;
use std::{io, time::Duration};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

/// Pause after a failed accept: file descriptors run out, and closing connections give some back.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How often the post limiter forgets the quiet.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every connection said goodbye.
    Drained,
    /// So many were cut off.
    CutOff(usize),
}

/// Serves on `listener` until `state.draining` is cancelled, then lets the connections go and closes
/// the log.
pub async fn serve(listener: TcpListener, state: AppState) -> Ended {
    let router = router(state.clone());
    tokio::select! {
        () = state.draining.cancelled() => {}
        () = accept(&listener, &state, &router) => {}
        () = tidy(&state) => {}
    }
    drop(listener);
    let ended = drain(&state).await;
    request_log::log_sum();
    state.log.close().await;
    ended
}

async fn accept(listener: &TcpListener, state: &AppState, router: &Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let serving = serve_connection(stream.into(), router.clone(), state.draining.clone());
                state.sockets.spawn(serving);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn tidy(state: &AppState) {
    loop {
        sleep(TIDY_EVERY).await;
        state.posts.forget_the_quiet();
        state.renames.forget_the_quiet();
        request_log::log_sum();
    }
}

async fn drain(state: &AppState) -> Ended {
    state.posting.close();
    state.sockets.close();
    let patience = Duration::from_secs(state.config.drain_seconds);
    match timeout(patience, state.sockets.wait()).await {
        Ok(()) => Ended::Drained,
        Err(_) => Ended::CutOff(state.sockets.len()),
    }
}

/// Listens at the configured address.
///
/// # Errors
/// One line that says which address and why.
pub async fn listen(state: &AppState) -> Result<TcpListener, String> {
    let addr = state.config.addr;
    TcpListener::bind(addr).await.map_err(|error: io::Error| format!("cannot listen on {addr}: {error}"))
}
