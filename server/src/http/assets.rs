//! The files that a page needs: in the binary of a release, in the site folder while developing.

use crate::{
    http::{problem::Problem, range},
    pages::nothing_here,
    state::AppState,
};
use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::LeptosOptions;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file in the binary, as the build script writes it.
struct Embedded {
    /// What the page asks for: `pkg/hubbub.js`.
    name: &'static str,
    /// Under which path it is served.
    served_as: &'static str,
    hash: &'static str,
    body: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A file whose name carries its hash never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Any other file is asked for again, and answered 304 where it is the same.
const ASK_AGAIN: &str = "no-cache";

/// Where the pages' files come from.
pub enum Site {
    /// The binary.
    Embedded,
    /// A folder that cargo-leptos writes.
    Folder(PathBuf),
}

impl Site {
    /// The site of this build.
    pub fn find() -> Self {
        if cfg!(debug_assertions) {
            Self::Folder(std::env::var("LEPTOS_SITE_ROOT").unwrap_or_else(|_| "target/site".into()).into())
        } else {
            Self::Embedded
        }
    }

    /// The path of the file that the page knows as `name`. In a release it carries the file's hash; while
    /// developing it does not, so that cargo-leptos finds the sheet that it exchanges.
    pub fn path(&self, name: &str) -> String {
        let embedded = match self {
            Self::Embedded => EMBEDDED.iter().find(|file| file.name == name),
            Self::Folder(_) => None,
        };
        format!("/{}", embedded.map_or(name, |file| file.served_as))
    }

    /// cargo-leptos' reload settings, where it watches.
    pub fn reload(&self) -> Option<LeptosOptions> {
        let watched = matches!(self, Self::Folder(_)) && std::env::var_os("LEPTOS_WATCH").is_some();
        watched.then(|| leptos::config::get_configuration(None).ok())?.map(|found| found.leptos_options)
    }

    fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        match self {
            Self::Embedded => {
                EMBEDDED.iter().find(|file| file.served_as == path).map(|file| file.answer(headers))
            }
            Self::Folder(root) => from_folder(root, path, headers),
        }
    }
}

/// Any path that is no route: a file, or nothing.
pub async fn file(state: State<AppState>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let mut headers = request.headers().clone();
    if *request.method() != Method::GET {
        // Parts are defined for GET only (RFC 9110, section 14.2).
        headers.remove(header::RANGE);
    }
    match state.site.answer(path, &headers) {
        Some(file) if matches!(*request.method(), Method::GET | Method::HEAD) => file,
        Some(_) => Problem::method_not_allowed("GET,HEAD").into_response(),
        None => nothing_here(state, request).await,
    }
}

impl Embedded {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let cache = if self.served_as == self.name { ASK_AGAIN } else { FOR_EVER };
        let (encoding, body) = self.encoded(headers);
        // The forms are different bytes, so each has a tag of its own.
        let tag = format!("\"{}{}\"", self.hash, encoding.map(|name| format!("-{name}")).unwrap_or_default());
        let mut response = if has_tag(headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            range::respond(headers, Some(&tag), Bytes::from_static(body))
        };
        let answer = response.headers_mut();
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(self.name)));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.insert(header::ETAG, tag);
        }
        if let Some(encoding) = encoding {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// The smallest form that the browser accepts.
    fn encoded(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let forms = [("br", self.brotli), ("gzip", self.gzip)];
        let accepted =
            forms.into_iter().find_map(|(name, form)| Some((name, form.filter(|_| accepts(headers, name))?)));
        accepted.map_or((None, self.body), |(name, form)| (Some(name), form))
    }
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

/// Whether the asker has this very form already (RFC 9110, section 13.1.2).
pub fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || weak(known) == weak(tag))
}

fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// `pkg/hubbub.js` may have been built as `pkg/hubbub.HASH.js`, and older ones may lie beside it.
fn newest_of_that_name(root: &Path, name: &str) -> Option<PathBuf> {
    let path = root.join(name);
    let (folder, file) = (path.parent()?, path.file_name()?.to_str()?);
    let (stem, extension) = file.split_once('.')?;
    let is_it = |found: &str| match found.split('.').collect::<Vec<_>>()[..] {
        [first, last] | [first, _, last] => first == stem && last == extension,
        _ => false,
    };
    let files = fs::read_dir(folder).ok()?.flatten();
    let named = files.filter(|entry| entry.file_name().to_str().is_some_and(is_it));
    let dated = named.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())));
    dated.max().map(|(_, path)| path)
}

fn from_folder(root: &Path, path: &str, headers: &HeaderMap) -> Option<Response> {
    let inside = path.split('/').all(|part| !part.is_empty() && part != ".." && part != ".");
    let newest = inside.then(|| newest_of_that_name(root, path))??;
    let body = fs::read(newest).ok()?;
    let about = [(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, "no-store")];
    Some((about, range::respond(headers, None, body.into())).into_response())
}

/// By the file's extension; the few kinds that a site has.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("wav") => "audio/wav",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_is_accepted_unless_its_weight_is_nothing() {
        assert!(accepts(&headers(header::ACCEPT_ENCODING, "gzip, deflate, br"), "br"));
        assert!(accepts(&headers(header::ACCEPT_ENCODING, "br;q=0.5"), "br"));
        assert!(!accepts(&headers(header::ACCEPT_ENCODING, "br;q=0.0, gzip"), "br"));
        assert!(!accepts(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_known_tag_is_recognised_among_others_and_when_weak() {
        assert!(has_tag(&headers(header::IF_NONE_MATCH, "\"a\", W/\"b\""), "\"b\""));
        assert!(!has_tag(&headers(header::IF_NONE_MATCH, "\"a\""), "\"b\""));
    }

    #[test]
    fn while_developing_a_file_is_found_whatever_hash_its_name_carries() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("pkg")).unwrap();
        let hashed = root.path().join("pkg/hubbub.Ab-3_x.js");
        fs::write(&hashed, "").unwrap();
        fs::write(root.path().join("pkg/hubbub.d.ts"), "").unwrap();
        fs::write(root.path().join("pkg/other.js"), "").unwrap();
        assert_eq!(newest_of_that_name(root.path(), "pkg/hubbub.js"), Some(hashed));
        assert_eq!(newest_of_that_name(root.path(), "pkg/hubbub.css"), None);
    }

    #[test]
    fn nothing_outside_the_site_folder_is_served() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let from_folder = |path| from_folder(&root, path, &HeaderMap::new());
        assert!(from_folder("lib.rs").is_some());
        for bad in ["../Cargo.toml", "./lib.rs", "/etc/hostname", ""] {
            assert!(from_folder(bad).is_none(), "{bad} must not be served");
        }
    }
}
