//! The data that the share sheet of the system hands over to an installed Hubbub.
//!
//! The service worker takes the request and keeps what is shared in the browser until the user has chosen a room. The server
//! never has any of it.

use super::{
    PageRejection, PageRequest, PageResult,
    render::{render, run_page},
    room_view::RoomList,
};
use app::{View, i18n::PageError, pages::SharePage, wire::RoomName};
use axum::{
    body::Body,
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
};
use futures_util::StreamExt;
use serde::Deserialize;

/// Bytes of a refused share that are read before the answer. A browser that cannot send its request to the end shows no
/// answer.
const MAX_DISCARDED_BYTES: usize = 32 * 1_024 * 1_024;

/// The page of the user's rooms.
#[derive(Deserialize)]
pub struct ShareQuery {
    yours: Option<u32>,
}

/// `GET /share`: the rooms of the user, to choose the one that gets what is shared.
///
/// # Errors
/// [`PageRejection`] if the store or the rendering fails.
pub async fn choose_room_for_share(
    PageRequest { state, identity, context }: PageRequest,
    query: Result<Query<ShareQuery>, QueryRejection>,
) -> PageResult {
    let skip = query.ok().and_then(|Query(query)| query.yours).unwrap_or_default();
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        // The first page always has the lobby.
        let also: &[RoomName] = if skip == 0 { &[RoomName::lobby()] } else { &[] };
        let RoomList { rooms, next } =
            RoomList::load_joined(&state, identity, context.lang, skip, also).await?;
        render(&state, context, View::Share(SharePage { rooms, next }), StatusCode::OK).await
    };
    run_page(&handle, activity, page).await
}

/// `POST /share`: what is shared to a browser without a service worker, which would have taken it. Nothing of it is kept: the
/// page says how it works the next time.
pub async fn refuse_share(body: Body) -> PageRejection {
    let (mut parts, mut discarded) = (body.into_data_stream(), 0);
    while let Some(Ok(part)) = parts.next().await {
        discarded += part.len();
        if discarded > MAX_DISCARDED_BYTES {
            break;
        }
    }
    PageRejection::new(PageError::NotShared, StatusCode::CONFLICT)
}
