//! Redirects addresses as people type them (capitalized, with a trailing slash or full stop) to the canonical path.

use crate::{http::public_address::PublicAddress, redact::percent_decode};
use app::wire::RoomName;
use axum::{
    extract::Request,
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Paths without a room that have other forms.
const STATIC_PATHS: [&[&str]; 7] =
    [&["rooms"], &["devices"], &["recover"], &["offline"], &["healthz"], &["readyz"], &["api", "rooms"]];

/// The segments after a room's name in paths of pages.
const PAGE_SUFFIXES: [&[&str]; 3] = [&[], &["about"], &["seen"]];

/// The segments after a room's name in paths of the API.
const API_SUFFIXES: [&[&str]; 3] = [&["messages"], &["events"], &["frames"]];

/// Middleware that redirects (308) to the canonical path if the request has another form of it. The query stays.
///
/// The forms of this server's pages always use canonical paths, so other methods are redirected only in the API.
pub async fn redirect_to_canonical(request: Request, next: Next) -> Response {
    let is_link = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = canonical(request.uri().path()).filter(|path| is_link || path.starts_with("/api/"));
    let Some(path) = path else { return next.run(request).await };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let prefix = request.extensions().get::<PublicAddress>().map_or("", |address| &address.prefix);
    Redirect::permanent(&format!("{prefix}{path}{query}")).into_response()
}

/// Returns the canonical path of `path`, which is percent-encoded; `None` if `path` is canonical or unknown.
fn canonical(path: &str) -> Option<String> {
    let decoded = String::from_utf8(percent_decode(path.as_bytes())).ok()?;
    let mut segments: Vec<&str> = decoded.strip_prefix('/')?.split('/').collect();
    while segments.last().is_some_and(|last| !last.contains(char::is_alphanumeric)) {
        segments.pop();
    }
    let found = match &segments[..] {
        [r, room, rest @ ..] if fold(r) == "r" && PAGE_SUFFIXES.contains(&rest) => {
            [&["r", parse_typed_room_name(room)?.as_str()], rest].concat().join("/")
        }
        ["r", room, seq, verb @ ("edit" | "delete")] => {
            format!("r/{}/{seq}/{verb}", parse_typed_room_name(room)?)
        }
        // A program writes the path exactly, but a person may have typed the room's name.
        ["api", "rooms", room, rest @ ..] if API_SUFFIXES.contains(&rest) && !decoded.ends_with('/') => {
            format!("api/rooms/{}/{}", parse_typed_room_name(room)?, rest.join("/"))
        }
        segments => {
            let folded: Vec<String> = segments.iter().map(|segment| fold(segment)).collect();
            STATIC_PATHS.iter().find(|known| **known == folded)?.join("/")
        }
    };
    let found = format!("/{found}");
    (found != path).then_some(found)
}

/// Parses the name of a room as people type it.
pub fn parse_typed_room_name(written: &str) -> Option<RoomName> {
    fold(written).parse().ok()
}

/// Removes differences of case, width and accents, and trailing characters that are neither letters nor digits.
fn fold(written: &str) -> String {
    let plain: String =
        written.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    plain.trim_start().trim_end_matches(|c: char| !c.is_alphanumeric()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_forms_of_a_path_have_one_canonical_path() {
        for (written, path) in [
            ("/r/Tea", "/r/tea"),
            ("/r/TEA/", "/r/tea"),
            ("/r/tea.", "/r/tea"),
            ("/r/tea%2E", "/r/tea"),
            ("/r/tea),", "/r/tea"),
            ("/r/tea!?", "/r/tea"),
            ("/r/tea%E3%80%82", "/r/tea"),
            ("/r/%EF%BC%B4%EF%BD%85%EF%BD%81", "/r/tea"),
            ("/r/Caf%C3%A9", "/r/cafe"),
            ("/R/tea//", "/r/tea"),
            ("/r/Tea/seen", "/r/tea/seen"),
            ("/r/Tea/3/edit", "/r/tea/3/edit"),
            ("/rooms/", "/rooms"),
            ("/Rooms.", "/rooms"),
            ("/api/rooms/", "/api/rooms"),
            ("/api/rooms/Tea/messages", "/api/rooms/tea/messages"),
            ("/healthz/", "/healthz"),
        ] {
            assert_eq!(canonical(written).as_deref(), Some(path), "{written}");
        }
    }

    #[test]
    fn canonical_and_unknown_paths_are_not_redirected() {
        for path in [
            "/",
            "//",
            "//evil.example",
            "/r/",
            "/r/tea",
            "/r/lobby",
            "/r/No%20Room",
            "/r/no_such_room",
            "/r/tea/x",
            "/r/tea%FF",
            "/rooms",
            "/foo",
            "/foo/",
            "/pkg/hubbub.js",
            "/device/x/",
            "/ws",
            "/r/%E8%8C%B6",
            "/r/tea/3/edit",
            "/api/rooms/tea/events",
            "/api/rooms/tea/messages/",
            "/r/-a",
            "",
        ] {
            assert_eq!(canonical(path), None, "{path}");
        }
    }
}
