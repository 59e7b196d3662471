//! The host of a request, and the address under which the client sees this server.
//!
//! If the name of another site resolves to this server (DNS rebinding), the browser treats that site's pages as pages
//! of this server. Only the name in the request reveals it, so the server answers only for names that it knows.

use crate::{
    config::Config,
    http::{
        forwarded::Forwarded, preferences::accepts_html, problem::Problem, public_address::PublicAddress,
        request_log::may_log, request_source::RequestSource,
    },
    net::{Activity, Endpoints},
    origin::{Authority, is_own_path, is_prefix},
    redact::escape_for_log,
};
use axum::{
    extract::{OriginalUri, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::sync::Arc;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Middleware that refuses requests for unknown hosts, and adds [`PublicAddress`] and [`RequestSource`] to the others.
/// It removes the prefix from the path if a proxy has left it there, so it must run before the router matches.
pub async fn check_host(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let forwarded = request.extensions_mut().remove::<Forwarded>().unwrap_or_default();
    let host = match check_framing(request.headers()).and_then(|()| requested_host(&request)) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    let endpoints = request.extensions().get().copied();
    if let Some(host) = &host
        && !serves_host(&config, endpoints, &forwarded, host)
    {
        return misdirected(host, request.headers());
    }
    if host.as_ref().is_some_and(|host| !host.is_address() && !is_configured(&config, host))
        && matches!(endpoints, Some(Endpoints::Tcp { .. }))
        && !forwarded.is_proxied
        && let Some(activity) = request.extensions().get::<Arc<Activity>>()
    {
        activity.on_unknown_host();
    }
    let address = public_address(&config, endpoints, &forwarded, host.as_ref());
    let source = RequestSource::of(&config, &forwarded, host.as_ref(), request.headers());
    match strip_prefix(request.uri(), &address.prefix) {
        Stripped::Unchanged => {}
        Stripped::Path(uri) => {
            request.extensions_mut().insert(OriginalUri(uri.clone()));
            *request.uri_mut() = uri;
        }
        // The path of the cookie and relative links begin below the slash.
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
        // Browsers ignore the header on other pages and print a warning.
        response.headers_mut().insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Refuses a body whose end a proxy and this server could see at different places (RFC 9112, section 6.1).
fn check_framing(headers: &HeaderMap) -> Result<(), Problem> {
    let codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let count: usize = codings.map(|line| line.as_bytes().split(|byte| *byte == b',').count()).sum();
    let detail = "Send one transfer coding.";
    if count > 1 { Err(Problem::new(StatusCode::BAD_REQUEST, detail)) } else { Ok(()) }
}

/// Returns the host of the request: from its target, else from its only `Host` header (RFC 9112, section 3.2). Only
/// HTTP/1.0 requests may have none.
fn requested_host(request: &Request) -> Result<Option<Authority>, Problem> {
    let bad = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, detail);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().unwrap_or_default()),
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) => return Err(bad("The Host header is missing.")),
        (Some(_), Some(_)) => return Err(bad("The request has more than one Host header.")),
    };
    let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let parsed = target.or(host).map(|host| host.parse().map_err(|_| bad("The Host header is invalid.")));
    parsed.transpose()
}

/// Returns `true` if this server answers for `host`.
///
/// The known names are those of `--public-url` and `--allow-origin`, and names of private networks, which no public DNS
/// server can resolve to this server. Without a public address, a proxy on this machine may send any name, unless its
/// port is this server's own. A page with a rebound name can send `X-Forwarded-*` too, but is loaded from this
/// server's port, which its `Host` then contains.
fn serves_host(
    config: &Config,
    endpoints: Option<Endpoints>,
    forwarded: &Forwarded,
    host: &Authority,
) -> bool {
    if host.is_address() || is_configured(config, host) || host.is_private_use() {
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
        Some(_) => forwarded.authority().is_some_and(|host| is_configured(config, &host)),
    }
}

/// Returns `true` if the settings name this host.
fn is_configured(config: &Config, host: &Authority) -> bool {
    let public = config.public_url.iter().map(|url| &url.origin);
    public.chain(&config.allow_origin).any(|origin| origin.host() == host.host())
}

/// Answers 421 (RFC 9110, section 15.5.20) and names the setting that would help.
fn misdirected(host: &Authority, headers: &HeaderMap) -> Response {
    let detail = format!(
        "This server does not answer for the host {}. If that is its name, start it with --public-url http://{}/ (or \
         https://), or pass the address of the other site to --allow-origin.",
        host.host(),
        host.origin(false).to_string().trim_start_matches("http://"),
    );
    if may_log() {
        tracing::warn!(host = escape_for_log(host.host().as_bytes()), "request for unknown host refused");
    }
    if accepts_html(headers) {
        // A page could load none of its files under this name.
        return (StatusCode::MISDIRECTED_REQUEST, detail).into_response();
    }
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

/// Returns the canonical address, or the requested one if the client has bypassed the proxy.
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
            let host = forwarded.authority().unwrap_or_else(direct);
            PublicAddress { origin: host.origin(is_https), prefix: usable_prefix(&forwarded.prefix) }
        }
    }
}

/// Returns the prefix, or none if it begins as a path of this server does.
fn usable_prefix(prefix: &str) -> String {
    if is_prefix(prefix) && !is_own_path(prefix) { prefix.to_owned() } else { String::new() }
}

enum Stripped {
    Unchanged,
    Path(Uri),
    /// The path is the prefix itself, without a slash.
    Root,
}

fn strip_prefix(uri: &Uri, prefix: &str) -> Stripped {
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
