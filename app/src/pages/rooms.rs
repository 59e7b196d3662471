//! The list of rooms with a form that creates a room.

use crate::{
    base::link,
    i18n::{Lang, RoomFormError, Strings},
    page_data::RoomSummary,
    ui::Icon,
    wire::{
        RoomName,
        limits::{MAX_TITLE_CHARS, MAX_TOPIC_CHARS},
    },
};
use leptos::prelude::*;
use std::collections::HashMap;

/// The content of the page.
#[derive(Debug, Clone)]
pub struct RoomsPage {
    /// The language of the page.
    pub lang: Lang,
    /// The rooms of the current user, then other public rooms, sorted by title.
    pub rooms: Vec<RoomSummary>,
    /// The number of the user's rooms before the next page of them, if there is one.
    pub older: Option<u32>,
    /// The room after which the next page begins, if there is one.
    pub next: Option<RoomName>,
    /// The values of the form.
    pub input: NewRoom,
    /// The reason why the form was rejected.
    pub rejected: Option<RoomFormError>,
    /// The user moderates the server.
    pub is_moderator: bool,
}

/// The values of the form that creates a room.
#[derive(Debug, Clone, Default)]
pub struct NewRoom {
    /// The title.
    pub title: String,
    /// The topic.
    pub topic: String,
    /// The room is private.
    pub private: bool,
    /// Only members may enter the room.
    pub members_only: bool,
}

/// The list of rooms with a form that creates a room.
#[component]
pub fn RoomDirectory(
    /// The content.
    page: RoomsPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    let (joined, others) = entries(&page.rooms, strings);
    let none = others.is_empty().then(|| view! { <p class="hint">{strings.server.no_other_rooms}</p> });
    let older = page.older.map(|older| {
        view! { <p><a href=link(&format!("/rooms?yours={older}#yours")) rel="next">{strings.server.more_rooms}</a></p> }
    });
    let more = page.next.map(|last| {
        view! { <p><a href=link(&format!("/rooms?after={last}#others")) rel="next">{strings.server.more_rooms}</a></p> }
    });
    view! {
        <main class="plain-page">
            <nav class="row">
                <span><a class="back-link" href=link("/")><Icon path="M14 6l-6 6 6 6" />{strings.server.go_to_lobby}</a></span>
                {page.is_moderator.then(|| view! { <a class="back-link" href=link("/admin")>{lang.moderation().administration}</a> })}
                <button type="button" class="outlined" popovertarget="settings">{strings.settings}</button>
            </nav>
            <h1>{strings.new_room}</h1>
            <NewRoomForm input=page.input rejected=page.rejected strings />
            <h2 id="yours">{strings.your_rooms}</h2>
            <ul class="directory">{joined}</ul>
            {older}
            <h2 id="others">{strings.other_rooms}</h2>
            <ul class="directory">{others}</ul>
            {none}
            {more}
        </main>
    }
}

/// The form that creates a room.
#[component]
fn NewRoomForm(
    input: NewRoom,
    /// The reason why the form was rejected.
    rejected: Option<RoomFormError>,
    strings: &'static Strings,
) -> impl IntoView {
    let access = strings.lang.moderation();
    let rejected = rejected.map(|error| {
        view! { <p>{(strings.server.room_form_error)(&error)}{link_to_taken_title(&error)}</p> }
    });
    view! {
        <form method="post" action=link("/rooms") class="stack" id="new-room">
            <label for="title">{strings.server.room_name_label}</label>
            <input id="title" name="title" value=input.title maxlength=MAX_TITLE_CHARS * 2 required aria-describedby="room-problem" />
            <label for="topic">{strings.server.topic_label}</label>
            <input id="topic" name="topic" value=input.topic maxlength=MAX_TOPIC_CHARS * 2 aria-describedby="room-problem" />
            <label class="checkbox">
                <input type="checkbox" name="private" value="yes" checked=input.private />
                <span><b>{strings.server.private_label}</b>" "<small>{strings.server.private_hint}</small></span>
            </label>
            <label class="checkbox">
                <input type="checkbox" name="members" value="yes" checked=input.members_only />
                <span><b>{access.members_only_label}</b>" "<small>{access.members_only_hint}</small></span>
            </label>
            <div id="room-problem" class="field-error" role="alert">{rejected}</div>
            <button type="submit">{strings.create_room}</button>
            <p class="hint">{strings.server.new_room_hint}</p>
        </form>
    }
}

/// Returns the entries of the user's rooms, and those of the others. Rooms with the same title are distinguished by their
/// addresses.
pub(super) fn entries(
    rooms: &[RoomSummary],
    strings: &'static Strings,
) -> (Vec<impl IntoView + use<>>, Vec<impl IntoView + use<>>) {
    let mut title_counts = HashMap::<String, usize>::new();
    for room in rooms {
        *title_counts.entry(room.title.to_lowercase()).or_default() += 1;
    }
    let list = |is_joined: bool| {
        let rooms = rooms.iter().filter(|room| room.is_joined == is_joined);
        rooms
            .map(|room| {
                let is_ambiguous =
                    title_counts.get(&room.title.to_lowercase()).is_some_and(|count| *count > 1);
                view! { <RoomEntry room=room.clone() is_ambiguous strings /> }
            })
            .collect::<Vec<_>>()
    };
    (list(true), list(false))
}

/// An entry of the list.
#[component]
fn RoomEntry(
    room: RoomSummary,
    /// Another room of the list has the same title.
    is_ambiguous: bool,
    strings: &'static Strings,
) -> impl IntoView {
    let address = is_ambiguous.then(|| view! { <span class="hint">{room.room.path()}</span>" " });
    let new = if room.unread > 0 { "#new" } else { "" };
    let unread =
        (room.unread > 0).then(|| view! { <span class="hint">{(strings.unread)(room.unread)}</span> });
    let private = room.private.then(|| view! { <span class="hint">{strings.private_room}</span> });
    view! {
        <li>
            <a href=link(&format!("{}{new}", room.room.path()))><b>{room.title.clone()}</b>" "{address}{private}" "{unread}</a>
        </li>
    }
}

/// Returns a link to the room that has the title, if the title is taken.
pub(super) fn link_to_taken_title(error: &RoomFormError) -> Option<impl IntoView + use<>> {
    match error {
        RoomFormError::TitleTaken(title, path) => Some(view! { <a href=link(path)>{title.clone()}</a> }),
        _ => None,
    }
}
