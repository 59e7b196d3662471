//! The client of a request: its address, and the scheme, host and path prefix under which it sees this server. Both
//! come from the TCP connection and from the `X-Forwarded-*` headers of trusted proxies.

use crate::{
    config::Config,
    net::Endpoints,
    origin::{Authority, is_prefix},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The client of a request, as far as it is known; a request extension.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The client's address: the peer's, or the rightmost untrusted address of `X-Forwarded-For` if the peer is a
    /// trusted proxy. `None` if a request over a Unix socket has no such header.
    pub client: Option<IpAddr>,
    /// The peer is a trusted proxy.
    pub is_trusted: bool,
    /// A trusted proxy has sent at least one of the headers.
    pub is_proxied: bool,
    /// The client reaches the proxy over HTTPS (`true`) or HTTP; `None` if no trusted proxy sends the scheme.
    pub is_https: Option<bool>,
    /// The host that the client has requested, with its port if it has one.
    pub host: Option<String>,
    /// The path below which the client sees this server, as `/chat`; empty for the root.
    pub prefix: String,
}

impl Forwarded {
    /// Resolves the client of a request. The headers count only if `trusted` contains the peer of the connection.
    pub fn resolve(endpoints: Option<Endpoints>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = match endpoints {
            Some(Endpoints::Tcp { peer, .. }) => Some(peer.ip().to_canonical()),
            Some(Endpoints::Unix) => None,
            None => return Self::default(),
        };
        if peer.is_some_and(|peer| !contains(trusted, peer)) {
            return Self { client: peer, ..Self::default() };
        }
        let has_for_or_proto = headers.contains_key(FOR) || headers.contains_key(PROTO);
        Self {
            client: client(headers, trusted).or(peer),
            is_trusted: true,
            is_proxied: has_for_or_proto || headers.contains_key(HOST),
            is_https: items(headers, &PROTO).next().and_then(is_https),
            // A proxy never sends this header alone; a program that does pretends to use another host.
            host: items(headers, &HOST).next().filter(|_| has_for_or_proto).map(Into::into),
            prefix: prefix(headers),
        }
    }

    /// Returns the requested host, parsed.
    pub fn authority(&self) -> Option<Authority> {
        self.host.as_ref()?.parse().ok()
    }
}

/// Middleware that adds [`Forwarded`] to the request's extensions.
pub async fn resolve_forwarded(
    State(config): State<Arc<Config>>,
    mut request: Request,
    next: Next,
) -> Response {
    let endpoints = request.extensions().get().copied();
    let forwarded = Forwarded::resolve(endpoints, request.headers(), &config.trusted_proxy);
    request.extensions_mut().insert(forwarded);
    next.run(request).await
}

/// Returns `true` if the peer of a connection may forward requests of others: over a Unix socket, or if its address is in
/// `trusted`.
pub fn is_trusted_proxy(peer: Option<IpAddr>, trusted: &[IpNet]) -> bool {
    peer.is_none_or(|peer| contains(trusted, peer))
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// Returns the client's address. Each proxy appends its peer, so only addresses that trusted proxies have appended count:
/// the rightmost one that is no trusted proxy, or the leftmost one if all are.
fn client(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut client = None;
    let hops: Vec<&str> = items(headers, &FOR).collect();
    for hop in hops.into_iter().rev() {
        // Nothing to the left of an invalid entry can be trusted.
        let Some(address) = address(hop) else { break };
        client = Some(address);
        if !contains(trusted, address) {
            break;
        }
    }
    client
}

/// Parses an address as proxies write it: bare, in brackets, or with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    let bare = || hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let address: Option<IpAddr> = hop.parse::<SocketAddr>().map(|address| address.ip()).ok().or_else(bare);
    address.map(|address| address.to_canonical())
}

fn is_https(proto: &str) -> Option<bool> {
    match proto.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// Joins the prefixes of all proxies, the outermost first. A prefix that is no plain path is ignored.
fn prefix(headers: &HeaderMap) -> String {
    let prefix: String = items(headers, &PREFIX).map(|prefix| prefix.trim_end_matches('/')).collect();
    if is_prefix(&prefix) { prefix } else { String::new() }
}

/// Returns the items of a list header, over all of its lines. A line that is not ASCII is skipped.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::MAX_PREFIX_BYTES;
    use axum::http::HeaderValue;

    const PROXY: &str = "127.0.0.1:5000";

    fn resolve(peer: &str, lines: &[(&'static str, &str)]) -> Forwarded {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let endpoints =
            Endpoints::Tcp { peer: peer.parse().unwrap(), local: "127.0.0.1:80".parse().unwrap() };
        Forwarded::resolve(Some(endpoints), &headers, &Config::plain().trusted_proxy)
    }

    fn client_of(peer: &str, hops: &[&str]) -> String {
        let lines: Vec<_> = hops.iter().map(|hop| ("x-forwarded-for", *hop)).collect();
        resolve(peer, &lines).client.map_or_else(String::new, |client| client.to_string())
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        let lines = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-prefix", "/chat"),
        ];
        let forwarded = resolve("192.0.2.1:5000", &lines);
        assert_eq!(forwarded, Forwarded { client: "192.0.2.1".parse().ok(), ..Forwarded::default() });
        assert_eq!(client_of("[::ffff:192.0.2.1]:5000", &[]), "192.0.2.1");
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
        for (hops, client) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9, 127.0.0.1"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["\"[2001:db8::1]\""], "2001:db8::1"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["127.0.0.9, ::1"], "127.0.0.9"),
            (&["203.0.113.9, unknown"], "127.0.0.1"),
            (&["203.0.113.9, unknown, 127.0.0.2"], "127.0.0.2"),
            (&["", " , "], "127.0.0.1"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(client_of(PROXY, hops), client, "{hops:?}");
        }
    }

    #[test]
    fn a_unix_socket_is_trusted_and_has_no_address_of_its_own() {
        let resolve = |headers: &HeaderMap| Forwarded::resolve(Some(Endpoints::Unix), headers, &[]);
        assert_eq!(resolve(&HeaderMap::new()).client, None);
        let headers = HeaderMap::from_iter([(FOR, HeaderValue::from_static("203.0.113.9"))]);
        assert_eq!(resolve(&headers).client, "203.0.113.9".parse().ok());
    }

    #[test]
    fn the_scheme_is_that_of_the_outermost_proxy() {
        for (lines, is_https) in [
            (&["https"][..], Some(true)),
            (&["HTTPS"], Some(true)),
            (&["https,http"], Some(true)),
            (&["http, https"], Some(false)),
            (&["https", "http"], Some(true)),
            (&["wss"], Some(true)),
            (&["gopher"], None),
            (&[], None),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-proto", *line)).collect();
            assert_eq!(resolve(PROXY, &lines).is_https, is_https, "{lines:?}");
        }
    }

    #[test]
    fn a_forwarded_host_counts_only_beside_another_forwarded_header() {
        let host = ("x-forwarded-host", "chat.example, inner.example");
        assert_eq!(resolve(PROXY, &[host]).host, None);
        let forwarded = resolve(PROXY, &[host, ("x-forwarded-for", "203.0.113.9")]);
        assert_eq!(forwarded.host.as_deref(), Some("chat.example"));
    }

    #[test]
    fn a_prefix_is_a_plain_path_or_nothing() {
        let long = format!("/{}", "x".repeat(MAX_PREFIX_BYTES));
        for (lines, prefix) in [
            (&["/chat"][..], "/chat"),
            (&["/chat/"], "/chat"),
            (&["/outer, /inner"], "/outer/inner"),
            (&["/a-b_c.d~e/f"], "/a-b_c.d~e/f"),
            (&["/"], ""),
            (&["chat"], ""),
            (&["//evil.example"], ""),
            (&["/a/../b"], ""),
            (&["/\"><script>"], ""),
            (&["/%2e%2e"], ""),
            (&[&long], ""),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-prefix", *line)).collect();
            assert_eq!(resolve(PROXY, &lines).prefix, prefix, "{lines:?}");
        }
    }
}
