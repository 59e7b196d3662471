//! The web application manifest, with which a browser installs Hubbub.

use crate::{
    http::{preferences::preferred_language, public_address::PublicAddress},
    state::AppState,
};
use app::i18n::Lang;
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The language of the page that links the manifest.
#[derive(Deserialize)]
pub struct ManifestQuery {
    lang: Option<String>,
}

/// `GET /hubbub.webmanifest?lang=`: a web application manifest (W3C).
pub async fn manifest(
    State(state): State<AppState>,
    headers: HeaderMap,
    Extension(address): Extension<PublicAddress>,
    Query(query): Query<ManifestQuery>,
) -> impl IntoResponse {
    let lang = query.lang.as_deref().and_then(Lang::from_tag).unwrap_or_else(|| preferred_language(&headers));
    let strings = lang.strings();
    let name = state.settings.brand().await.name;
    let icon = |src: &str, sizes: &str, kind: &str, purpose: &str| json!({ "src": address.path(src), "sizes": sizes, "type": kind, "purpose": purpose });
    let manifest = json!({
        "id": address.path("/"),
        "name": name,
        "short_name": name,
        "description": strings.server.app_description,
        "lang": strings.tag,
        "start_url": address.path("/"),
        "scope": address.path("/"),
        "display": "standalone",
        "background_color": "#faf9f5",
        "theme_color": "#faf9f5",
        "icons": [
            icon("/favicon.svg", "any", "image/svg+xml", "any"),
            icon("/icon-192.png", "192x192", "image/png", "any"),
            icon("/icon-512.png", "512x512", "image/png", "any"),
            icon("/icon-512.png", "512x512", "image/png", "maskable"),
        ],
        "shortcuts": [{ "name": strings.new_room, "url": address.path("/rooms") }],
        "share_target": share_target(&address, state.config.max_file > 0),
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], manifest.to_string())
}

/// Returns what the share sheet of the system hands over, and where to (Web Share Target). A form, so that neither the address
/// nor a log has any of it; the service worker takes it.
fn share_target(address: &PublicAddress, takes_files: bool) -> Value {
    let mut params = json!({ "title": "title", "text": "text", "url": "url" });
    if takes_files {
        params["files"] = json!([{ "name": "files", "accept": ["*/*"] }]);
    }
    json!({
        "action": address.path("/share"),
        "method": "POST",
        "enctype": "multipart/form-data",
        "params": params,
    })
}
