//! Everything of the user: its export, and its erasure.

use super::{CheckedForm, PageRequest, PageResult, render::render};
use crate::{
    export::export,
    http::{
        identity::{SwitchIdentity, new_user_id},
        problem::Problem,
    },
    limits::network::Use,
    state::AppState,
    store::{SignIn, StoreResult},
};
use app::{View, pages::DataPage, wire::UserId};
use axum::{
    Extension,
    body::Body,
    http::{StatusCode, header},
    response::IntoResponse,
};
use futures_util::StreamExt;
use serde::Deserialize;
use std::io;

/// The confirmation of an erasure.
#[derive(Deserialize)]
pub struct EraseForm {
    confirm: Option<String>,
}

/// `GET /you/data`: offers the export and the erasure, or shows how far the erasure is. When it has ended, the browser becomes
/// a new user.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the store or the rendering fails.
pub async fn user_data(request: PageRequest) -> PageResult {
    match request.state.store.erasure(request.identity.id).await? {
        None => show(request, DataPage::Offered { is_unconfirmed: false }, StatusCode::OK).await,
        Some(erasure) if erasure.finished_at.is_none() => {
            show(request, DataPage::Erasing(erasure.erased), StatusCode::OK).await
        }
        Some(erasure) => {
            let new_user = new_user_id(request.context.lang);
            let page = show(request, DataPage::Erased(erasure.erased), StatusCode::OK).await?;
            Ok((Extension(SwitchIdentity::on_new_device(new_user, 0)), page).into_response())
        }
    }
}

/// `GET /you/export`: downloads everything of the user as JSON Lines.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the network has made too many requests, or if [`MAX_EXPORTS`](crate::export::MAX_EXPORTS) are under
/// way.
pub async fn export_user(request: PageRequest) -> PageResult {
    request.take(Use::DeviceLink)?;
    export_response(&request.state, request.identity.id)
}

/// Returns the download of everything of a user.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if [`MAX_EXPORTS`](crate::export::MAX_EXPORTS) are under way.
pub(super) fn export_response(state: &AppState, user: UserId) -> PageResult {
    let permit = state.exports.clone().try_acquire_owned().map_err(|_| Problem::server_full())?;
    let lines = export(state.store.clone(), user).map(move |piece| {
        // It lives as long as the stream.
        let _permit = &permit;
        piece.map_err(|error| {
            if !error.is_logged() {
                tracing::error!(%error, "export failed");
            }
            io::Error::other(error)
        })
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"hubbub.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// `POST /you/erase`: begins to erase everything of the user, then shows how far that is.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the browser stores no cookies, if a rate limit is exceeded, or if the store fails.
pub async fn erase_user(request: PageRequest, CheckedForm(form): CheckedForm<EraseForm>) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    if form.confirm.as_deref() != Some("yes") {
        let page = DataPage::Offered { is_unconfirmed: true };
        return show(request, page, StatusCode::BAD_REQUEST).await;
    }
    state.admit_write(*identity, Use::DeviceLink).map_err(Problem::rate_limited)?;
    begin_erasure(state, identity.id).await?;
    // The erasure signs every device out. This browser stays, to see how far it is.
    let generation = state.store.sign_ins(identity.id).await?.generation;
    let renewed = SwitchIdentity(identity.id, SignIn { device: identity.sign_in.device, generation });
    Ok((Extension(renewed), request.redirect("/you/data")).into_response())
}

/// Begins to erase everything of a user, and signs them out on this server at once.
///
/// # Errors
/// [`StoreError::Backend`](crate::store::StoreError::Backend).
pub(super) async fn begin_erasure(state: &AppState, user: UserId) -> StoreResult<()> {
    state.store.begin_erasure(user).await?;
    state.erasure_begun.notify_one();
    // The notification does the same, a moment later, also if the store cannot be read now.
    let _ = state.sign_ins.enforce(user).await;
    Ok(())
}

async fn show(
    PageRequest { state, context, .. }: PageRequest,
    page: DataPage,
    status: StatusCode,
) -> PageResult {
    render(&state, context, View::Data(page), status).await
}
