//! Accepting connections, and letting them go.
//!
//! An accept loop of our own, since `axum::serve` sets no timer on a request's header, leaves Nagle's
//! algorithm on and does not wait for upgraded sockets.

use crate::{
    http::{forwarded::is_trusted_proxy, request_log},
    limits::network::Network,
    net::{Activity, Listener, NetStream, TransportPermit, http},
    router::router,
    state::AppState,
};
use axum::Router;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

/// Pause after a failed accept: file descriptors run out, and closing connections give some back.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// How often the limiters forget those who are quiet.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How often it is logged that connections are refused.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Connections that are answered 503 at the same time, on spare descriptors; others are closed at once.
const MAX_REFUSING: usize = 16;

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
pub async fn serve(listener: impl Into<Listener>, state: AppState) -> Ended {
    let listener = listener.into();
    let router = router(state.clone());
    tokio::select! {
        () = state.draining.cancelled() => {}
        () = Acceptor::new(&state, router).run(&listener) => {}
        () = tidy(&state) => {}
    }
    drop(listener);
    let ended = drain(&state).await;
    request_log::log_sum();
    state.store.close().await;
    ended
}

/// Accepts connections, as many as may be.
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
                // A flood of connections gets no more descriptors than these.
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

/// A warning that is logged once in a [`LOG_INTERVAL`], however often it is given.
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

async fn tidy(state: &AppState) {
    loop {
        sleep(TIDY_EVERY).await;
        state.posts.forget_the_quiet();
        state.renames.forget_the_quiet();
        request_log::log_sum();
        state.networks.forget_idle();
    }
}

async fn drain(state: &AppState) -> Ended {
    state.writers.close();
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
pub async fn listen(state: &AppState) -> Result<Listener, String> {
    let addr = &state.config.addr;
    Listener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))
}
