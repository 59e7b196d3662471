//! Cross-origin access to the API for the sites that `--allow-origin` names (Fetch, section 3.3). Other sites get no
//! such header, so their pages cannot read responses.

use crate::{config::Config, http::request_source::RequestSource};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Middleware that answers preflights, and lets allowed sites read the API's responses.
pub async fn allow_cross_origin(State(config): State<Arc<Config>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if config.allow_origin.is_empty() || !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let is_allowed = request.extensions().get() == Some(&RequestSource::Allowed);
    let origin = request.headers().get(header::ORIGIN).filter(|_| is_allowed).cloned();
    let is_preflight = *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &origin {
        Some(_) if is_preflight => preflight().into_response(),
        _ => next.run(request).await,
    };
    // A cache must not serve the response for one site to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        add_headers(response.headers_mut(), origin);
    }
    response
}

fn add_headers(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    let readable = HeaderValue::from_static("etag, hubbub-person, location, retry-after, upload-offset");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, readable);
}

fn preflight() -> impl IntoResponse {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "DELETE, GET, HEAD, PATCH, POST, PUT"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "accept, cache-control, content-type, if-none-match, last-event-id, upload-offset",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed)
}
