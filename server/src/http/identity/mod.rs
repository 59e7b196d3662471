//! Identity without an account: signed cookies hold the user's id and the device.
//!
//! Cookies ignore ports, so several Hubbub servers on one host see each other's cookies. A server accepts a cookie if
//! its own keys have signed it, whatever the cookie's name, and never overwrites a cookie of another program.

mod names;
mod signed;
#[cfg(test)]
mod tests;
mod user_id;

use crate::{
    config::Config,
    data::key_ring::{self, SharedKeys},
    http::{
        preferences::{accepts_html, preferred_language},
        problem::Problem,
        public_address::PublicAddress,
        rate_limit::{admit_identity, client_network},
        user_agent::device_label,
    },
    limits::network::{Network, NetworkLimits},
    sign_ins::{SignInCache, Validity},
    store::{DeviceId, SignIn},
};
use app::wire::UserId;
use axum::{
    body::{HttpBody, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use names::{CookieNames, suffixes};
use signed::{IdentityCookie, find_cookie, new_cookies, removal};
use std::sync::Arc;
pub use user_id::new_user_id;
use user_id::random;

/// Seconds between two renewals of the cookies.
const RENEWAL_INTERVAL_SECONDS: u64 = 24 * 60 * 60;

/// Bytes of a body that any route takes: a form with a text. The routes have lower limits of their own.
const MAX_BODY_BYTES: usize = 1_024 * 1_024;

/// Response header with the user id of the request. The service worker stores no page of another user.
const USER_ID_HEADER: HeaderName = HeaderName::from_static("hubbub-person");

/// Routes that report the sign-out as an error of their protocol, because scripts cannot see the status of a socket or an event
/// stream.
const PROTOCOL_ROUTES: [&str; 3] = ["/ws", "/frames", "/api/commands"];

/// The route of forms with files, whose handler reads the body and checks the device again after that.
const STREAMED_ROUTE: &str = "/r/{room}/files";

/// The user that a request belongs to; a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The id of the user.
    pub id: UserId,
    /// The request has a valid cookie; otherwise the id is new and the response sets the cookie.
    pub is_known: bool,
    /// The network that the request comes from.
    pub network: Network,
    /// The user's device.
    pub sign_in: SignIn,
    /// The device was signed out. Only the routes of the protocol see such a request, and do nothing but say so.
    pub is_signed_out: bool,
}

/// Response extension: the browser becomes this user, on this device.
#[derive(Debug, Clone, Copy)]
pub struct SwitchIdentity(pub UserId, pub SignIn);

/// Put into the extensions of a response with an error: the browser of a new user keeps the identity, because the page has a
/// form that needs it.
#[derive(Debug, Clone, Copy)]
pub struct KeepIdentity;

/// Response extension: the response removes the identity cookies of the browser.
#[derive(Debug, Clone, Copy)]
pub struct ForgetIdentity;

impl SwitchIdentity {
    /// Signs the browser in as `user`, on a new device.
    pub fn on_new_device(user: UserId, generation: u64) -> Self {
        Self(user, SignIn { device: DeviceId(random()), generation })
    }
}

/// Middleware that authenticates the request by its signed cookies, or creates a new user id.
///
/// The response sets the cookies for new users. For known users only pages renew them, once a day: a slower response must
/// not overwrite the cookies of a browser that has just become another user through a device link.
pub async fn identify(
    State(keys): State<SharedKeys>,
    State(config): State<Arc<Config>>,
    State(networks): State<Arc<NetworkLimits>>,
    State(sign_ins): State<Arc<SignInCache>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(address) = request.extensions().get::<PublicAddress>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (ring, now, network) = (keys.current(), key_ring::now(), client_network(&request));
    let names = CookieNames::new(&address, suffixes(&ring, now, config.ephemeral, &address));
    let cookie = find_cookie(request.headers(), &ring, now, &names);
    if cookie.is_none()
        && let Err(wait) = admit_identity(&networks.usage(network), request.method()).await
    {
        return Problem::rate_limited(wait).into_page_response();
    }
    // First, so that a request that is sent slowly has no power left at its end if its device was signed out meanwhile.
    let mut request = match with_body_read(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_page_response(),
    };
    let generation = match &cookie {
        None => 0,
        Some(cookie) => match sign_ins.check(cookie.id, cookie.sign_in).await {
            Err(error) => return Problem::from(error).into_page_response(),
            Ok(Validity::SignedOut) => return signed_out(request, next, cookie, network).await,
            Ok(Validity::SignedIn { generation, is_record_due }) => {
                if is_record_due {
                    let label = device_label(request.headers());
                    sign_ins.record(cookie.id, cookie.sign_in, Some(label));
                }
                generation
            }
        },
    };
    let id = cookie.as_ref().map(|cookie| cookie.id);
    let id = id.unwrap_or_else(|| new_user_id(preferred_language(request.headers())));
    let device = cookie.as_ref().map_or_else(|| DeviceId(random()), |cookie| cookie.sign_in.device);
    let accepted = cookie.as_ref().and_then(|cookie| cookie.name.as_deref());
    let name = names.name_to_set(request.headers(), accepted);
    let needs_cookies = cookie.as_ref().is_none_or(|cookie| {
        accepts_html(request.headers())
            && (cookie.name.as_deref() != Some(&*name)
                || !cookie.is_current
                || cookie.sign_in.generation < generation
                || is_renewal_due(cookie.issued, now))
    });
    let sign_in = cookie.as_ref().map_or(SignIn { device, generation }, |cookie| cookie.sign_in);
    let identity = Identity { id, is_known: cookie.is_some(), network, sign_in, is_signed_out: false };
    request.extensions_mut().insert(identity);
    let mut response = next.run(request).await;
    if response.extensions().get::<ForgetIdentity>().is_some() {
        return forget(response, cookie.as_ref(), &address);
    }
    let switched = response.extensions().get().map(|SwitchIdentity(user, sign_in)| (*user, *sign_in));
    let (id, sign_in) = switched.unwrap_or((id, SignIn { device, generation }));
    name_user(&mut response, id);
    let keeps = may_set_cookie(response.status()) || response.extensions().get::<KeepIdentity>().is_some();
    if !keeps || !(needs_cookies || switched.is_some()) {
        return response;
    }
    forbid_caching(&mut response);
    let both = (name, names.device.clone());
    let (user, device) = new_cookies(ring.signing(now), both, (id, sign_in), &address, now);
    (user, device, response).into_response()
}

/// Middleware that authenticates the request by its signed cookies. Without them the user is a stranger for this request
/// alone, and so is a user whose device was signed out.
pub async fn recognize(
    State(keys): State<SharedKeys>,
    State(config): State<Arc<Config>>,
    State(sign_ins): State<Arc<SignInCache>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(address) = request.extensions().get::<PublicAddress>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (ring, now, network) = (keys.current(), key_ring::now(), client_network(&request));
    let names = CookieNames::new(&address, suffixes(&ring, now, config.ephemeral, &address));
    let mut cookie = find_cookie(request.headers(), &ring, now, &names);
    if let Some(found) = &cookie {
        match sign_ins.check(found.id, found.sign_in).await {
            Err(error) => return Problem::from(error).into_page_response(),
            Ok(Validity::SignedOut) => cookie = None,
            Ok(Validity::SignedIn { .. }) => {}
        }
    }
    // No user has this id.
    let id = cookie.as_ref().map_or(UserId(0), |cookie| cookie.id);
    let stranger = SignIn { device: DeviceId(0), generation: 0 };
    let sign_in = cookie.as_ref().map_or(stranger, |cookie| cookie.sign_in);
    let identity = Identity { id, is_known: cookie.is_some(), network, sign_in, is_signed_out: false };
    request.extensions_mut().insert(identity);
    next.run(request).await
}

/// Reads the body of a request.
///
/// # Errors
/// [`Problem`] for a body that no route takes.
async fn with_body_read(request: Request) -> Result<Request, Problem> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if request.body().is_end_stream() || path.ends_with(STREAMED_ROUTE) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(bytes) => Ok(Request::from_parts(parts, bytes.into())),
        Err(_) => Err(Problem::body_too_large()),
    }
}

/// Answers a request whose device was signed out. A page removes the cookies, so that the next one belongs to a new user.
async fn signed_out(mut request: Request, next: Next, cookie: &IdentityCookie, network: Network) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if PROTOCOL_ROUTES.iter().any(|route| path.ends_with(route)) {
        let IdentityCookie { id, sign_in, .. } = *cookie;
        request.extensions_mut().insert(Identity {
            id,
            is_known: true,
            network,
            sign_in,
            is_signed_out: true,
        });
        let mut response = next.run(request).await;
        name_user(&mut response, id);
        return response;
    }
    let response = Problem::signed_out().into_page_response();
    match request.extensions().get::<PublicAddress>() {
        Some(address) if accepts_html(request.headers()) => forget(response, Some(cookie), address),
        _ => response,
    }
}

/// Removes the cookies of the request.
fn forget(mut response: Response, cookie: Option<&IdentityCookie>, address: &PublicAddress) -> Response {
    forbid_caching(&mut response);
    let own = cookie.into_iter().flat_map(|cookie| &cookie.own_names);
    for removal in own.filter_map(|name| removal(name, address)) {
        response.headers_mut().append(header::SET_COOKIE, removal);
    }
    response
}

fn name_user(response: &mut Response, id: UserId) {
    if let Ok(user) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(USER_ID_HEADER, user);
    }
}

/// A shared cache must not hand the cookies of one user to others.
fn forbid_caching(response: &mut Response) {
    if response.headers().get(header::CACHE_CONTROL).is_none_or(|cache| cache != "no-store") {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
}

/// Returns `true` if a cookie that was set at `issued` must be renewed. A time in the future comes from a wrong clock.
fn is_renewal_due(issued: u64, now: u64) -> bool {
    now.abs_diff(issued) >= RENEWAL_INTERVAL_SECONDS
}

/// Returns `true` if a response with this status may set the cookie: a refused request creates no user.
fn may_set_cookie(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}
