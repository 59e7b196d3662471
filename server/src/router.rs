//! Every route, with the layers around them. Called by `main` and by tests.

use crate::{
    api, connection,
    http::{
        admission::limit_reads, assets, canonical_path::lead_to_canonical, cors::share_with_allowed,
        forwarded::resolve_forwarded, host::admit_host, identity::identify, problem::Problem, request_log,
        work::COMPRESSION_LEVEL,
    },
    pages,
    state::AppState,
};
use app::wire::limits::MAX_FRAME_BYTES;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use std::time::Duration;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer, trace::TraceLayer,
};

/// How long an answer may take to begin, a slow request body included.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Bytes that a form with a text may have. More than a message may have, so that a text that is too long comes back
/// to whoever wrote it.
const FORM_BYTES: usize = 1_024 * 1_024;

/// What pages never use, so that nothing in them can ask for it.
const NO_PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), \
                              serial=(), usb=()";

/// The policy of a refusal that is no page.
const NO_CONTENT: &str = "default-src 'none'; frame-ancestors 'none'";

/// The whole server as one service.
pub fn router(state: AppState) -> Router {
    // Pages are rendered on Tokio; a second router in the same process finds that settled.
    let _ = any_spawner::Executor::init_tokio();
    let routes = Router::new()
        .merge(pages(&state))
        .merge(api(&state))
        .fallback(assets::file)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(MAX_FRAME_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed to answer this.")
                .into_response()
        }))
        .with_state(state.clone());
    // A router of its own, since a layer that takes a prefix off the path has to run before the routes match.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(lead_to_canonical))
        .layer(from_fn_with_state(state.clone(), share_with_allowed))
        .layer(from_fn_with_state(state.clone(), admit_host))
        .layer(from_fn_with_state(state.clone(), resolve_forwarded))
        .layer(from_fn(guard))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_log::span)
                .on_request(())
                .on_response(request_log::on_response)
                .on_failure(()),
        )
        .with_state(state)
}

/// Where it matters who asks.
fn pages(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/", get(pages::lobby))
        .route("/r/{room}", get(pages::room).post(pages::post).layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/r/{room}/{seq}/edit", post(pages::edit).layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/r/{room}/{seq}/delete", post(pages::delete))
        .route("/r/{room}/about", post(pages::retitle))
        .route("/r/{room}/leave", post(pages::leave))
        .route("/r/{room}/seen", get(pages::seen))
        .route("/rooms", get(pages::all_rooms).post(pages::make_room))
        .route("/offline", get(pages::offline))
        .route("/name", post(pages::rename))
        .route("/settings", post(pages::settings))
        .route("/device", post(pages::make_link))
        .route("/device/{link}", get(pages::open_link).post(pages::take_link))
        .route("/api/rooms/{room}/messages", get(api::messages).post(api::post))
        .route("/api/rooms/{room}/frames", get(api::frames::stream))
        .route("/api/commands", post(api::frames::command))
        .route("/ws", any(connection::upgrade))
        .layer(CompressionLayer::new().quality(COMPRESSION_LEVEL))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), identify))
}

fn api(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/rooms", get(api::rooms))
        .route("/api/rooms/{room}/events", get(api::events))
        .route("/hubbub.webmanifest", get(pages::manifest))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
}

/// Headers that every answer carries, so that a browser does nothing with it that we did not mean.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), NO_PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_error {
        // A page has a policy of its own; no other refusal has to load anything.
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_CONTENT));
    }
    response
}
