//! Byte ranges of a file (RFC 9110, section 14). Media players request them, and Safari plays nothing without them.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange, parse_range_header};
use std::ops::Range;

/// The requested part of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole file.
    Whole,
    /// Some of its bytes.
    Bytes(Range<u64>),
    /// Bytes beyond its end.
    Unsatisfiable,
}

/// Answers a `GET` with `body`, or with the part of it that `headers` request. `tag` is the strong entity tag of the
/// body; without one no `If-Range` condition is met. Several ranges at once, and invalid ranges, get the whole body.
pub fn respond(headers: &HeaderMap, tag: Option<&str>, body: Bytes) -> Response {
    let size = body.len() as u64;
    let (status, range, part) = match requested_part(headers, tag, size) {
        Part::Whole => (StatusCode::OK, None, body),
        Part::Bytes(range) => {
            let part = body.slice(range.start as usize..range.end as usize);
            (StatusCode::PARTIAL_CONTENT, Some(range), part)
        }
        Part::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, None, Bytes::new()),
    };
    let mut response = content_range(status, range, size);
    *response.body_mut() = Body::from(part);
    response
}

/// Returns a response without a body that says which part of a file of `size` bytes it has: `range`, or the whole.
pub fn content_range(status: StatusCode, range: Option<Range<u64>>, size: u64) -> Response {
    let mut response = match (status, range) {
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => {
            (status, [(header::CONTENT_RANGE, format!("bytes */{size}"))]).into_response()
        }
        (_, Some(range)) => {
            let about = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            (status, [(header::CONTENT_RANGE, about)]).into_response()
        }
        (_, None) => status.into_response(),
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// Returns the part of a file of `size` bytes that `headers` request; see [`respond`].
pub fn requested_part(headers: &HeaderMap, tag: Option<&str>, size: u64) -> Part {
    let Some(range) = headers.get(header::RANGE).and_then(|range| range.to_str().ok()) else {
        return Part::Whole;
    };
    // A part of another version would not match the parts that the client has.
    if headers
        .get(header::IF_RANGE)
        .is_some_and(|condition| Some(condition.as_bytes()) != tag.map(str::as_bytes))
    {
        return Part::Whole;
    }
    match parse_range_header(range).map(|parsed| parsed.ranges) {
        Ok(ranges) if ranges.len() == 1 => resolve(ranges[0], size),
        _ => Part::Whole,
    }
}

fn resolve(range: SyntacticallyCorrectRange, size: u64) -> Part {
    let start = match range.start {
        StartPosition::Index(start) => start,
        StartPosition::FromLast(count) => size.saturating_sub(count),
    };
    let end = match range.end {
        // A range that ends before it starts is invalid.
        EndPosition::Index(end) if end < start => return Part::Whole,
        EndPosition::Index(end) => end.saturating_add(1).min(size),
        EndPosition::LastByte => size,
    };
    if start < end { Part::Bytes(start..end) } else { Part::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const SIZE: u64 = 100;

    fn requested_part(headers: &[(HeaderName, &'static str)]) -> Part {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        super::requested_part(&headers.collect(), Some("\"a\""), SIZE)
    }

    #[test]
    fn one_range_selects_the_bytes_that_exist() {
        for (range, part) in [
            ("bytes=0-1", Part::Bytes(0..2)),
            ("bytes=98-", Part::Bytes(98..100)),
            ("bytes=-3", Part::Bytes(97..100)),
            ("bytes=-300", Part::Bytes(0..100)),
            ("bytes=90-18446744073709551615", Part::Bytes(90..100)),
            ("bytes=99-99", Part::Bytes(99..100)),
            ("bytes=100-", Part::Unsatisfiable),
            ("bytes=200-300", Part::Unsatisfiable),
        ] {
            assert_eq!(requested_part(&[(header::RANGE, range)]), part, "{range}");
        }
        assert_eq!(
            super::requested_part(
                &HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=0-"))]),
                None,
                0
            ),
            Part::Unsatisfiable
        );
    }

    #[test]
    fn anything_but_a_single_byte_range_selects_the_whole_file() {
        for range in
            ["bytes=0-1,5-6", "bytes=5-2", "bytes=x-1", "lines=1-2", "bytes=", "bytes=99999999999999999999-"]
        {
            assert_eq!(requested_part(&[(header::RANGE, range)]), Part::Whole, "{range}");
        }
        assert_eq!(requested_part(&[]), Part::Whole);
    }

    #[test]
    fn a_range_of_another_version_selects_the_whole_file() {
        let range = (header::RANGE, "bytes=0-1");
        let with_condition = |tag| [range.clone(), (header::IF_RANGE, tag)];
        assert_eq!(requested_part(&with_condition("\"a\"")), Part::Bytes(0..2));
        for other in ["\"b\"", "W/\"a\"", "Wed, 25 Nov 2026 22:00:00 GMT"] {
            assert_eq!(requested_part(&with_condition(other)), Part::Whole, "{other}");
        }
    }
}
