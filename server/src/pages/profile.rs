//! The form for the user's display name.

use super::{CheckedForm, PageRequest, PageResult, rejection::error_code, room::rerender_room};
use crate::{http::problem::Problem, limits::network::Use, store::choose_name};
use app::{
    page_data::{NameError, RejectedInput},
    wire::{RoomName, User},
};
use serde::Deserialize;

/// A new display name, and the room to return to.
#[derive(Deserialize)]
pub struct NameForm {
    name: String,
    #[serde(default)]
    room: String,
}

/// `POST /name`: changes the display name, then redirects to the room.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the room cannot be rendered again with a rejected name.
pub async fn rename(request: PageRequest, CheckedForm(form): CheckedForm<NameForm>) -> PageResult {
    let room = form.room.parse().unwrap_or_else(|_| RoomName::lobby());
    match set_name(&request, &form.name).await {
        // The notice about a confusable name is at the anchor.
        Ok(you) if you.ambiguous => Ok(request.redirect(&format!("{}#ambiguous", room.path()))),
        Ok(_) => Ok(request.redirect(&room.path())),
        Err((why, problem)) => {
            rerender_room(request, room, None, RejectedInput::Name { name: form.name, why }, problem).await
        }
    }
}

async fn set_name(request: &PageRequest, name: &str) -> Result<User, (NameError, Problem)> {
    let PageRequest { state, identity, .. } = request;
    if !identity.is_known {
        return Err((NameError::CookiesDisabled, Problem::no_cookies()));
    }
    let rejected = |problem: Problem| (NameError::Command(error_code(&problem)), problem);
    // The comparison with reserved names costs more than this check.
    state.admit_write(*identity, Use::Rename).map_err(|wait| rejected(Problem::rate_limited(wait)))?;
    let name = choose_name(name).map_err(|bad| (NameError::Invalid(bad), Problem::invalid_name(bad)))?;
    let fallback = User::new(identity.id, name.clone());
    let changed = state.store.set_display_name(identity.id, name).await;
    let changed = changed.map_err(|error| rejected(error.into()))?;
    Ok(changed.into_iter().find(|user| user.id == identity.id).unwrap_or(fallback))
}
