//! HTML forms whose fields are all UTF-8.

use crate::redact::percent_decode;
use axum::{
    extract::{FromRequest, RawForm, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

/// The fields of a form. A form that is not UTF-8 is rejected: with replacement characters it would be another text.
pub struct Form<T>(pub T);

/// A request whose body is not the expected form, with the status of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormRejected(StatusCode);

impl FormRejected {
    /// Returns the status: 400 if the form is not UTF-8, 413 if it is too long, 415 if the body is no form, 422 if a
    /// field is missing.
    pub fn status(self) -> StatusCode {
        self.0
    }
}

impl IntoResponse for FormRejected {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = FormRejected;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormRejected> {
        let form = RawForm::from_request(request, state).await;
        let RawForm(body) = form.map_err(|rejection| FormRejected(rejection.into_response().status()))?;
        if !is_utf8(&body) {
            return Err(FormRejected(StatusCode::BAD_REQUEST));
        }
        serde_urlencoded::from_bytes(&body)
            .map(Self)
            .map_err(|_| FormRejected(StatusCode::UNPROCESSABLE_ENTITY))
    }
}

/// Returns `true` if every field of an encoded form is UTF-8.
pub fn is_utf8(form: &[u8]) -> bool {
    String::from_utf8(percent_decode(form)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_utf8_if_all_its_decoded_bytes_are() {
        assert!(is_utf8(b"text=%E5%AD%97+a%0A&x=%") && is_utf8(b""));
        assert!(!is_utf8(b"text=%FF") && !is_utf8(b"text=\xff") && !is_utf8(b"text=%E5%AD&id=%97"));
    }
}
