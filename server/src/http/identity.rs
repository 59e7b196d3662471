//! Identity without an account: a signed cookie holds the user's id.
//!
//! Cookies ignore ports, so several Hubbub servers on one host see each other's cookies. A server accepts a cookie if
//! its own key has signed it, whatever the cookie's name, and never overwrites a cookie of another program.

use crate::{
    config::Config,
    http::{
        cookies::cookies,
        preferences::{accepts_html, preferred_language},
        problem::Problem,
        public_address::PublicAddress,
        rate_limit::{admit_identity, client_network},
    },
    limits::network::{Network, NetworkLimits},
};
use app::{i18n::Lang, wire::UserId};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use sha1::{Digest, Sha1};
use std::{
    fmt::Write as _,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use time::Duration;
use uuid::Uuid;

/// The base name of the cookie, between an optional prefix and an optional suffix.
const COOKIE: &str = "hubbub_id";

/// Name prefix that browsers accept only over HTTPS, for this exact host and the root path (RFC 6265bis, section
/// 4.1.3).
const HOST_PREFIX: &str = "__Host-";

/// Name prefix that browsers accept only over HTTPS; the cookie may have a path of its own.
const SECURE_PREFIX: &str = "__Secure-";

/// How long the browser keeps the cookie.
const COOKIE_MAX_AGE: Duration = Duration::days(365);

/// Seconds between two renewals of the cookie.
const RENEWAL_INTERVAL_SECONDS: u64 = 24 * 60 * 60;

/// Cookies whose signatures are checked in one request. No browser sends more than one of each of our names.
const MAX_COOKIE_CANDIDATES: usize = 32;

/// The lowest of the 16 bits of a user id that its short form shows.
const SHORT_ID_SHIFT: u32 = 32;

/// Response header with the user id of the request. The service worker stores no page of another user.
const USER_ID_HEADER: HeaderName = HeaderName::from_static("hubbub-person");

/// The user that a request belongs to; a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The id of the user.
    pub id: UserId,
    /// The request has a valid cookie; otherwise the id is new and the response sets the cookie.
    pub is_known: bool,
    /// The network that the request comes from.
    pub network: Network,
}

/// Response extension: the browser becomes this user.
#[derive(Debug, Clone, Copy)]
pub struct SwitchIdentity(pub UserId);

/// A cookie of the request that this server has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct IdentityCookie {
    name: String,
    id: UserId,
    /// When the cookie was set, in seconds of Unix time; 0 if it has no time, as those of early versions.
    issued: u64,
}

/// The names under which this server sets and accepts its cookie.
struct CookieNames {
    /// The base name with the prefix that the browser checks.
    preferred: String,
    /// The preferred name with a suffix that no other server on this host has.
    suffixed: String,
    suffix: String,
}

/// Middleware that authenticates the request by its signed cookie, or creates a new user id.
///
/// The response sets the cookie for new users. For known users only pages renew it, once a day: a slower response must
/// not overwrite the cookie of a browser that has just become another user through a device link.
pub async fn identify(
    State(key): State<Key>,
    State(config): State<Arc<Config>>,
    State(networks): State<Arc<NetworkLimits>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(address) = request.extensions().get::<PublicAddress>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let names = CookieNames::new(&address, &cookie_suffix(&key, config.ephemeral, &address));
    let cookie = find_cookie(request.headers(), &key, &names);
    let network = client_network(&request);
    if cookie.is_none()
        && let Err(wait) = admit_identity(&networks.usage(network), request.method()).await
    {
        return Problem::rate_limited(wait).into_page_response();
    }
    let id = cookie.as_ref().map(|cookie| cookie.id);
    let id = id.unwrap_or_else(|| new_user_id(preferred_language(request.headers())));
    let name = names.name_to_set(request.headers(), cookie.as_ref());
    let needs_cookie = cookie.as_ref().is_none_or(|cookie| {
        accepts_html(request.headers()) && (cookie.name != name || is_renewal_due(cookie.issued, now()))
    });
    request.extensions_mut().insert(Identity { id, is_known: cookie.is_some(), network });
    let mut response = next.run(request).await;
    let switched = response.extensions().get().map(|SwitchIdentity(user)| *user);
    let id = switched.unwrap_or(id);
    if let Ok(user) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(USER_ID_HEADER, user);
    }
    if !may_set_cookie(response.status()) || !(needs_cookie || switched.is_some()) {
        return response;
    }
    // A shared cache must not hand the cookie of one user to others.
    if response.headers().get(header::CACHE_CONTROL).is_none_or(|cache| cache != "no-store") {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    (SignedCookieJar::new(key).add(new_cookie(name, id, &address)), response).into_response()
}

/// Middleware that authenticates the request by its signed cookie. Without one the user is a stranger for this request alone.
pub async fn recognize(
    State(key): State<Key>,
    State(config): State<Arc<Config>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(address) = request.extensions().get::<PublicAddress>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let names = CookieNames::new(&address, &cookie_suffix(&key, config.ephemeral, &address));
    let cookie = find_cookie(request.headers(), &key, &names);
    let network = client_network(&request);
    // No user has this id.
    let id = cookie.as_ref().map_or(UserId(0), |cookie| cookie.id);
    request.extensions_mut().insert(Identity { id, is_known: cookie.is_some(), network });
    next.run(request).await
}

impl CookieNames {
    fn new(address: &PublicAddress, suffix: &str) -> Self {
        let prefix = match (address.origin.is_https(), address.prefix.is_empty()) {
            (true, true) => HOST_PREFIX,
            (true, false) => SECURE_PREFIX,
            (false, _) => "",
        };
        let preferred = format!("{prefix}{COOKIE}");
        Self { suffixed: format!("{preferred}_{suffix}"), preferred, suffix: suffix.into() }
    }

    /// Returns the trust in a cookie of that name, from 0 to 2; `None` if this server accepts no such name.
    fn trust(&self, name: &str) -> Option<u8> {
        let (trust, rest) = match (name.strip_prefix(HOST_PREFIX), name.strip_prefix(SECURE_PREFIX)) {
            (Some(rest), _) => (2, rest),
            (_, Some(rest)) => (1, rest),
            // Over HTTPS, another site or the network could have set a cookie without a prefix.
            (None, None) if self.preferred != COOKIE => return None,
            (None, None) => (0, name),
        };
        let rest = rest.strip_prefix(COOKIE)?;
        (rest.is_empty() || rest.strip_prefix('_') == Some(&self.suffix)).then_some(trust)
    }

    /// Returns the name to set: that of the accepted cookie, unless another program on this host uses the preferred
    /// one.
    fn name_to_set(&self, headers: &HeaderMap, accepted: Option<&IdentityCookie>) -> String {
        match accepted {
            Some(cookie) if cookie.name == self.preferred || cookie.name == self.suffixed => {
                cookie.name.clone()
            }
            _ if cookies(headers).any(|(name, _)| name == self.preferred) => self.suffixed.clone(),
            _ => self.preferred.clone(),
        }
    }
}

/// Returns the suffix that distinguishes this server's cookies from those of others on the same host: it is derived
/// from the key. An ephemeral server has a new key at each start and uses its port instead.
fn cookie_suffix(key: &Key, is_ephemeral: bool, address: &PublicAddress) -> String {
    if is_ephemeral {
        return address.origin.port().to_string();
    }
    let digest = Sha1::new().chain_update(b"the name of the cookie").chain_update(key.master()).finalize();
    digest[..4].iter().fold(String::new(), |mut suffix, byte| {
        let _ = write!(suffix, "{byte:02x}");
        suffix
    })
}

/// Returns the best cookie that this server has signed: the most trusted name first, then the newest.
fn find_cookie(headers: &HeaderMap, key: &Key, names: &CookieNames) -> Option<IdentityCookie> {
    let candidates = cookies(headers).filter_map(|(name, value)| Some((names.trust(name)?, name, value)));
    let valid = candidates.take(MAX_COOKIE_CANDIDATES).filter_map(|(trust, name, value)| {
        let (id, issued) = verify_cookie(key, name, value)?;
        Some((trust, IdentityCookie { name: name.into(), id, issued }))
    });
    valid.max_by_key(|(trust, cookie)| (*trust, cookie.issued)).map(|(_, cookie)| cookie)
}

/// Returns the user id and the time of a cookie if its signature is valid.
fn verify_cookie(key: &Key, name: &str, value: &str) -> Option<(UserId, u64)> {
    let pair = HeaderValue::from_str(&format!("{name}={value}")).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
    let cookie = SignedCookieJar::from_headers(&headers, key.clone()).get(name)?;
    match cookie.value().split_once('.') {
        Some((id, issued)) => Some((id.parse().ok()?, issued.parse().ok()?)),
        None => Some((cookie.value().parse().ok()?, 0)),
    }
}

/// Returns `true` if a cookie that was set at `issued` must be renewed. A time in the future comes from a wrong clock.
fn is_renewal_due(issued: u64, now: u64) -> bool {
    now.abs_diff(issued) >= RENEWAL_INTERVAL_SECONDS
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Creates a random user id, a few bits of which hold the language of the generated name.
///
/// Two random UUIDs are combined, because the fixed bits of each are random in the other. The 16 bits at
/// [`SHORT_ID_SHIFT`] come from a counter: a client that requests many ids gets the short id of an existing user only
/// after 65,536 of them.
fn new_user_id(lang: Lang) -> UserId {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(Uuid::new_v4().as_u64_pair().0));
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let (_, low) = Uuid::new_v4().as_u64_pair();
    let random = (high ^ low) & !(0xffff << SHORT_ID_SHIFT);
    // An odd step visits every value once.
    let distinct = NEXT.fetch_add(40_503, Ordering::Relaxed) & 0xffff;
    UserId::with_language(lang, random | distinct << SHORT_ID_SHIFT)
}

/// Returns `true` if a response with this status may set the cookie: a refused request creates no user.
fn may_set_cookie(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}

fn new_cookie(name: String, id: UserId, address: &PublicAddress) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, format!("{id}.{}", now()));
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path(address.cookie_path().to_owned());
    cookie.set_secure(address.origin.is_https());
    cookie.set_max_age(COOKIE_MAX_AGE);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    #[test]
    fn new_users_have_distinct_short_ids_until_all_are_used() {
        let short = |_| new_user_id(Lang::En).0 >> SHORT_ID_SHIFT & 0xffff;
        let all: std::collections::HashSet<u64> = (0..0x8000).map(short).collect();
        assert_eq!(all.len(), 0x8000);
    }

    fn address(url: &str) -> PublicAddress {
        let url: crate::origin::PublicUrl = url.parse().unwrap();
        PublicAddress { origin: url.origin, prefix: url.prefix }
    }

    /// Returns `name=value` of a signed cookie.
    fn signed_pair(key: &Key, name: &str, value: &str) -> String {
        let jar = SignedCookieJar::new(key.clone()).add(Cookie::new(name.to_owned(), value.to_owned()));
        let response = (jar, ()).into_response();
        response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
    }

    fn with_cookies(pairs: &[String]) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap())])
    }

    #[test]
    fn the_most_trusted_then_newest_signed_cookie_wins() {
        let (own_key, other_key) = (Key::generate(), Key::generate());
        let names = CookieNames::new(&address("https://a.example"), "1234");
        let id = |n: u64| format!("{n:016x}");
        let pairs = [
            signed_pair(&other_key, "__Host-hubbub_id", &format!("{}.999", id(1))),
            signed_pair(&own_key, "hubbub_id", &format!("{}.998", id(2))),
            signed_pair(&own_key, "__Host-hubbub_id", &format!("{}.5", id(3))),
            signed_pair(&own_key, "__Host-hubbub_id_1234", &format!("{}.6", id(4))),
            signed_pair(&own_key, "__Host-hubbub_id_5678", &format!("{}.997", id(5))),
            "__Host-hubbub_id=nonsense".into(),
        ];
        let cookie = find_cookie(&with_cookies(&pairs), &own_key, &names).unwrap();
        assert_eq!((cookie.id.to_string(), cookie.issued), (id(4), 6));
    }

    #[test]
    fn over_https_a_cookie_without_a_prefix_is_ignored() {
        let key = Key::generate();
        let planted =
            with_cookies(&[signed_pair(&key, "hubbub_id", ID), signed_pair(&key, "hubbub_id_1234", ID)]);
        for (url, is_accepted) in
            [("https://a.example/", false), ("https://a.example/chat/", false), ("http://a.example/", true)]
        {
            let names = CookieNames::new(&address(url), "1234");
            assert_eq!(find_cookie(&planted, &key, &names).is_some(), is_accepted, "{url}");
        }
    }

    #[test]
    fn a_cookie_without_a_time_is_accepted_and_renewed() {
        let key = Key::generate();
        let names = CookieNames::new(&address("http://a.example"), "1234");
        let cookie = find_cookie(&with_cookies(&[signed_pair(&key, "hubbub_id", ID)]), &key, &names).unwrap();
        assert_eq!((cookie.id.to_string().as_str(), is_renewal_due(cookie.issued, now())), (ID, true));
    }

    #[test]
    fn a_cookie_name_of_another_server_on_this_host_is_not_overwritten() {
        let (own_key, other_key) = (Key::generate(), Key::generate());
        let names = CookieNames::new(&address("http://a.example"), "1234");
        let other = signed_pair(&other_key, "hubbub_id", ID);
        assert_eq!(names.name_to_set(&HeaderMap::new(), None), "hubbub_id");
        assert_eq!(names.name_to_set(&with_cookies(std::slice::from_ref(&other)), None), "hubbub_id_1234");
        let both = with_cookies(&[other, signed_pair(&own_key, "hubbub_id_1234", ID)]);
        assert_eq!(names.name_to_set(&both, find_cookie(&both, &own_key, &names).as_ref()), "hubbub_id_1234");
    }

    #[test]
    fn https_adds_a_name_prefix_that_the_browser_checks() {
        let preferred = |url| CookieNames::new(&address(url), "1234").preferred;
        assert_eq!(preferred("https://a.example/"), "__Host-hubbub_id");
        assert_eq!(preferred("https://a.example/chat/"), "__Secure-hubbub_id");
        assert_eq!(preferred("http://a.example/chat/"), "hubbub_id");
    }

    #[test]
    fn a_cookie_is_renewed_once_a_day_or_if_its_time_is_in_the_future() {
        let day = RENEWAL_INTERVAL_SECONDS;
        assert_eq!([10, 10 + day - 1, 10 + day].map(|now| is_renewal_due(10, now)), [false, false, true]);
        assert!(is_renewal_due(10 + 2 * day, 10));
    }
}
