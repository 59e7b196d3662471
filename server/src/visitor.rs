//! How somebody wants to see the pages: in which language, light or dark; and where they ask from.

use app::{Theme, words::Lang};
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, Uri, header, request::Parts},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use std::convert::Infallible;
use time::Duration;

/// The cookie of the language that was chosen.
const LANG: &str = "hubbub_lang";

/// The cookie of the theme that was chosen; the page's script writes it too.
const THEME: &str = "hubbub_theme";

/// How long a browser keeps a choice.
const KEPT: Duration = Duration::days(365);

/// What a page needs to know of whoever asks for it.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The language that they chose, or else the one of ours that their browser likes best.
    pub lang: Lang,
    /// Light or dark.
    pub theme: Theme,
    /// The path that they asked for.
    pub path: String,
    /// Where they see this server: `https://chat.example.org`.
    pub origin: String,
    /// They came over HTTPS.
    pub secure: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let uri = OriginalUri::from_request_parts(parts, state).await?;
        let theme = CookieJar::from_headers(&parts.headers)
            .get(THEME)
            .and_then(|cookie| Theme::named(cookie.value()));
        let secure = is_secure(&parts.headers);
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Self {
            lang: language(&parts.headers),
            theme: theme.unwrap_or(Theme::ALL[0]),
            path: page_path(&uri),
            origin: format!("{}://{host}", if secure { "https" } else { "http" }),
            secure,
        })
    }
}

/// The path, with the place in a room, but nothing else that somebody may have put into a link.
fn page_path(uri: &Uri) -> String {
    let is_place = |part: &&str| {
        part.split_once('=')
            .is_some_and(|(key, seq)| matches!(key, "before" | "around") && seq.parse::<u64>().is_ok())
    };
    let place = uri.query().unwrap_or_default().split('&').find(is_place);
    place.map_or_else(|| uri.path().into(), |place| format!("{}?{place}", uri.path()))
}

/// Whether the browser's side of a proxy is HTTPS.
pub fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}

/// Whether a page is wanted.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The cookies of what was chosen.
pub fn choice(lang: Option<Lang>, theme: Option<Theme>, secure: bool) -> CookieJar {
    let kept = |name: &'static str, value: &'static str| {
        Cookie::build((name, value)).path("/").same_site(SameSite::Lax).secure(secure).max_age(KEPT)
    };
    let lang = lang.map(|lang| kept(LANG, lang.words().tag));
    let theme = theme.map(|theme| kept(THEME, theme.name()));
    lang.into_iter().chain(theme).fold(CookieJar::new(), CookieJar::add)
}

/// The language that was chosen, or else the one of ours that the browser likes best.
pub fn language(headers: &HeaderMap) -> Lang {
    let chosen = CookieJar::from_headers(headers).get(LANG).and_then(|cookie| Lang::of_tag(cookie.value()));
    chosen.unwrap_or_else(|| liked(headers))
}

fn liked(headers: &HeaderMap) -> Lang {
    let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let accepted = accepted.collect::<Vec<_>>().join(",");
    Lang::accepted(&accepted).unwrap_or(Lang::ALL[0])
}
