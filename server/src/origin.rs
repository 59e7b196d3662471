//! Hosts, origins and public addresses, normalized: lower case, no final dot, no port that is the scheme's default.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// Bytes of a host, at most (RFC 1035, section 2.3.4).
const MAX_HOST_BYTES: usize = 255;

/// Bytes that a path prefix may have.
pub const MAX_PREFIX_BYTES: usize = 128;

/// A host with an optional port, as in `Host` (RFC 9110, section 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    host: String,
    port: Option<u16>,
}

/// A scheme, a host and a port (RFC 6454), as in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    is_https: bool,
    host: String,
    port: u16,
}

/// The canonical address of this server: an origin and a path prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The path prefix without its final slash; empty for the root.
    pub prefix: String,
}

/// The reason why a text is not a host, an origin or a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It is not a host with an optional port.
    #[error("it is not a host")]
    Host,
    /// It is not an origin.
    #[error("an origin is http:// or https:// and a host, without a path")]
    Origin,
    /// It is not a public address.
    #[error(
        "a public address is http:// or https://, a host and perhaps a path of plain segments, as /chat/"
    )]
    PublicUrl,
    /// The path begins like a route of this server.
    #[error("a public address cannot have a path that begins as one of Hubbub's own does, as /r/ or /api/")]
    OwnPath,
}

impl Authority {
    /// Returns the name of the client's own machine.
    pub fn localhost() -> Self {
        Self { host: "localhost".into(), port: None }
    }

    /// Returns the host without its port: in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, or the default one of the scheme.
    pub fn port(&self, is_https: bool) -> u16 {
        self.port.unwrap_or(default_port(is_https))
    }

    /// Returns the origin of this authority with a scheme.
    pub fn origin(&self, is_https: bool) -> Origin {
        Origin { is_https, host: self.host.clone(), port: self.port(is_https) }
    }

    /// Returns `true` if the host is an address rather than a name, or a name that every client resolves to its own
    /// machine (RFC 6761, section 6.3). No DNS server can resolve it to another one.
    pub fn is_address(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || self.is_loopback()
    }

    /// Returns `true` if the host is this machine, whose pages browsers trust without HTTPS.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let is_name = self.host == "localhost" || self.host.ends_with(".localhost");
        is_name || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns `true` if the host is a name of a private network: `.local` (RFC 6762), `.home.arpa` (RFC 8375),
    /// `.internal` (set aside by ICANN) or `.lan`, which no registry has. The public DNS resolves none of them.
    pub fn is_private_use(&self) -> bool {
        const SUFFIXES: [&str; 4] = [".local", ".home.arpa", ".internal", ".lan"];
        SUFFIXES.iter().any(|suffix| self.host.ends_with(suffix))
    }

    /// Returns `true` if the host is a name of one label, which no name of the public DNS is.
    pub fn is_single_label(&self) -> bool {
        !self.host.contains(['.', ':'])
    }
}

impl From<SocketAddr> for Authority {
    fn from(address: SocketAddr) -> Self {
        let host = match address.ip().to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        Self { host, port: Some(address.port()) }
    }
}

impl FromStr for Authority {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let end = if text.starts_with('[') { text.find(']').map(|at| at + 1) } else { text.find(':') };
        let (host, port) = text.split_at(end.unwrap_or(text.len()));
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            // An empty port is the default one (RFC 3986, section 3.2.3).
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| InvalidAddress::Host)?)
            }
            _ => return Err(InvalidAddress::Host),
        };
        if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            let address: Ipv6Addr = address.parse().map_err(|_| InvalidAddress::Host)?;
            return Ok(Self { host: format!("[{address}]"), port });
        }
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
        let is_label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if host.len() <= MAX_HOST_BYTES && host.split('.').all(is_label) {
            Ok(Self { host, port })
        } else {
            Err(InvalidAddress::Host)
        }
    }
}

impl Origin {
    /// Returns `true` if the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the host without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns `true` if this origin's host and port are those of `authority`. A missing port is the default one of
    /// this origin's scheme.
    pub fn is_at(&self, authority: &Authority) -> bool {
        self.host == authority.host && self.port == authority.port(self.is_https)
    }
}

impl FromStr for Origin {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidAddress::Origin)?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidAddress::Origin),
        };
        authority
            .parse::<Authority>()
            .map(|authority| authority.origin(is_https))
            .map_err(|_| InvalidAddress::Origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default_port(self.is_https) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let after_scheme = text.find("://").map(|at| at + 3).ok_or(InvalidAddress::PublicUrl)?;
        let path_at = text[after_scheme..].find('/').map_or(text.len(), |at| after_scheme + at);
        let origin = text[..path_at].parse().map_err(|_| InvalidAddress::PublicUrl)?;
        let prefix = text[path_at..].strip_suffix('/').unwrap_or(&text[path_at..]).to_owned();
        if !is_prefix(&prefix) {
            return Err(InvalidAddress::PublicUrl);
        }
        if is_own_path(&prefix) {
            return Err(InvalidAddress::OwnPath);
        }
        Ok(Self { origin, prefix })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/", self.origin, self.prefix)
    }
}

/// Returns `true` if `prefix` can stand before every path: empty, or segments of unreserved characters (RFC 3986,
/// section 2.3), each after a slash. A browser would take `//` for another host and `..` for another path.
pub fn is_prefix(prefix: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    prefix.is_empty()
        || prefix.len() <= MAX_PREFIX_BYTES
            && prefix.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
}

/// Returns `true` if a path begins with a segment that a route of this server begins with: as a prefix it would be
/// ambiguous.
pub fn is_own_path(path: &str) -> bool {
    const FIRST_SEGMENTS: [&str; 12] = [
        "r", "rooms", "name", "settings", "device", "offline", "api", "ws", "pkg", "healthz", "readyz",
        "metrics",
    ];
    path.split('/').nth(1).is_some_and(|first| FIRST_SEGMENTS.contains(&first))
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Result<Authority, InvalidAddress> {
        text.parse()
    }

    #[test]
    fn a_host_is_compared_without_case_final_dot_and_default_port() {
        let chat: Origin = "https://chat.example".parse().unwrap();
        for same in ["chat.example", "CHAT.example", "chat.example.", "chat.example:443", "chat.example:"] {
            assert!(chat.is_at(&authority(same).unwrap()), "{same}");
        }
        for other in ["chat.example:80", "chat.example:444", "evil.example", "chat.example.evil.example"] {
            assert!(!chat.is_at(&authority(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn invalid_hosts_are_rejected() {
        for bad in [
            "",
            ":80",
            "a b",
            "a@b",
            "a/b",
            "a:b",
            "a:65536",
            "a:80:80",
            "[::1",
            "::1",
            "[::1]x",
            "[1.2.3.4]",
            "ä",
            "a..b",
            ".",
        ] {
            assert_eq!(authority(bad), Err(InvalidAddress::Host), "{bad}");
        }
    }

    #[test]
    fn private_names_are_those_that_the_public_dns_does_not_resolve() {
        for name in ["box.local:8080", "chat.lan", "CHAT.HOME.ARPA", "a.b.internal."] {
            assert!(authority(name).unwrap().is_private_use(), "{name}");
        }
        for name in ["local", "chat.lan.example", "notlan", "evil.arpa", "local.evil.example"] {
            assert!(!authority(name).unwrap().is_private_use(), "{name}");
        }
    }

    #[test]
    fn addresses_and_localhost_need_no_dns() {
        for address in
            ["127.0.0.1:8080", "[::1]:8080", "192.0.2.1", "localhost", "LOCALHOST.", "tea.localhost:1"]
        {
            assert!(authority(address).unwrap().is_address(), "{address}");
        }
        for name in ["127.0.0.1.evil.example", "localhost.evil.example", "evil", "notlocalhost"] {
            assert!(!authority(name).unwrap().is_address(), "{name}");
        }
    }

    #[test]
    fn an_origin_has_one_normal_form() {
        for (text, written) in [
            ("HTTPS://Chat.Example:443", "https://chat.example"),
            ("http://chat.example:80", "http://chat.example"),
            ("http://chat.example:443", "http://chat.example:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), written);
        }
        for bad in [
            "null",
            "",
            "chat.example",
            "file://",
            "data:text/html,x",
            "https://a/b",
            "https://u@a",
            "http://a http://b",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidAddress::Origin), "{bad}");
        }
    }

    #[test]
    fn a_public_address_may_have_a_path_that_is_not_a_route() {
        for (text, written) in [
            ("https://chat.example", "https://chat.example/"),
            ("https://chat.example/", "https://chat.example/"),
            ("https://host.example:8443/team/chat", "https://host.example:8443/team/chat/"),
            ("https://host.example/rooms-of-ours/", "https://host.example/rooms-of-ours/"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().to_string(), written);
        }
        for bad in [
            "chat.example",
            "ftp://a/",
            "https://",
            "https://a//",
            "https://a/../",
            "https://a/?x",
            "https://a/#x",
            "https://u@a/",
        ] {
            assert_eq!(bad.parse::<PublicUrl>(), Err(InvalidAddress::PublicUrl), "{bad}");
        }
        for own in ["https://a/r/", "https://a/api/chat"] {
            assert_eq!(own.parse::<PublicUrl>(), Err(InvalidAddress::OwnPath), "{own}");
        }
    }
}
