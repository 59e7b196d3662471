//! Error pages: handlers return a [`PageRejection`], and one layer renders it.

use super::render::{busy_page, render};
use crate::{
    http::{
        preferences::{RequestContext, accepts_html},
        problem::{Problem, ShowAsPage},
        rate_limit::client_network,
        request_source::RequestSource,
        work::Busy,
    },
    limits::network::{NetworkLimits, Use},
    state::AppState,
    store::StoreError,
};
use app::{View, i18n::PageError, pages::RejectedForm, wire::ErrorCode};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// The result of a page handler.
pub type PageResult = Result<Response, PageRejection>;

/// An error page that is not rendered yet; a response extension until [`render_errors`] renders it.
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

    async fn render(self, state: &AppState, context: RequestContext) -> Response {
        let Details { error, problem, form } = *self.0;
        let Some(error) = error else {
            return problem.add_headers(busy_page(state, &context));
        };
        match render(state, context.clone(), View::Error(error, form), problem.status()).await {
            Ok(page) => problem.add_headers(page),
            Err(_) => Problem::busy().add_headers(busy_page(state, &context)),
        }
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

/// Middleware that renders [`PageRejection`]s, and replaces problems by error pages for clients that accept HTML.
pub async fn render_errors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let accepts_html = accepts_html(request.headers());
    let is_foreign = request.extensions().get() == Some(&RequestSource::Foreign);
    let (mut parts, body) = request.into_parts();
    let context = RequestContext::from_request_parts(&mut parts, &state).await;
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let rejection = match response.extensions_mut().remove::<PageRejection>() {
        None if accepts_html => {
            let problem = response.extensions_mut().remove::<ShowAsPage>();
            problem.map(|ShowAsPage(problem)| match problem.status() {
                StatusCode::FORBIDDEN if is_foreign => {
                    PageRejection::explaining(PageError::ForeignOrigin, problem)
                }
                _ => problem.into(),
            })
        }
        rejection => rejection,
    };
    let (Some(rejection), Ok(context)) = (rejection, context) else { return response };
    let mut page = rejection.render(&state, context).await;
    // Inner layers have added headers to the response that the page replaces.
    for (name, value) in response.headers() {
        if !describes_body(name) && !page.headers().contains_key(name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn describes_body(name: &HeaderName) -> bool {
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name)
}

/// `GET /offline`: the page that the service worker shows if it is offline and has no copy of the requested one.
pub async fn offline() -> PageRejection {
    PageRejection::new(PageError::Offline, StatusCode::OK)
}

/// Responds to a path without a route: with an error page for a browser, with a problem for a program.
pub async fn not_found(networks: &NetworkLimits, request: Request) -> Response {
    fallback_page(networks, request, Problem::not_found()).await
}

/// Responds to a method that the path does not have, as when a browser reloads the page of a rejected form.
pub async fn method_not_allowed(State(networks): State<Arc<NetworkLimits>>, request: Request) -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
    fallback_page(&networks, request, problem).await
}

async fn fallback_page(networks: &NetworkLimits, request: Request, problem: Problem) -> Response {
    if !accepts_html(request.headers()) {
        return problem.into_response();
    }
    let usage = networks.usage(client_network(&request));
    match usage.admit(Use::Page).await {
        Ok(()) => problem.into_page_response(),
        Err(wait) => Problem::rate_limited(wait).into_response(),
    }
}

/// Returns the error code of a problem.
pub fn error_code(problem: &Problem) -> ErrorCode {
    problem.code().unwrap_or(ErrorCode::Internal)
}
