//! Who somebody is: a signed cookie says so, without an account.

use crate::{
    state::AppState,
    visitor::{accepts_html, is_secure, language},
};
use app::{wire::PersonId, words::Lang};
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use time::Duration;
use uuid::Uuid;

/// The cookie's name.
pub const COOKIE: &str = "hubbub_id";

/// How long a browser keeps it: a year, and a year again at every visit.
const KEPT: Duration = Duration::days(365);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Their id.
    pub id: PersonId,
    /// Their browser has shown a cookie that says so.
    pub known: bool,
}

/// In an answer: from now on this browser is that person.
#[derive(Debug, Clone, Copy)]
pub struct Becomes(pub PersonId);

/// In every answer: whose it is. The service worker keeps no page for anybody else.
const PERSON: HeaderName = HeaderName::from_static("hubbub-person");

/// Finds out who asks, as a layer: whoever comes without a good cookie is somebody new. The answer
/// sets the cookie, so that they stay who they are; of those who are known only pages renew it: what else is under
/// way while somebody becomes another person must not turn them back.
pub async fn identify(
    State(_): State<AppState>,
    jar: SignedCookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let known = jar.get(COOKIE).and_then(|cookie| cookie.value().parse().ok());
    let id = known.unwrap_or_else(|| somebody_new(language(request.headers())));
    let secure = is_secure(request.headers());
    let renews = known.is_none() || accepts_html(request.headers());
    request.extensions_mut().insert(Identity { id, known: known.is_some() });
    let mut response = next.run(request).await;
    let becomes = response.extensions().get().map(|Becomes(other)| *other);
    let id = becomes.unwrap_or(id);
    if let Ok(person) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(PERSON, person);
    }
    let keeps = keeps(response.status()) && (renews || becomes.is_some());
    if keeps { (jar.add(cookie(id, secure)), response).into_response() } else { response }
}

/// 64 random bits (two random UUIDs, each with some fixed bits that the other one covers), of which a few say
/// in which language the new person's name is.
fn somebody_new(lang: Lang) -> PersonId {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let (_, low) = Uuid::new_v4().as_u64_pair();
    PersonId::speaking(lang, high ^ low)
}

/// A refused request makes nobody.
fn keeps(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}

fn cookie(id: PersonId, secure: bool) -> Cookie<'static> {
    let mut cookie = Cookie::new(COOKIE, id.to_string());
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    cookie.set_secure(secure);
    cookie.set_max_age(KEPT);
    cookie
}

/// The key in `path`, made there on the first run and readable by its owner alone.
///
/// # Errors
/// Where the file cannot be read or made, or is no key.
pub fn key(path: &Path) -> io::Result<Key> {
    match fs::read(path) {
        Ok(bytes) => Key::try_from(bytes.as_slice())
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no key")),
        Err(error) if error.kind() == ErrorKind::NotFound => make_key(path),
        Err(error) => Err(error),
    }
}

fn make_key(path: &Path) -> io::Result<Key> {
    let key = Key::generate();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.master())?;
    file.sync_all()?;
    Ok(key)
}
