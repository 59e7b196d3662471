//! Text of clients, made safe for the log: short, printable and without secrets.

use app::wire::RoomName;
use std::{fmt, fmt::Write};

/// Bytes of a client's text in a log line, before they are escaped.
const MAX_LOGGED_BYTES: usize = 200;

/// The prefixes of private rooms' names, which are not secret.
const PRIVATE_PREFIXES: [&str; 2] = ["p-", "m-"];

/// The segments of a path that secrets follow.
const BEFORE_SECRETS: [&[u8]; 3] = [b"device", b"invite", b"link"];

/// A run of this many hexadecimal digits may be part of a secret.
const SECRET_DIGITS: usize = 16;

/// A room's name in the log. The name of a private room is hidden.
pub struct RedactedRoom<'a>(pub &'a RoomName);

impl fmt::Display for RedactedRoom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str();
        match PRIVATE_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
            Some(prefix) => write!(f, "{prefix}…"),
            None => f.write_str(name),
        }
    }
}

/// Returns `text` cut and escaped, so that it cannot control a terminal that shows the log.
pub fn escape_for_log(text: &[u8]) -> String {
    let mut shown = String::new();
    for byte in &text[..text.len().min(MAX_LOGGED_BYTES)] {
        match byte {
            b' '..=b'~' => shown.push(char::from(*byte)),
            _ => drop(write!(shown, "\\x{byte:02x}")),
        }
    }
    if text.len() > MAX_LOGGED_BYTES {
        shown.push('…');
    }
    shown
}

/// Returns a path for the log, without secrets of links and names of private rooms in any encoding.
pub fn redact_path(path: &str) -> String {
    let cut = &path.as_bytes()[..path.len().min(MAX_LOGGED_BYTES)];
    let decoded = percent_decode(cut);
    let mut shown = String::new();
    let mut precedes_secret = false;
    for segment in decoded.split(|byte| *byte == b'/').skip(1) {
        shown.push('/');
        let is_secret = (precedes_secret && !segment.is_empty()) || is_secret(segment);
        shown.push_str(&if is_secret { "…".into() } else { escape_for_log(segment) });
        precedes_secret = BEFORE_SECRETS.contains(&segment);
    }
    if path.len() > MAX_LOGGED_BYTES {
        shown.push('…');
    }
    shown
}

/// Returns `true` if a segment may be the name of a private room.
fn is_secret(segment: &[u8]) -> bool {
    let is_prefix =
        |start: &[u8]| PRIVATE_PREFIXES.iter().any(|prefix| start.eq_ignore_ascii_case(prefix.as_bytes()));
    let has_prefix = segment.get(..2).is_some_and(is_prefix);
    has_prefix || segment.split(|byte| !byte.is_ascii_hexdigit()).any(|digits| digits.len() >= SECRET_DIGITS)
}

/// Decodes `%` and two hexadecimal digits (RFC 3986, section 2.1). Invalid sequences stay as they are.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn paths_show_no_private_rooms_and_device_links_in_any_encoding() {
        for path in [
            format!("/r/p-{HEX}"),
            format!("/r/%70-{HEX}/seen"),
            format!("/r/%70%2d{HEX}"),
            format!("/r/%2570-{HEX}"),
            format!("/r/P-{}", HEX.to_uppercase()),
            format!("/api/rooms/p-{HEX}/messages"),
            format!("/chat/r%2Fp-{HEX}"),
            format!("//r/p-{HEX}"),
            "/device/0123456789abcdef".into(),
            "/d%65vice/0123456789abcdef".into(),
            "/device%2f0123456789abcdef".into(),
            format!("/r/m-{HEX}/manage"),
            "/invite/xyz89abcdef".into(),
            "/admin/link/xyz89abcdef".into(),
        ] {
            assert!(!redact_path(&path).to_lowercase().contains("89abcdef"), "{path}");
        }
        assert_eq!(redact_path("/r/tea/seen"), "/r/tea/seen");
        assert_eq!(redact_path("/device"), "/device");
        assert_eq!(redact_path("/r/tea/manage"), "/r/tea/manage");
    }

    #[test]
    fn a_clients_text_is_cut_and_escaped() {
        assert_eq!(escape_for_log("a\u{9b}\x1b]0;x\x07ä".as_bytes()), "a\\xc2\\x9b\\x1b]0;x\\x07\\xc3\\xa4");
        assert_eq!(redact_path("/%1b[2J"), "/\\x1b[2J");
        let long = format!("/{}", "x".repeat(60_000));
        assert!(redact_path(&long).len() < 250 && escape_for_log(long.as_bytes()).len() < 250);
    }

    #[test]
    fn the_name_of_a_private_room_is_hidden() {
        let shown = |name: &str| RedactedRoom(&name.parse().unwrap()).to_string();
        assert_eq!((shown("tea").as_str(), shown(&format!("p-{HEX}")).as_str()), ("tea", "p-…"));
    }
}
