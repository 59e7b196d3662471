//! Middleware that lets users in: every page and every request of the API about the server or a room passes here.

use crate::{
    http::{
        canonical_path::parse_typed_room_name,
        identity::{Identity, KeepIdentity},
        preferences::accepts_html,
        problem::Problem,
    },
    state::AppState,
    store::StoreError,
};
use app::wire::{PROTOCOL, RoomName};
use axum::{
    extract::{MatchedPath, Query, RawPathParams, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct SocketQuery {
    room: Option<String>,
}

/// Checks that the user may enter the server, and the room that the request names. If access changes meanwhile, checks
/// again before anything that was read is sent.
pub async fn let_in(
    State(state): State<AppState>,
    parameters: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let Some(identity) = request.extensions().get::<Identity>().copied() else {
        return Problem::internal().into_response();
    };
    if identity.is_signed_out || is_v1_socket(&request) {
        // The handler sends the client an error of its protocol.
        return next.run(request).await;
    }
    let room = room_of(&request, &parameters);
    let admission = match state.enter(identity, room.as_ref()).await {
        Ok(admission) => admission,
        Err(refused) => {
            // The page has the form with the password, which a user without cookies could not send.
            let is_at_door = matches!(refused, StoreError::NotAdmitted) && accepts_html(request.headers());
            let mut response = Problem::from(refused).into_page_response();
            if is_at_door {
                response.extensions_mut().insert(KeepIdentity);
            }
            return response;
        }
    };
    let response = next.run(request).await;
    if response.status().is_redirection() {
        // It says nothing, and a user who has just left the room may not enter it any more.
        return response;
    }
    match state.confirm(identity, &admission).await {
        Ok(()) => response,
        Err(refused) => Problem::from(refused).into_page_response(),
    }
}

/// Returns `true` if the request opens a socket of v1.
fn is_v1_socket(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    path.ends_with("/ws")
        && offered.filter_map(|value| value.to_str().ok()).any(|names| names.contains(PROTOCOL))
}

/// Returns the room that the request names, if that is a name: the one in the path; for a socket in lines the one in the
/// query, or the lobby.
fn room_of(request: &Request, parameters: &RawPathParams) -> Option<RoomName> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if path.ends_with("/ws") {
        let query = Query::<SocketQuery>::try_from_uri(request.uri()).ok()?;
        return query.0.room.map_or_else(|| Some(RoomName::lobby()), |room| parse_typed_room_name(&room));
    }
    if path == "/" {
        return Some(RoomName::lobby());
    }
    let named = parameters.iter().find(|(name, _)| *name == "room")?.1;
    named.parse().ok()
}
