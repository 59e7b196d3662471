//! Uploads in parts, and the files themselves.

use crate::{
    files::{FileError, OTHER, Progress, is_shown},
    hexadecimal,
    http::{
        conditional::is_not_modified,
        identity::Identity,
        problem::Problem,
        range::{Part, content_range, requested_part},
    },
    limits::network::Use,
    state::AppState,
    store::{StoredFile, may_read_file},
};
use app::wire::{FileId, FileInfo, RoomName};
use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_extra::headers::{ETag, HeaderMapExt};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The header with the bytes of an upload that have come.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// The policy for a file in a browser: it may only be shown.
const FILE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The characters that are encoded in a name (RFC 8187, section 3.2.1).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The room for which a file is uploaded.
#[derive(Deserialize)]
pub struct UploadQuery {
    room: String,
}

/// An upload that begins.
#[derive(Deserialize)]
pub struct UploadRequest {
    name: String,
    size: u64,
    #[serde(default)]
    alt: String,
}

/// The description of a file for those who do not see it.
#[derive(Deserialize)]
pub struct Description {
    alt: String,
}

/// The progress of an upload.
#[derive(Serialize)]
struct UploadResponse {
    id: FileId,
    received: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileInfo>,
    /// A message shows the file, or is about to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    claimed: bool,
}

/// `POST /api/files?room=`: begins an upload for a room in which the user may post.
///
/// # Errors
/// [`Problem`] if the room's name or the body is invalid, if the user may not post, if a limit is exceeded, or if the store
/// fails.
pub async fn begin_upload(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Query(UploadQuery { room }): Query<UploadQuery>,
    body: Bytes,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::invalid_room_name)?;
    let UploadRequest { name, size, alt } = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("The body must have a name and a size: {error}.")))?;
    if !identity.is_known {
        return Err(Problem::no_cookies());
    }
    state.admit_write(identity, Use::Upload).map_err(Problem::rate_limited)?;
    state.may_upload(identity, &room).await?;
    let network = state.limited_network(identity);
    let id = state.files.create(identity.id, network, room, (&name, &alt), size).await?;
    Ok((StatusCode::CREATED, Json(UploadResponse { id, received: 0, file: None, claimed: false }))
        .into_response())
}

/// `PATCH /api/files/{id}`: adds the part that begins at `Upload-Offset`.
///
/// # Errors
/// [`Problem`] if the part does not fit, or the picture is refused: see [`FileError`].
pub async fn upload_part(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
    headers: HeaderMap,
    part: Bytes,
) -> Result<Response, Problem> {
    let offset = headers.get(UPLOAD_OFFSET).and_then(|offset| offset.to_str().ok()?.parse().ok());
    let offset = offset.ok_or_else(|| Problem::bad_request("`Upload-Offset` must be a number."))?;
    let (id, _writer) = (parse_id(&id)?, state.writers.token());
    Ok(progress(id, state.files.append(id, identity.id, offset, part).await?))
}

/// `GET /api/files/{id}`, `HEAD`: how far an upload of the user is.
///
/// # Errors
/// [`Problem`] if it does not exist or is another user's, or if the store fails.
pub async fn upload_progress(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = parse_id(&id)?;
    Ok(progress(id, state.files.progress(id, identity.id).await?))
}

/// `PUT /api/files/{id}`: describes a file of the user that is in no message.
///
/// # Errors
/// As [`upload_progress`].
pub async fn describe_upload(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Description { alt } = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("The body must be {{\"alt\": …}}: {error}.")))?;
    state.files.describe(parse_id(&id)?, identity.id, &alt).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/files/{id}`: forgets an upload of the user that is in no message.
///
/// # Errors
/// As [`upload_progress`].
pub async fn cancel_upload(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.files.forget(parse_id(&id)?, identity.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /f/{id}/{name}`: the bytes of a file, for users who may enter its room. The name only helps those who read the address.
/// A range of them on request.
///
/// # Errors
/// [`Problem`]: the same for a file that does not exist and one that the user may not see.
pub async fn file(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path((id, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (file, tag) = readable(&state, identity, &id).await?;
    if is_not_modified(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let size = file.info.size;
    let (status, range) = match requested_part(&headers, Some(&tag_text(&file)), size) {
        Part::Whole => (StatusCode::OK, None),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Part::Unsatisfiable => return Ok(content_range(StatusCode::RANGE_NOT_SATISFIABLE, None, size)),
    };
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    let bytes = state.files.read(file.content.unwrap_or_default(), range.clone()).await?;
    let mut response = content_range(status, range, size);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    *response.body_mut() = Body::from_stream(bytes);
    let media_type = if is_shown(&file.info.media_type) { &file.info.media_type } else { OTHER };
    describe(&mut response, media_type, &tag, &file.info);
    Ok(response)
}

/// `GET /f/{id}/thumb`: a small copy of a picture.
///
/// # Errors
/// As [`file()`].
pub async fn thumbnail(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (file, tag) = readable(&state, identity, &id).await?;
    if file.info.pixels().is_none() {
        return Err(Problem::not_found());
    }
    if is_not_modified(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let bytes = state.files.thumbnail(file.content.unwrap_or_default()).await?;
    let media_type = crate::files::Kind::of(&bytes).media_type();
    let mut response = bytes.into_response();
    describe(&mut response, media_type, &tag, &file.info);
    Ok(response)
}

/// Returns a file that the user may read, with its tag. Everything else gets one answer.
async fn readable(state: &AppState, identity: Identity, id: &str) -> Result<(StoredFile, ETag), Problem> {
    let id = parse_id(id)?;
    let file = state.store.file(id).await?.ok_or_else(Problem::not_found)?;
    let hidden = |refused: crate::store::StoreError| {
        if crate::access::is_refusal(&refused) { Problem::not_found() } else { refused.into() }
    };
    let admission = state.enter(identity, Some(&file.room)).await.map_err(hidden)?;
    let user = identity.id;
    // A user without a cookie has uploaded nothing.
    may_read_file(&file, identity.is_known.then_some(user)).map_err(hidden)?;
    state.confirm(identity, &admission).await.map_err(hidden)?;
    let tag = tag_text(&file).parse().map_err(|_| Problem::internal())?;
    Ok((file, tag))
}

fn tag_text(file: &StoredFile) -> String {
    format!("\"{}\"", hexadecimal::encode(&file.content.unwrap_or_default()))
}

/// Returns 304 with those headers of the whole response that do not describe its bytes (RFC 9110, section 15.4.5).
fn not_modified(tag: &ETag) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    protect(&mut response, tag);
    response
}

fn describe(response: &mut Response, media_type: &str, tag: &ETag, info: &FileInfo) {
    let place = if is_shown(media_type) { "inline" } else { "attachment" };
    let disposition = format!("{place}; filename*=UTF-8''{}", utf8_percent_encode(&info.name, ENCODED));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(media_type)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition)),
    ];
    for (name, value) in headers {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    protect(response, tag);
}

fn protect(response: &mut Response, tag: &ETag) {
    let headers = response.headers_mut();
    headers.typed_insert(tag.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    // A browser asks each time whether the user still may: the tag makes that cheap.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

fn progress(id: FileId, Progress { received, file, is_claimed }: Progress) -> Response {
    let body = UploadResponse { id, received, file, claimed: is_claimed };
    let mut response = Json(body).into_response();
    response.headers_mut().insert(UPLOAD_OFFSET, received.into());
    response
}

fn parse_id(id: &str) -> Result<FileId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Size(0) => Self::new(StatusCode::FORBIDDEN, "This server takes no files."),
            FileError::Size(max) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A file has 1 to {max} bytes."))
            }
            FileError::Offset(received) => {
                Self::new(StatusCode::CONFLICT, format!("{received} bytes have come; continue there."))
                    .with_header(UPLOAD_OFFSET, &received.to_string())
            }
            FileError::PartSize => Self::bad_request(format!("{}.", capitalized(&error))),
            FileError::Broken | FileError::Picture(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{}.", capitalized(&error)))
            }
            FileError::Busy => Self::busy(),
            FileError::Store(error) => error.into(),
            FileError::Objects(error) => {
                if crate::http::request_log::may_log() {
                    tracing::error!(%error, "reading or storing a file failed");
                }
                Self::store_unavailable()
            }
        }
    }
}

fn capitalized(error: &FileError) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
