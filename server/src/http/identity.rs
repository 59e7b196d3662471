//! Who somebody is: a signed cookie says so, without an account.
//!
//! Cookies know no ports, so another Hubbub on the same host sees ours and we see its. A cookie counts if its signature
//! is ours, whatever its name, and a name that another program's cookie has is left to it.

use crate::{
    http::{
        admission::{admit_identity, network},
        cookies::cookies,
        host::PublicAddress,
        preferences::{accepts_html, language},
        problem::Problem,
    },
    limits::network::Network,
    pages,
    state::AppState,
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
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use time::Duration;
use uuid::Uuid;

/// The cookie's name, after a prefix and before a suffix.
const COOKIE: &str = "hubbub_id";

/// What the name of a cookie begins with that HTTPS alone has set, for this very host (RFC 6265bis, section 4.1.3).
const HOST_PREFIX: &str = "__Host-";

/// The same for a cookie with a path of its own.
const SECURE_PREFIX: &str = "__Secure-";

/// How long a browser keeps the cookie.
const KEPT: Duration = Duration::days(365);

/// Seconds between two renewals of the cookie.
const RENEWAL_INTERVAL_SECONDS: u64 = 24 * 60 * 60;

/// Cookies of our names whose signatures are checked in one request. No browser sends more than one of each.
const MAX_CANDIDATES: usize = 32;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Their id.
    pub id: UserId,
    /// Their browser has shown a cookie that says so.
    pub known: bool,
    /// The network that the request comes from.
    pub network: Network,
}

/// Where in an id the bits are that a short form of it shows.
const DISTINCT: u32 = 32;

/// In an answer: from now on this browser is that person.
#[derive(Debug, Clone, Copy)]
pub struct Becomes(pub UserId);

/// In every answer: whose it is. The service worker keeps no page for anybody else.
const PERSON: HeaderName = HeaderName::from_static("hubbub-person");

/// A cookie of the request with a signature of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    name: String,
    id: UserId,
    /// When it was set, in seconds of Unix time; 0 for one from before cookies said so.
    issued: u64,
}

/// The names under which this server sets its cookie and looks for it.
struct Names {
    /// With the prefix that the browser checks, `hubbub_id`.
    preferred: String,
    /// The same with a suffix that no other server on this host has.
    own: String,
    suffix: String,
}

/// Finds out who asks, as a layer: a request without a good cookie gets a new identity, and its answer sets the cookie.
/// A known person's cookie is renewed by pages only, once a day: a page that is under way while the browser takes a
/// link to another device must not turn it back.
pub async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let key = Key::clone(&axum::extract::FromRef::from_ref(&state));
    let Some(address) = request.extensions().get::<PublicAddress>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let names = Names::new(&address, &suffix(&key, state.config.ephemeral, &address));
    let shown = shown(request.headers(), &key, &names);
    let network = network(&request);
    if shown.is_none()
        && let Err(wait) = admit_identity(&state.networks.usage(network), request.method()).await
    {
        return pages::refuse(&state, request, Problem::too_fast(wait)).await;
    }
    let id = shown.as_ref().map(|shown| shown.id);
    let id = id.unwrap_or_else(|| somebody_new(language(request.headers())));
    let name = names.to_set(request.headers(), shown.as_ref());
    let renews = shown.as_ref().is_none_or(|shown| {
        accepts_html(request.headers()) && (shown.name != name || is_old(shown.issued, now()))
    });
    request.extensions_mut().insert(Identity { id, known: shown.is_some(), network });
    let mut response = next.run(request).await;
    let becomes = response.extensions().get().map(|Becomes(other)| *other);
    let id = becomes.unwrap_or(id);
    if let Ok(person) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(PERSON, person);
    }
    if !keeps(response.status()) || !(renews || becomes.is_some()) {
        return response;
    }
    // A shared cache must not hand one person's cookie to others.
    if response.headers().get(header::CACHE_CONTROL).is_none_or(|cache| cache != "no-store") {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    (SignedCookieJar::new(key).add(cookie(name, id, &address)), response).into_response()
}

impl Names {
    fn new(address: &PublicAddress, suffix: &str) -> Self {
        let prefix = match (address.origin.is_https(), address.prefix.is_empty()) {
            (true, true) => HOST_PREFIX,
            (true, false) => SECURE_PREFIX,
            (false, _) => "",
        };
        let preferred = format!("{prefix}{COOKIE}");
        Self { own: format!("{preferred}_{suffix}"), preferred, suffix: suffix.into() }
    }

    /// How far a cookie of that name is trusted; `None` where the name is not ours.
    fn rank(&self, name: &str) -> Option<u8> {
        let (rank, rest) = match (name.strip_prefix(HOST_PREFIX), name.strip_prefix(SECURE_PREFIX)) {
            (Some(rest), _) => (2, rest),
            (_, Some(rest)) => (1, rest),
            (None, None) => (0, name),
        };
        let rest = rest.strip_prefix(COOKIE)?;
        (rest.is_empty() || rest.strip_prefix('_') == Some(&self.suffix)).then_some(rank)
    }

    /// The name to set: the one that the browser has shown, unless another program on this host has the preferred one.
    fn to_set(&self, headers: &HeaderMap, shown: Option<&Shown>) -> String {
        match shown {
            Some(shown) if shown.name == self.preferred || shown.name == self.own => shown.name.clone(),
            _ if cookies(headers).any(|(name, _)| name == self.preferred) => self.own.clone(),
            _ => self.preferred.clone(),
        }
    }
}

/// What tells this server's cookies from those of others on the same host: its key or, where that is a new one at each
/// start, its port.
fn suffix(key: &Key, is_ephemeral: bool, address: &PublicAddress) -> String {
    if is_ephemeral {
        return address.origin.port().to_string();
    }
    let digest = Sha1::new().chain_update(b"the name of the cookie").chain_update(key.master()).finalize();
    digest[..4].iter().fold(String::new(), |mut suffix, byte| {
        let _ = write!(suffix, "{byte:02x}");
        suffix
    })
}

/// The best cookie of the request with a signature of ours: the most trusted name, then the newest.
fn shown(headers: &HeaderMap, key: &Key, names: &Names) -> Option<Shown> {
    let candidates = cookies(headers).filter_map(|(name, value)| Some((names.rank(name)?, name, value)));
    let good = candidates.take(MAX_CANDIDATES).filter_map(|(rank, name, value)| {
        let (id, issued) = signed(key, name, value)?;
        Some((rank, Shown { name: name.into(), id, issued }))
    });
    good.max_by_key(|(rank, shown)| (*rank, shown.issued)).map(|(_, shown)| shown)
}

/// What a cookie says, if its signature is ours.
fn signed(key: &Key, name: &str, value: &str) -> Option<(UserId, u64)> {
    let pair = HeaderValue::from_str(&format!("{name}={value}")).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
    let cookie = SignedCookieJar::from_headers(&headers, key.clone()).get(name)?;
    match cookie.value().split_once('.') {
        Some((id, issued)) => Some((id.parse().ok()?, issued.parse().ok()?)),
        None => Some((cookie.value().parse().ok()?, 0)),
    }
}

/// Returns whether a cookie that was set at `issued` is to be renewed. One from the future was set by a wrong clock.
fn is_old(issued: u64, now: u64) -> bool {
    now.abs_diff(issued) >= RENEWAL_INTERVAL_SECONDS
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Random bits (two random UUIDs, each with some fixed bits that the other one covers), of which a few say in which
/// language the new person's name is. The 16 bits of [`DISTINCT`] come from a counter: nobody gets those of a certain
/// person by asking for many identities, until 65,536 were given out.
fn somebody_new(lang: Lang) -> UserId {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(Uuid::new_v4().as_u64_pair().0));
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let (_, low) = Uuid::new_v4().as_u64_pair();
    let random = (high ^ low) & !(0xffff << DISTINCT);
    // An odd step visits every value once.
    let distinct = NEXT.fetch_add(40_503, Ordering::Relaxed) & 0xffff;
    UserId::with_language(lang, random | distinct << DISTINCT)
}

/// A refused request makes nobody.
fn keeps(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}

fn cookie(name: String, id: UserId, address: &PublicAddress) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, format!("{id}.{}", now()));
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path(address.cookie_path().to_owned());
    cookie.set_secure(address.origin.is_https());
    cookie.set_max_age(KEPT);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    #[test]
    fn new_people_differ_in_the_bits_of_a_short_id_for_as_long_as_there_are_others() {
        let short = |_| somebody_new(Lang::En).0 >> DISTINCT & 0xffff;
        let all: std::collections::HashSet<u64> = (0..0x8000).map(short).collect();
        assert_eq!(all.len(), 0x8000);
    }

    fn address(url: &str) -> PublicAddress {
        let url: crate::origin::PublicUrl = url.parse().unwrap();
        PublicAddress { origin: url.origin, prefix: url.prefix }
    }

    /// The `name=value` of a cookie that says `value`.
    fn pair(key: &Key, name: &str, value: &str) -> String {
        let jar = SignedCookieJar::new(key.clone()).add(Cookie::new(name.to_owned(), value.to_owned()));
        let response = (jar, ()).into_response();
        response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
    }

    fn asked(pairs: &[String]) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap())])
    }

    #[test]
    fn of_several_cookies_the_most_trusted_and_newest_of_our_own_counts() {
        let (ours, theirs) = (Key::generate(), Key::generate());
        let names = Names::new(&address("https://a.example"), "1234");
        let of = |n: u64| format!("{n:016x}");
        let pairs = [
            pair(&theirs, "__Host-hubbub_id", &format!("{}.999", of(1))),
            pair(&ours, "hubbub_id", &format!("{}.998", of(2))),
            pair(&ours, "__Host-hubbub_id", &format!("{}.5", of(3))),
            pair(&ours, "__Host-hubbub_id_1234", &format!("{}.6", of(4))),
            pair(&ours, "__Host-hubbub_id_5678", &format!("{}.997", of(5))),
            "__Host-hubbub_id=nonsense".into(),
        ];
        let shown = shown(&asked(&pairs), &ours, &names).unwrap();
        assert_eq!((shown.id.to_string(), shown.issued), (of(4), 6));
    }

    #[test]
    fn a_cookie_from_before_it_had_a_time_still_counts_and_is_renewed() {
        let key = Key::generate();
        let names = Names::new(&address("http://a.example"), "1234");
        let shown = shown(&asked(&[pair(&key, "hubbub_id", ID)]), &key, &names).unwrap();
        assert_eq!((shown.id.to_string().as_str(), is_old(shown.issued, now())), (ID, true));
    }

    #[test]
    fn a_name_that_another_server_on_this_host_has_is_left_to_it() {
        let (ours, theirs) = (Key::generate(), Key::generate());
        let names = Names::new(&address("http://a.example"), "1234");
        let other = pair(&theirs, "hubbub_id", ID);
        assert_eq!(names.to_set(&HeaderMap::new(), None), "hubbub_id");
        assert_eq!(names.to_set(&asked(std::slice::from_ref(&other)), None), "hubbub_id_1234");
        let both = asked(&[other, pair(&ours, "hubbub_id_1234", ID)]);
        assert_eq!(names.to_set(&both, shown(&both, &ours, &names).as_ref()), "hubbub_id_1234");
    }

    #[test]
    fn https_gives_the_name_a_prefix_that_the_browser_checks() {
        let preferred = |url| Names::new(&address(url), "1234").preferred;
        assert_eq!(preferred("https://a.example/"), "__Host-hubbub_id");
        assert_eq!(preferred("https://a.example/chat/"), "__Secure-hubbub_id");
        assert_eq!(preferred("http://a.example/chat/"), "hubbub_id");
    }

    #[test]
    fn a_cookie_is_renewed_once_a_day_or_where_its_time_is_ahead() {
        let day = RENEWAL_INTERVAL_SECONDS;
        assert_eq!([10, 10 + day - 1, 10 + day].map(|now| is_old(10, now)), [false, false, true]);
        assert!(is_old(10 + 2 * day, 10));
    }
}
