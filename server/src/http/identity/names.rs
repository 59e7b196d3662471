//! The names of the cookies. Cookies ignore ports, so several Hubbub servers on one host see each other's.

use crate::{
    data::key_ring::KeyRing,
    http::{cookies::cookies, public_address::PublicAddress},
};
use axum::http::HeaderMap;
use axum_extra::extract::cookie::Key;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// The base name of the cookie with the user, between an optional prefix and an optional suffix.
pub(super) const USER: &str = "hubbub_id";

/// The base name of the cookie with the device, which always has a suffix.
const DEVICE: &str = "hubbub_device";

/// Name prefix that browsers accept only over HTTPS, for this exact host and the root path (RFC 6265bis, section
/// 4.1.3).
const HOST_PREFIX: &str = "__Host-";

/// Name prefix that browsers accept only over HTTPS; the cookie may have a path of its own.
const SECURE_PREFIX: &str = "__Secure-";

/// The names under which this server sets and accepts its cookies.
pub(super) struct CookieNames {
    /// The name of the user's cookie with the prefix that the browser checks.
    pub(super) preferred: String,
    /// The preferred name with a suffix that no other server on this host has.
    pub(super) suffixed: String,
    /// The name of the device's cookie.
    pub(super) device: String,
    /// Those of all keys that verify; the first one is in the names above.
    suffixes: Vec<String>,
}

impl CookieNames {
    pub(super) fn new(address: &PublicAddress, suffixes: Vec<String>) -> Self {
        let prefix = match (address.origin.is_https(), address.prefix.is_empty()) {
            (true, true) => HOST_PREFIX,
            (true, false) => SECURE_PREFIX,
            (false, _) => "",
        };
        let preferred = format!("{prefix}{USER}");
        let suffix = suffixes.first().map_or("", String::as_str);
        Self {
            suffixed: format!("{preferred}_{suffix}"),
            device: format!("{prefix}{DEVICE}_{suffix}"),
            preferred,
            suffixes,
        }
    }

    /// Returns the trust in a user's cookie of that name, from 0 to 2; `None` if this server accepts no such name.
    pub(super) fn trust(&self, name: &str) -> Option<u8> {
        let (trust, rest) = self.without_prefix(name)?;
        let rest = rest.strip_prefix(USER)?;
        (rest.is_empty() || self.is_suffix(rest)).then_some(trust)
    }

    /// Returns the trust in a device's cookie of that name, as [`trust`](Self::trust) does.
    pub(super) fn device_trust(&self, name: &str) -> Option<u8> {
        let (trust, rest) = self.without_prefix(name)?;
        rest.strip_prefix(DEVICE).is_some_and(|rest| self.is_suffix(rest)).then_some(trust)
    }

    fn without_prefix<'a>(&self, name: &'a str) -> Option<(u8, &'a str)> {
        match (name.strip_prefix(HOST_PREFIX), name.strip_prefix(SECURE_PREFIX)) {
            (Some(rest), _) => Some((2, rest)),
            (_, Some(rest)) => Some((1, rest)),
            // Over HTTPS, another site or the network could have set a cookie without a prefix.
            (None, None) if self.preferred != USER => None,
            (None, None) => Some((0, name)),
        }
    }

    fn is_suffix(&self, rest: &str) -> bool {
        rest.strip_prefix('_').is_some_and(|rest| self.suffixes.iter().any(|suffix| suffix == rest))
    }

    /// Returns the name to set for the user: that of the `accepted` cookie, unless another program on this host uses the
    /// preferred one.
    pub(super) fn name_to_set(&self, headers: &HeaderMap, accepted: Option<&str>) -> String {
        match accepted {
            Some(name) if name == self.preferred || name == self.suffixed => name.to_owned(),
            _ if cookies(headers).any(|(name, _)| name == self.preferred) => self.suffixed.clone(),
            _ => self.preferred.clone(),
        }
    }
}

/// Returns the suffixes that distinguish this server's cookies from those of others on the same host: one is derived from
/// each key, that of the key that signs first. An ephemeral server has a new key at each start and uses its port instead.
pub(super) fn suffixes(ring: &KeyRing, now: u64, is_ephemeral: bool, address: &PublicAddress) -> Vec<String> {
    if is_ephemeral {
        return vec![address.origin.port().to_string()];
    }
    let signing = suffix(ring.signing(now));
    let others = ring.verifying(now).map(suffix).filter(|other| *other != signing);
    let others: Vec<String> = others.collect();
    std::iter::once(signing).chain(others).collect()
}

fn suffix(key: &Key) -> String {
    let digest = Sha1::new().chain_update(b"the name of the cookie").chain_update(key.master()).finalize();
    digest[..4].iter().fold(String::new(), |mut suffix, byte| {
        let _ = write!(suffix, "{byte:02x}");
        suffix
    })
}
