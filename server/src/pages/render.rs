//! Renders a view as an HTML page.

use super::rejection::{PageRejection, PageResult};
use crate::{
    http::{
        preferences::RequestContext,
        problem::Problem,
        work::{COMPRESSION_LEVEL, Priority},
    },
    net::Activity,
    state::AppState,
};
use app::{
    AssetUrls, Base, Brand, PageContext, Theme, View,
    i18n::{Lang, PageError},
    shell,
};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::{nonce::use_nonce, prelude::use_context};
use leptos_axum::ResponseOptions;
use std::{future::ready, sync::Arc, time::Duration};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::{CompressionBody, CompressionLayer};

/// The policy of the busy page: a style sheet and nothing else.
const BUSY_PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                                frame-ancestors 'none'";

/// A connection that requests a page sooner than this after the last one has the lower priority. A person takes longer to
/// read a page and choose the next one.
const PAGE_PAUSE: Duration = Duration::from_millis(200);

/// Loads and renders a page on a thread of the pool. Connections that request pages without a pause wait for the others.
///
/// # Errors
/// [`PageRejection`] if no thread becomes free, or if `page` fails.
pub async fn run_page(
    state: &AppState,
    activity: Option<Arc<Activity>>,
    page: impl Future<Output = PageResult> + Send + 'static,
) -> PageResult {
    let is_eager =
        activity.as_ref().is_some_and(|activity| activity.had_page_within(PAGE_PAUSE, Instant::now()));
    let priority = if is_eager { Priority::Low } else { Priority::High };
    let page = state.page_work.run(priority, page).await;
    if let Some(activity) = activity {
        activity.record_page(Instant::now());
    }
    page?
}

/// Renders `view` as a compressed page, on a thread of the pool.
///
/// # Errors
/// [`PageRejection`] if no thread becomes free, or if rendering fails.
pub async fn render(state: &AppState, context: RequestContext, view: View, status: StatusCode) -> PageResult {
    let encodings = context.encodings.clone();
    let context = page_context(state, context, state.settings.brand().await);
    let page = leptos_axum::render_app_async_with_context(content_security_policy, move || {
        shell(context.clone(), view.clone())
    });
    let rendered = Box::pin(async move {
        // The view contains everything; rendering reads nothing from the request.
        let response = page(Request::default()).await;
        // Leptos renders while the body is read, and so does the compression.
        let (parts, body) = compress(response, encodings).await.into_parts();
        to_bytes(Body::new(body), usize::MAX).await.map(|body| Response::from_parts(parts, body.into()))
    });
    let rendered = state.page_work.run(Priority::High, rendered).await?;
    let mut response = rendered.map_err(|error| {
        tracing::error!(%error, "rendering failed");
        PageRejection::from(Problem::internal())
    })?;
    *response.status_mut() = status;
    // The page contains the user's name and the newest messages.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Returns a page of constant size for a server that is too busy to render one.
pub fn busy_page(state: &AppState, context: &RequestContext) -> Response {
    let strings = context.lang.strings();
    let style = context.address.path(&state.assets.path("pkg/hubbub.css"));
    let theme = match context.theme {
        Theme::System => String::new(),
        theme => format!(" data-theme=\"{}\"", theme.name()),
    };
    let (tag, error) = (strings.tag, &PageError::Internal);
    let (title, text) = ((strings.server.page_error_title)(error), (strings.server.page_error)(error));
    let page = format!(
        "<!DOCTYPE html><html lang=\"{tag}\"{theme}><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title><link rel=\"stylesheet\" \
         href=\"{style}\"></head><body><main class=\"plain-page\"><h1>{title}</h1><p role=\"alert\">{text}</p></main>\
         </body></html>"
    );
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, BUSY_PAGE_POLICY)];
    (StatusCode::SERVICE_UNAVAILABLE, headers, Html(page)).into_response()
}

fn page_context(state: &AppState, context: RequestContext, brand: Brand) -> PageContext {
    let url = |name| context.address.path(&state.assets.path(name));
    let assets = AssetUrls {
        script: url("pkg/hubbub.js"),
        wasm: url("pkg/hubbub.wasm"),
        actions: url("scripts/message-actions.js"),
        picker: url("scripts/emoji-picker.js"),
        markdown: url("scripts/copy-markdown.js"),
        days: url("scripts/day-pill.js"),
        sheets: url("scripts/sheet-drag.js"),
        writing: url("scripts/writing-aids.js"),
        files: url("scripts/files.js"),
        light_box: url("scripts/light-box.js"),
        uploads: url("scripts/uploads.js"),
        kept_files: url("scripts/kept-files.js"),
        share: url("scripts/share.js"),
        search: url("scripts/search.js"),
        emoji: url(emoji_of(context.lang)),
        style: url("pkg/hubbub.css"),
        reload: state.assets.reload(),
    };
    let base = Base(context.address.prefix);
    PageContext {
        assets,
        brand,
        lang: context.lang,
        theme: context.theme,
        path: context.path,
        base,
        max_file: state.config.max_file,
    }
}

fn emoji_of(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "scripts/emoji-en.txt",
        Lang::Zh => "scripts/emoji-zh.txt",
    }
}

/// Compresses `response` as the client accepts it, instead of the layer that does so on Tokio's workers.
async fn compress(response: Response, encodings: Option<HeaderValue>) -> Response<CompressionBody<Body>> {
    let mut request = Request::new(Body::empty());
    request.headers_mut().extend(encodings.map(|encodings| (header::ACCEPT_ENCODING, encodings)));
    let mut response = Some(response);
    let service = service_fn(move |_| ready(response.take().ok_or(())));
    let layer = CompressionLayer::new().quality(COMPRESSION_LEVEL);
    match layer.layer(service).oneshot(request).await {
        Ok(compressed) => compressed,
        Err(()) => unreachable!("a service that is called once has its response"),
    }
}

/// Adds a policy that lets the page load, run and connect to files of this server only (Content Security Policy Level
/// 3).
fn content_security_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // cargo-leptos reloads the page over a socket on another port.
    let reload = if cfg!(embeds_site) { "" } else { " ws://127.0.0.1:* ws://localhost:*" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; media-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; worker-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
