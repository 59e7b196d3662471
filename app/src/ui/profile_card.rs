//! The profile card.

use crate::{
    base::link,
    commands::Commands,
    page_data::RejectedInput,
    state::{ProfileState, RoomInfoState, rename_error, use_state},
    ui::{FieldError, face::face},
    wire::limits::MAX_NAME_CHARS,
};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// The card and the field in it.
#[derive(Clone, Copy)]
struct Card {
    info: RoomInfoState,
    profile: ProfileState,
    commands: Commands,
    details: NodeRef<html::Details>,
    field: NodeRef<html::Input>,
}

impl Card {
    fn new() -> Self {
        let card = Self {
            info: use_state(),
            profile: use_state(),
            commands: use_state(),
            details: NodeRef::new(),
            field: NodeRef::new(),
        };
        let profile = card.profile;
        // The field follows a change from elsewhere unless the card is open.
        Effect::new(move |before: Option<String>| {
            let name = profile.user.with(|you| you.name.to_string());
            if before.is_some_and(|before| before != name)
                && let (Some(field), Some(details)) =
                    (card.field.get_untracked(), card.details.get_untracked())
                && !details.open()
            {
                field.set_value(&name);
            }
            name
        });
        Effect::new(move || {
            if profile.is_card_requested.get()
                && let Some(details) = card.details.get()
            {
                details.set_open(true);
                profile.is_card_requested.set(false);
            }
        });
        card
    }

    /// Selects the name in a card that was opened, so that typing replaces it.
    fn on_toggle(self) {
        if let Some(field) =
            self.field.get().filter(|_| self.details.get().is_some_and(|details| details.open()))
        {
            let _ = field.focus();
            field.select();
        }
    }

    /// Changes the name. A page of older messages has no connection, so its form is submitted.
    fn on_submit(self, submit: &SubmitEvent) {
        if !self.info.is_latest_page {
            return;
        }
        submit.prevent_default();
        let Some(field) = self.field.get() else { return };
        if self.commands.rename(&field.value())
            && let Some(details) = self.details.get()
        {
            details.set_open(false);
            Commands::focus_composer();
        }
    }
}

/// The current user with the form that changes the display name.
#[component]
pub(super) fn ProfileCard(
    /// The name that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let card = Card::new();
    let Card { info, profile, .. } = card;
    let strings = info.strings;
    let rejected = match rejected {
        Some(RejectedInput::Name { name, why }) => Some((name, rename_error(strings, why))),
        _ => None,
    };
    let open = rejected.is_some();
    let (value, why) =
        rejected.unwrap_or_else(|| (profile.user.with_untracked(|you| you.name.to_string()), String::new()));
    profile.rename_error.set(why);
    let name = move || profile.user.with(|you| you.name.to_string());
    let tag =
        move || profile.user.with(|you| you.tag().map(|tag| view! { <small class="tag">{tag}</small> }));
    let ambiguous = move || {
        profile.user.with(|you| you.ambiguous).then(|| view! { <p class="hint">{strings.name_ambiguous}</p> })
    };
    view! {
        <details class="me" node_ref=card.details open=open on:toggle=move |_| card.on_toggle()>
            <summary>
                {move || profile.user.with(face)}
                <span class="visually-hidden">{strings.you_are}" "</span>
                <strong class=move || profile.user.with(|you| you.id.color_class())>{name}</strong>
                {tag}
            </summary>
            <div class="profile-card">
                <NameForm card value />
                <div id="ambiguous" aria-live="polite">{ambiguous}</div>
                <button type="button" class="outlined" popovertarget="settings">{strings.settings}</button>
            </div>
        </details>
    }
}

/// The form that changes the display name.
#[component]
fn NameForm(card: Card, value: String) -> impl IntoView {
    let Card { info, profile, .. } = card;
    view! {
        <form method="post" action=link("/name") on:submit=move |submit| card.on_submit(&submit)>
            <label for="name">{info.strings.your_name}</label>
            <input
                node_ref=card.field
                id="name"
                name="name"
                value=value
                maxlength=MAX_NAME_CHARS * 2
                autocomplete="nickname"
                aria-describedby="name-problem"
                required
            />
            <input type="hidden" name="room" value=info.name.get_value().to_string() />
            <button type="submit">{info.strings.save}</button>
            <FieldError id="name-problem" message=profile.rename_error.read_only() />
        </form>
    }
}
