//! The pages: rendered here from the log, made alive by the browser.

mod forms;

pub use forms::{delete, edit, post, rename};

use crate::{assets::Site, error::Problem, identity::Identity, log::LogResult, state::AppState};
use app::{
    Links, Screen, document,
    pages::{Place, Refused, RoomPage},
    wire::{Author, LOBBY, RoomName, Seq, limits},
};
use axum::{
    Extension,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::ResponseOptions;
use serde::Deserialize;

/// `?before=` and `?around=`: another page than the newest.
#[derive(Deserialize)]
pub struct Asked {
    before: Option<Seq>,
    around: Option<Seq>,
}

/// `GET /`: the lobby.
pub async fn lobby(
    state: State<AppState>,
    identity: Extension<Identity>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    room(state, identity, Path(LOBBY.into()), asked).await
}

/// `GET /r/{room}`.
pub async fn room(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(room) = room.parse() else { return no_such_page(&state.site).await };
    let Ok(Query(asked)) = asked else {
        let wrong = Problem::bad_request("A place in a room is a number.");
        return sorry(&state.site, wrong).await;
    };
    match room_page(&state, identity, room, asked.place(), None).await {
        Ok(page) => render(&state.site, Screen::Room(Box::new(page)), StatusCode::OK).await,
        Err(error) => sorry(&state.site, error.into()).await,
    }
}

/// Any other path: a page for a browser, a problem for a program.
pub async fn nothing_here(State(state): State<AppState>, request: Request) -> Response {
    if accepts_html(request.headers()) {
        no_such_page(&state.site).await
    } else {
        Problem::not_found().into_response()
    }
}

impl Asked {
    fn place(&self) -> Place {
        match (self.around, self.before) {
            (Some(seq), _) => Place::Around(seq),
            (None, Some(seq)) => Place::Before(seq),
            (None, None) => Place::Newest,
        }
    }
}

async fn room_page(
    state: &AppState,
    identity: Identity,
    room: RoomName,
    place: Place,
    refused: Option<Refused>,
) -> LogResult<RoomPage> {
    // The head is read first: what is posted between the two reads comes once more over the socket,
    // where it is recognised.
    let head = state.log.heads(std::slice::from_ref(&room))[0];
    let before = match place {
        Place::Newest => head + 1,
        Place::Before(seq) => seq,
        Place::Around(seq) => seq.saturating_add(Seq::from(limits::PAGE / 2)),
    };
    let page = state.log.read_before(&room, before, limits::PAGE).await?;
    Ok(RoomPage {
        you: Author::new(identity.id, state.name_of(identity.id).await),
        log: state.log.id().into(),
        title: room.title(),
        room,
        head,
        place,
        messages: page.messages,
        more: page.more,
        refused,
    })
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

async fn no_such_page(site: &Site) -> Response {
    render(site, Screen::nothing_here(), StatusCode::NOT_FOUND).await
}

/// The problem as a page.
async fn sorry(site: &Site, problem: Problem) -> Response {
    let page = render(site, Screen::failed(problem.detail()), problem.status()).await;
    problem.add_headers(page)
}

async fn render(site: &Site, screen: Screen, status: StatusCode) -> Response {
    let links = Links {
        script: site.url("pkg/hubbub.js"),
        wasm: site.url("pkg/hubbub.wasm"),
        style: site.url("pkg/hubbub.css"),
        reload: site.reload(),
    };
    let context = move || {
        provide_context(screen.clone());
        allow_only_our_own();
    };
    let page = leptos_axum::render_app_async_with_context(context, move || document(links.clone()));
    // The screen says everything; nothing of the request is asked for while rendering.
    let mut response = page(Request::default()).await;
    *response.status_mut() = status;
    // The page holds somebody's name and the newest messages.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The page may load, run and reach what is ours and nothing else (Content Security Policy Level 3).
fn allow_only_our_own() {
    let (Some(nonce), Some(answer)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // cargo-leptos reloads the page through a socket on another port.
    let reload = if cfg!(debug_assertions) { " ws://127.0.0.1:* ws://localhost:*" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'{reload}; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
