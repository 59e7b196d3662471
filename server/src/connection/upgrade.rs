//! The route `/ws`: checks the request, chooses the protocol and starts the connection.
//!
//! axum's extractor checks neither the origin nor the form of the key, and accepts unknown subprotocols, so these checks
//! are made here.

use super::{
    ConnectionContext, Protocol,
    handshake::{VERSION, complete_handshake, has_token, is_valid_key, tokens, with_version},
    lines, v1,
};
use crate::{
    access::is_refusal,
    http::{
        canonical_path::parse_typed_room_name, identity::Identity, problem::Problem, user_agent::device_label,
    },
    hub::subscriber::End,
    state::AppState,
};
use app::wire::{InvalidRoomName, PROTOCOL, RoomName, limits::MAX_FRAME_BYTES};
use axum::{
    Extension,
    extract::{Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct UpgradeQuery {
    room: Option<String>,
}

/// Serves `GET /ws`: answers 101 and runs the connection, or answers with the problem.
pub async fn upgrade(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    request: Request,
) -> Response {
    match validate_request(&request) {
        Ok(protocol) => accept(state, identity, protocol, request).await,
        Err(problem) => {
            tracing::debug!(status = problem.status().as_u16(), reason = problem.detail(), "upgrade refused");
            with_version(problem).into_response()
        }
    }
}

async fn accept(state: AppState, identity: Identity, protocol: Protocol, request: Request) -> Response {
    let permit = match state.connection_limit.try_acquire(identity.network) {
        Ok(permit) => permit,
        Err(full) => return Problem::from(full).into_response(),
    };
    let subprotocol = (protocol == Protocol::V1).then_some(PROTOCOL);
    let (sockets, label) = (state.sockets.clone(), device_label(request.headers()));
    let refused = match &protocol {
        // A failure of the store shows itself when the client joins a room.
        Protocol::V1 => state.enter(identity, None).await.err().filter(is_refusal),
        Protocol::Lines(_) => None,
    };
    let mut context = match ConnectionContext::new(state, permit, identity, label).await {
        Ok(context) => context,
        Err(error) => return Problem::from(error).into_response(),
    };
    if let Some(refused) = refused
        && context.subscriber.ended().is_none()
    {
        context.subscriber.end(End::NoAccess(refused));
    }
    if let Protocol::Lines(room) = &protocol
        && context.subscriber.ended().is_none()
    {
        // Before the 101, so that the client misses no message that is posted after it.
        if let Err(error) = context.session.join_live(room).await {
            return Problem::from(error).into_response();
        }
    }
    // A stopping server waits for connections that are being upgraded, too.
    let token = sockets.token();
    // A task of its own type for each protocol, no larger than it needs: most connections are idle.
    complete_handshake(request, subprotocol, MAX_FRAME_BYTES, move |socket| {
        match protocol {
            Protocol::Lines(room) => drop(sockets.spawn(lines::serve(socket, context, room))),
            Protocol::V1 => drop(sockets.spawn(v1::serve(socket, context))),
        }
        drop(token);
    })
}

/// Checks a request for an upgrade. Returns the protocol that it asks for.
fn validate_request(request: &Request) -> Result<Protocol, Problem> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Problem::method_not_allowed("GET"));
    }
    if !has_token(headers, &header::CONNECTION, "upgrade")
        || !has_token(headers, &header::UPGRADE, "websocket")
    {
        return Err(Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "This is a WebSocket endpoint; request an upgrade.",
        ));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Version must be 13."));
    }
    if !is_valid_key(headers) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64."));
    }
    protocol(headers, request.uri())
}

fn protocol(headers: &HeaderMap, uri: &Uri) -> Result<Protocol, Problem> {
    let mut offered = tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL).peekable();
    if offered.peek().is_some() {
        if offered.any(|name| name == PROTOCOL) {
            return Ok(Protocol::V1);
        }
        let known = format!("Unknown subprotocol. Known ones: {PROTOCOL}. Offer none for lines.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, known));
    }
    let query = Query::<UpgradeQuery>::try_from_uri(uri)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "`room` is invalid."))?;
    let room = query
        .0
        .room
        .map_or(Ok(RoomName::lobby()), |room| parse_typed_room_name(&room).ok_or(InvalidRoomName));
    room.map(Protocol::Lines).map_err(Problem::invalid_room_name)
}
