//! The plain form that posts a message with files, for browsers without scripts.

use super::{PageRequest, PageResult, RoomPath, rejection::error_code, room::rerender_room};
use crate::{
    attachments::{append_with_files, message_text},
    files::{FileError, MAX_PART_BYTES},
    http::problem::Problem,
    limits::{connection_limit::Full, form_limit::Patience, network::Use},
    mentions,
    sign_ins::Validity,
    store::NewEvent,
};
use app::{
    page_data::RejectedInput,
    wire::{FileId, Operation, RoomName, Seq, limits::MAX_FILES},
};
use axum::{
    body::Bytes,
    extract::{
        Multipart,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
};
use uuid::Uuid;

/// Bytes of a text field. More than a message may have, so that the user gets a text back that is too long.
const MAX_FIELD_BYTES: usize = 64 * 1_024;

/// The fields of the form, as they come.
#[derive(Default)]
struct Draft {
    text: String,
    reply_to: Option<Seq>,
    files: Vec<FileId>,
}

/// `POST /r/{room}/files`: posts a message with the files of the form, then redirects to the room. The bytes of the files are
/// passed on as they come.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the room cannot be rendered again with a rejected text.
pub async fn post_files(request: PageRequest, RoomPath(room): RoomPath, form: Multipart) -> PageResult {
    let mut draft = Draft::default();
    let posted = post(&request, &room, form, &mut draft).await;
    match posted {
        Ok(()) => Ok(request.redirect(&room.path())),
        Err(problem) => {
            for id in draft.files {
                // What stays is removed by the upkeep.
                let _ = request.state.files.forget(id, request.identity.id).await;
            }
            let rejected = RejectedInput::Message { text: draft.text, why: error_code(&problem) };
            rerender_room(request, room, draft.reply_to, rejected, problem).await
        }
    }
}

async fn post(
    request: &PageRequest,
    room: &RoomName,
    mut form: Multipart,
    draft: &mut Draft,
) -> Result<(), Problem> {
    let PageRequest { state, identity, .. } = request;
    let _form = state.file_forms.try_acquire(identity.network).map_err(|full| match full {
        Full::Server => Problem::busy(),
        Full::Network => Problem::network_full(),
    })?;
    let mut patience = Patience::default();
    let _writer = state.writers.token();
    if !identity.is_known {
        return Err(Problem::no_cookies());
    }
    state.may_upload(*identity, room).await?;
    while let Some(field) = wait(&mut patience, form.next_field()).await? {
        match field.name() {
            Some("text") => draft.text = text(field, &mut patience).await?,
            Some("reply_to") => draft.reply_to = text(field, &mut patience).await?.parse().ok(),
            // A field without a choice has an empty name.
            Some("file") if field.file_name().is_some_and(|name| !name.is_empty()) => {
                if draft.files.len() == MAX_FILES {
                    return Err(Problem::bad_request(format!("A message has at most {MAX_FILES} files.")));
                }
                upload(request, room, (field, &mut patience), &mut draft.files).await?;
            }
            _ => drop(text(field, &mut patience).await?),
        }
    }
    // The device may have been signed out while the files came.
    if state.sign_ins.check(identity.id, identity.sign_in).await? == Validity::SignedOut {
        return Err(Problem::signed_out());
    }
    let text = message_text(&draft.text, draft.files.len()).map_err(Problem::invalid_text)?;
    state.admit_post(*identity, room).await.map_err(Problem::rate_limited)?;
    let operation = Operation::Post { text: text.into(), reply_to: draft.reply_to };
    let event = NewEvent::new(Uuid::now_v7(), room.clone(), identity.id, operation);
    let event = mentions::resolve(state, event, Vec::new()).await?;
    append_with_files(state, event, draft.files.clone()).await?.await?;
    Ok(())
}

/// Uploads a file part by part. Its size is known only at its end, so it is announced with the largest one.
async fn upload(
    request: &PageRequest,
    room: &RoomName,
    (mut field, patience): (Field<'_>, &mut Patience),
    uploaded: &mut Vec<FileId>,
) -> Result<(), Problem> {
    let PageRequest { state, identity, .. } = request;
    state.admit_write(*identity, Use::Upload).map_err(Problem::rate_limited)?;
    let name = field.file_name().unwrap_or_default().to_owned();
    let max = state.files.limits().max_bytes;
    let network = state.limited_network(*identity);
    let id = state.files.create(identity.id, network, room.clone(), (&name, ""), max).await?;
    uploaded.push(id);
    let (mut part, mut sent) = (Vec::new(), 0);
    while let Some(bytes) = chunk(&mut field, patience).await? {
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            let (taken, left) = rest.split_at(rest.len().min(MAX_PART_BYTES - part.len()));
            part.extend_from_slice(taken);
            rest = left;
            if part.len() == MAX_PART_BYTES {
                sent = send(request, id, sent, &mut part).await?;
            }
        }
    }
    let size = sent + part.len() as u64;
    if size == 0 || size > max {
        return Err(FileError::Size(max).into());
    }
    state.files.resize(id, identity.id, size).await?;
    send(request, id, sent, &mut part).await.map(drop)
}

/// Sends a part. Returns how far the upload is.
async fn send(request: &PageRequest, id: FileId, sent: u64, part: &mut Vec<u8>) -> Result<u64, Problem> {
    let part: Bytes = std::mem::take(part).into();
    let sent_after = sent + part.len() as u64;
    if sent_after > request.state.files.limits().max_bytes {
        return Err(FileError::Size(request.state.files.limits().max_bytes).into());
    }
    request.state.files.append(id, request.identity.id, sent, part).await?;
    Ok(sent_after)
}

async fn text(mut field: Field<'_>, patience: &mut Patience) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(bytes) = chunk(&mut field, patience).await? {
        text.extend_from_slice(&bytes);
        if text.len() > MAX_FIELD_BYTES {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The text is too long."));
        }
    }
    String::from_utf8(text).map_err(|_| Problem::bad_request("The form must be UTF-8."))
}

async fn chunk(field: &mut Field<'_>, patience: &mut Patience) -> Result<Option<Bytes>, Problem> {
    let chunk = wait(patience, field.chunk()).await?;
    patience.note(chunk.as_ref().map_or(0, Bytes::len));
    Ok(chunk)
}

/// Waits for the next bytes of the client.
async fn wait<T>(
    patience: &mut Patience,
    next: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, Problem> {
    let waited = patience.wait(next).await.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "The form does not arrive, or too slowly. Try again.")
    })?;
    waited.map_err(|_| invalid())
}

fn invalid() -> Problem {
    Problem::bad_request("The form is incomplete, or no form with files.")
}
