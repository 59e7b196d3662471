//! The profile card.

use crate::{
    base::link, page_data::RejectedInput, state::Live, ui::FieldError, wire::limits::MAX_NAME_CHARS,
};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// The card and the field in it.
#[derive(Clone, Copy)]
struct Card {
    live: Live,
    details: NodeRef<html::Details>,
    field: NodeRef<html::Input>,
}

impl Card {
    fn new(live: Live) -> Self {
        let card = Self { live, details: NodeRef::new(), field: NodeRef::new() };
        // The field follows a change from elsewhere unless the card is open.
        Effect::new(move |before: Option<String>| {
            let name = live.you.with(|you| you.name.to_string());
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
            if live.name_asks.get()
                && let Some(details) = card.details.get()
            {
                details.set_open(true);
                live.name_asks.set(false);
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
        if !self.live.lives {
            return;
        }
        submit.prevent_default();
        let Some(field) = self.field.get() else { return };
        if self.live.rename(&field.value())
            && let Some(details) = self.details.get()
        {
            details.set_open(false);
            #[cfg(feature = "hydrate")]
            self.live.focus_composer();
        }
    }
}

/// The current user with the form that changes the display name.
#[component]
pub(super) fn ProfileCard(
    /// The room.
    live: Live,
    /// The name that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let strings = live.strings;
    let rejected = match rejected {
        Some(RejectedInput::Name { name, why }) => Some((name, live.rename_error(why))),
        _ => None,
    };
    let open = rejected.is_some();
    let (value, why) =
        rejected.unwrap_or_else(|| (live.you.with_untracked(|you| you.name.to_string()), String::new()));
    live.name_problem.set(why);
    let card = Card::new(live);
    let name = move || live.you.with(|you| you.name.to_string());
    let tag = move || live.you.with(|you| you.tag().map(|tag| view! { <small class="tag">{tag}</small> }));
    let ambiguous = move || {
        live.you.with(|you| you.ambiguous).then(|| view! { <p class="hint">{strings.name_ambiguous}</p> })
    };
    view! {
        <details class="me" node_ref=card.details open=open on:toggle=move |_| card.on_toggle()>
            <summary>
                <span class="label">{strings.you_are}</span>
                <strong class=move || live.you.with(|you| you.id.color_class())>{name}</strong>
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
    let live = card.live;
    view! {
        <form method="post" action=link("/name") on:submit=move |submit| card.on_submit(&submit)>
            <label for="name">{live.strings.your_name}</label>
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
            <input type="hidden" name="room" value=live.room.get_value().to_string() />
            <button type="submit">{live.strings.save}</button>
            <FieldError id="name-problem" message=live.name_problem.read_only() />
        </form>
    }
}
