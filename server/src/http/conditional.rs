//! Conditional requests (RFC 9110, section 13) and the content coding that a client accepts.

use axum::http::{HeaderMap, header};
use axum_extra::headers::{ETag, HeaderMapExt, IfNoneMatch};

/// Returns `true` if the client has the representation with this tag already, so that the response is 304 (RFC 9110,
/// section 13.1.2).
pub fn is_not_modified(headers: &HeaderMap, tag: &ETag) -> bool {
    headers.typed_get::<IfNoneMatch>().is_some_and(|condition| !condition.precondition_passes(tag))
}

/// Returns `true` if the client accepts this content coding (RFC 9110, section 12.5.3).
pub fn accepts_encoding(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let is_refused =
            weight.trim().strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case(encoding) && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_is_accepted_unless_its_weight_is_zero() {
        assert!(accepts_encoding(&headers(header::ACCEPT_ENCODING, "gzip, deflate, br"), "br"));
        assert!(accepts_encoding(&headers(header::ACCEPT_ENCODING, "br;q=0.5"), "br"));
        assert!(!accepts_encoding(&headers(header::ACCEPT_ENCODING, "br;q=0.0, gzip"), "br"));
        assert!(!accepts_encoding(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_tag_matches_among_others_and_when_weak() {
        let matches = |header, tag: &str| {
            is_not_modified(&headers(header::IF_NONE_MATCH, header), &tag.parse().unwrap())
        };
        assert!(matches("\"a\", W/\"b\"", "\"b\"") && matches("\"b\"", "W/\"b\"") && matches("*", "\"b\""));
        assert!(!matches("\"a\"", "\"b\"") && !matches("b", "\"b\"") && !matches("", "\"b\""));
        assert!(!is_not_modified(&HeaderMap::new(), &"\"b\"".parse().unwrap()));
    }

    #[test]
    fn a_tag_matches_on_any_of_several_lines() {
        let mut headers = headers(header::IF_NONE_MATCH, "\"a\"");
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"b\""));
        assert!(is_not_modified(&headers, &"\"b\"".parse().unwrap()));
    }
}
