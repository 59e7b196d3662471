//! The link that makes another device the same person.

use super::{message_forms::ours, problem_page, render, shared, sorry};
use crate::{
    device_links::LinkError,
    http::{
        identity::{Becomes, Identity},
        preferences::{Visitor, accepts_html},
        problem::Problem,
    },
    limits::network::Use,
    state::AppState,
};
use app::{View, i18n::PageError, pages::DeviceLinkPage};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

/// `POST /device`: makes a link, and shows it. It is on no page that could be opened again.
pub async fn make_link(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    if let Err((trouble, status)) = ours(&visitor) {
        return sorry(&state, visitor, trouble, status).await;
    }
    if !identity.known {
        return sorry(&state, visitor, PageError::CookiesDisabled, StatusCode::BAD_REQUEST).await;
    }
    let usage = state.networks.usage(identity.network);
    let made = usage.take(Use::DeviceLink).map_err(Problem::too_fast);
    let link = match made.and_then(|()| state.device_links.create(identity.id).map_err(|_| Problem::full())) {
        Ok(link) => shared(visitor.address.url(&format!("/device/{link}"))),
        Err(problem) if accepts_html(&headers) => return problem_page(&state, visitor, problem).await,
        Err(problem) => return problem.into_response(),
    };
    render(&state, visitor, View::DeviceLink(Box::new(DeviceLinkPage::Made(link))), StatusCode::OK).await
}

/// `GET /device/{link}`: asks whether to become that person. Looking uses nothing up: messengers look at
/// links to show what is behind them.
pub async fn open_link(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(link): Path<String>,
) -> Response {
    match state.device_links.peek(&link) {
        Ok(person) => {
            let (becomes, before) = (state.author_of(person).await, state.author_of(identity.id).await);
            let page = DeviceLinkPage::Opened { path: format!("/device/{link}"), becomes, before };
            render(&state, visitor, View::DeviceLink(Box::new(page)), StatusCode::OK).await
        }
        Err(stale) => too_late(&state, visitor, stale).await,
    }
}

/// `POST /device/{link}`: from now on this browser is that person.
pub async fn take_link(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(link): Path<String>,
) -> Response {
    if let Err((trouble, status)) = ours(&visitor) {
        return sorry(&state, visitor, trouble, status).await;
    }
    // A link that still works is not used up by a browser that would forget it.
    if !identity.known && state.device_links.peek(&link).is_ok() {
        return sorry(&state, visitor, PageError::CookiesDisabled, StatusCode::BAD_REQUEST).await;
    }
    match state.device_links.redeem(&link) {
        Ok(person) => (Extension(Becomes(person)), visitor.redirect("/")).into_response(),
        Err(stale) => too_late(&state, visitor, stale).await,
    }
}

async fn too_late(state: &AppState, visitor: Visitor, stale: LinkError) -> Response {
    let trouble = match stale {
        LinkError::Used => PageError::LinkUsed,
        LinkError::Expired => PageError::LinkExpired,
    };
    sorry(state, visitor, trouble, StatusCode::GONE).await
}
