//! Request logging: each server error has a line; everything else is one summary a minute, so that a client cannot fill
//! the log.

use axum::{
    http::{Request, StatusCode},
    response::Response,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::Span;

use crate::redact::redact_path;

/// Log lines a minute that clients can cause.
const MAX_LINES_PER_MINUTE: u64 = 60;

/// The counts since the last summary. The log is global to the process, and so are the counts.
static COUNTS: Counts = Counts::new();

struct Counts {
    succeeded: AtomicU64,
    redirected: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    lines: LineBudget,
}

/// The log lines of the current minute.
struct LineBudget {
    minute: AtomicU64,
    used: AtomicU64,
    suppressed: AtomicU64,
}

impl Counts {
    const fn new() -> Self {
        Self {
            succeeded: AtomicU64::new(0),
            redirected: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            lines: LineBudget::new(),
        }
    }

    fn counter(&self, status: StatusCode) -> &AtomicU64 {
        match status.as_u16() {
            ..300 => &self.succeeded,
            300..400 => &self.redirected,
            400..500 => &self.refused,
            500.. => &self.failed,
        }
    }
}

impl LineBudget {
    const fn new() -> Self {
        Self { minute: AtomicU64::new(0), used: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// Uses one line of `minute`. Returns `false` past the bound.
    fn try_take(&self, minute: u64) -> bool {
        if self.minute.swap(minute, Relaxed) != minute {
            self.used.store(0, Relaxed);
        }
        let is_allowed = self.used.fetch_add(1, Relaxed) < MAX_LINES_PER_MINUTE;
        if !is_allowed {
            self.suppressed.fetch_add(1, Relaxed);
        }
        is_allowed
    }
}

/// Returns `true` if a line that a client causes may be logged now. Lines past [`MAX_LINES_PER_MINUTE`] are only counted.
pub fn may_log() -> bool {
    let minute = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60);
    COUNTS.lines.try_take(minute)
}

/// Returns the tracing span of a request.
pub fn span<B>(request: &Request<B>) -> Span {
    tracing::info_span!("request", method = %request.method(), uri = redact_path(request.uri().path()))
}

/// Counts a response, and logs it if it is a server error.
pub fn on_response(response: &Response, latency: Duration, _: &Span) {
    let status = response.status();
    COUNTS.counter(status).fetch_add(1, Relaxed);
    let (status, latency_ms) = (status.as_u16(), latency.as_millis() as u64);
    if status >= 500 && may_log() {
        tracing::info!(status, latency_ms, "request failed");
    } else {
        tracing::debug!(status, latency_ms, "request completed");
    }
}

/// Logs the counts since the last summary, unless all are zero.
pub fn log_summary() {
    let take = |count: &AtomicU64| count.swap(0, Relaxed);
    let (succeeded, redirected) = (take(&COUNTS.succeeded), take(&COUNTS.redirected));
    let (refused, failed) = (take(&COUNTS.refused), take(&COUNTS.failed));
    let suppressed_lines = take(&COUNTS.lines.suppressed);
    if succeeded + redirected + refused + failed + suppressed_lines > 0 {
        tracing::info!(succeeded, redirected, refused, failed, suppressed_lines, "requests");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_past_sixty_a_minute_are_suppressed_and_counted() {
        let lines = LineBudget::new();
        let logged = |minute| (0..100).filter(|_| lines.try_take(minute)).count();
        assert_eq!((logged(1), logged(2)), (60, 60));
        assert_eq!(lines.suppressed.load(Relaxed), 80);
    }

    #[test]
    fn responses_are_counted_by_status_class() {
        let counts = Counts::new();
        for status in [101, 200, 204, 303, 404, 429, 500, 503] {
            counts.counter(StatusCode::from_u16(status).unwrap()).fetch_add(1, Relaxed);
        }
        let count = |count: &AtomicU64| count.load(Relaxed);
        let counted = [&counts.succeeded, &counts.redirected, &counts.refused, &counts.failed].map(count);
        assert_eq!(counted, [3, 1, 2, 2]);
    }
}
