//! Parses the `Cookie` header as bytes: other programs on the same host set cookies with any name and any bytes, and none
//! of them may hide this server's cookies (RFC 6265, section 5.4).

use axum::http::{HeaderMap, header};

/// Returns the name and value of every cookie in `headers`, in order; a cookie that is not UTF-8 is skipped.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        Some((name.trim(), value.trim()))
    })
}

/// Returns the values of the cookies with that name.
pub fn named<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    cookies(headers).filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_cookie_is_found_among_arbitrary_bytes() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_bytes(b"a=\xff\xfe; mine=1;; =; x; mine = 2 ;b=\xc3").unwrap(),
        );
        headers.append(header::COOKIE, HeaderValue::from_static("mine=3=4; other=5"));
        assert_eq!(named(&headers, "mine").collect::<Vec<_>>(), ["1", "2", "3=4"]);
        assert_eq!(named(&headers, "min").count(), 0);
    }
}
