//! What goes wrong with a request, as `application/problem+json` (RFC 9457).

use crate::{http::work::Busy, limits::connection_limit::Full, store::StoreError};
use app::wire::{ErrorCode, InvalidName, InvalidRoomName, InvalidText, limits};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Duration;

/// Seconds after which it is worth trying again, where the server is full or its log fails.
const TRY_AGAIN: &str = "5";

/// An answer that says what is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Option<ErrorCode>,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

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
    /// A problem that `detail` tells a person in a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, code: None, detail: detail.into(), headers: Vec::new() }
    }

    fn coded(status: StatusCode, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(status, detail) }
    }

    /// The request is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, detail)
    }

    /// There is nothing at this path.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }

    /// No room can have this name.
    pub fn no_such_room(bad: InvalidRoomName) -> Self {
        Self::coded(StatusCode::NOT_FOUND, ErrorCode::NoSuchRoom, bad.to_string())
    }

    /// The text cannot be posted.
    pub fn bad_text(bad: InvalidText) -> Self {
        match bad {
            InvalidText::Blank => {
                Self::coded(StatusCode::BAD_REQUEST, ErrorCode::Blank, "There is nothing in this message.")
            }
            InvalidText::TooLong { .. } => Self::coded(
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::TooLong,
                format!("A message has at most {} bytes.", limits::MAX_MESSAGE_BYTES),
            ),
        }
    }

    /// The name breaks the rule.
    pub fn bad_name(bad: InvalidName) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, ErrorCode::InvalidName, bad.to_string())
    }

    /// Their browser would forget at once what is asked for: pages give a cookie, and it has come with none.
    pub fn no_cookies() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Your browser keeps no cookies for this site.")
    }

    /// Somebody posts too fast.
    pub fn too_fast(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        Self::coded(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "That was too fast. Wait a moment.",
        )
        .with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Another method would do.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("This can be asked with {allowed} only."))
            .with_header(header::ALLOW, allowed)
    }

    /// A page of another site asks.
    pub fn foreign_origin(detail: String) -> Self {
        Self::coded(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, detail)
    }

    /// As many sockets are open as may be.
    pub fn full() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is full. Try again in a moment.")
            .with_header(header::RETRY_AFTER, TRY_AGAIN)
    }

    /// The store cannot be read now.
    pub fn unreadable() -> Self {
        let detail = "The server could not store or read this now.";
        Self::coded(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, detail)
            .with_header(header::RETRY_AFTER, TRY_AGAIN)
    }

    /// There is more to do than the server can.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Try again in a moment.")
            .with_header(header::RETRY_AFTER, TRY_AGAIN)
    }

    /// As many sockets of this network are open as may be.
    pub fn network_full() -> Self {
        let detail = "Too many connections of your network are open. Try again in a moment.";
        Self::coded(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, detail)
            .with_header(header::RETRY_AFTER, TRY_AGAIN)
    }

    /// The server is going away.
    pub fn draining() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is restarting.")
            .with_header(header::RETRY_AFTER, TRY_AGAIN)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// `response` with this problem's own headers.
    pub fn add_headers(self, mut response: Response) -> Response {
        response.headers_mut().extend(self.headers);
        response
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What kind of error, in the words of the protocol.
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
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
            Full::Server => Self::full(),
            Full::Network => Self::network_full(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::IdTaken => Self::bad_request("Somebody else has used this id."),
            StoreError::NoSuchMessage => Self::coded(
                StatusCode::NOT_FOUND,
                ErrorCode::NoSuchMessage,
                "There is no message at that place.",
            ),
            StoreError::RoomExists | StoreError::TitleTaken(_) => {
                Self::coded(StatusCode::CONFLICT, ErrorCode::BadRequest, "There is such a room already.")
            }
            StoreError::NoSuchRoom => {
                Self::coded(StatusCode::NOT_FOUND, ErrorCode::NoSuchRoom, "There is no such room.")
            }
            StoreError::NotAllowed => {
                Self::coded(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, "This message is somebody else's.")
            }
            StoreError::ReadOnly => {
                let detail = "The server has no room for more. Deleting messages makes some.";
                Self::coded(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::ReadOnly, detail)
            }
            StoreError::Storage(_) => {
                tracing::error!(%error, "a request was not served");
                Self::unreadable()
            }
        }
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
