//! The profile card. `browser::profile_card` handles its events.

use crate::{
    base::link,
    i18n::Strings,
    page_data::RejectedInput,
    state::{ProfileState, RoomInfoState, rename_error, use_state},
    ui::{
        face::face,
        field_error::field_error,
        inert_tree::{InertElement, reactive},
    },
    wire::{User, limits::MAX_NAME_CHARS},
};
use leptos::prelude::*;

/// The current user with the form that changes the display name.
#[component]
pub(super) fn ProfileCard(
    /// The name that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let profile = use_state::<ProfileState>();
    let strings = info.strings;
    let rejected = match rejected {
        Some(RejectedInput::Name { name, why }) => {
            profile.rename_error.set(rename_error(strings, why));
            Some(name)
        }
        _ => None,
    };
    let (path, room) = (link("/name"), info.name.get_value().to_string());
    // The browser changes the name in the field only while the card is closed.
    let value = rejected.clone().unwrap_or_else(|| profile.user.with_untracked(|you| you.name.to_string()));
    reactive(move || {
        profile.user.with(|you| {
            let problem = profile.rename_error.with(|problem| field_error("name-problem", problem));
            let hint = you.ambiguous.then(|| hint(strings));
            let card = InertElement::new("div")
                .class("profile-card")
                .child(name_form(&path, &value, &room, strings).child(problem))
                .child(
                    InertElement::new("div")
                        .with("id", "ambiguous")
                        .with("aria-live", "polite")
                        .children(hint),
                )
                .child(InertElement::from_server("button", || settings_button(strings)));
            InertElement::from_server("details", || {
                InertElement::new("details").class("me").flag("open", rejected.is_some())
            })
            .child(summary(you, strings))
            .child(card)
        })
    })
}

fn summary(you: &User, strings: &Strings) -> InertElement {
    let label = InertElement::from_server("span", || {
        InertElement::new("span").class("visually-hidden").text(strings.you_are).text(" ")
    });
    let name = InertElement::new("strong").class(you.id.color_class()).text(you.name.to_string());
    InertElement::new("summary")
        .child(face(you))
        .child(label)
        .child(name)
        .children(you.tag().map(|tag| InertElement::new("small").class("tag").text(tag)))
}

fn hint(strings: &Strings) -> InertElement {
    InertElement::new("p").class("hint").text(strings.name_ambiguous)
}

fn settings_button(strings: &Strings) -> InertElement {
    let button = InertElement::new("button").with("type", "button").class("outlined");
    button.with("popovertarget", "settings").text(strings.settings)
}

/// Returns the form that changes the display name.
fn name_form(path: &str, value: &str, room: &str, strings: &Strings) -> InertElement {
    let label = InertElement::from_server("label", || {
        InertElement::new("label").with("for", "name").text(strings.your_name)
    });
    let field = InertElement::from_server("input", || {
        InertElement::new("input")
            .with("id", "name")
            .with("name", "name")
            .with("value", value)
            .with("maxlength", (MAX_NAME_CHARS * 2).to_string())
            .with("autocomplete", "nickname")
            .with("aria-describedby", "name-problem")
            .flag("required", true)
    });
    let room = InertElement::from_server("input", || {
        InertElement::new("input").with("type", "hidden").with("name", "room").with("value", room)
    });
    let save = InertElement::from_server("button", || {
        InertElement::new("button").with("type", "submit").text(strings.save)
    });
    InertElement::from_server("form", || {
        InertElement::new("form").with("method", "post").with("action", path)
    })
    .child(label)
    .child(field)
    .child(room)
    .child(save)
}
