//! Error pages: handlers return a [`PageRejection`], and the layer here renders it.

use super::{
    moderation::closed_page,
    rejection::PageRejection,
    render::{busy_page, render},
};
use crate::{
    http::{
        preferences::{RequestContext, accepts_html},
        problem::{Problem, ShowAsPage},
        rate_limit::client_network,
        request_source::RequestSource,
    },
    limits::network::{NetworkLimits, Use},
    state::AppState,
};
use app::{View, i18n::PageError, wire::ErrorCode};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

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
    let mut page = render_rejection(rejection, &state, context).await;
    // Inner layers have added headers to the response that the page replaces; several of them may have one name.
    let own = page.headers().clone();
    for (name, value) in response.headers() {
        if !describes_body(name) && !own.contains_key(name) {
            page.headers_mut().append(name, value.clone());
        }
    }
    page
}

/// Renders the page of a rejection.
async fn render_rejection(rejection: PageRejection, state: &AppState, context: RequestContext) -> Response {
    let (error, problem, form) = rejection.into_parts();
    if problem.code() == Some(ErrorCode::NotAdmitted)
        && let Ok(page) = closed_page(state, context.clone(), false, problem.status()).await
    {
        return problem.add_headers(page);
    }
    let Some(error) = error else {
        return problem.add_headers(busy_page(state, &context));
    };
    match render(state, context.clone(), View::Error(error, form), problem.status()).await {
        Ok(page) => problem.add_headers(page),
        Err(_) => Problem::busy().add_headers(busy_page(state, &context)),
    }
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
