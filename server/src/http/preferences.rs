//! The language and theme of the pages, and what else a page needs to know about its request.

use crate::{
    http::{cookies::named, public_address::PublicAddress},
    net::Activity,
};
use app::{Theme, i18n::Lang};
use axum::{
    Extension,
    extract::{FromRequestParts, OriginalUri, rejection::ExtensionRejection},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    response::Redirect,
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use std::sync::Arc;
use time::Duration;

/// The cookie with the chosen language.
const LANGUAGE_COOKIE: &str = "hubbub_lang";

/// The cookie with the chosen theme. The page's script sets it too.
const THEME_COOKIE: &str = "hubbub_theme";

/// The time for which the browser keeps a preference cookie.
const COOKIE_MAX_AGE: Duration = Duration::days(365);

/// The data about its request that a page needs.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The chosen language, or the best match for `Accept-Language`.
    pub lang: Lang,
    /// The chosen theme, or the system's.
    pub theme: Theme,
    /// The path of the request, below the server's prefix.
    pub path: String,
    /// The address under which the client sees this server.
    pub address: PublicAddress,
    /// The `Accept-Encoding` of the request.
    pub encodings: Option<HeaderValue>,
    /// The connection of the request.
    pub activity: Option<Arc<Activity>>,
}

impl RequestContext {
    /// Redirects the browser to a path of this server (303).
    pub fn redirect(&self, path: &str) -> Redirect {
        Redirect::to(&self.address.path(path))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ExtensionRejection> {
        let Ok(uri) = OriginalUri::from_request_parts(parts, state).await;
        let theme = named(&parts.headers, THEME_COOKIE).find_map(Theme::from_name);
        let Extension(address) = Extension::from_request_parts(parts, state).await?;
        Ok(Self {
            lang: preferred_language(&parts.headers),
            theme: theme.unwrap_or(Theme::ALL[0]),
            path: canonical_path(&uri),
            address,
            encodings: parts.headers.get(header::ACCEPT_ENCODING).cloned(),
            activity: parts.extensions.get().cloned(),
        })
    }
}

/// Returns the path with the position in a room, but without any other query parameter: a link may carry anything.
fn canonical_path(uri: &Uri) -> String {
    let is_position = |parameter: &&str| {
        parameter.split_once('=').is_some_and(|(key, seq)| {
            matches!(key, "before" | "around" | "at" | "reply") && seq.parse::<u64>().is_ok()
        })
    };
    let position = uri.query().unwrap_or_default().split('&').find(is_position);
    position.map_or_else(|| uri.path().into(), |position| format!("{}?{position}", uri.path()))
}

/// Returns `true` if the client prefers a page to a machine-readable answer.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Returns the cookies that store the chosen preferences.
pub fn preference_cookies(lang: Option<Lang>, theme: Option<Theme>, address: &PublicAddress) -> CookieJar {
    let cookie = |name: &'static str, value: &'static str| {
        Cookie::build((name, value))
            .path(address.cookie_path().to_owned())
            .same_site(SameSite::Lax)
            .secure(address.origin.is_https())
            .max_age(COOKIE_MAX_AGE)
    };
    let lang = lang.map(|lang| cookie(LANGUAGE_COOKIE, lang.strings().tag));
    let theme = theme.map(|theme| cookie(THEME_COOKIE, theme.name()));
    lang.into_iter().chain(theme).fold(CookieJar::new(), CookieJar::add)
}

/// Returns the chosen language, or the best match for `Accept-Language`.
pub fn preferred_language(headers: &HeaderMap) -> Lang {
    let chosen = named(headers, LANGUAGE_COOKIE).find_map(Lang::from_tag);
    chosen.unwrap_or_else(|| negotiate_language(headers))
}

/// Returns the language with the highest weight in `Accept-Language`, the first of equals (RFC 9110, section 12.5.4).
fn negotiate_language(headers: &HeaderMap) -> Lang {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let weighted = lines.flat_map(|line| line.split(',')).filter_map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
        Some((Lang::from_tag(tag)?, weight)).filter(|_| weight > 0.0)
    });
    // `max_by` would return the last of equals.
    let best = weighted.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or(Lang::ALL[0], |(lang, _)| lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_weight_is_chosen() {
        for (lines, lang) in [
            (&["zh-CN,zh;q=0.9,en;q=0.8"][..], Lang::Zh),
            (&["en-GB, zh;q=0.9"], Lang::En),
            (&["de, fr;q=0.8, zh-TW;q=0.5, en;q=0.4"], Lang::Zh),
            (&["zh-Hant"], Lang::Zh),
            (&["zh;q=0, en;q=0.1"], Lang::En),
            (&["zh;q=NaN, de"], Lang::En),
            (&["en;q=0.5", "zh"], Lang::Zh),
            (&["de"], Lang::En),
            (&[";;,=q"], Lang::En),
            (&[], Lang::En),
        ] {
            let lines = lines.iter().map(|line| (header::ACCEPT_LANGUAGE, HeaderValue::from_static(line)));
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name, value);
            }
            assert_eq!(negotiate_language(&headers), lang, "{headers:?}");
        }
    }

    #[test]
    fn the_path_keeps_only_the_position_in_a_room() {
        for (uri, path) in [
            ("/r/tea?around=3&x=y", "/r/tea?around=3"),
            ("/r/tea?x=%22&before=7", "/r/tea?before=7"),
            ("/r/tea?around=x", "/r/tea"),
            ("/", "/"),
        ] {
            assert_eq!(canonical_path(&uri.parse().unwrap()), path, "{uri}");
        }
    }
}
