//! The cookies of this server in a request, and those that it sets.
//!
//! One cookie has the user, a second one the device and the generation. Servers of an earlier version know only the first one,
//! so that users stay signed in while the servers of an installation are updated one after the other.

use super::names::CookieNames;
use crate::{
    data::key_ring::KeyRing,
    http::{cookies::cookies, public_address::PublicAddress},
    store::{DeviceId, SignIn},
};
use app::wire::UserId;
use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use sha2::{Digest, Sha256};
use time::Duration;

/// The time for which the browser keeps the cookies.
const MAX_AGE: Duration = Duration::days(365);

/// Cookies of each kind whose signatures are checked in one request. No browser sends more than one of each of our names.
const MAX_CANDIDATES: usize = 32;

/// Seconds by which the clocks of servers may differ.
const CLOCK_SKEW_SECONDS: u64 = 24 * 60 * 60;

/// The accepted cookies of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdentityCookie {
    /// The name of the user's cookie; `None` if the client has sent only that of the device.
    pub(super) name: Option<String>,
    pub(super) id: UserId,
    /// When the cookie was set, in seconds of Unix time; 0 if it has no time, as those of early versions.
    pub(super) issued: u64,
    pub(super) sign_in: SignIn,
    /// The cookie, and the one with the device if there is one, are signed by the key that signs now.
    pub(super) is_current: bool,
    /// The names of all cookies of this server, its own keys' only.
    pub(super) own_names: Vec<String>,
}

/// Returns the best user's cookie that this server has signed, the most trusted name first, then the newest; and the device
/// that belongs to it. Without a user's cookie, that of the device says who the user is.
pub(super) fn find_cookie(
    headers: &HeaderMap,
    ring: &KeyRing,
    now: u64,
    names: &CookieNames,
) -> Option<IdentityCookie> {
    // A cookie from the future was set by a server with a wrong clock, and must not stand above all others for ever.
    let rank = |issued: u64| if issued > now.saturating_add(CLOCK_SKEW_SECONDS) { 0 } else { issued };
    let users = cookies(headers).filter_map(|(name, value)| Some((names.trust(name)?, name, value)));
    let mut own_names = Vec::new();
    let valid = users.take(MAX_CANDIDATES).filter_map(|(trust, name, value)| {
        let (value, is_current) = verify(ring, now, name, value)?;
        own_names.push(name.to_owned());
        let (id, issued) = parse_user(&value)?;
        Some((trust, name, id, issued, is_current))
    });
    let user = valid.max_by_key(|(trust, _, _, issued, is_current)| (*trust, rank(*issued), *is_current));
    let devices = cookies(headers).filter_map(|(name, value)| Some((names.device_trust(name)?, name, value)));
    let valid = devices.take(MAX_CANDIDATES).filter_map(|(trust, name, value)| {
        let (value, is_current) = verify(ring, now, name, value)?;
        own_names.push(name.to_owned());
        let (id, issued, sign_in) = parse_device(&value)?;
        let is_of_user = user.is_none_or(|(_, _, user, ..)| user == id);
        is_of_user.then_some((trust, id, issued, sign_in, is_current && name == names.device))
    });
    let device = valid.max_by_key(|(trust, _, issued, _, is_current)| (*trust, rank(*issued), *is_current));
    let Some((_, name, id, issued, is_current)) = user else {
        let (_, id, issued, sign_in, _) = device?;
        return Some(IdentityCookie { name: None, id, issued, sign_in, is_current: false, own_names });
    };
    let sign_in = device.map_or_else(|| unnamed_device(id, issued), |(_, _, _, sign_in, _)| sign_in);
    let is_current = is_current && device.is_none_or(|(.., is_current)| is_current);
    Some(IdentityCookie { name: Some(name.into()), id, issued, sign_in, is_current, own_names })
}

/// Returns the value of a cookie if a key of the ring has signed it, and whether that is the key that signs now.
fn verify(ring: &KeyRing, now: u64, name: &str, value: &str) -> Option<(String, bool)> {
    let pair = HeaderValue::from_str(&format!("{name}={value}")).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
    ring.verifying(now).find_map(|key| {
        let cookie = SignedCookieJar::from_headers(&headers, key.clone()).get(name)?;
        Some((cookie.value().to_owned(), key == ring.signing(now)))
    })
}

fn parse_user(value: &str) -> Option<(UserId, u64)> {
    match value.split_once('.') {
        Some((id, issued)) => Some((id.parse().ok()?, issued.parse().ok()?)),
        None => Some((value.parse().ok()?, 0)),
    }
}

/// Parses the user, the time and the sign-in of a device.
fn parse_device(value: &str) -> Option<(UserId, u64, SignIn)> {
    let mut parts = value.split('.');
    let (user, issued): (UserId, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (device, generation) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some((user, issued, SignIn { device, generation }))
}

/// Returns the device of a user's cookie that came without one: always the same, so that it can be listed and signed out.
fn unnamed_device(user: UserId, issued: u64) -> SignIn {
    let digest = Sha256::new()
        .chain_update(b"the device of a cookie without one")
        .chain_update(user.0.to_be_bytes())
        .chain_update(issued.to_be_bytes())
        .finalize();
    let id = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    SignIn { device: DeviceId(id), generation: 0 }
}

/// Returns the cookies that sign a user in on a device: first that of the user, which is the one that earlier programs know.
pub(super) fn new_cookies(
    key: &Key,
    (user_name, device_name): (String, String),
    (user, sign_in): (UserId, SignIn),
    address: &PublicAddress,
    now: u64,
) -> (SignedCookieJar, SignedCookieJar) {
    let SignIn { device, generation } = sign_in;
    let user_value = format!("{user}.{now}");
    let device_value = format!("{user}.{now}.{device}.{generation}");
    // A jar has no order.
    let jar = |name, value| SignedCookieJar::new(key.clone()).add(cookie(name, value, address, MAX_AGE));
    (jar(user_name, user_value), jar(device_name, device_value))
}

/// Returns a cookie that removes the one with this name.
pub(super) fn removal(name: &str, address: &PublicAddress) -> Option<HeaderValue> {
    let removal = cookie(name.to_owned(), String::new(), address, Duration::ZERO);
    HeaderValue::from_str(&removal.to_string()).ok()
}

fn cookie(name: String, value: String, address: &PublicAddress, max_age: Duration) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path(address.cookie_path().to_owned());
    cookie.set_secure(address.origin.is_https());
    cookie.set_max_age(max_age);
    cookie
}
