//! How somebody wants to see the pages: in which language, light or dark; and where they ask from.

use crate::{
    http::{
        cookies::named,
        host::{PublicAddress, RequestSource},
    },
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
    /// Where they see this server.
    pub address: PublicAddress,
    /// From which site's page the request comes.
    pub source: RequestSource,
    /// The `Accept-Encoding` of the request.
    pub encodings: Option<HeaderValue>,
    /// The connection that the request came by.
    pub activity: Option<Arc<Activity>>,
}

impl Visitor {
    /// Redirects the browser to a path of ours (303).
    pub fn redirect(&self, path: &str) -> Redirect {
        Redirect::to(&self.address.path(path))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ExtensionRejection> {
        let Ok(uri) = OriginalUri::from_request_parts(parts, state).await;
        let theme = named(&parts.headers, THEME).find_map(Theme::from_name);
        let Extension(address) = Extension::from_request_parts(parts, state).await?;
        let Extension(source) = Extension::from_request_parts(parts, state).await?;
        Ok(Self {
            lang: language(&parts.headers),
            theme: theme.unwrap_or(Theme::ALL[0]),
            path: page_path(&uri),
            address,
            source,
            encodings: parts.headers.get(header::ACCEPT_ENCODING).cloned(),
            activity: parts.extensions.get().cloned(),
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

/// Whether a page is wanted.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The cookies of what was chosen.
pub fn choice(lang: Option<Lang>, theme: Option<Theme>, address: &PublicAddress) -> CookieJar {
    let kept = |name: &'static str, value: &'static str| {
        Cookie::build((name, value))
            .path(address.cookie_path().to_owned())
            .same_site(SameSite::Lax)
            .secure(address.origin.is_https())
            .max_age(KEPT)
    };
    let lang = lang.map(|lang| kept(LANG, lang.strings().tag));
    let theme = theme.map(|theme| kept(THEME, theme.name()));
    lang.into_iter().chain(theme).fold(CookieJar::new(), CookieJar::add)
}

/// The language that was chosen, or else the one of ours that the browser likes best.
pub fn language(headers: &HeaderMap) -> Lang {
    let chosen = named(headers, LANG).find_map(Lang::from_tag);
    chosen.unwrap_or_else(|| liked(headers))
}

fn liked(headers: &HeaderMap) -> Lang {
    let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let accepted = accepted.collect::<Vec<_>>().join(",");
    Lang::accepted(&accepted).unwrap_or(Lang::ALL[0])
}
