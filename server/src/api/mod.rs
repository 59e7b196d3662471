//! The HTTP API: rooms, messages, events, posting, and the health checks.

pub mod files;
pub mod frames;
mod search;
mod sse;

pub use search::search;

use crate::{
    attachments::{append_with_files, message_text},
    http::{
        conditional::is_not_modified, form::is_utf8, identity::Identity, problem::Problem,
        public_address::PublicAddress, work::Priority,
    },
    mentions,
    net::Activity,
    state::AppState,
    store::{NewEvent, RoomOrder, RoomQuery, RoomRecord, StreamPosition, complete_reactions, read_around},
};
use app::wire::{
    CommandId, Events, FileId, InvalidRoomName, Messages, RoomHead, RoomName, Rooms, Seq, limits,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_extra::{TypedHeader, headers::ETag};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Rooms in one response of `GET /api/rooms`, at most and by default.
const MAX_ROOMS_PER_PAGE: u32 = 200;

/// The query of `GET /api/rooms`.
#[derive(Deserialize)]
pub struct RoomsQuery {
    after: Option<String>,
    limit: Option<u32>,
}

/// The query of `GET …/messages`.
#[derive(Deserialize)]
pub struct MessagesQuery {
    before: Option<Seq>,
    around: Option<Seq>,
    limit: Option<u32>,
}

/// The query of `GET …/events`.
#[derive(Deserialize)]
pub struct EventsQuery {
    after: Option<Seq>,
    after_id: Option<CommandId>,
    log: Option<String>,
    limit: Option<u32>,
}

impl EventsQuery {
    fn past(self) -> StreamPosition {
        StreamPosition { after: self.after.unwrap_or(0), after_id: self.after_id, log: self.log }
    }
}

/// A message to post.
#[derive(Deserialize)]
struct PostRequest {
    /// Required, unless there are files.
    text: Option<String>,
    id: Option<CommandId>,
    /// The files that it shows, in JSON alone.
    #[serde(default)]
    files: Vec<FileId>,
}

/// The position of a posted message.
#[derive(Serialize)]
struct PostResponse {
    seq: Seq,
    id: CommandId,
}

/// `GET /api/rooms`: public rooms by name, at most [`MAX_ROOMS_PER_PAGE`] at a time.
///
/// # Errors
/// [`Problem`] if `after` cannot be a room's name or `limit` is out of range.
pub async fn rooms(
    State(state): State<AppState>,
    query: Result<Query<RoomsQuery>, QueryRejection>,
) -> Result<Json<Rooms>, Problem> {
    let Query(query) = query.map_err(invalid_query)?;
    let after = query.after.map(|room| room.parse()).transpose();
    let after: Option<RoomName> =
        after.map_err(|bad: InvalidRoomName| Problem::bad_request(bad.to_string()))?;
    let limit = validate_limit(query.limit, MAX_ROOMS_PER_PAGE, MAX_ROOMS_PER_PAGE)? as usize;
    let work = state.api_work.clone();
    // One more than the page has reveals a next page.
    let query = RoomQuery { after, ..RoomQuery::new(RoomOrder::Name, limit + 1) };
    let read = async move { state.store.list_rooms(query).await };
    let mut rooms = work.run(Priority::Low, read).await??;
    let more = rooms.len() > limit;
    rooms.truncate(limit);
    let head = |RoomRecord { room, head, info }| {
        let (title, topic) = (info.title(&room), info.topic.to_string());
        RoomHead { room, title, topic, head }
    };
    Ok(Json(Rooms { rooms: rooms.into_iter().map(head).collect(), more }))
}

/// `GET /api/rooms/{room}/messages`: a page of messages.
///
/// # Errors
/// [`Problem`] if the room's name or the query is invalid, if no thread becomes free, or if the store cannot be
/// read.
pub async fn messages(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    query: Result<Query<MessagesQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::invalid_room_name)?;
    let Query(query) = query.map_err(invalid_query)?;
    let limit = validate_limit(query.limit, limits::DEFAULT_PAGE_SIZE, limits::MAX_PAGE_SIZE)?;
    let work = state.api_work.clone();
    let read = async move {
        let head = state.store.head(&room).await?;
        // A known user is listed in the reactions that are theirs.
        let user = if identity.is_known { identity.id.to_string() } else { String::new() };
        let (before, around) = (number(query.before), number(query.around));
        let tag = etag(&state, head, &format!("m{before}.{around}.{limit}.{user}"));
        if is_not_modified(&headers, &tag) {
            return Ok(not_modified(&tag));
        }
        let mut page = match (query.around, query.before) {
            (Some(around), _) => read_around(&*state.store, &room, around, limit).await,
            (None, before) => state.store.messages_before(&room, before.unwrap_or(head + 1), limit).await,
        }?;
        complete_reactions(&*state.store, &room, identity.id, &mut page, query.around).await?;
        let log = state.store.log_id().to_owned();
        Ok(json_with_etag(&Messages { log, head, messages: page.messages, more: page.more }, &tag))
    };
    work.run(Priority::Low, read).await?
}

/// `GET /api/rooms/{room}/events`: a page of events, or an endless stream of them.
///
/// # Errors
/// [`Problem`] if the room's name, the query or `Last-Event-ID` is invalid, if no thread or connection is free, or
/// if the store cannot be read.
pub async fn events(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    activity: Option<Extension<Arc<Activity>>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::invalid_room_name)?;
    let Query(query) = query.map_err(invalid_query)?;
    if accepts_event_stream(&headers) {
        return sse::events(
            state,
            room,
            query.past(),
            &headers,
            activity.as_deref().map(|activity| &**activity),
            identity,
        )
        .await;
    }
    let limit =
        validate_limit(query.limit, limits::MAX_EVENTS_PER_RESPONSE, limits::MAX_EVENTS_PER_RESPONSE)?;
    let past = query.past();
    let after = past.after;
    let after_id = past.after_id.map(|id| id.simple().to_string()).unwrap_or_default();
    let of_log = past.log.as_ref().is_none_or(|log| log == state.store.log_id());
    let work = state.api_work.clone();
    let read = async move {
        let head = state.store.head(&room).await?;
        let tag = etag(&state, head, &format!("e{after}.{after_id}.{of_log}.{limit}"));
        if is_not_modified(&headers, &tag) {
            return Ok(not_modified(&tag));
        }
        let log = state.store.log_id().to_owned();
        let reset = after > head || !state.store.continues(&room, past).await?;
        // A client with another history would take the events for its continuation.
        let events = if reset { Vec::new() } else { state.store.events_after(&room, after, limit).await? };
        let more = events.last().is_some_and(|last| last.seq < head);
        Ok(json_with_etag(&Events { log, head, reset, events, more }, &tag))
    };
    work.run(Priority::Low, read).await?
}

/// `POST /api/rooms/{room}/messages`: posts a message.
///
/// # Errors
/// [`Problem`] if the room's name, the body or the text is invalid, if a rate limit is exceeded, or if the store
/// rejects the message.
pub async fn post(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(address): Extension<PublicAddress>,
    Path(room): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::invalid_room_name)?;
    let _writer = state.writers.token();
    let posted = parse_post(&headers, &body)?;
    if posted.text.is_none() && posted.files.is_empty() {
        return Err(Problem::bad_request("The body must have the field text, or files."));
    }
    let text =
        message_text(&posted.text.unwrap_or_default(), posted.files.len()).map_err(Problem::invalid_text)?;
    state.admit_post(identity, &room).await.map_err(Problem::rate_limited)?;
    let id = posted.id.unwrap_or_else(Uuid::now_v7);
    let message = NewEvent::message(id, room, identity.id, &text);
    let message = mentions::resolve(&state, message, Vec::new()).await?;
    let appended = append_with_files(&state, message, posted.files).await?.await?;
    let location = address.path(&format!("{}?around={}", appended.room.path(), appended.seq));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(PostResponse { seq: appended.seq, id }))
        .into_response())
}

/// `GET /healthz`: the process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store can be read, the last commit succeeded, and the server is not shutting down.
///
/// # Errors
/// [`Problem`] with the status 503 if one of these does not hold.
pub async fn readyz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    if state.draining.is_cancelled() {
        return Err(Problem::draining());
    }
    state.store.ready().await?;
    state.store.events_after(&RoomName::lobby(), 0, 1).await?;
    Ok("ready\n")
}

/// Parses the message in a body of text, a form or JSON.
fn parse_post(headers: &HeaderMap, body: &[u8]) -> Result<PostRequest, Problem> {
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
            Ok(PostRequest { text: Some(text.into()), id: None, files: Vec::new() })
        }
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported media type; use text/plain, a form or JSON with the field `text`.",
        )),
    }
}

fn invalid_query(rejection: QueryRejection) -> Problem {
    Problem::bad_request(format!("{}.", rejection.body_text()))
}

fn validate_limit(limit: Option<u32>, default: u32, max: u32) -> Result<u32, Problem> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("`limit` must be from 1 to {max}."))),
    }
}

fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Returns the entity tag of a response about a room, before the response is read from the store.
///
/// Every change of a page moves the room's head, except the names of its authors, which have a generation of their own.
/// Both are read before the page, so a page is never older than its tag.
fn etag(state: &AppState, head: Seq, query: &str) -> ETag {
    format!("W/\"{}.{head}.{:x}.{query}\"", state.store.log_id(), state.store.names_generation())
        .parse()
        .expect("ids, numbers and punctuation are a valid entity tag")
}

fn number(seq: Option<Seq>) -> String {
    seq.map(|seq| seq.to_string()).unwrap_or_default()
}

fn not_modified(tag: &ETag) -> Response {
    (StatusCode::NOT_MODIFIED, json_headers(), TypedHeader(tag.clone())).into_response()
}

fn json_with_etag<T: Serialize>(body: &T, tag: &ETag) -> Response {
    let json = serde_json::to_string(body).expect("a struct of strings and numbers is always JSON");
    (json_headers(), TypedHeader(tag.clone()), json).into_response()
}

fn json_headers() -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")]
}
