//! The way in: the password, invitations and the admin link. To open a link does not use it: messengers open links to preview
//! them.

use super::{CheckedForm, PageRequest, PageResult, render};
use crate::{
    hexadecimal,
    http::preferences::RequestContext,
    limits::network::Use,
    password, secret,
    state::AppState,
    store::{LinkError, ServerAccess},
};
use app::{View, pages::AccessPage, wire::DisplayName};
use axum::{extract::Path, http::StatusCode};
use serde::Deserialize;

/// The form with the password of the server.
#[derive(Deserialize)]
pub struct PasswordForm {
    password: String,
}

/// Renders the page that a user sees who may not enter the server yet.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the rendering fails.
pub(in super::super) async fn closed_page(
    state: &AppState,
    context: RequestContext,
    is_wrong: bool,
    status: StatusCode,
) -> PageResult {
    let access = state.store.settings().await?.access;
    let page = AccessPage::Closed { takes_password: access == ServerAccess::Password, is_wrong };
    render(state, context, View::Access(page), status).await
}

/// `POST /enter`: lets the user in if the password is right.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the browser stores no cookies, if the network has tried too often, or if the store fails.
pub async fn enter_with_password(
    request: PageRequest,
    CheckedForm(form): CheckedForm<PasswordForm>,
) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    request.take(Use::Secret)?;
    let settings = state.store.settings().await?;
    let hash = settings.password.filter(|_| settings.access == ServerAccess::Password);
    let is_right = match hash {
        Some(hash) => password::verify(form.password, hash).await,
        None => false,
    };
    if !is_right {
        return closed_page(&request.state, request.context, true, StatusCode::FORBIDDEN).await;
    }
    state.store.admit(identity.id).await?;
    Ok(request.redirect("/"))
}

/// `GET /invite/{token}`: asks the user to accept an invitation.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the store or the rendering fails.
pub async fn open_invitation(request: PageRequest, Path(token): Path<String>) -> PageResult {
    let PageRequest { state, context, .. } = &request;
    let stored = match state.store.invitation(secret::hash(&token)).await? {
        Ok(stored) => stored,
        Err(LinkError::Used | LinkError::Expired) => return invalid_link(request).await,
    };
    let by = state.author_of(stored.by).await.disambiguated();
    let room = match &stored.room {
        Some(room) => {
            let title = state.store.room(room).await?.title();
            Some(context.lang.strings().title_of(room, title))
        }
        None => None,
    };
    let page = AccessPage::Invitation { path: format!("/invite/{token}"), by, room };
    render(&request.state, request.context, View::Access(page), StatusCode::OK).await
}

/// `POST /invite/{token}`: uses an invitation, then redirects to its room.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the browser stores no cookies, if the network has tried too often, if a
/// moderator has removed the user, or if the store fails.
pub async fn accept_invitation(request: PageRequest, Path(token): Path<String>) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    request.take(Use::Secret)?;
    match state.store.redeem_invitation(secret::hash(&token), identity.id).await? {
        Ok(Some(room)) => Ok(request.redirect(&room.path())),
        Ok(None) => Ok(request.redirect("/")),
        Err(LinkError::Used | LinkError::Expired) => invalid_link(request).await,
    }
}

/// `GET /admin/link/{token}`: asks the user to become the administrator.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the store or the rendering fails.
pub async fn open_admin_link(request: PageRequest, Path(token): Path<String>) -> PageResult {
    let stored = request.state.store.settings().await?.admin_link;
    if stored.as_deref() != Some(&*hexadecimal::encode(&secret::hash(&token))) {
        return invalid_link(request).await;
    }
    let page = AccessPage::AdminLink { path: format!("/admin/link/{token}") };
    render(&request.state, request.context, View::Access(page), StatusCode::OK).await
}

/// `POST /admin/link/{token}`: makes the user the administrator.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the browser stores no cookies, if the network has tried too often, or if the store fails.
pub async fn accept_admin_link(request: PageRequest, Path(token): Path<String>) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    request.take(Use::Secret)?;
    if state.store.redeem_admin_link(secret::hash(&token), identity.id).await? {
        // A guest has no devices and no recovery code, which the administrator needs.
        if !state.store.sign_ins(identity.id).await?.is_user {
            state.store.set_display_name(identity.id, DisplayName::generated(identity.id)).await?;
        }
        return Ok(request.redirect("/admin"));
    }
    invalid_link(request).await
}

/// Renders one answer for every link that does not work, whatever is wrong with it.
async fn invalid_link(request: PageRequest) -> PageResult {
    render(&request.state, request.context, View::Access(AccessPage::InvalidLink), StatusCode::GONE).await
}
