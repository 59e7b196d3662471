//! The profile card: the events of its form, and what opens it.

use super::{
    dom::{self, element},
    outbox,
};
use crate::state::{ProfileState, RoomState};
use leptos::prelude::*;
use web_sys::{Element, HtmlInputElement};

/// Handles the events of the card for as long as the page lives.
pub(super) fn start(room: RoomState) {
    let (Ok(Some(card)), Some(field)) =
        (document().query_selector(".me"), element::<HtmlInputElement>("name"))
    else {
        return;
    };
    let profile = room.profile;
    let (opened, name) = (card.clone(), field.clone());
    dom::capture(&card, "toggle", move |_| on_toggle(&opened, &name, profile));
    let sent = card.clone();
    let name = field.clone();
    dom::capture(&card, "submit", move |submit| {
        // A page of older messages has no connection, so its form is submitted.
        if room.info.is_latest_page {
            submit.prevent_default();
            if outbox::rename(room, &name.value()) {
                let _ = sent.remove_attribute("open");
                dom::focus_composer();
            }
        }
    });
    follow(card, field, profile);
}

/// Selects the name in a card that the user has opened, so that typing replaces it. A card that opens by itself leaves the
/// focus where it is: the user may be writing a message.
fn on_toggle(card: &Element, field: &HtmlInputElement, profile: ProfileState) {
    let is_requested = profile.is_card_requested.get_untracked();
    profile.is_card_requested.set(false);
    if card.has_attribute("open") && !is_requested {
        let _ = field.focus();
        field.select();
    }
}

/// Opens the card when something is to be said about the name. The field follows a change of the name from elsewhere, unless
/// the card is open.
fn follow(card: Element, field: HtmlInputElement, profile: ProfileState) {
    let shown = (card.clone(), field);
    Effect::new(move |before: Option<String>| {
        let name = profile.user.with(|you| you.name.to_string());
        let (card, field) = &shown;
        if before.is_some_and(|before| before != name) && !card.has_attribute("open") {
            field.set_value(&name);
        }
        name
    });
    Effect::new(move || {
        if profile.is_card_requested.get() {
            let _ = card.set_attribute("open", "");
        }
    });
}
