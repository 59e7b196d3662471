//! The page of a room.

use super::{
    PageRejection, PageRequest, PageResult, RoomPath,
    render::{render, run_page},
    room_view::{PageAnchor, PageView, load_room_page},
    share::share_link,
};
use crate::{
    http::{identity::Identity, preferences::RequestContext, problem::Problem},
    limits::network::Use,
    state::AppState,
};
use app::{
    RoomRetention, View,
    i18n::PageError,
    page_data::{RejectedInput, RoomPage},
    wire::{Millis, RoomName, Seq},
};
use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// The messages that a room's page shows: `?before=` or `?around=` a `seq`, the first one `?at=` a time or later, otherwise
/// the newest. With `?reply=` the composer replies to a message.
#[derive(Deserialize)]
pub struct RoomQuery {
    before: Option<Seq>,
    around: Option<Seq>,
    at: Option<Millis>,
    reply: Option<Seq>,
}

/// The last message that a page without scripts has shown.
#[derive(Deserialize)]
pub struct ReadBeacon {
    seq: Seq,
}

impl RoomQuery {
    fn anchor(&self) -> PageAnchor {
        match (self.around, self.before, self.at) {
            (Some(seq), ..) => PageAnchor::Around(seq),
            (None, Some(seq), _) => PageAnchor::Before(seq),
            (None, None, Some(at)) => PageAnchor::At(at),
            (None, None, None) => PageAnchor::Latest,
        }
    }
}

/// `GET /`: the page of the lobby.
///
/// # Errors
/// See [`room`].
pub async fn lobby(request: PageRequest, query: Result<Query<RoomQuery>, QueryRejection>) -> PageResult {
    room(request, RoomPath(RoomName::lobby()), query).await
}

/// `GET /r/{room}`: the page of a room.
///
/// # Errors
/// [`PageRejection`] if the query is invalid, or if the store or the rendering fails.
pub async fn room(
    PageRequest { state, identity, context }: PageRequest,
    RoomPath(room): RoomPath,
    query: Result<Query<RoomQuery>, QueryRejection>,
) -> PageResult {
    let Query(query) =
        query.map_err(|_| PageRejection::new(PageError::InvalidSeq, StatusCode::BAD_REQUEST))?;
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        let view = PageView { anchor: query.anchor(), reply_to: query.reply, rejected: None };
        let (page, retention) = load_room_page(&state, identity, room, view, context.lang).await?;
        render_room(&state, context, (page, retention), StatusCode::OK).await
    };
    run_page(&handle, activity, page).await
}

/// `GET /r/{room}/seen?seq=`: a page without scripts was shown. Browsers without scripts request it as an image of the
/// page.
///
/// # Errors
/// [`Problem`] if the room or `seq` is invalid, if the browser stores no cookies, if a rate limit is exceeded, or
/// if the store fails.
pub async fn read_beacon(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    beacon: Result<Query<ReadBeacon>, QueryRejection>,
) -> Result<Response, Problem> {
    let (Ok(room), Ok(Query(ReadBeacon { seq }))) = (room.parse::<RoomName>(), beacon) else {
        return Err(Problem::bad_request("A room and its `seq` are required."));
    };
    if !identity.is_known {
        return Err(Problem::no_cookies());
    }
    if state.store.head(&room).await? < seq {
        return Err(Problem::bad_request("`seq` is beyond the end of the room."));
    }
    state.admit_write(identity, Use::Post).map_err(Problem::rate_limited)?;
    state.store.set_read_marker(identity.id, room, seq).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], StatusCode::NO_CONTENT).into_response())
}

async fn render_room(
    state: &AppState,
    context: RequestContext,
    (page, retention): (RoomPage, RoomRetention),
    status: StatusCode,
) -> PageResult {
    let link = share_link(context.address.url(&page.room.path()));
    render(state, context, View::Room(Box::new(page), link, retention), status).await
}

/// Renders the room again, with the rejected input still in its field and the status of `problem`.
pub(super) async fn rerender_room(
    PageRequest { state, identity, context }: PageRequest,
    room: RoomName,
    reply_to: Option<Seq>,
    rejected: RejectedInput,
    problem: Problem,
) -> PageResult {
    // A form's own path has no page, so links on the page lead to the room.
    let context = RequestContext { path: room.path(), ..context };
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        let view = PageView { anchor: PageAnchor::Latest, reply_to, rejected: Some(rejected) };
        let (page, retention) = load_room_page(&state, identity, room, view, context.lang).await?;
        let page = render_room(&state, context, (page, retention), problem.status()).await?;
        Ok(problem.add_headers(page))
    };
    run_page(&handle, activity, page).await
}
