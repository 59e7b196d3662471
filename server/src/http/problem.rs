//! Error responses as `application/problem+json` (RFC 9457).

use crate::{
    http::{request_log::may_log, work::Busy},
    limits::connection_limit::Full,
    store::StoreError,
};
use app::wire::{ErrorCode, InvalidName, InvalidRoomName, InvalidText, limits};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Duration;

/// Seconds after which a client may retry if the server is full or its store fails.
const RETRY_AFTER_SECONDS: &str = "5";

/// An error response.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Option<ErrorCode>,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Response extension: a client that accepts HTML gets an error page instead of the problem in the body.
#[derive(Debug, Clone)]
pub struct ShowAsPage(pub Problem);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
}

impl Problem {
    /// Creates a problem; `detail` is a sentence for a person.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, code: None, detail: detail.into(), headers: Vec::new() }
    }

    fn with_code(status: StatusCode, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(status, detail) }
    }

    /// The server failed.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
    }

    /// The request is malformed.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::with_code(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, detail)
    }

    /// Nothing exists at this path.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    /// No room can have this name.
    pub fn invalid_room_name(bad: InvalidRoomName) -> Self {
        Self::with_code(StatusCode::NOT_FOUND, ErrorCode::NoSuchRoom, bad.to_string())
    }

    /// The text cannot be posted.
    pub fn invalid_text(bad: InvalidText) -> Self {
        match bad {
            InvalidText::Blank => {
                Self::with_code(StatusCode::BAD_REQUEST, ErrorCode::Blank, "The message is empty.")
            }
            InvalidText::TooLong { .. } => Self::with_code(
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::TooLong,
                format!("A message has at most {} bytes.", limits::MAX_MESSAGE_BYTES),
            ),
        }
    }

    /// The display name is invalid.
    pub fn invalid_name(bad: InvalidName) -> Self {
        Self::with_code(StatusCode::BAD_REQUEST, ErrorCode::InvalidName, bad.to_string())
    }

    /// The browser keeps no cookies, so the change would be lost at once: pages set a cookie, but the request has none.
    pub fn no_cookies() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Your browser keeps no cookies for this site.")
    }

    /// The body is too long for every route, or was not received.
    pub fn body_too_large() -> Self {
        Self::with_code(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::TooLong,
            "The body is too long, or incomplete.",
        )
    }

    /// The device of the cookie was signed out.
    pub fn signed_out() -> Self {
        let detail = "This device was signed out.";
        // RFC 9110, section 15.5.2, requires the header; no browser asks for a password because of it.
        Self::with_code(StatusCode::UNAUTHORIZED, ErrorCode::SignedOut, detail)
            .with_header(header::WWW_AUTHENTICATE, "Cookie")
    }

    /// The client exceeds a rate limit.
    pub fn rate_limited(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        Self::with_code(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            format!("Rate limit exceeded. Retry in {seconds} s."),
        )
        .with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// The method is not allowed.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("Method not allowed; use {}.", allowed.replace(',', " or ")),
        )
        .with_header(header::ALLOW, allowed)
    }

    /// The request comes from a page of another site.
    pub fn foreign_origin(detail: String) -> Self {
        Self::with_code(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, detail)
    }

    /// The server has as many connections as it may have.
    pub fn server_full() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is full. Try again later.")
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// The store cannot be read or written.
    pub fn store_unavailable() -> Self {
        let detail = "The server could not read or store this. Try again later.";
        Self::with_code(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, detail)
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// The server has more work than it can do in time.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Try again later.")
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// The client's network has as many connections as it may have.
    pub fn network_full() -> Self {
        let detail = "Your network has too many open connections. Try again later.";
        Self::with_code(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, detail)
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// The server is shutting down.
    pub fn draining() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is restarting.")
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds this problem's headers to another response.
    pub fn add_headers(self, mut response: Response) -> Response {
        response.headers_mut().extend(self.headers);
        response
    }

    /// Returns the status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the error code of the protocol.
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// Returns the sentence for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Responds with an error page to a client that accepts HTML, and with the problem to any other.
    pub fn into_page_response(self) -> Response {
        let mut response = self.clone().into_response();
        response.extensions_mut().insert(ShowAsPage(self));
        response
    }
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Self {
        Self::busy()
    }
}

impl From<Full> for Problem {
    fn from(full: Full) -> Self {
        match full {
            Full::Server => Self::server_full(),
            Full::Network => Self::network_full(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::IdConflict | StoreError::OutOfRange => StatusCode::BAD_REQUEST,
            StoreError::MessageNotFound | StoreError::RoomNotFound | StoreError::FileNotFound => {
                StatusCode::NOT_FOUND
            }
            StoreError::Forbidden
            | StoreError::TooManyReactions
            | StoreError::TooMany
            | StoreError::Erased
            | StoreError::NotAdmitted
            | StoreError::Banned(_)
            | StoreError::Removed(_)
            | StoreError::Muted(_)
            | StoreError::PostsClosed => StatusCode::FORBIDDEN,
            StoreError::TooFast(wait) => return Self::rate_limited(wait),
            StoreError::RoomExists | StoreError::TitleTaken(_) => StatusCode::CONFLICT,
            StoreError::ReadOnly | StoreError::FilesFull => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::Corrupt => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Away(_) | StoreError::Backend(_) => {
                if !error.is_logged() && may_log() {
                    tracing::error!(%error, "request failed");
                }
                return Self::store_unavailable();
            }
        };
        Self::with_code(status, error.code(), error.detail())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = Body {
            kind: "about:blank",
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
        };
        let json = serde_json::to_string(&body).expect("a struct of strings and numbers is always JSON");
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let response = (self.status, content_type, json).into_response();
        self.add_headers(response)
    }
}
