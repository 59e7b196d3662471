//! The plain forms, for browsers without script: 303 back to the room, or the room again with what
//! was written and why it was refused.

use super::{again, code, no_such_page, problem_page, sorry, sorry_for, trouble};
use crate::{
    http::{
        form::{BadForm, Form},
        host::RequestSource,
        identity::Identity,
        preferences::Visitor,
        problem::Problem,
    },
    limits::network::Use,
    state::AppState,
    store::{Deed, NewEvent, choose_name},
};
use app::{
    i18n::PageError,
    page_data::{NameError, RejectedInput},
    pages::RejectedForm,
    wire::{ErrorCode, RoomName, Seq, User, limits, trim_message},
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use uuid::Uuid;

/// The composer.
#[derive(Deserialize)]
pub struct Composed {
    text: String,
}

/// Another name.
#[derive(Deserialize)]
pub struct Called {
    name: String,
    #[serde(default)]
    room: String,
}

/// `POST /r/{room}`: posts, then goes back to the room.
pub async fn post(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(room): Path<String>,
    form: Result<Form<Composed>, BadForm>,
) -> Response {
    let Ok(room) = room.parse::<RoomName>() else { return no_such_page(&state, visitor).await };
    let composed = match admit(&visitor, form) {
        Ok(composed) => composed,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    let text = composed.text;
    match store(&state, identity, &room, &text).await {
        Ok(()) => visitor.redirect(&room.path()).into_response(),
        Err(problem) => {
            let refused = RejectedInput::Message { text, why: code(&problem) };
            again(&state, identity, visitor, room, refused, problem).await
        }
    }
}

/// `POST /r/{room}/{seq}/edit`: the message says something else, then goes back to it.
pub async fn edit(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path((room, seq)): Path<(String, String)>,
    form: Result<Form<Composed>, BadForm>,
) -> Response {
    let (Ok(room), Ok(target)) = (room.parse::<RoomName>(), seq.parse()) else {
        return no_such_page(&state, visitor).await;
    };
    let composed = match admit(&visitor, form) {
        Ok(composed) => composed,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    let text = composed.text;
    let changed = async {
        let text = trim_message(&text).map_err(Problem::bad_text)?.into();
        change(&state, identity, &room, Deed::Edit { target, text }).await
    };
    match changed.await {
        Ok(()) => back_to(&state, &visitor, &room, target),
        Err(problem) => {
            let unsaved = RejectedForm::Edit { path: format!("/r/{room}/{target}/edit"), text };
            let page = sorry_for(&state, visitor, trouble(&problem), unsaved, problem.status()).await;
            problem.add_headers(page)
        }
    }
}

/// `POST /r/{room}/{seq}/delete`: takes the message back, then goes to where it was.
pub async fn delete(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path((room, seq)): Path<(String, String)>,
) -> Response {
    let (Ok(room), Ok(target)) = (room.parse::<RoomName>(), seq.parse()) else {
        return no_such_page(&state, visitor).await;
    };
    if let Err((trouble, status)) = ours(&visitor) {
        return sorry(&state, visitor, trouble, status).await;
    }
    match change(&state, identity, &room, Deed::Delete { target }).await {
        Ok(()) => back_to(&state, &visitor, &room, target),
        Err(problem) => problem_page(&state, visitor, problem).await,
    }
}

async fn change(state: &AppState, identity: Identity, room: &RoomName, deed: Deed) -> Result<(), Problem> {
    let _posting = state.writers.token();
    state.admit_write(identity, Use::Post).map_err(Problem::too_fast)?;
    let event = NewEvent { id: Uuid::now_v7(), room: room.clone(), author: identity.id, deed };
    state.store.append(event).await?;
    Ok(())
}

/// To the message: on the newest page, or on the older one that it stands on.
fn back_to(state: &AppState, visitor: &Visitor, room: &RoomName, seq: Seq) -> Response {
    let head = state.store.heads(std::slice::from_ref(room))[0];
    let page = if head - seq.min(head) < limits::DEFAULT_PAGE_SIZE.into() {
        String::new()
    } else {
        format!("?around={seq}")
    };
    visitor.redirect(&format!("{}{page}#m{seq}", room.path())).into_response()
}

/// `POST /name`: another name, then back to the room.
pub async fn rename(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    form: Result<Form<Called>, BadForm>,
) -> Response {
    let called = match admit(&visitor, form) {
        Ok(called) => called,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    let room = called.room.parse().unwrap_or_else(|_| RoomName::lobby());
    match call(&state, identity, &called.name).await {
        // Who is told something about their new name sees the card where it stands.
        Ok(you) if you.ambiguous => visitor.redirect(&format!("{}#ambiguous", room.path())).into_response(),
        Ok(_) => visitor.redirect(&room.path()).into_response(),
        Err((why, problem)) => {
            let refused = RejectedInput::Name { name: called.name, why };
            again(&state, identity, visitor, room, refused, problem).await
        }
    }
}

/// What is wrong with a form as a whole.
pub(super) type Unfit = (PageError, StatusCode);

/// The form, if it is one and comes from our own page.
pub(super) fn admit<T>(visitor: &Visitor, form: Result<Form<T>, BadForm>) -> Result<T, Unfit> {
    ours(visitor)?;
    form.map(|Form(form)| form).map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            (PageError::Command(ErrorCode::TooLong), StatusCode::PAYLOAD_TOO_LARGE)
        }
        status => (PageError::InvalidForm, status),
    })
}

/// Whether it comes from our own page, or an allowed site's.
pub(super) fn ours(visitor: &Visitor) -> Result<(), Unfit> {
    let is_foreign = visitor.source == RequestSource::Foreign;
    if is_foreign { Err((PageError::ForeignOrigin, StatusCode::FORBIDDEN)) } else { Ok(()) }
}

async fn store(state: &AppState, identity: Identity, room: &RoomName, text: &str) -> Result<(), Problem> {
    let _posting = state.writers.token();
    let text = trim_message(text).map_err(Problem::bad_text)?;
    state.admit_post(identity, room).map_err(Problem::too_fast)?;
    state.store.append(NewEvent::message(Uuid::now_v7(), room.clone(), identity.id, &text)).await?;
    Ok(())
}

async fn call(state: &AppState, identity: Identity, name: &str) -> Result<User, (NameError, Problem)> {
    if !identity.known {
        return Err((NameError::CookiesDisabled, Problem::no_cookies()));
    }
    let refused = |problem: Problem| (NameError::Command(code(&problem)), problem);
    // The name is compared with reserved ones, which costs more than to refuse a form.
    state.admit_write(identity, Use::Rename).map_err(|wait| refused(Problem::too_fast(wait)))?;
    let name = choose_name(name).map_err(|bad| (NameError::Invalid(bad), Problem::bad_name(bad)))?;
    state.hub.set_display_name(identity.id, name).await.map_err(|error| refused(error.into()))
}
