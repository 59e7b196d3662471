//! All routes and the layers around them. `main` and the tests use it.

use crate::{
    access::let_in,
    api, connection,
    files::MAX_PART_BYTES,
    http::{
        canonical_path::redirect_to_canonical,
        cors::allow_cross_origin,
        forwarded::resolve_forwarded,
        host::check_host,
        identity::{identify, recognize},
        problem::Problem,
        rate_limit::limit_reads,
        request_log,
        request_source::{reject_foreign, reject_foreign_shares, reject_foreign_writes},
        work::COMPRESSION_LEVEL,
    },
    pages,
    state::AppState,
};
use app::wire::limits::MAX_FRAME_BYTES;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use std::time::Duration;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer, trace::TraceLayer,
};

/// The longest time that a response may take to begin, including the time to read a slow request body.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of a form with a text. More than a message may have, so that the user gets a text back that is too long.
const MAX_FORM_BYTES: usize = 1_024 * 1_024;

/// The longest time that a form with files may take.
const FILE_FORM_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Browser features that pages never use.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), \
                                  serial=(), usb=()";

/// The content security policy of an error response that is no page.
const EMPTY_CONTENT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Builds the whole server as one service.
pub fn router(state: AppState) -> Router {
    // Pages are rendered on Tokio. A second router in the same process finds the executor set already.
    let _ = any_spawner::Executor::init_tokio();
    let routes = Router::new()
        .merge(user_routes(&state))
        .merge(file_routes(&state))
        .merge(door_routes(&state))
        .merge(reader_routes(&state))
        .merge(public_routes(&state))
        .fallback(asset_or_not_found)
        .method_not_allowed_fallback(pages::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), pages::render_errors))
        .layer(DefaultBodyLimit::max(MAX_FRAME_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, RESPONSE_TIMEOUT))
        .merge(file_form_route(&state))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .with_state(state.clone());
    // A router of its own, because a layer that removes a prefix from the path must run before the routes match.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(redirect_to_canonical))
        .layer(from_fn_with_state(state.clone(), allow_cross_origin))
        .layer(from_fn_with_state(state.clone(), check_host))
        .layer(from_fn_with_state(state.clone(), resolve_forwarded))
        .layer(from_fn(security_headers))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_log::span)
                .on_request(())
                .on_response(request_log::on_response)
                .on_failure(()),
        )
        .with_state(state)
}

/// Returns the routes of users who are in.
fn user_routes(state: &AppState) -> Router<AppState> {
    let form_limit = || DefaultBodyLimit::max(MAX_FORM_BYTES);
    Router::new()
        .route("/", get(pages::lobby))
        .route("/r/{room}", get(pages::room).post(pages::post_message).layer(form_limit()))
        .route("/r/{room}/{seq}/edit", post(pages::edit_message).layer(form_limit()))
        .route("/r/{room}/{seq}/react", post(pages::react_to_message))
        .route("/r/{room}/{seq}/delete", post(pages::delete_message))
        .route("/r/{room}/{seq}/author", get(pages::message_author))
        .route("/r/{room}/manage", get(pages::manage_room).post(pages::act_in_room))
        .route("/r/{room}/people/{user}", get(pages::user_in_room).post(pages::act_on_user_in_room))
        .route("/admin", get(pages::manage_server).post(pages::act_on_server))
        .route("/admin/people/{user}/export", post(pages::export_data_of))
        .route("/admin/people/{user}", get(pages::user_on_server).post(pages::act_on_user_on_server))
        .route("/r/{room}/about", post(pages::update_room))
        .route("/r/{room}/leave", post(pages::leave_room))
        .route("/r/{room}/seen", get(pages::read_beacon).layer(from_fn(reject_foreign)))
        .route("/rooms", get(pages::room_directory).post(pages::create_room))
        .route("/share", get(pages::choose_room_for_share))
        .route("/search", get(pages::search))
        .route("/name", post(pages::rename))
        .route("/you/data", get(pages::user_data))
        .route("/you/export", get(pages::export_user))
        .route("/you/erase", post(pages::erase_user))
        .route("/device", post(pages::create_link))
        .route("/devices", get(pages::devices))
        .route("/devices/sign-out", post(pages::sign_out))
        .route("/devices/recovery-code", post(pages::change_recovery_code))
        .route("/api/rooms/{room}/messages", get(api::messages).post(api::post))
        .route("/api/rooms/{room}/frames", get(api::frames::stream))
        .route("/api/search", get(api::search))
        .route("/api/commands", post(api::frames::command))
        .route("/ws", any(connection::upgrade).layer(from_fn(reject_foreign)))
        .route_layer(from_fn_with_state(state.clone(), let_in))
        .layer(CompressionLayer::new().quality(COMPRESSION_LEVEL))
        // An archive is compressed already.
        .route("/r/{room}/export", get(pages::export_room).layer(from_fn_with_state(state.clone(), let_in)))
        .route_layer(from_fn(reject_foreign_writes))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), identify))
}

/// Returns the routes of uploads and files. What they answer is compressed already, or has ranges.
fn file_routes(state: &AppState) -> Router<AppState> {
    let uploads = Router::new()
        .route("/api/files", post(api::files::begin_upload))
        .route(
            "/api/files/{id}",
            get(api::files::upload_progress)
                .patch(api::files::upload_part)
                .put(api::files::describe_upload)
                .delete(api::files::cancel_upload)
                .layer(DefaultBodyLimit::max(MAX_PART_BYTES)),
        )
        .route_layer(from_fn_with_state(state.clone(), let_in))
        .route_layer(from_fn(reject_foreign_writes))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), identify));
    let files = Router::new()
        .route("/f/{id}/thumb", get(api::files::thumbnail))
        .route("/f/{id}/{name}", get(api::files::file))
        .route_layer(from_fn_with_state(state.clone(), let_in))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), recognize));
    uploads.merge(files)
}

/// Returns the route of the form with files, whose body may take minutes. It bounds that itself.
fn file_form_route(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/r/{room}/files", post(pages::post_files))
        .route_layer(from_fn_with_state(state.clone(), let_in))
        .route_layer(from_fn(reject_foreign_writes))
        .layer(from_fn_with_state(state.clone(), identify))
        .layer(from_fn_with_state(state.clone(), pages::render_errors))
        .layer(DefaultBodyLimit::disable())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, FILE_FORM_TIMEOUT))
}

/// Returns the routes by which users come in, and those that show no data.
fn door_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/offline", get(pages::offline))
        .route("/settings", post(pages::save_settings))
        .route("/device/{link}", get(pages::open_link).post(pages::redeem_link))
        .route("/recover", get(pages::recover_form).post(pages::recover))
        .route("/enter", post(pages::enter_with_password))
        .route("/invite/{token}", get(pages::open_invitation).post(pages::accept_invitation))
        .route("/admin/link/{token}", get(pages::open_admin_link).post(pages::accept_admin_link))
        .layer(CompressionLayer::new().quality(COMPRESSION_LEVEL))
        .route_layer(from_fn(reject_foreign_writes))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), identify))
}

/// Returns the routes that programs read, whose answers set no cookie.
fn reader_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/rooms", get(api::rooms))
        .route("/api/rooms/{room}/events", get(api::events))
        .route_layer(from_fn_with_state(state.clone(), let_in))
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .layer(from_fn_with_state(state.clone(), recognize))
}

/// Returns the routes that are the same for every user.
fn public_routes(state: &AppState) -> Router<AppState> {
    let share = post(pages::refuse_share).layer(from_fn(reject_foreign_shares));
    Router::new()
        .route("/hubbub.webmanifest", get(pages::manifest))
        // It changes nothing, not even cookies, so it needs no user.
        .route("/share", share)
        .route_layer(from_fn_with_state(state.clone(), limit_reads))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
}

/// Responds to a path without a route: with a file that pages load, or with an error page.
async fn asset_or_not_found(State(state): State<AppState>, request: Request) -> Response {
    match state.assets.respond(request.method(), request.uri().path(), request.headers()) {
        Some(response) => response,
        None => pages::not_found(&state.networks, request).await,
    }
}

/// Middleware that adds security headers to every response.
async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_error {
        // A page has a policy of its own; any other error response loads nothing.
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static(EMPTY_CONTENT_POLICY));
    }
    response
}
