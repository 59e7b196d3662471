//! The opening handshake of a WebSocket (RFC 6455, section 4.2).

use super::{socket::Socket, writer::SocketWriter};
use crate::{
    http::problem::Problem,
    net::{Transport, http::release},
    websocket,
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

/// The one version of the protocol (RFC 6455, section 4.1).
pub(super) const VERSION: &str = "13";

/// Answers 101 with the subprotocol, and passes the socket to `serve`, which spawns its task. A message has at most
/// `max_bytes` bytes. The caller has checked the key.
pub fn complete_handshake(
    mut request: Request,
    protocol: Option<&'static str>,
    max_bytes: usize,
    serve: impl FnOnce(Socket) + Send + 'static,
) -> Response {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let accept = websocket::accept(key.map_or(&[], |key| key.as_bytes()));
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Problem::new(StatusCode::UPGRADE_REQUIRED, "This connection cannot be upgraded.")
            .into_response();
    };
    tokio::spawn(async move {
        if let Some(socket) = into_socket(upgrade, max_bytes).await {
            serve(socket);
        }
    });
    let headers = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, &*accept),
    ];
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
    if let Some(protocol) = protocol {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    response
}

/// Waits for the upgrade and returns the socket.
async fn into_socket(upgrade: OnUpgrade, max_bytes: usize) -> Option<Socket> {
    match upgrade.await.map(Upgraded::downcast::<TokioIo<Transport>>) {
        Ok(Ok(parts)) => {
            let (stream, permit, account) = parts.io.into_inner().into_parts()?;
            release(&stream);
            // Copied, because hyper's buffer would be held as long as the slice.
            let rest = Bytes::copy_from_slice(&parts.read_buf);
            Some(Socket::new(SocketWriter::new(stream, account), permit, rest, max_bytes))
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

/// Returns `true` if there is one key of 16 bytes in base64 (RFC 6455, section 4.1, point 7).
pub(super) fn is_valid_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    BASE64_STANDARD.decode(key.as_bytes()).is_ok_and(|key| key.len() == 16)
}

/// Returns `true` if a header that is a list has the token `wanted`.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// Returns the tokens of a header that is a list.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// Adds the supported version to the answer (RFC 6455, section 4.4).
pub(super) fn with_version(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::UPGRADE_REQUIRED => problem
            .with_header(header::UPGRADE, "websocket")
            .with_header(header::CONNECTION, "upgrade")
            .with_header(header::SEC_WEBSOCKET_VERSION, VERSION),
        StatusCode::BAD_REQUEST => problem.with_header(header::SEC_WEBSOCKET_VERSION, VERSION),
        _ => problem,
    }
}
