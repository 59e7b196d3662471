//! The site whose page sends a request, and the layer that refuses requests of other sites.

use crate::{
    config::Config,
    http::{forwarded::Forwarded, problem::Problem, request_log::may_log},
    origin::{Authority, Origin},
    redact::escape_for_log,
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// The site whose page sends a request; a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestSource {
    /// A page of this server, or a program that is no browser.
    Own,
    /// A page of a site that `--allow-origin` names.
    Allowed,
    /// A page of another site.
    Foreign,
}

/// Middleware that refuses requests from pages of other sites if they change something, as every method but GET, HEAD,
/// OPTIONS and TRACE may.
pub async fn reject_foreign_writes(request: Request, next: Next) -> Response {
    if request.method().is_safe() { next.run(request).await } else { reject_foreign(request, next).await }
}

/// Middleware for what the system shares: refuses requests from pages of other sites, but not those that the browser sends by
/// itself. These come with `Origin: null` and `Sec-Fetch-Site: none`, which no page can send (Fetch Metadata, section 2.4).
pub async fn reject_foreign_shares(request: Request, next: Next) -> Response {
    let mut sites = request.headers().get_all("sec-fetch-site").iter();
    let is_of_browser = sites.next().is_some_and(|site| site == "none") && sites.next().is_none();
    if is_of_browser { next.run(request).await } else { reject_foreign(request, next).await }
}

/// Middleware that refuses every request from a page of another site: for WebSockets and for reads that change
/// something.
pub async fn reject_foreign(request: Request, next: Next) -> Response {
    if request.extensions().get() != Some(&RequestSource::Foreign) {
        return next.run(request).await;
    }
    let (origin, host) = origin_and_host(request.headers());
    if may_log() {
        // An operator needs both to find a proxy that rewrites the request.
        tracing::warn!(origin, host, "cross-origin request refused");
    }
    foreign_origin_problem(&origin, &host).into_page_response()
}

impl RequestSource {
    /// Determines the source by `Origin`, which browsers send with every request that changes something and with every
    /// WebSocket, then by `Sec-Fetch-Site`, then by `Referer`. A request without any of them comes from no browser.
    pub fn of(config: &Config, forwarded: &Forwarded, host: Option<&Authority>, headers: &HeaderMap) -> Self {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_other_site = site.is_some_and(|site| site != b"same-origin" && site != b"none");
        let source = match (origins.next(), origins.next()) {
            (Some(origin), None) => {
                Self::of_origin(config, forwarded, host, origin.to_str().unwrap_or_default())
            }
            (Some(_), Some(_)) => return Self::Foreign,
            (None, _) if is_other_site => return Self::Foreign,
            (None, _) => match headers.get(header::REFERER) {
                None => return Self::Own,
                Some(page) => {
                    let page = page.to_str().unwrap_or_default();
                    Self::of_origin(config, forwarded, host, page_origin(page))
                }
            },
        };
        match source {
            // A redirect through another site has led here.
            Self::Own if site == Some(b"cross-site") => Self::Foreign,
            source => source,
        }
    }

    fn of_origin(config: &Config, forwarded: &Forwarded, host: Option<&Authority>, origin: &str) -> Self {
        let Ok(origin) = origin.parse::<Origin>() else { return Self::Foreign };
        if config.allow_origin.contains(&origin) {
            return Self::Allowed;
        }
        let is_public = config.public_url.as_ref().is_some_and(|url| url.origin == origin);
        // A proxy may end TLS without a header about it, so an https page is accepted even if http is known. An http
        // page is foreign if https is known.
        let is_downgrade = forwarded.is_https == Some(true) && !origin.is_https();
        let is_at = |host: &Authority| origin.is_at(host);
        let is_canonical =
            |host: &&Authority| config.public_url.as_ref().is_none_or(|url| url.origin.host() != host.host());
        let is_own = host.filter(is_canonical).is_some_and(is_at)
            || config.public_url.is_none() && forwarded.authority().as_ref().is_some_and(is_at);
        if is_public || (is_own && !is_downgrade) { Self::Own } else { Self::Foreign }
    }
}

/// Returns the origin of a page's address.
fn page_origin(page: &str) -> &str {
    let authority_at = page.find("://").map_or(0, |at| at + 3);
    let end = page[authority_at..].find(['/', '?', '#']).map_or(page.len(), |at| authority_at + at);
    &page[..end]
}

/// Returns the problem for a request from a page of another site. Its detail names the settings that could help.
fn foreign_origin_problem(origin: &str, host: &str) -> Problem {
    Problem::foreign_origin(format!(
        "Pages of {origin} may not use this server, which was requested as {host}. If both are the same site, let the \
         proxy pass Host on, or start the server with --public-url {origin}/. Otherwise --allow-origin {origin} gives \
         that site access."
    ))
}

/// Returns `Origin`, or without it that of `Referer`, and `Host`, escaped.
fn origin_and_host(headers: &HeaderMap) -> (String, String) {
    let text = |name| headers.get(name).map(|value| escape_for_log(value.as_bytes()));
    // The path of the page may contain the name of a private room.
    let page = || Some(escape_for_log(page_origin(headers.get(header::REFERER)?.to_str().ok()?).as_bytes()));
    let missing = || "-".to_owned();
    (text(header::ORIGIN).or_else(page).unwrap_or_else(missing), text(header::HOST).unwrap_or_else(missing))
}
