//! Parts of a file (RFC 9110, section 14): media players ask for them, and Safari plays nothing without.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange, parse_range_header};
use std::ops::Range;

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// Bytes beyond its end.
    Nothing,
}

/// Answers a `GET` with `body`, or with the part of it that `headers` ask for. `tag` is the strong entity tag of
/// this very body; without one a condition on the part is taken for not met. Several parts at once, and ranges
/// that cannot be read, are answered with the whole.
pub fn respond(headers: &HeaderMap, tag: Option<&str>, body: Bytes) -> Response {
    let size = body.len();
    let mut response = match part(headers, tag, size) {
        Part::Whole => Response::new(Body::from(body)),
        Part::Bytes(range) => {
            let about = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let part = body.slice(range);
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, about)], Body::from(part)).into_response()
        }
        Part::Nothing => {
            let about = format!("bytes */{size}");
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, about)]).into_response()
        }
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn part(headers: &HeaderMap, tag: Option<&str>, size: usize) -> Part {
    let Some(asked) = headers.get(header::RANGE).and_then(|range| range.to_str().ok()) else {
        return Part::Whole;
    };
    // A part of another version would not fit to what the client has.
    if headers.get(header::IF_RANGE).is_some_and(|known| Some(known.as_bytes()) != tag.map(str::as_bytes)) {
        return Part::Whole;
    }
    match parse_range_header(asked).map(|parsed| parsed.ranges) {
        Ok(ranges) if ranges.len() == 1 => within(ranges[0], size),
        _ => Part::Whole,
    }
}

fn within(range: SyntacticallyCorrectRange, size: usize) -> Part {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let start = match range.start {
        StartPosition::Index(start) => index(start),
        StartPosition::FromLast(count) => size.saturating_sub(index(count)),
    };
    let end = match range.end {
        // Backwards, it is no range.
        EndPosition::Index(end) if index(end) < start => return Part::Whole,
        EndPosition::Index(end) => index(end).saturating_add(1).min(size),
        EndPosition::LastByte => size,
    };
    if start < end { Part::Bytes(start..end) } else { Part::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const SIZE: usize = 100;

    fn asked(headers: &[(HeaderName, &'static str)]) -> Part {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        part(&headers.collect(), Some("\"a\""), SIZE)
    }

    #[test]
    fn one_range_gives_the_bytes_that_the_file_has_of_it() {
        for (range, part) in [
            ("bytes=0-1", Part::Bytes(0..2)),
            ("bytes=98-", Part::Bytes(98..100)),
            ("bytes=-3", Part::Bytes(97..100)),
            ("bytes=-300", Part::Bytes(0..100)),
            ("bytes=90-18446744073709551615", Part::Bytes(90..100)),
            ("bytes=99-99", Part::Bytes(99..100)),
            ("bytes=100-", Part::Nothing),
            ("bytes=200-300", Part::Nothing),
        ] {
            assert_eq!(asked(&[(header::RANGE, range)]), part, "{range}");
        }
        assert_eq!(
            part(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=0-"))]), None, 0),
            Part::Nothing
        );
    }

    #[test]
    fn what_is_no_single_range_of_bytes_gives_the_whole_file() {
        for range in
            ["bytes=0-1,5-6", "bytes=5-2", "bytes=x-1", "lines=1-2", "bytes=", "bytes=99999999999999999999-"]
        {
            assert_eq!(asked(&[(header::RANGE, range)]), Part::Whole, "{range}");
        }
        assert_eq!(asked(&[]), Part::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_never_sent() {
        let range = (header::RANGE, "bytes=0-1");
        let known = |tag| [range.clone(), (header::IF_RANGE, tag)];
        assert_eq!(asked(&known("\"a\"")), Part::Bytes(0..2));
        for other in ["\"b\"", "W/\"a\"", "Wed, 25 Nov 2026 22:00:00 GMT"] {
            assert_eq!(asked(&known(other)), Part::Whole, "{other}");
        }
    }
}
