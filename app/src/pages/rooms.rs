//! Every room that can be found, and a form for a new one.

use crate::{
    base::link,
    i18n::{Lang, RoomTrouble},
    page_data::RoomEntry,
    ui::Icon,
    wire::{
        RoomName,
        limits::{TITLE_CHARS, TOPIC_CHARS},
    },
};
use leptos::prelude::*;
use std::collections::HashMap;

/// What the page of the rooms shows.
#[derive(Debug, Clone)]
pub struct RoomsPage {
    /// The language of the page.
    pub lang: Lang,
    /// The rooms of whoever looks, and others that can be found, by title.
    pub rooms: Vec<RoomEntry>,
    /// How many rooms of the user stand before the next page of them, if there is one.
    pub older: Option<u32>,
    /// The room after which the next page begins, if there is one.
    pub next: Option<RoomName>,
    /// What is in the form.
    pub wanted: NewRoom,
    /// Why it was not made.
    pub refused: Option<RoomTrouble>,
}

/// A room that somebody wants.
#[derive(Debug, Clone, Default)]
pub struct NewRoom {
    /// What it is to be called.
    pub title: String,
    /// What it is about.
    pub topic: String,
    /// Whether it is to be on no list.
    pub private: bool,
}

/// Every room that can be found, and a form for a new one.
#[component]
pub fn AllRooms(
    /// What to show.
    page: RoomsPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    let mut called = HashMap::<String, usize>::new();
    for entry in &page.rooms {
        *called.entry(entry.title.to_lowercase()).or_default() += 1;
    }
    let entry = |entry: &RoomEntry| {
        // Their addresses tell rooms of one title apart.
        let is_alike = called.get(&entry.title.to_lowercase()).is_some_and(|rooms| *rooms > 1);
        let address = is_alike.then(|| view! { <span class="note">{entry.room.path()}</span>" " });
        let new = if entry.unread > 0 { "#new" } else { "" };
        let unread =
            (entry.unread > 0).then(|| view! { <span class="note">{(words.unread)(entry.unread)}</span> });
        let private = entry.private.then(|| view! { <span class="note">{words.private_room}</span> });
        view! { <li><a href=link(&format!("{}{new}", entry.room.path()))><b>{entry.title.clone()}</b>" "{address}{private}" "{unread}</a></li> }
    };
    let list =
        |yours: bool| page.rooms.iter().filter(|room| room.yours == yours).map(entry).collect::<Vec<_>>();
    let (yours, others) = (list(true), list(false));
    let none = others.is_empty().then(|| view! { <p class="note">{words.no_rooms}</p> });
    let older = page.older.map(|older| {
        view! { <p><a href=link(&format!("/rooms?yours={older}#yours")) rel="next">{words.more_rooms}</a></p> }
    });
    let more = page.next.map(|last| {
        view! { <p><a href=link(&format!("/rooms?after={last}#others")) rel="next">{words.more_rooms}</a></p> }
    });
    let refused = page.refused.map(|trouble| {
        view! { <p>{(words.room_trouble)(&trouble)}{way_to(&trouble)}</p> }
    });
    view! {
        <main class="plain-page">
            <nav class="row">
                <span><a class="back" href=link("/")><Icon path="M14 6l-6 6 6 6" />{words.to_lobby}</a></span>
                <button type="button" class="plain" popovertarget="settings">{words.settings}</button>
            </nav>
            <h1>{words.new_room}</h1>
            <form method="post" action=link("/rooms") class="stack" id="new-room">
                <label for="title">{words.new_room_title}</label>
                <input id="title" name="title" value=page.wanted.title maxlength=TITLE_CHARS * 2 required aria-describedby="room-problem" />
                <label for="topic">{words.new_room_topic}</label>
                <input id="topic" name="topic" value=page.wanted.topic maxlength=TOPIC_CHARS * 2 aria-describedby="room-problem" />
                <label class="tick">
                    <input type="checkbox" name="private" value="yes" checked=page.wanted.private />
                    <span><b>{words.new_private}</b>" "<small>{words.private_hint}</small></span>
                </label>
                <div id="room-problem" class="problem" role="alert">{refused}</div>
                <button type="submit">{words.new_room_make}</button>
                <p class="note">{words.new_room_hint}</p>
            </form>
            <h2 id="yours">{words.your_rooms}</h2>
            <ul class="directory">{yours}</ul>
            {older}
            <h2 id="others">{words.other_rooms}</h2>
            <ul class="directory">{others}</ul>
            {none}
            {more}
        </main>
    }
}

/// The way to the room that has the title, where that is what is wrong.
pub(super) fn way_to(trouble: &RoomTrouble) -> Option<impl IntoView + use<>> {
    match trouble {
        RoomTrouble::Taken(title, path) => Some(view! { <a href=link(path)>{title.clone()}</a> }),
        _ => None,
    }
}
