//! The header of a room and the profile card.

use crate::{
    base::link,
    page_data::RejectedInput,
    state::Live,
    ui::{FieldError, Icon},
    wire::{RoomName, limits::MAX_NAME_CHARS},
};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// The header with the title, the topic and the profile card.
#[component]
pub fn Header(
    /// The room.
    live: Live,
    /// The name that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let strings = live.strings;
    let count = move || live.present().to_string();
    let here = move || (strings.member_count)(live.present());
    let unread = Memo::new(move |_| live.unread() > live.unread_here());
    // On a phone the room list is hidden, so the lobby links to the form for a new room.
    let is_start = live.room.with_value(RoomName::is_lobby);
    let new_room =
        is_start.then(|| view! { " "<a class="new-room" href=link("/rooms")>{strings.new_room}</a> });
    view! {
        <header class="top" class:start=is_start>
            <a class="skip" href="#text">{strings.skip_to_composer}</a>
            <button type="button" class="tool open-rooms" popovertarget="rooms" aria-label=strings.rooms class:unread=unread>
                <Icon path="M4 7h16M4 12h16M4 17h10" />
            </button>
            <div class="where">
                <h1>{live.title}</h1>
                <p class="topic">{live.topic}{new_room}</p>
            </div>
            <button type="button" class="tool open-people" popovertarget="people" aria-label=here>
                <Icon path="M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6M18.5 15c1.7.9 2.7 2.5 3 5" />
                <span aria-hidden="true">{count}</span>
            </button>
            <button type="button" class="tool" popovertarget="about" aria-label=strings.room_menu title=strings.room_menu>
                <Icon path="M8.5 12.5l7-4M8.5 13.5l7 4M6 15.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z" />
            </button>
            <ProfileCard live rejected />
        </header>
    }
}

/// The current user with the form that changes the display name.
#[component]
fn ProfileCard(live: Live, rejected: Option<RejectedInput>) -> impl IntoView {
    let strings = live.strings;
    let present = live.you.with_untracked(|you| you.name.to_string());
    let rejected = match rejected {
        Some(RejectedInput::Name { name, why }) => Some((name, live.rename_error(why))),
        _ => None,
    };
    let open = rejected.is_some();
    let (written, why) = rejected.unwrap_or((present, String::new()));
    live.name_problem.set(why);
    let input = NodeRef::<html::Input>::new();
    let details = NodeRef::<html::Details>::new();
    let name = move || live.you.with(|you| you.name.to_string());
    let tag = move || live.you.with(|you| you.tag().map(|tag| view! { <small class="tag">{tag}</small> }));
    let ambiguous = move || {
        live.you.with(|you| you.ambiguous).then(|| view! { <p class="note">{strings.name_ambiguous}</p> })
    };
    let save = move |submit: SubmitEvent| {
        // A page of older messages has no connection, so the form is submitted.
        if !live.lives {
            return;
        }
        submit.prevent_default();
        let Some(field) = input.get() else { return };
        if live.rename(&field.value())
            && let Some(details) = details.get()
        {
            details.set_open(false);
            #[cfg(feature = "hydrate")]
            live.focus_composer();
        }
    };
    // Follows a change from elsewhere unless the card is open.
    Effect::new(move |before: Option<String>| {
        let name = live.you.with(|you| you.name.to_string());
        if before.is_some_and(|before| before != name)
            && let (Some(field), Some(details)) = (input.get_untracked(), details.get_untracked())
            && !details.open()
        {
            field.set_value(&name);
        }
        name
    });
    // Typing in the opened card replaces the name.
    let toggled = move |_| {
        if let Some(field) = input.get().filter(|_| details.get().is_some_and(|details| details.open())) {
            let _ = field.focus();
            field.select();
        }
    };
    Effect::new(move || {
        if live.name_asks.get()
            && let Some(details) = details.get()
        {
            details.set_open(true);
            live.name_asks.set(false);
        }
    });
    view! {
        <details class="me" node_ref=details open=open on:toggle=toggled>
            <summary>
                <span class="label">{strings.you_are}</span>
                <strong class=move || live.you.with(|you| you.id.color_class())>{name}</strong>
                {tag}
            </summary>
            <div class="card">
                <form method="post" action=link("/name") on:submit=save>
                    <label for="name">{strings.your_name}</label>
                    <input
                        node_ref=input
                        id="name"
                        name="name"
                        value=written
                        maxlength=MAX_NAME_CHARS * 2
                        autocomplete="nickname"
                        aria-describedby="name-problem"
                        required
                    />
                    <input type="hidden" name="room" value=live.room.get_value().to_string() />
                    <button type="submit">{strings.save}</button>
                    <FieldError id="name-problem" message=live.name_problem.read_only() />
                </form>
                <div id="ambiguous" aria-live="polite">{ambiguous}</div>
                <button type="button" class="plain" popovertarget="settings">{strings.settings}</button>
            </div>
        </details>
    }
}
