//! Accepting connections, and letting them go.
//!
//! An accept loop of our own, since `axum::serve` sets no timer on a request's header, leaves Nagle's
//! algorithm on and does not wait for upgraded sockets.

use crate::{router::router, state::AppState};
use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use std::{io, pin::pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long a request's header may take.
const HEADER_WITHIN: Duration = Duration::from_secs(5);

/// Pause after a failed accept: file descriptors run out, and closing connections give some back.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Bytes that the system keeps for a connection (Linux takes it twice). It bounds what a slow reader costs,
/// and lets us see that a slow line takes something: the system says so a third of this at a time.
const SEND_BUFFER: usize = 128 * 1_024;

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
    state.log.close().await;
    ended
}

async fn accept(listener: &TcpListener, state: &AppState, router: &Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let serving = connection(stream, router.clone(), state.draining.clone());
                state.sockets.spawn(serving);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Serves the requests of one connection until `draining`, or until one of them upgrades it.
pub async fn connection(stream: TcpStream, router: Router, draining: CancellationToken) {
    let socket = SockRef::from(&stream);
    if let Err(error) = socket.set_tcp_nodelay(true).and_then(|()| socket.set_send_buffer_size(SEND_BUFFER)) {
        tracing::debug!(%error, "a connection keeps the system's settings");
    }
    let service =
        TowerToHyperService::new(router.map_request(|request: Request<Incoming>| request.map(Body::new)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn tidy(state: &AppState) {
    loop {
        sleep(TIDY_EVERY).await;
        state.posts.forget_the_quiet();
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
