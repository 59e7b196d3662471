//! Addresses as people write, phones capitalize and sentences end them lead to the page that is meant.

use crate::{http::host::PublicAddress, redact::percent_decode};
use app::wire::RoomName;
use axum::{
    extract::Request,
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Paths without a room that may be written with a slash or a full stop at the end.
const PLAIN: [&[&str]; 5] = [&["rooms"], &["offline"], &["healthz"], &["readyz"], &["api", "rooms"]];

/// What follows a room's name in a path of its pages, and in one of the API.
const PAGES: [&[&str]; 3] = [&[], &["about"], &["seen"]];
const API: [&[&str]; 3] = [&["messages"], &["events"], &["frames"]];

/// Answers with 308 to the canonical path, with the query as it is, if the request has another form of it. A form of
/// ours always has the canonical path; one with another is answered as it came.
pub async fn lead_to_canonical(request: Request, next: Next) -> Response {
    let is_link = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = canonical(request.uri().path()).filter(|path| is_link || path.starts_with("/api/"));
    let Some(path) = path else { return next.run(request).await };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let prefix = request.extensions().get::<PublicAddress>().map_or("", |address| &address.prefix);
    Redirect::permanent(&format!("{prefix}{path}{query}")).into_response()
}

/// Returns the path that `path`, percent-encoded, is another form of; nothing if it has no other form.
fn canonical(path: &str) -> Option<String> {
    let decoded = String::from_utf8(percent_decode(path.as_bytes())).ok()?;
    let mut segments: Vec<&str> = decoded.strip_prefix('/')?.split('/').collect();
    while segments.last().is_some_and(|last| !last.contains(char::is_alphanumeric)) {
        segments.pop();
    }
    let found = match &segments[..] {
        [r, room, rest @ ..] if folded(r) == "r" && PAGES.contains(&rest) => {
            [&["r", room_name(room)?.as_str()], rest].concat().join("/")
        }
        ["r", room, seq, verb @ ("edit" | "delete")] => format!("r/{}/{seq}/{verb}", room_name(room)?),
        // Programs write the path exactly, but may have the name from a person.
        ["api", "rooms", room, rest @ ..] if API.contains(&rest) && !decoded.ends_with('/') => {
            format!("api/rooms/{}/{}", room_name(room)?, rest.join("/"))
        }
        segments => {
            let folded: Vec<String> = segments.iter().map(|segment| folded(segment)).collect();
            PLAIN.iter().find(|plain| **plain == folded)?.join("/")
        }
    };
    let found = format!("/{found}");
    (found != path).then_some(found)
}

/// Returns the room that a name is meant as.
pub fn room_name(written: &str) -> Option<RoomName> {
    folded(written).parse().ok()
}

/// A name without differences of case, width and accents, and without what is no letter or digit at its end.
fn folded(written: &str) -> String {
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
    fn a_canonical_path_and_one_that_leads_nowhere_stay() {
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
