//! The extractor of the pages' forms.

use super::PageRejection;
use crate::http::form::Form;
use app::{i18n::PageError, wire::ErrorCode};
use axum::{
    extract::{FromRequest, Request},
    http::StatusCode,
};
use serde::de::DeserializeOwned;

/// The fields of a form. A request without such a form gets an error page.
pub struct CheckedForm<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for CheckedForm<T> {
    type Rejection = PageRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageRejection> {
        let form = Form::from_request(request, state).await;
        form.map(|Form(form)| Self(form)).map_err(|rejected| {
            let error = match rejected.status() {
                StatusCode::PAYLOAD_TOO_LARGE => PageError::Command(ErrorCode::TooLong),
                _ => PageError::InvalidForm,
            };
            PageRejection::new(error, rejected.status())
        })
    }
}
