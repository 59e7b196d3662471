//! What a browser needs to know to install Hubbub.

use crate::visitor::language;
use app::words::Lang;
use axum::{
    extract::Query,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::json;

/// The language of the page that names it: browsers ask for a manifest without cookies.
#[derive(Deserialize)]
pub struct Spoken {
    lang: Option<String>,
}

/// `GET /hubbub.webmanifest?lang=`: a web application manifest (W3C).
pub async fn manifest(headers: HeaderMap, Query(spoken): Query<Spoken>) -> impl IntoResponse {
    let lang = spoken.lang.as_deref().and_then(Lang::of_tag).unwrap_or_else(|| language(&headers));
    let words = lang.words();
    let icon = |src: &str, sizes: &str, kind: &str, purpose: &str| json!({ "src": src, "sizes": sizes, "type": kind, "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": "Hubbub",
        "short_name": "Hubbub",
        "description": words.about_hubbub,
        "lang": words.tag,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf9f5",
        "theme_color": "#faf9f5",
        "icons": [
            icon("/favicon.svg", "any", "image/svg+xml", "any"),
            icon("/icon-192.png", "192x192", "image/png", "any"),
            icon("/icon-512.png", "512x512", "image/png", "any"),
            icon("/icon-512.png", "512x512", "image/png", "maskable"),
        ],
        "shortcuts": [{ "name": words.new_room, "url": "/rooms" }],
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], manifest.to_string())
}
