//! Extractors of page handlers.

use super::PageRejection;
use crate::{
    http::{identity::Identity, preferences::RequestContext, problem::Problem},
    limits::network::Use,
    state::AppState,
};
use app::wire::{RoomName, Seq};
use axum::{
    Extension,
    extract::{FromRequestParts, Path, rejection::ExtensionRejection},
    http::request::Parts,
    response::{IntoResponse, Response},
};

/// The data that every page handler needs.
pub struct PageRequest {
    /// The application's state.
    pub state: AppState,
    /// The user that the request belongs to.
    pub identity: Identity,
    /// The language, the theme and the addresses of the page.
    pub context: RequestContext,
}

impl PageRequest {
    /// Checks that the browser has sent its cookies: one that stores none would lose at once what the request gives it.
    ///
    /// # Errors
    /// [`PageRejection`] if it has sent none.
    pub fn require_cookies(&self) -> Result<(), PageRejection> {
        if self.identity.is_known { Ok(()) } else { Err(PageRejection::cookies_disabled()) }
    }

    /// Counts a use against the limit of the network.
    ///
    /// # Errors
    /// [`Problem`] if the network has none left.
    pub fn take(&self, what: Use) -> Result<(), Problem> {
        let usage = self.state.networks.usage(self.identity.network);
        usage.take(what).map_err(Problem::rate_limited)
    }

    /// Redirects the browser to a path of this server (303).
    pub fn redirect(&self, path: &str) -> Response {
        self.context.redirect(path).into_response()
    }
}

impl FromRequestParts<AppState> for PageRequest {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ExtensionRejection> {
        let Extension(identity) = Extension::from_request_parts(parts, state).await?;
        let context = RequestContext::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), identity, context })
    }
}

/// The room in the path.
pub struct RoomPath(pub RoomName);

impl<S: Send + Sync> FromRequestParts<S> for RoomPath {
    type Rejection = PageRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageRejection> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let room = path.ok().and_then(|Path(room)| room.parse().ok());
        room.map(Self).ok_or_else(PageRejection::not_found)
    }
}

/// The message in the path.
pub struct MessagePath {
    /// The room.
    pub room: RoomName,
    /// The `seq` of the message.
    pub target: Seq,
}

impl<S: Send + Sync> FromRequestParts<S> for MessagePath {
    type Rejection = PageRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageRejection> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let message = path
            .ok()
            .and_then(|Path((room, seq))| Some(Self { room: room.parse().ok()?, target: seq.parse().ok()? }));
        message.ok_or_else(PageRejection::not_found)
    }
}
