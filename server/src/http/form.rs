//! Forms whose every field is UTF-8.

use crate::redact::percent_decode;
use axum::{
    extract::{FromRequest, RawForm, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

/// The fields of a form. A form that is not UTF-8 is refused: decoded by halves it would be another text.
pub struct Form<T>(pub T);

/// A request that is no such form, with the status that says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadForm(StatusCode);

impl BadForm {
    /// The status: 400 if it is not UTF-8, 413 if it is too long, 415 if it is no form, 422 if it lacks a field.
    pub fn status(self) -> StatusCode {
        self.0
    }
}

impl IntoResponse for BadForm {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = BadForm;

    async fn from_request(request: Request, state: &S) -> Result<Self, BadForm> {
        let form = RawForm::from_request(request, state).await;
        let RawForm(body) = form.map_err(|rejection| BadForm(rejection.into_response().status()))?;
        if !is_utf8(&body) {
            return Err(BadForm(StatusCode::BAD_REQUEST));
        }
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| BadForm(StatusCode::UNPROCESSABLE_ENTITY))
    }
}

/// Returns whether a form, as it comes, has nothing but UTF-8 in its fields.
pub fn is_utf8(form: &[u8]) -> bool {
    String::from_utf8(percent_decode(form)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_utf8_if_all_of_its_bytes_are() {
        assert!(is_utf8(b"text=%E5%AD%97+a%0A&x=%") && is_utf8(b""));
        assert!(!is_utf8(b"text=%FF") && !is_utf8(b"text=\xff") && !is_utf8(b"text=%E5%AD&id=%97"));
    }
}
