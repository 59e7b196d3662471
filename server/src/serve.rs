//! Accepts connections, and drains them when the server stops.
//!
//! `axum::serve` sets no timer on a request's header, leaves Nagle's algorithm on and does not wait for upgraded
//! sockets, so the accept loop is our own.

use crate::{
    http::{forwarded::is_trusted_proxy, request_log},
    limits::network::Network,
    net::{Activity, Listener, NetStream, TransportPermit, http},
    router::router,
    state::AppState,
    upkeep,
};
use axum::Router;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

/// The pause after a failed accept. File descriptors run out, and connections that close give some back.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Time between two evictions of idle users and networks from the limits.
const EVICTION_INTERVAL: Duration = Duration::from_secs(60);

/// Time between two warnings of the same kind, at least.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The time for which the connections are drained when the store is superseded: nothing is left to deliver, and their
/// clients wait for the server to open again. Those that are not closed by then close by themselves.
const SUPERSEDED_DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Connections that are answered 503 at the same time, on spare descriptors. Others are closed at once.
const MAX_REFUSING: usize = 16;

/// The outcome of the server's shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownOutcome {
    /// Every connection closed in time.
    Graceful,
    /// This number of connections was cut off after the timeout.
    TimedOut(usize),
    /// The store has another past than this process has shown. It must be opened again.
    Superseded,
}

/// Serves on `listener` until `state.draining` is cancelled or the store is superseded, then drains the connections and
/// closes the store.
pub async fn serve(listener: impl Into<Listener>, state: AppState) -> ShutdownOutcome {
    let listener = listener.into();
    let router = router(state.clone());
    let upkeep = tokio::spawn(upkeep::run(state.clone()));
    let is_superseded = tokio::select! {
        () = state.draining.cancelled() => false,
        () = state.store.superseded() => true,
        () = Acceptor::new(&state, router).run(&listener) => false,
        () = evict_rate_limits(&state) => false,
    };
    state.draining.cancel();
    upkeep.abort();
    drop(listener);
    let drain_timeout = match is_superseded {
        true => SUPERSEDED_DRAIN_TIMEOUT,
        false => Duration::from_secs(state.config.drain_seconds),
    };
    let ended = drain(&state, drain_timeout).await;
    request_log::log_summary();
    state.store.close().await;
    if is_superseded { ShutdownOutcome::Superseded } else { ended }
}

/// Accepts connections within the limit.
struct Acceptor<'a> {
    state: &'a AppState,
    router: Router,
    refusing: Arc<Semaphore>,
    refused: OccasionalWarning,
    failed: OccasionalWarning,
}

impl<'a> Acceptor<'a> {
    fn new(state: &'a AppState, router: Router) -> Self {
        let refusing = Arc::new(Semaphore::new(MAX_REFUSING));
        Self {
            state,
            router,
            refusing,
            refused: OccasionalWarning::default(),
            failed: OccasionalWarning::default(),
        }
    }

    async fn run(mut self, listener: &Listener) {
        loop {
            match listener.accept().await {
                Ok(stream) => self.serve(stream),
                Err(error) => {
                    self.failed.warn(|suppressed| tracing::warn!(%error, suppressed, "accept failed"));
                    self.state.transport_limit.close_idle();
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    fn serve(&mut self, stream: NetStream) {
        let activity = Activity::new(self.state.unsent_budget.open());
        match self.admit(&stream, &activity) {
            Some(permit) => {
                let (router, draining) = (self.router.clone(), self.state.draining.clone());
                self.state.sockets.spawn(http::serve_connection(
                    stream,
                    Some(permit),
                    activity,
                    router,
                    draining,
                ));
            }
            None => {
                self.refused.warn(|suppressed| tracing::warn!(suppressed, "too many connections"));
                // A flood of connections gets at most these descriptors.
                if let Ok(permit) = self.refusing.clone().try_acquire_owned() {
                    self.state.sockets.spawn(async move {
                        http::refuse(stream).await;
                        drop(permit);
                    });
                }
            }
        }
    }

    fn admit(&self, stream: &NetStream, activity: &Arc<Activity>) -> Option<TransportPermit> {
        let peer = stream.peer_ip();
        let is_proxy = is_trusted_proxy(peer, &self.state.config.trusted_proxy);
        let network = (!is_proxy).then(|| Network::from(peer));
        self.state.transport_limit.try_acquire(network, activity)
    }
}

/// A warning that is logged at most once in a [`LOG_INTERVAL`].
#[derive(Default)]
struct OccasionalWarning {
    last: Option<Instant>,
    suppressed: u64,
}

impl OccasionalWarning {
    fn warn(&mut self, log: impl FnOnce(u64)) {
        if self.last.is_some_and(|last| last.elapsed() < LOG_INTERVAL) {
            self.suppressed += 1;
            return;
        }
        self.last = Some(Instant::now());
        log(std::mem::take(&mut self.suppressed));
    }
}

async fn evict_rate_limits(state: &AppState) {
    loop {
        sleep(EVICTION_INTERVAL).await;
        state.posts.evict_idle();
        state.renames.evict_idle();
        request_log::log_summary();
        state.networks.evict_idle();
    }
}

async fn drain(state: &AppState, drain_timeout: Duration) -> ShutdownOutcome {
    state.writers.close();
    state.sockets.close();
    match timeout(drain_timeout, state.sockets.wait()).await {
        Ok(()) => ShutdownOutcome::Graceful,
        Err(_) => ShutdownOutcome::TimedOut(state.sockets.len()),
    }
}

/// Listens at the configured address.
///
/// # Errors
/// One line that says which address and why.
pub async fn listen(state: &AppState) -> Result<Listener, String> {
    let addr = &state.config.addr;
    Listener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))
}
