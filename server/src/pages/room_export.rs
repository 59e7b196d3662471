//! The download of a room.

use super::{PageRequest, PageResult, RoomPath};
use crate::{
    access::{Admission, is_refusal},
    archive::ArchiveWriter,
    files::FileError,
    http::{identity::Identity, problem::Problem},
    limits::network::Use,
    sign_ins::Validity,
    state::AppState,
    store::StoreError,
};
use axum::{body::Body, http::header, response::IntoResponse};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use std::io;

/// `GET /r/{room}/export`: downloads a room as an archive. The user's access is checked again after each piece is read, and
/// ends the download if it has ended.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the user may not enter the room, if the network has made too many requests, or if
/// [`MAX_EXPORTS`](crate::export::MAX_EXPORTS) are under way.
pub async fn export_room(request: PageRequest, RoomPath(room): RoomPath) -> PageResult {
    request.take(Use::DeviceLink)?;
    let PageRequest { state, identity, .. } = request;
    let permit = state.exports.clone().try_acquire_owned().map_err(|_| Problem::server_full())?;
    let admission = state.enter(identity, Some(&room)).await.map_err(Problem::from)?;
    if !admission.standing.room.exists && !room.is_lobby() {
        return Err(Problem::from(StoreError::RoomNotFound).into());
    }
    let archive =
        ArchiveWriter::begin(state.store.clone(), state.files.clone(), &room).await.map_err(Problem::from)?;
    let pieces = pieces(state, identity, admission, archive).map(move |piece| {
        // It lives as long as the stream.
        let _permit = &permit;
        piece.map_err(|error| {
            let is_expected =
                matches!(&error, FileError::Store(error) if error.is_logged() || is_refusal(error));
            if !is_expected {
                tracing::error!(%error, "export of a room failed");
            }
            io::Error::other(error)
        })
    });
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{room}.zip\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// Returns the bytes of an archive as long as the user may read the room. After an error the stream ends.
fn pieces(
    state: AppState,
    identity: Identity,
    admission: Admission,
    archive: ArchiveWriter,
) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
    let pieces = stream::unfold(Some((archive, admission)), move |reading| {
        let state = state.clone();
        async move {
            let (mut archive, admission) = reading?;
            match next(&state, identity, admission, &mut archive).await {
                Ok(Some((bytes, admission))) => Some((Ok(bytes), Some((archive, admission)))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    pieces.fuse()
}

async fn next(
    state: &AppState,
    identity: Identity,
    mut admission: Admission,
    archive: &mut ArchiveWriter,
) -> Result<Option<(Bytes, Admission)>, FileError> {
    while let Some(piece) = archive.next().await? {
        admission = state.renew(identity, admission).await?;
        let is_signed_out = identity.is_known
            && state.sign_ins.check(identity.id, identity.sign_in).await? == Validity::SignedOut;
        if is_signed_out {
            return Err(StoreError::Forbidden.into());
        }
        if !piece.bytes.is_empty() {
            return Ok(Some((piece.bytes, admission)));
        }
    }
    Ok(None)
}
