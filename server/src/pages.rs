//! The pages: rendered here from the log, made alive by the browser.

use crate::{
    assets::Site,
    connection::same_origin,
    error::Problem,
    identity::Identity,
    log::{LogResult, NewMessage},
    state::AppState,
};
use app::{
    Links, Screen, document,
    pages::{Place, RoomPage},
    wire::{Author, LOBBY, PersonName, RoomName, Seq, limits, tidy},
};
use axum::{
    Extension, Form,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::ResponseOptions;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// `?before=` and `?around=`: another page than the newest.
#[derive(Deserialize)]
pub struct Asked {
    before: Option<Seq>,
    around: Option<Seq>,
}

/// The no-script composer.
#[derive(Deserialize)]
pub struct Composed {
    text: String,
}

/// The no-script way to another name.
#[derive(Deserialize)]
pub struct Called {
    name: String,
    #[serde(default)]
    room: String,
}

/// `GET /`: the lobby.
pub async fn lobby(
    state: State<AppState>,
    identity: Extension<Identity>,
    asked: Query<Asked>,
    request: Request,
) -> Response {
    room(state, identity, Path(LOBBY.into()), asked, request).await
}

/// `GET /r/{room}`.
pub async fn room(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let Ok(room) = room.parse() else {
        return render(&state.site, Screen::nothing_here(), StatusCode::NOT_FOUND, request).await;
    };
    match room_page(&state, identity, room, asked.place()).await {
        Ok(page) => render(&state.site, Screen::Room(Box::new(page)), StatusCode::OK, request).await,
        Err(error) => {
            let problem = Problem::from(error);
            render(&state.site, Screen::failed(problem.detail()), problem.status(), request).await
        }
    }
}

/// `POST /r/{room}`: posts, then goes back to the room.
pub async fn post(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    headers: HeaderMap,
    Form(composed): Form<Composed>,
) -> Result<Redirect, Problem> {
    let room: RoomName = room.parse().map_err(Problem::no_such_room)?;
    if !same_origin(&headers, &state.config.allow_origin) {
        return Err(Problem::foreign_origin());
    }
    // A form sends line ends as CR LF (HTML, section 4.10.21.8); a message has LF.
    let text = composed.text.replace("\r\n", "\n");
    let text = tidy(&text).map_err(Problem::bad_text)?;
    state.posts.take(identity.id).map_err(Problem::too_fast)?;
    let message = NewMessage {
        id: Uuid::now_v7(),
        room: room.clone(),
        author: identity.id,
        text: text.into(),
        reply_to: None,
    };
    state.log.append(message).await?;
    Ok(Redirect::to(&room.path()))
}

/// `POST /name`: another name, then back to the room.
pub async fn rename(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    Form(called): Form<Called>,
) -> Result<Redirect, Problem> {
    if !same_origin(&headers, &state.config.allow_origin) {
        return Err(Problem::foreign_origin());
    }
    let name: PersonName = called.name.parse().map_err(Problem::bad_name)?;
    state.hub.rename(identity.id, name).await?;
    let room = called.room.parse().unwrap_or_else(|_| RoomName::lobby());
    Ok(Redirect::to(&room.path()))
}

/// Any other path: a page for a browser, a problem for a program.
pub async fn nothing_here(State(state): State<AppState>, request: Request) -> Response {
    if accepts_html(request.headers()) {
        render(&state.site, Screen::nothing_here(), StatusCode::NOT_FOUND, request).await
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
        you: Author { id: identity.id, name: state.name_of(identity.id).await },
        log: state.log.id().into(),
        title: room.title(),
        room,
        head,
        place,
        messages: page.messages,
        more: page.more,
    })
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

async fn render(site: &Arc<Site>, screen: Screen, status: StatusCode, request: Request) -> Response {
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
    let mut response = page(request).await;
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
