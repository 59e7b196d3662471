//! Who may have a socket. axum checks neither the origin nor the form of the key, and lets unknown
//! subprotocols through, so all of that is checked here, before the upgrade.

use super::{Desk, Mode, lines, socket::Socket, v1, writer::Stream};
use crate::{
    http::{
        canonical_path::room_name,
        host::{RequestSource, foreign_page},
        identity::Identity,
        problem::Problem,
    },
    net::{Transport, http::release},
    state::AppState,
    websocket,
};
use app::wire::{InvalidRoomName, PROTOCOL, RoomName, limits::MAX_FRAME_BYTES};
use axum::{
    Extension,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

/// The one version of the protocol (RFC 6455, section 4.1).
const VERSION: &str = "13";

#[derive(Deserialize)]
struct Asked {
    room: Option<String>,
}

/// `GET /ws`: refuses with a reason, or answers 101 and serves the connection.
pub async fn upgrade(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    request: Request,
) -> Response {
    match admit(&request) {
        Ok(mode) => accept(state, identity, mode, request).await,
        Err(problem) => {
            tracing::debug!(status = problem.status().as_u16(), reason = problem.detail(), "upgrade refused");
            with_version(problem).into_response()
        }
    }
}

async fn accept(state: AppState, identity: Identity, mode: Mode, request: Request) -> Response {
    let place = match state.places.take(identity.network) {
        Ok(place) => place,
        Err(full) => return Problem::from(full).into_response(),
    };
    let protocol = (mode == Mode::V1).then_some(PROTOCOL);
    let sockets = state.sockets.clone();
    let mut desk = Desk::new(state, place, identity).await;
    if let Mode::Lines(room) = &mode {
        // Before the 101, so that whoever has it misses nothing that is posted from then on.
        desk.reader.join_now(room);
    }
    // Counted from now on, so that a server that stops waits for it.
    let arriving = sockets.token();
    // A task of its own for each mode, no bigger than it needs: most of them do nothing, most of the time.
    hand_over(request, protocol, MAX_FRAME_BYTES, move |socket| {
        match mode {
            Mode::Lines(room) => drop(sockets.spawn(lines::serve(socket, desk, room))),
            Mode::V1 => drop(sockets.spawn(v1::serve(socket, desk))),
        }
        drop(arriving);
    })
}

/// Answers 101, naming `protocol` if there is one, and gives the socket to `serve`, which starts a task for
/// it. No message of more than `most` bytes comes out of it. The request's key was looked at before.
pub fn hand_over(
    mut request: Request,
    protocol: Option<&'static str>,
    most: usize,
    serve: impl FnOnce(Socket) + Send + 'static,
) -> Response {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let accept = websocket::accept(key.map_or(&[], |key| key.as_bytes()));
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Problem::new(StatusCode::UPGRADE_REQUIRED, "This connection cannot be upgraded.")
            .into_response();
    };
    tokio::spawn(async move {
        if let Some(socket) = upgraded(upgrade, most).await {
            serve(socket);
        }
    });
    let ours = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &*accept),
    ];
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, ours).into_response();
    if let Some(protocol) = protocol {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    response
}

/// The socket behind the 101, with what was read of it already.
async fn upgraded(upgrade: OnUpgrade, most: usize) -> Option<Socket> {
    match upgrade.await.map(Upgraded::downcast::<TokioIo<Transport>>) {
        Ok(Ok(parts)) => {
            let (stream, permit, account) = parts.io.into_inner().into_parts()?;
            release(&stream);
            // Copied: what hyper has read lies in a buffer that would be kept as long.
            let rest = Bytes::copy_from_slice(&parts.read_buf);
            Some(Socket::new(Stream::new(stream, account), permit, rest, most))
        }
        Ok(Err(_)) => {
            tracing::error!("an upgraded connection is not of this server's transport");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "upgrade failed");
            None
        }
    }
}

/// The mode that the request asks for, if it may have a socket at all.
fn admit(request: &Request) -> Result<Mode, Problem> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Problem::method_not_allowed("GET"));
    }
    if !has_token(headers, &header::CONNECTION, "upgrade")
        || !has_token(headers, &header::UPGRADE, "websocket")
    {
        return Err(Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "This is a WebSocket endpoint: ask for an upgrade.",
        ));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Version must be 13."));
    }
    if !is_key(headers) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64."));
    }
    if request.extensions().get() == Some(&RequestSource::Foreign) {
        return Err(foreign_page(headers));
    }
    mode(headers, request.uri())
}

fn mode(headers: &HeaderMap, uri: &Uri) -> Result<Mode, Problem> {
    let mut offered = tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL).peekable();
    if offered.peek().is_some() {
        if offered.any(|name| name == PROTOCOL) {
            return Ok(Mode::V1);
        }
        let known = format!("The subprotocols known here are: {PROTOCOL}. Offer none to talk in lines.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, known));
    }
    let asked = Query::<Asked>::try_from_uri(uri)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "?room= is wrong."))?;
    let room = asked.0.room.map_or(Ok(RoomName::lobby()), |room| room_name(&room).ok_or(InvalidRoomName));
    room.map(Mode::Lines).map_err(Problem::no_such_room)
}

/// 16 bytes in base64 (RFC 6455, section 4.1, point 7), once.
fn is_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    BASE64_STANDARD.decode(key.as_bytes()).is_ok_and(|key| key.len() == 16)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// Says which version would do, as RFC 6455, section 4.4 asks.
fn with_version(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::UPGRADE_REQUIRED => problem
            .with_header(header::UPGRADE, "websocket")
            .with_header(header::CONNECTION, "upgrade")
            .with_header(header::SEC_WEBSOCKET_VERSION, VERSION),
        StatusCode::BAD_REQUEST => problem.with_header(header::SEC_WEBSOCKET_VERSION, VERSION),
        _ => problem,
    }
}
