//! Limits by network on reads, as middleware. Handlers limit writes themselves.

use crate::{
    http::{forwarded::Forwarded, problem::Problem},
    limits::network::{Network, NetworkLimits, NetworkUsage, Use},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use std::{sync::Arc, time::Duration};

/// Forms whose POST is limited as a page is, because nothing else of it is limited.
const PAGE_LIMITED_FORMS: [&str; 4] = ["/settings", "/device/{link}", "/devices/sign-out", "/share"];

/// Returns the network that a request comes from.
pub fn client_network(request: &Request) -> Network {
    request.extensions().get::<Forwarded>().and_then(|forwarded| forwarded.client).into()
}

/// Middleware that limits pages and reads of the API by network. A request past the limit waits for its turn; it is
/// refused if too many wait.
pub async fn limit_reads(
    State(networks): State<Arc<NetworkLimits>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(what) = limited_use(&request) else { return next.run(request).await };
    match networks.usage(client_network(&request)).admit(what).await {
        Ok(()) => next.run(request).await,
        Err(wait) => Problem::rate_limited(wait).into_page_response(),
    }
}

/// Limits how fast reads without a cookie create users. Posts have limits of their own.
///
/// # Errors
/// The time to wait before the next attempt.
pub async fn admit_identity(usage: &NetworkUsage, method: &Method) -> Result<(), Duration> {
    if is_read(method) { usage.admit(Use::Identity).await } else { Ok(()) }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Returns what a request counts as; `None` if its handler limits it.
fn limited_use(request: &Request) -> Option<Use> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if is_read(request.method()) {
        Some(if path.ends_with("/search") {
            Use::Search
        } else if path.contains("/api/") || path.contains("/f/{id}/") || path.ends_with("/ws") {
            Use::Read
        } else {
            Use::Page
        })
    } else {
        PAGE_LIMITED_FORMS.iter().any(|form| path.ends_with(form)).then_some(Use::Page)
    }
}
