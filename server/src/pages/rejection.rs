//! The error that a page handler returns.

use crate::{
    http::{problem::Problem, work::Busy},
    store::StoreError,
};
use app::{i18n::PageError, pages::RejectedForm, wire::ErrorCode};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// The result of a page handler.
pub type PageResult = Result<Response, PageRejection>;

/// An error page that is not rendered yet; a response extension until the layer for error pages renders it.
#[derive(Debug, Clone)]
pub struct PageRejection(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    /// The error to explain; `None` if the server is too busy to render a page.
    error: Option<PageError>,
    /// The status and the headers.
    problem: Problem,
    /// The input to show again, so that it is not lost.
    form: Option<RejectedForm>,
}

impl PageRejection {
    /// Creates an error page with this status.
    pub fn new(error: PageError, status: StatusCode) -> Self {
        Self::explaining(error, Problem::new(status, ""))
    }

    /// Creates an error page that explains `error`, with the status and the headers of `problem`.
    pub fn explaining(error: PageError, problem: Problem) -> Self {
        Self(Box::new(Details { error: Some(error), problem, form: None }))
    }

    /// No page has this path.
    pub fn not_found() -> Self {
        Self::new(PageError::NotFound, StatusCode::NOT_FOUND)
    }

    /// The browser keeps no cookies, so the change would be lost at once.
    pub fn cookies_disabled() -> Self {
        Self::new(PageError::CookiesDisabled, StatusCode::BAD_REQUEST)
    }

    /// Adds a form that shows the rejected input again.
    #[must_use]
    pub fn with_form(mut self, form: RejectedForm) -> Self {
        self.0.form = Some(form);
        self
    }

    /// Returns the error to explain (`None` if the server is too busy to render a page), the status with its headers, and
    /// the input to show again.
    pub(super) fn into_parts(self) -> (Option<PageError>, Problem, Option<RejectedForm>) {
        let Details { error, problem, form } = *self.0;
        (error, problem, form)
    }
}

impl From<Problem> for PageRejection {
    fn from(problem: Problem) -> Self {
        let error = match (problem.code(), problem.status()) {
            (Some(code), _) => PageError::Command(code),
            (None, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => PageError::NotFound,
            (None, _) => PageError::Internal,
        };
        Self::explaining(error, problem)
    }
}

impl From<StoreError> for PageRejection {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Busy> for PageRejection {
    fn from(busy: Busy) -> Self {
        Self(Box::new(Details { error: None, problem: busy.into(), form: None }))
    }
}

impl IntoResponse for PageRejection {
    fn into_response(self) -> Response {
        let mut response = self.0.problem.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Returns the error code of a problem.
pub fn error_code(problem: &Problem) -> ErrorCode {
    problem.code().unwrap_or(ErrorCode::Internal)
}
