//! The pages: rendered here from the log, made alive by the browser.

mod close_rooms;
mod device_link;
mod manifest;
mod message_forms;
mod room_view;
mod rooms;
mod settings;
mod size;

pub use device_link::{make_link, open_link, take_link};
pub use manifest::manifest;
pub use message_forms::{delete, edit, post, rename};
pub use rooms::{all_rooms, leave, make_room, retitle};
pub use settings::settings;

use crate::{
    http::{
        admission::network,
        host::{RequestSource, foreign_page},
        identity::Identity,
        preferences::{Visitor, accepts_html},
        problem::Problem,
        work::{COMPRESSION_LEVEL, Priority},
    },
    limits::network::Use,
    net::Activity,
    state::AppState,
};
use app::{
    AssetUrls, Base, PageContext, ShareLink, View,
    i18n::PageError,
    page_data::{RejectedInput, RoomPage},
    pages::RejectedForm,
    shell,
    wire::{ErrorCode, LOBBY, RoomName, Seq},
};
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{nonce::use_nonce, prelude::use_context};
use leptos_axum::ResponseOptions;
use qrcode::{Color, QrCode};
use room_view::{Wanted, room_page};
use serde::Deserialize;
use std::{fmt::Write, future::ready, sync::Arc, time::Duration};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::{CompressionBody, CompressionLayer};

/// A connection that asks for a page sooner than this after the last one asks without a pause. People take longer to
/// read a page and choose the next one.
const PAGE_PAUSE: Duration = Duration::from_millis(200);

/// `?before=` and `?around=`: another page than the newest.
#[derive(Deserialize)]
pub struct Asked {
    before: Option<Seq>,
    around: Option<Seq>,
}

/// How far a page without script shows.
#[derive(Deserialize)]
pub struct Seen {
    seq: Seq,
}

/// `GET /`: the lobby.
pub async fn lobby(
    state: State<AppState>,
    identity: Extension<Identity>,
    visitor: Visitor,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    room(state, identity, visitor, Path(LOBBY.into()), asked).await
}

/// `GET /r/{room}`.
pub async fn room(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(room): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(room) = room.parse() else { return no_such_page(&state, visitor).await };
    let Ok(Query(asked)) = asked else {
        return sorry(&state, visitor, PageError::InvalidSeq, StatusCode::BAD_REQUEST).await;
    };
    let activity = visitor.activity.clone();
    let page = |state: AppState| async move {
        match room_page(&state, identity, room, asked.wanted(), visitor.lang, None).await {
            Ok(page) => render_room(&state, visitor, page, StatusCode::OK).await,
            Err(error) => problem_page(&state, visitor, error.into()).await,
        }
    };
    in_turn(&state, activity, page).await
}

/// Makes a page, its reads included, when it is its turn. Connections that ask for pages without a pause wait for
/// those that do not.
async fn in_turn<F: Future<Output = Response> + Send + 'static>(
    state: &AppState,
    activity: Option<Arc<Activity>>,
    page: impl FnOnce(AppState) -> F,
) -> Response {
    let asks_again = |activity: &Arc<Activity>| activity.had_page_within(PAGE_PAUSE, Instant::now());
    let priority = if activity.as_ref().is_some_and(asks_again) { Priority::Low } else { Priority::High };
    let page = state.page_work.run(priority, page(state.clone())).await;
    if let Some(activity) = activity {
        activity.record_page(Instant::now());
    }
    page.unwrap_or_else(|busy| Problem::from(busy).into_response())
}

/// `GET /r/{room}/seen?seq=`: a page without script was looked at. Browsers without script ask for it as a
/// picture of the page.
pub async fn seen(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(source): Extension<RequestSource>,
    Path(room): Path<String>,
    headers: HeaderMap,
    seen: Result<Query<Seen>, QueryRejection>,
) -> Response {
    // A read, but for the position that it moves: another site's page may not show it as a picture of its own.
    if source == RequestSource::Foreign {
        return foreign_page(&headers).into_response();
    }
    let (Ok(room), Ok(Query(seen))) = (room.parse::<RoomName>(), seen) else {
        return Problem::bad_request("A room and a place in it are needed.").into_response();
    };
    if !identity.known || state.store.heads(std::slice::from_ref(&room))[0] < seen.seq {
        return Problem::bad_request("This was not seen.").into_response();
    }
    if let Err(wait) = state.admit_write(identity, Use::Post) {
        return Problem::too_fast(wait).into_response();
    }
    match state.store.read(identity.id, room, seen.seq).await {
        Ok(_) => ([(header::CACHE_CONTROL, "no-store")], StatusCode::NO_CONTENT).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `GET /offline`: what a browser without a network shows instead of a page that it has no copy of.
pub async fn offline(State(state): State<AppState>, visitor: Visitor) -> Response {
    sorry(&state, visitor, PageError::Offline, StatusCode::OK).await
}

/// Any other path: a page for a browser, a problem for a program.
pub async fn nothing_here(State(state): State<AppState>, request: Request) -> Response {
    nothing_for(&state, request, Problem::not_found()).await
}

/// Another method: likewise. Whoever asks again for the page that a form has led to comes here.
pub async fn wrong_method(State(state): State<AppState>, request: Request) -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This cannot be asked with that method.");
    nothing_for(&state, request, problem).await
}

/// Refuses a request before anything of it was done: a page for a browser, a problem for a program.
pub async fn refuse(state: &AppState, request: Request, problem: Problem) -> Response {
    if !accepts_html(request.headers()) {
        return problem.into_response();
    }
    let (mut parts, _) = request.into_parts();
    match Visitor::from_request_parts(&mut parts, state).await {
        Ok(visitor) => problem_page(state, visitor, problem).await,
        Err(rejection) => rejection.into_response(),
    }
}

async fn nothing_for(state: &AppState, request: Request, problem: Problem) -> Response {
    if !accepts_html(request.headers()) {
        return problem.into_response();
    }
    if let Err(wait) = state.networks.usage(network(&request)).admit(Use::Page).await {
        return Problem::too_fast(wait).into_response();
    }
    let (mut parts, _) = request.into_parts();
    match Visitor::from_request_parts(&mut parts, state).await {
        Ok(visitor) => sorry(state, visitor, PageError::NotFound, problem.status()).await,
        Err(rejection) => rejection.into_response(),
    }
}

impl Asked {
    fn wanted(&self) -> Wanted {
        match (self.around, self.before) {
            (Some(seq), _) => Wanted::Around(seq),
            (None, Some(seq)) => Wanted::Before(seq),
            (None, None) => Wanted::Newest,
        }
    }
}

async fn no_such_page(state: &AppState, visitor: Visitor) -> Response {
    sorry(state, visitor, PageError::NotFound, StatusCode::NOT_FOUND).await
}

async fn sorry(state: &AppState, visitor: Visitor, trouble: PageError, status: StatusCode) -> Response {
    render(state, visitor, View::Error(trouble, None), status).await
}

/// Why a form was not done, with what was written in it.
async fn sorry_for(
    state: &AppState,
    visitor: Visitor,
    trouble: PageError,
    unsaved: RejectedForm,
    status: StatusCode,
) -> Response {
    render(state, visitor, View::Error(trouble, Some(unsaved)), status).await
}

/// The problem as a page.
async fn problem_page(state: &AppState, visitor: Visitor, problem: Problem) -> Response {
    let page = sorry(state, visitor, trouble(&problem), problem.status()).await;
    problem.add_headers(page)
}

fn trouble(problem: &Problem) -> PageError {
    problem.code().map_or(PageError::Internal, PageError::Command)
}

async fn render_room(state: &AppState, visitor: Visitor, page: RoomPage, status: StatusCode) -> Response {
    let shared = shared(visitor.address.url(&page.room.path()));
    render(state, visitor, View::Room(Box::new(page), shared), status).await
}

/// The room again, with what was refused still in its field.
async fn again(
    state: &AppState,
    identity: Identity,
    visitor: Visitor,
    room: RoomName,
    refused: RejectedInput,
    problem: Problem,
) -> Response {
    // A form's own path shows nothing when it is asked for again.
    let visitor = Visitor { path: room.path(), ..visitor };
    let activity = visitor.activity.clone();
    let page = |state: AppState| async move {
        match room_page(&state, identity, room, Wanted::Newest, visitor.lang, Some(refused)).await {
            Ok(page) => {
                let page = render_room(&state, visitor, page, problem.status()).await;
                problem.add_headers(page)
            }
            Err(error) => problem_page(&state, visitor, error.into()).await,
        }
    };
    in_turn(state, activity, page).await
}

/// Why a form was not done, in the words of the protocol.
fn code(problem: &Problem) -> ErrorCode {
    problem.code().unwrap_or(ErrorCode::Internal)
}

/// A link to be passed on, with its QR code where it is short enough for one.
fn shared(url: String) -> ShareLink {
    let qr = QrCode::new(&url).ok().map(|code| {
        let (side, modules) = (code.width(), code.to_colors());
        let dark = modules.iter().enumerate().filter(|(_, module)| **module == Color::Dark);
        let path = dark.fold(String::new(), |mut path, (at, _)| {
            let _ = write!(path, "M{} {}h1v1h-1z", at % side, at / side);
            path
        });
        (side, path)
    });
    ShareLink { url, qr }
}

async fn render(state: &AppState, visitor: Visitor, view: View, status: StatusCode) -> Response {
    let site = &state.site;
    let assets = AssetUrls {
        script: visitor.address.path(&site.path("pkg/hubbub.js")),
        wasm: visitor.address.path(&site.path("pkg/hubbub.wasm")),
        style: visitor.address.path(&site.path("pkg/hubbub.css")),
        reload: site.reload(),
    };
    let base = Base(visitor.address.prefix);
    let context = PageContext { assets, lang: visitor.lang, theme: visitor.theme, path: visitor.path, base };
    let encodings = visitor.encodings;
    let page = leptos_axum::render_app_async_with_context(allow_only_our_own, move || {
        shell(context.clone(), view.clone())
    });
    let rendered = state.page_work.run(Priority::High, async move {
        // The screen says everything; nothing of the request is asked for while rendering.
        let response = page(Request::default()).await;
        // Leptos renders as the body is read, and the compression works then too.
        let (parts, body) = compress(response, encodings).await.into_parts();
        to_bytes(Body::new(body), usize::MAX).await.map(|body| Response::from_parts(parts, body.into()))
    });
    let mut response = match rendered.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "rendering failed");
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be rendered.")
                .into_response();
        }
        Err(busy) => return Problem::from(busy).into_response(),
    };
    *response.status_mut() = status;
    // The page holds somebody's name and the newest messages.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Compresses `response` as the client accepts it, in place of the layer that does so on Tokio's workers.
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

/// The page may load, run and reach what is ours and nothing else (Content Security Policy Level 3).
fn allow_only_our_own() {
    let (Some(nonce), Some(answer)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // cargo-leptos reloads the page through a socket on another port.
    let reload = if cfg!(debug_assertions) { " ws://127.0.0.1:* ws://localhost:*" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; media-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; worker-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
