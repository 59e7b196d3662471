//! The plain forms of messages, for browsers without scripts. A form redirects (303) to the room; if it is rejected, the
//! page shows the input again with the reason.

use super::{
    CheckedForm, MessagePath, PageRejection, PageRequest, PageResult, RoomPath, rejection::error_code,
    room::rerender_room,
};
use crate::{
    http::problem::Problem,
    limits::network::Use,
    mentions,
    store::{NewEvent, known_emoji},
};
use app::{
    page_data::RejectedInput,
    pages::RejectedForm,
    wire::{Operation, RoomName, Seq, limits, trim_message},
};
use serde::Deserialize;
use uuid::Uuid;

/// The composer, or the form that edits a message.
#[derive(Deserialize)]
pub struct MessageForm {
    text: String,
    /// The message that a posted one replies to.
    reply_to: Option<Seq>,
}

/// `POST /r/{room}`: posts a message, then redirects to the room.
///
/// # Errors
/// [`PageRejection`] if the room cannot be rendered again with a rejected text.
pub async fn post_message(
    request: PageRequest,
    RoomPath(room): RoomPath,
    CheckedForm(MessageForm { text, reply_to }): CheckedForm<MessageForm>,
) -> PageResult {
    match append_message(&request, &room, &text, reply_to).await {
        Ok(()) => Ok(request.redirect(&room.path())),
        Err(problem) => {
            let rejected = RejectedInput::Message { text, why: error_code(&problem) };
            rerender_room(request, room, reply_to, rejected, problem).await
        }
    }
}

/// `POST /r/{room}/{seq}/edit`: changes the text of a message, then redirects to it.
///
/// # Errors
/// [`PageRejection`] with the text in its field if the text is invalid, if a rate limit is exceeded, or if the
/// store rejects the edit.
pub async fn edit_message(
    request: PageRequest,
    MessagePath { room, target }: MessagePath,
    CheckedForm(MessageForm { text, .. }): CheckedForm<MessageForm>,
) -> PageResult {
    let edit = async {
        let text = trim_message(&text).map_err(Problem::invalid_text)?.into();
        apply_change(&request, &room, Operation::Edit { target, text }).await
    };
    match edit.await {
        Ok(()) => redirect_to_message(&request, &room, target).await,
        Err(problem) => {
            let form = RejectedForm::Edit { path: format!("/r/{room}/{target}/edit"), text };
            Err(PageRejection::from(problem).with_form(form))
        }
    }
}

/// `POST /r/{room}/{seq}/delete`: deletes a message, then redirects to its position.
///
/// # Errors
/// [`PageRejection`] if a rate limit is exceeded, or if the store rejects the deletion.
pub async fn delete_message(request: PageRequest, MessagePath { room, target }: MessagePath) -> PageResult {
    apply_change(&request, &room, Operation::Delete { target }).await?;
    redirect_to_message(&request, &room, target).await
}

/// The buttons of the reactions to a message.
#[derive(Deserialize)]
pub struct ReactionForm {
    /// The emoji to give.
    give: Option<String>,
    /// The emoji to take back.
    take_back: Option<String>,
}

/// `POST /r/{room}/{seq}/react`: gives a reaction or takes it back, then redirects to the message.
///
/// # Errors
/// [`PageRejection`] if the text is no emoji, if a rate limit is exceeded, or if the store rejects the reaction.
pub async fn react_to_message(
    request: PageRequest,
    MessagePath { room, target }: MessagePath,
    CheckedForm(ReactionForm { give, take_back }): CheckedForm<ReactionForm>,
) -> PageResult {
    let on = give.is_some();
    let emoji = give.or(take_back).as_deref().and_then(known_emoji);
    let emoji = emoji.ok_or_else(|| Problem::bad_request("A reaction is one emoji."))?.into();
    apply_change(&request, &room, Operation::React { target, emoji, on }).await?;
    redirect_to_message(&request, &room, target).await
}

async fn append_message(
    request: &PageRequest,
    room: &RoomName,
    text: &str,
    reply_to: Option<Seq>,
) -> Result<(), Problem> {
    let PageRequest { state, identity, .. } = request;
    let _writer = state.writers.token();
    let text = trim_message(text).map_err(Problem::invalid_text)?;
    state.admit_post(*identity, room).await.map_err(Problem::rate_limited)?;
    let operation = Operation::Post { text: text.into(), reply_to };
    let event = NewEvent::new(Uuid::now_v7(), room.clone(), identity.id, operation);
    state.store.append(mentions::resolve(state, event, Vec::new()).await?).await?;
    Ok(())
}

async fn apply_change(request: &PageRequest, room: &RoomName, operation: Operation) -> Result<(), Problem> {
    let PageRequest { state, identity, .. } = request;
    let _writer = state.writers.token();
    state.admit_write(*identity, Use::Post).map_err(Problem::rate_limited)?;
    let event = NewEvent::new(Uuid::now_v7(), room.clone(), identity.id, operation);
    state.store.append(mentions::resolve(state, event, Vec::new()).await?).await?;
    Ok(())
}

/// Redirects to a message: on the newest page, or on the older one that contains it.
async fn redirect_to_message(request: &PageRequest, room: &RoomName, seq: Seq) -> PageResult {
    let head = request.state.store.head(room).await?;
    let is_latest = head - seq.min(head) < limits::DEFAULT_PAGE_SIZE.into();
    let query = if is_latest { String::new() } else { format!("?around={seq}") };
    Ok(request.redirect(&format!("{}{query}#m{seq}", room.path())))
}
