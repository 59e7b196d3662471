//! The link that signs a second device in as the same user.

use super::{PageRejection, PageRequest, PageResult, devices::sign_in, render::render, share::share_link};
use crate::{
    device_links,
    http::{preferences::accepts_html, problem::Problem},
    limits::network::Use,
    store::LinkError,
};
use app::{View, i18n::PageError, pages::DeviceLinkPage};
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};

/// `POST /device`: creates a link and shows it. The page has no address, so it cannot be opened again.
///
/// # Errors
/// [`PageRejection`] if the browser stores no cookies, if a limit of links is exceeded, or if the store fails.
pub async fn create_link(request: PageRequest, headers: HeaderMap) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    let admitted = state.networks.usage(identity.network).take(Use::DeviceLink);
    let created = match admitted {
        Ok(()) => match device_links::create(&*state.store, identity.id).await {
            Ok(created) => created.map_err(|_| Problem::server_full()),
            Err(error) => Err(error.into()),
        },
        Err(wait) => Err(Problem::rate_limited(wait)),
    };
    match created {
        Ok(link) => {
            let link = share_link(request.context.address.url(&format!("/device/{link}")));
            render_link(request, DeviceLinkPage::Created(link)).await
        }
        Err(problem) if accepts_html(&headers) => Err(problem.into()),
        Err(problem) => Ok(problem.into_response()),
    }
}

/// `GET /device/{link}`: asks the user to confirm the switch. Opening the page does not use the link: messengers open
/// links to preview them.
///
/// # Errors
/// [`PageRejection`] if the link is used or expired, or if the store or the rendering fails.
pub async fn open_link(request: PageRequest, Path(link): Path<String>) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    let user = device_links::peek(&*state.store, &link).await??;
    let (new_user, current_user) = (state.author_of(user).await, state.author_of(identity.id).await);
    render_link(request, DeviceLinkPage::Opened { path: format!("/device/{link}"), new_user, current_user })
        .await
}

/// `POST /device/{link}`: uses the link; the browser becomes that user, on a device of its own.
///
/// # Errors
/// [`PageRejection`] if the browser stores no cookies, if the link is used or expired, or if the store fails.
pub async fn redeem_link(request: PageRequest, Path(link): Path<String>, headers: HeaderMap) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    // A browser that would lose the new identity at once does not use the link.
    if !identity.is_known && device_links::peek(&*state.store, &link).await?.is_ok() {
        return Err(PageRejection::cookies_disabled());
    }
    let user = device_links::redeem(&*state.store, &link).await??;
    let switch = sign_in(&request, user, &headers).await?;
    Ok((switch, request.redirect("/")).into_response())
}

async fn render_link(request: PageRequest, page: DeviceLinkPage) -> PageResult {
    render(&request.state, request.context, View::DeviceLink(Box::new(page)), StatusCode::OK).await
}

impl From<LinkError> for PageRejection {
    fn from(stale: LinkError) -> Self {
        let error = match stale {
            LinkError::Used => PageError::LinkUsed,
            LinkError::Expired => PageError::LinkExpired,
        };
        Self::new(error, StatusCode::GONE)
    }
}
