//! Which host a request is for, whether this server answers for it, under which address the client sees the server,
//! and from which site's page the request comes.
//!
//! A page of another site whose name leads to this server's address (DNS rebinding) is, to its browser, of the same
//! origin as the server. Only the name gives it away, so a server answers for names that it knows alone.

use crate::{
    config::Config,
    http::{forwarded::Forwarded, preferences::accepts_html, problem::Problem, request_log::may_log},
    net::{Activity, Endpoints},
    origin::{Authority, Origin, is_own_path, is_prefix},
    redact::loggable,
    state::AppState,
};
use axum::{
    extract::{OriginalUri, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::sync::Arc;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The address under which the client of a request sees this server; a request extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The path below which every path of ours is seen, as `/chat`; empty for the root.
    pub prefix: String,
}

/// From which site's page a request comes; a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestSource {
    /// One of our own pages, or a program that is no browser.
    Own,
    /// A page of a site that `--allow-origin` names.
    Allowed,
    /// Another site's page.
    Foreign,
}

impl PublicAddress {
    /// `path`, which begins with a slash, as the client must ask for it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The path that a cookie of ours has.
    pub fn cookie_path(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }

    /// The whole address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }
}

/// Refuses requests for hosts that this server does not answer for, and adds [`PublicAddress`] and [`RequestSource`]
/// to the others, as a layer. It takes the prefix off the path where a proxy has left it there, so it must run before
/// the router matches.
pub async fn admit_host(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let forwarded = request.extensions_mut().remove::<Forwarded>().unwrap_or_default();
    let host = match check_framing(request.headers()).and_then(|()| requested_host(&request)) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    let endpoints = request.extensions().get().copied();
    if let Some(host) = &host
        && !answers_for(&state.config, endpoints, &forwarded, host)
    {
        return misdirected(host, request.headers());
    }
    if host.as_ref().is_some_and(|host| !host.is_address() && !is_known(&state.config, host))
        && matches!(endpoints, Some(Endpoints::Tcp { .. }))
        && !forwarded.is_proxied
        && let Some(activity) = request.extensions().get::<Arc<Activity>>()
    {
        activity.on_unknown_host();
    }
    let address = public_address(&state.config, endpoints, &forwarded, host.as_ref());
    let source = source(&state.config, &forwarded, host.as_ref(), request.headers());
    if source == RequestSource::Foreign && is_refused_to_foreign(&request) {
        log_foreign(request.headers());
    }
    match without_prefix(request.uri(), &address.prefix) {
        Stripped::Unchanged => {}
        Stripped::Path(uri) => {
            request.extensions_mut().insert(OriginalUri(uri.clone()));
            *request.uri_mut() = uri;
        }
        // The cookie's path and relative links begin below it.
        Stripped::Root if matches!(*request.method(), Method::GET | Method::HEAD) => {
            return Redirect::permanent(&address.path("/")).into_response();
        }
        Stripped::Root => {}
    }
    let is_trustworthy = address.origin.is_https() || host.as_ref().is_none_or(Authority::is_loopback);
    request.extensions_mut().insert(forwarded);
    request.extensions_mut().insert(address);
    request.extensions_mut().insert(source);
    let mut response = next.run(request).await;
    if is_trustworthy {
        // Browsers ignore it elsewhere, and complain.
        response.headers_mut().insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Refuses a body whose end two readers could see at different places (RFC 9112, section 6.1).
fn check_framing(headers: &HeaderMap) -> Result<(), Problem> {
    let codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let count: usize = codings.map(|line| line.as_bytes().split(|byte| *byte == b',').count()).sum();
    let detail = "A request has one transfer coding.";
    if count > 1 { Err(Problem::new(StatusCode::BAD_REQUEST, detail)) } else { Ok(()) }
}

/// The host that a request names: in its target, else in its one `Host` (RFC 9112, section 3.2). Only HTTP/1.0 may name
/// none.
fn requested_host(request: &Request) -> Result<Option<Authority>, Problem> {
    let bad = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, detail);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().unwrap_or_default()),
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) => return Err(bad("A request needs a Host.")),
        (Some(_), Some(_)) => return Err(bad("A request has one Host.")),
    };
    let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let parsed = target.or(host).map(|host| host.parse().map_err(|_| bad("The Host is not a host.")));
    parsed.transpose()
}

/// Returns whether this server answers for `host`.
///
/// Names are those of `--public-url` and `--allow-origin`, and names of private networks, which no public DNS server can
/// lead to this one. Where no public address is set, a proxy on this machine may
/// bring any name, as long as the port beside it is not this server's own: a page that rebinds its name can send
/// `X-Forwarded-*` too, but has to be loaded from our port, which its `Host` then carries.
fn answers_for(
    config: &Config,
    endpoints: Option<Endpoints>,
    forwarded: &Forwarded,
    host: &Authority,
) -> bool {
    if host.is_address() || is_known(config, host) || host.is_private_use() {
        return true;
    }
    let own_port = match endpoints {
        Some(Endpoints::Tcp { local, .. }) => Some(local.port()),
        Some(Endpoints::Unix) | None => None,
    };
    if !forwarded.is_trusted || own_port == Some(host.port(false)) {
        return false;
    }
    match &config.public_url {
        None => forwarded.is_proxied || host.is_single_label(),
        Some(_) => forwarded_host(forwarded).is_some_and(|host| is_known(config, &host)),
    }
}

fn is_known(config: &Config, host: &Authority) -> bool {
    let public = config.public_url.iter().map(|url| &url.origin);
    public.chain(&config.allow_origin).any(|origin| origin.host() == host.host())
}

fn forwarded_host(forwarded: &Forwarded) -> Option<Authority> {
    forwarded.host.as_ref()?.parse().ok()
}

/// 421 (RFC 9110, section 15.5.20) with the setting that would help.
fn misdirected(host: &Authority, headers: &HeaderMap) -> Response {
    let detail = format!(
        "This server does not answer for the host {}. If that is its name, start it with --public-url http://{}/ (or \
         https://), or name the other site's address with --allow-origin.",
        host.host(),
        host.origin(false).to_string().trim_start_matches("http://"),
    );
    if may_log() {
        tracing::warn!(host = loggable(host.host().as_bytes()), "a request for another host was refused");
    }
    if accepts_html(headers) {
        // None of the files that a page needs could be had under this name.
        return (StatusCode::MISDIRECTED_REQUEST, detail).into_response();
    }
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

/// The canonical address, unless the client has come past the proxy: then it is seen as it was asked for.
fn public_address(
    config: &Config,
    endpoints: Option<Endpoints>,
    forwarded: &Forwarded,
    host: Option<&Authority>,
) -> PublicAddress {
    let direct = || match (host, endpoints) {
        (Some(host), _) => host.clone(),
        (None, Some(Endpoints::Tcp { local, .. })) => Authority::from(local),
        (None, _) => Authority::localhost(),
    };
    match &config.public_url {
        Some(url) if forwarded.is_trusted || host.is_some_and(|host| host.host() == url.origin.host()) => {
            PublicAddress { origin: url.origin.clone(), prefix: url.prefix.clone() }
        }
        Some(url) => PublicAddress { origin: direct().origin(false), prefix: url.prefix.clone() },
        None => {
            let is_https = forwarded.is_https.unwrap_or(false);
            let host = forwarded_host(forwarded).unwrap_or_else(direct);
            PublicAddress { origin: host.origin(is_https), prefix: usable(&forwarded.prefix) }
        }
    }
}

/// A prefix that could be taken for a path of ours is left out.
fn usable(prefix: &str) -> String {
    if is_prefix(prefix) && !is_own_path(prefix) { prefix.to_owned() } else { String::new() }
}

/// Decides by `Origin`, which browsers send with every request that changes something and with every WebSocket, then by
/// `Sec-Fetch-Site`, then by `Referer`. A request with none of them comes from no browser.
fn source(
    config: &Config,
    forwarded: &Forwarded,
    host: Option<&Authority>,
    headers: &HeaderMap,
) -> RequestSource {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let site = headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes);
    let is_other_site = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let named = match (origins.next(), origins.next()) {
        (Some(origin), None) => source_of(config, forwarded, host, origin.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => return RequestSource::Foreign,
        (None, _) if is_other_site => return RequestSource::Foreign,
        (None, _) => match headers.get(header::REFERER) {
            None => return RequestSource::Own,
            Some(page) => source_of(config, forwarded, host, page_origin(page.to_str().unwrap_or_default())),
        },
    };
    match named {
        // A redirect over another site has led here.
        RequestSource::Own if site == Some(b"cross-site") => RequestSource::Foreign,
        named => named,
    }
}

/// The origin of a page's address.
fn page_origin(page: &str) -> &str {
    let authority_at = page.find("://").map_or(0, |at| at + 3);
    let end = page[authority_at..].find(['/', '?', '#']).map_or(page.len(), |at| authority_at + at);
    &page[..end]
}

fn source_of(
    config: &Config,
    forwarded: &Forwarded,
    host: Option<&Authority>,
    origin: &str,
) -> RequestSource {
    let Ok(origin) = origin.parse::<Origin>() else { return RequestSource::Foreign };
    if config.allow_origin.contains(&origin) {
        return RequestSource::Allowed;
    }
    let is_public = config.public_url.as_ref().is_some_and(|url| url.origin == origin);
    // TLS may end in front of us without a word, so that https is taken where http is known; a page that came over
    // http is foreign where https is known.
    let is_downgrade = forwarded.is_https == Some(true) && !origin.is_https();
    let is_at = |host: &Authority| origin.is_at(host);
    let is_canonical =
        |host: &&Authority| config.public_url.as_ref().is_none_or(|url| url.origin.host() != host.host());
    let is_own = host.filter(is_canonical).is_some_and(is_at)
        || config.public_url.is_none() && forwarded_host(forwarded).as_ref().is_some_and(is_at);
    if is_public || (is_own && !is_downgrade) { RequestSource::Own } else { RequestSource::Foreign }
}

/// The refusal of a request that another site's page sends, in a sentence that names the setting that would help.
pub fn foreign_page(headers: &HeaderMap) -> Problem {
    let (origin, host) = origin_and_host(headers);
    let detail = format!(
        "A page of {origin} may not use this server, which was asked for as {host}. If both are the same site, let the \
         proxy pass Host on, or start the server with --public-url {origin}/. If they are not, --allow-origin {origin} \
         lets that site in."
    );
    Problem::foreign_origin(detail)
}

/// Returns whether another site's page is refused what it asks for: it may read what anybody may, nothing else.
fn is_refused_to_foreign(request: &Request) -> bool {
    !request.method().is_safe() || request.headers().contains_key(header::UPGRADE)
}

/// Logs what an operator needs to find a proxy that rewrites the request.
fn log_foreign(headers: &HeaderMap) {
    if may_log() {
        let (origin, host) = origin_and_host(headers);
        tracing::warn!(origin, host, "a page of another site was refused");
    }
}

/// `Origin`, or without it that of `Referer`, and `Host`, escaped.
fn origin_and_host(headers: &HeaderMap) -> (String, String) {
    let text = |name| headers.get(name).map(|value| loggable(value.as_bytes()));
    // The path of a page may be a private room's.
    let page = || Some(loggable(page_origin(headers.get(header::REFERER)?.to_str().ok()?).as_bytes()));
    let missing = || "-".to_owned();
    (text(header::ORIGIN).or_else(page).unwrap_or_else(missing), text(header::HOST).unwrap_or_else(missing))
}

enum Stripped {
    Unchanged,
    Path(Uri),
    /// The prefix itself, without a slash.
    Root,
}

fn without_prefix(uri: &Uri, prefix: &str) -> Stripped {
    if prefix.is_empty() {
        return Stripped::Unchanged;
    }
    let Some(rest) = uri.path().strip_prefix(prefix) else { return Stripped::Unchanged };
    if rest.is_empty() {
        return Stripped::Root;
    }
    if !rest.starts_with('/') {
        return Stripped::Unchanged;
    }
    let path_and_query = uri.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"));
    let mut parts = uri.clone().into_parts();
    match path_and_query.parse::<PathAndQuery>() {
        Ok(path_and_query) => parts.path_and_query = Some(path_and_query),
        Err(_) => return Stripped::Unchanged,
    }
    Uri::from_parts(parts).map_or(Stripped::Unchanged, Stripped::Path)
}
