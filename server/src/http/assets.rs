//! The files that a page loads: in the binary in a release build, in the site folder while developing.

use crate::http::{
    conditional::{accepts_encoding, is_not_modified},
    problem::Problem,
    range,
};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_extra::headers::{ETag, HeaderMapExt};
use leptos::prelude::LeptosOptions;
use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

/// A file in the binary, as the build script writes it.
struct EmbeddedFile {
    /// The name that pages use: `pkg/hubbub.js`.
    name: &'static str,
    /// The path under which the file is served.
    served_as: &'static str,
    hash: &'static str,
    body: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

static EMBEDDED: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Caching of a file whose path contains its hash: it never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Caching of any other file: the browser revalidates it, and gets 304 if it is unchanged.
const NO_CACHE: &str = "no-cache";

/// The source of the files that pages load.
pub enum AssetSource {
    /// The binary.
    Embedded,
    /// A folder that cargo-leptos writes.
    Folder(PathBuf),
}

impl AssetSource {
    /// Returns the source of this build.
    pub fn detect() -> Self {
        if cfg!(embeds_site) {
            Self::Embedded
        } else {
            Self::Folder(std::env::var("LEPTOS_SITE_ROOT").unwrap_or_else(|_| "target/site".into()).into())
        }
    }

    /// Returns the path of the file with this name. In a release the path contains the file's hash. While developing it
    /// does not, so that cargo-leptos finds the style sheet that it replaces.
    pub fn path(&self, name: &str) -> String {
        let embedded = match self {
            Self::Embedded => EMBEDDED.iter().find(|file| file.name == name),
            Self::Folder(_) => None,
        };
        format!("/{}", embedded.map_or(name, |file| file.served_as))
    }

    /// Returns the reload settings of cargo-leptos if it watches the sources.
    pub fn reload(&self) -> Option<LeptosOptions> {
        let is_watched = matches!(self, Self::Folder(_)) && std::env::var_os("LEPTOS_WATCH").is_some();
        is_watched.then(|| leptos::config::get_configuration(None).ok())?.map(|found| found.leptos_options)
    }

    /// Responds with the file at `path`; `None` if there is no such file.
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        let mut headers = Cow::Borrowed(headers);
        if method != Method::GET && headers.contains_key(header::RANGE) {
            // Ranges are defined for GET only (RFC 9110, section 14.2).
            headers.to_mut().remove(header::RANGE);
        }
        let path = path.trim_start_matches('/');
        let file = match self {
            Self::Embedded => {
                EMBEDDED.iter().find(|file| file.served_as == path).map(|file| file.respond(&headers))
            }
            Self::Folder(root) => from_folder(root, path, &headers),
        };
        let is_allowed = matches!(*method, Method::GET | Method::HEAD);
        file.map(
            |file| {
                if is_allowed { file } else { Problem::method_not_allowed("GET,HEAD").into_response() }
            },
        )
    }
}

impl EmbeddedFile {
    fn respond(&self, headers: &HeaderMap) -> Response {
        let cache = if self.served_as == self.name { NO_CACHE } else { IMMUTABLE };
        let (encoding, body) = self.encoded(headers);
        // Each coding is a representation of its own, so it has a tag of its own.
        let tag = format!("\"{}{}\"", self.hash, encoding.map(|name| format!("-{name}")).unwrap_or_default());
        let etag: Option<ETag> = tag.parse().ok();
        let mut response = if etag.as_ref().is_some_and(|etag| is_not_modified(headers, etag)) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            range::respond(headers, Some(&tag), Bytes::from_static(body))
        };
        let fields = response.headers_mut();
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(self.name)));
        if let Some(etag) = etag {
            fields.typed_insert(etag);
        }
        if let Some(encoding) = encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// Returns the smallest representation that the client accepts, with its coding.
    fn encoded(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let codings = [("br", self.brotli), ("gzip", self.gzip)];
        let accepted = codings
            .into_iter()
            .find_map(|(name, body)| Some((name, body.filter(|_| accepts_encoding(headers, name))?)));
        accepted.map_or((None, self.body), |(name, body)| (Some(name), body))
    }
}

/// Returns the newest file with this name: `pkg/hubbub.js` may have been built as `pkg/hubbub.HASH.js`, beside older builds.
fn find_hashed(root: &Path, name: &str) -> Option<PathBuf> {
    let path = root.join(name);
    let (folder, file) = (path.parent()?, path.file_name()?.to_str()?);
    let (stem, extension) = file.split_once('.')?;
    let is_match = |found: &str| match found.split('.').collect::<Vec<_>>()[..] {
        [first, last] | [first, _, last] => first == stem && last == extension,
        _ => false,
    };
    let files = fs::read_dir(folder).ok()?.flatten();
    let named = files.filter(|entry| entry.file_name().to_str().is_some_and(is_match));
    let dated = named.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())));
    dated.max().map(|(_, path)| path)
}

fn from_folder(root: &Path, path: &str, headers: &HeaderMap) -> Option<Response> {
    let is_inside = path.split('/').all(|part| !part.is_empty() && part != ".." && part != ".");
    let newest = is_inside.then(|| find_hashed(root, path))??;
    let body = fs::read(newest).ok()?;
    let fields = [(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, "no-store")];
    Some((fields, range::respond(headers, None, body.into())).into_response())
}

/// Returns the media type for the file's extension.
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

    #[test]
    fn a_file_in_the_site_folder_is_found_with_any_hash_in_its_name() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("pkg")).unwrap();
        let hashed = root.path().join("pkg/hubbub.Ab-3_x.js");
        fs::write(&hashed, "").unwrap();
        fs::write(root.path().join("pkg/hubbub.d.ts"), "").unwrap();
        fs::write(root.path().join("pkg/other.js"), "").unwrap();
        assert_eq!(find_hashed(root.path(), "pkg/hubbub.js"), Some(hashed));
        assert_eq!(find_hashed(root.path(), "pkg/hubbub.css"), None);
    }

    #[test]
    fn no_file_outside_the_site_folder_is_served() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let from_folder = |path| from_folder(&root, path, &HeaderMap::new());
        assert!(from_folder("lib.rs").is_some());
        for bad in ["../Cargo.toml", "./lib.rs", "/etc/hostname", ""] {
            assert!(from_folder(bad).is_none(), "{bad} must not be served");
        }
    }
}
