//! The HTTP API: rooms, messages, events, posting; whether the server lives and can serve.

pub mod frames;
mod sse;

use crate::{
    http::{
        assets::has_tag,
        form::is_utf8,
        forwarded::Forwarded,
        host::{PublicAddress, RequestSource, foreign_page},
        identity::Identity,
        problem::Problem,
        work::Priority,
    },
    net::Activity,
    state::AppState,
    store::{ListedRoom, NewEvent, Past, read_around},
};
use app::wire::{
    CommandId, Events, InvalidRoomName, Messages, RoomHead, RoomName, Rooms, Seq, limits, trim_message,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Rooms in one answer of `GET /api/rooms`.
const ROOMS_PER_PAGE: usize = 200;

/// What `GET /api/rooms` may be asked.
#[derive(Deserialize)]
pub struct WhichRooms {
    after: Option<String>,
}

/// What `GET …/messages` may be asked.
#[derive(Deserialize)]
pub struct WhichMessages {
    before: Option<Seq>,
    around: Option<Seq>,
    limit: Option<u32>,
}

/// What `GET …/events` may be asked.
#[derive(Deserialize)]
pub struct WhichEvents {
    after: Option<Seq>,
    after_id: Option<CommandId>,
    log: Option<String>,
    limit: Option<u32>,
}

impl WhichEvents {
    fn past(self) -> Past {
        Past { after: self.after.unwrap_or(0), after_id: self.after_id, log: self.log }
    }
}

/// A message to post.
#[derive(Deserialize)]
struct Posting {
    text: String,
    id: Option<CommandId>,
}

/// Where it stands now.
#[derive(Serialize)]
struct Posted {
    seq: Seq,
    id: CommandId,
}

/// `GET /api/rooms`: public rooms by name, [`ROOMS_PER_PAGE`] at a time.
///
/// # Errors
/// [`Problem`] if `after` cannot be a room's name.
pub async fn rooms(
    State(state): State<AppState>,
    which: Result<Query<WhichRooms>, QueryRejection>,
) -> Result<Json<Rooms>, Problem> {
    let Query(which) = which.map_err(wrong_query)?;
    let after = which.after.map(|room| room.parse()).transpose();
    let after: Option<RoomName> =
        after.map_err(|bad: InvalidRoomName| Problem::bad_request(bad.to_string()))?;
    let mut rooms = state.store.list_rooms(after.as_ref(), ROOMS_PER_PAGE + 1);
    let more = rooms.len() > ROOMS_PER_PAGE;
    rooms.truncate(ROOMS_PER_PAGE);
    let head = |(room, head, about): ListedRoom| {
        let (title, topic) = (about.title(&room), about.topic.to_string());
        RoomHead { room, title, topic, head }
    };
    Ok(Json(Rooms { rooms: rooms.into_iter().map(head).collect(), more }))
}

/// `GET /api/rooms/{room}/messages`.
pub async fn messages(
    State(state): State<AppState>,
    Path(room): Path<String>,
    which: Result<Query<WhichMessages>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::no_such_room)?;
    let Query(which) = which.map_err(wrong_query)?;
    let limit = within(which.limit, limits::DEFAULT_PAGE_SIZE, limits::MAX_PAGE_SIZE)?;
    let head = head_of(&state, &room);
    let tag = tag(&state, head, &format!("m{}.{}.{limit}", number(which.before), number(which.around)));
    if has_tag(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let work = state.api_work.clone();
    let read = async move {
        let page = match (which.around, which.before) {
            (Some(around), _) => read_around(&*state.store, &room, around, limit).await,
            (None, before) => state.store.read_before(&room, before.unwrap_or(head + 1), limit).await,
        }?;
        let log = state.store.id().to_owned();
        Ok(tagged(&Messages { log, head, messages: page.messages, more: page.more }, &tag))
    };
    work.run(Priority::Low, read).await?
}

/// `GET /api/rooms/{room}/events`: a page of events, or a stream of them without end.
pub async fn events(
    State(state): State<AppState>,
    Path(room): Path<String>,
    which: Result<Query<WhichEvents>, QueryRejection>,
    activity: Option<Extension<Arc<Activity>>>,
    Extension(forwarded): Extension<Forwarded>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::no_such_room)?;
    let Query(which) = which.map_err(wrong_query)?;
    if wants_stream(&headers) {
        return sse::events(
            state,
            room,
            which.past(),
            &headers,
            activity.as_deref().map(|activity| &**activity),
            forwarded.client.into(),
        )
        .await;
    }
    let limit = within(which.limit, limits::MAX_EVENTS_PER_RESPONSE, limits::MAX_EVENTS_PER_RESPONSE)?;
    let past = which.past();
    let after = past.after;
    let head = head_of(&state, &room);
    let after_id = past.after_id.map(|id| id.simple().to_string()).unwrap_or_default();
    let of_log = past.log.as_ref().is_none_or(|log| log == state.store.id());
    let tag = tag(&state, head, &format!("e{after}.{after_id}.{of_log}.{limit}"));
    if has_tag(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let work = state.api_work.clone();
    let read = async move {
        let log = state.store.id().to_owned();
        let reset = after > head || !state.store.continues(&room, past).await?;
        // What follows the events of another past would be taken for its continuation.
        let events = if reset { Vec::new() } else { state.store.read_after(&room, after, limit).await? };
        let more = events.last().is_some_and(|last| last.seq < head);
        Ok(tagged(&Events { log, head, reset, events, more }, &tag))
    };
    work.run(Priority::Low, read).await?
}

/// `POST /api/rooms/{room}/messages`.
pub async fn post(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(address): Extension<PublicAddress>,
    Extension(source): Extension<RequestSource>,
    Path(room): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::no_such_room)?;
    if source == RequestSource::Foreign {
        return Err(foreign_page(&headers));
    }
    let _posting = state.writers.token();
    let posting = posting(&headers, &body)?;
    let text = trim_message(&posting.text).map_err(Problem::bad_text)?;
    state.admit_post(identity, &room).map_err(Problem::too_fast)?;
    let id = posting.id.unwrap_or_else(Uuid::now_v7);
    let message = NewEvent::message(id, room, identity.id, &text);
    let appended = state.store.append(message).await?;
    let permit = address.path(&format!("{}?around={}", appended.room.path(), appended.seq));
    Ok((StatusCode::CREATED, [(header::LOCATION, permit)], Json(Posted { seq: appended.seq, id }))
        .into_response())
}

/// `GET /healthz`: the process lives.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the log can be read, the last commit succeeded, and the server is not going away.
pub async fn readyz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    if state.draining.is_cancelled() {
        return Err(Problem::draining());
    }
    state.store.ready().await?;
    state.store.read_after(&RoomName::lobby(), 0, 1).await?;
    Ok("ready\n")
}

/// The message in a body of text, a form or JSON.
fn posting(headers: &HeaderMap, body: &[u8]) -> Result<Posting, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("text/plain");
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => serde_json::from_slice(body)
            .map_err(|error| Problem::bad_request(format!("The body must be {{\"text\": …}}: {error}."))),
        "application/x-www-form-urlencoded" if !is_utf8(body) => {
            Err(Problem::bad_request("The form must be UTF-8."))
        }
        "application/x-www-form-urlencoded" => serde_urlencoded::from_bytes(body)
            .map_err(|error| Problem::bad_request(format!("The form must have the field text: {error}."))),
        "text/plain" => {
            let text =
                std::str::from_utf8(body).map_err(|_| Problem::bad_request("The body must be UTF-8."))?;
            Ok(Posting { text: text.into(), id: None })
        }
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Post text/plain, a form with the field text, or JSON with the field text.",
        )),
    }
}

fn wrong_query(rejection: QueryRejection) -> Problem {
    Problem::bad_request(format!("{}.", rejection.body_text()))
}

fn within(limit: Option<u32>, default: u32, most: u32) -> Result<u32, Problem> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("The limit is 1 to {most}."))),
    }
}

fn head_of(state: &AppState, room: &RoomName) -> Seq {
    state.store.heads(std::slice::from_ref(room))[0]
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The tag of an answer about a room, known before anything is read for it.
///
/// Whatever changes a page of a room moves the room's head, but for the names of its authors: those have a generation
/// of their own. Both are read before the page, so that a page is never older than its tag.
fn tag(state: &AppState, head: Seq, query: &str) -> String {
    format!("W/\"{}.{head}.{:x}.{query}\"", state.store.id(), state.hub.names_generation())
}

fn number(seq: Option<Seq>) -> String {
    seq.map(|seq| seq.to_string()).unwrap_or_default()
}

fn not_modified(tag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, about(tag)).into_response()
}

fn tagged<T: Serialize>(body: &T, tag: &str) -> Response {
    let json = serde_json::to_string(body).expect("a struct of strings and numbers is always JSON");
    (about(tag), json).into_response()
}

fn about(tag: &str) -> [(HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag.to_owned()),
    ]
}
