//! The list of rooms.

use crate::{
    base::link,
    page_data::RoomSummary,
    state::{RoomInfoState, RoomListState, use_state},
    ui::{CloseButton, Icon},
    wire::limits::MAX_LISTED_ROOMS,
};
use leptos::{either::Either, prelude::*};

/// The rooms of the current user with their unread counts, other public rooms, and a link to a new room. A sidebar on
/// wide screens, a popover on narrow ones.
#[component]
pub fn RoomList() -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let rooms = use_state::<RoomListState>();
    let strings = info.strings;
    let names = rooms.rooms.with_untracked(|rooms| {
        rooms.iter().map(|entry| (entry.room.clone(), entry.is_joined)).collect::<Vec<_>>()
    });
    let list = move |is_joined: bool| {
        let rooms = names.iter().enumerate().filter(|(_, (_, own))| *own == is_joined);
        rooms.map(|(at, _)| view! { <RoomListEntry at /> }).collect::<Vec<_>>()
    };
    let others = list(false);
    let all = (others.len() >= MAX_LISTED_ROOMS)
        .then(|| view! { <a class="sidebar-action" href=link("/rooms")>{strings.all_rooms}</a> });
    let others = if others.is_empty() {
        Either::Left(())
    } else {
        Either::Right(view! {
            <h2>{strings.other_rooms}</h2>
            <ul>{others}</ul>
            {all}
        })
    };
    view! {
        <nav id="rooms" class="sidebar" popover="auto" aria-label=strings.rooms>
            <CloseButton popover="rooms" strings />
            <a class="home" href=link("/") aria-label=strings.home>
                <svg viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M6 9h20M6 16h14M6 23h8" />
                </svg>
                <span aria-hidden="true">"Hubbub"</span>
            </a>
            <h2>{strings.your_rooms}</h2>
            <ul>{list(true)}</ul>
            <a class="sidebar-action" href=link("/rooms")>
                <Icon path="M12 5v14M5 12h14" />
                {strings.new_room}
            </a>
            {others}
            <button type="button" class="sidebar-action pinned" popovertarget="settings">
                <Icon path="M4 8h9M17 8h3M15 6v4M4 16h3M11 16h9M9 14v4" />
                {strings.settings}
            </button>
        </nav>
    }
}

/// An entry of the list. The order is fixed while the page is open, so an index identifies the room.
#[component]
fn RoomListEntry(at: usize) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let rooms = use_state::<RoomListState>();
    let strings = info.strings;
    let of = move |read: fn(&RoomSummary) -> String| {
        rooms.rooms.with(|rooms| rooms.get(at).map(read).unwrap_or_default())
    };
    let room = rooms.rooms.with_untracked(|rooms| rooms[at].clone());
    let here = info.is_here(&room.room);
    let path = link(&room.room.path());
    let unread = Memo::new(move |_| rooms.rooms.with(|rooms| rooms.get(at).map_or(0, |entry| entry.unread)));
    let mentions =
        Memo::new(move |_| rooms.rooms.with(|rooms| rooms.get(at).map_or(0, |entry| entry.mentions)));
    let title = Memo::new(move |_| of(|entry| entry.title.clone()));
    let is_listed =
        Memo::new(move |_| rooms.rooms.with(|rooms| rooms.get(at).is_some_and(RoomSummary::is_listed)));
    // The link opens the first unread message, also without script.
    let href = move || if unread.get() > 0 && !here { format!("{path}#new") } else { path.clone() };
    let badge = move || {
        (unread.get() > 0 && !here).then(|| {
            let short = if unread.get() >= 100 { "99+".into() } else { unread.get().to_string() };
            view! { <span class="badge" aria-hidden="true">{short}</span><span class="visually-hidden">{(strings.unread)(unread.get())}</span> }
        })
    };
    let mention_badge = move || {
        (mentions.get() > 0 && !here).then(|| {
            let short = if mentions.get() >= 100 { "@99+".into() } else { format!("@{}", mentions.get()) };
            view! { <span class="badge mentions" aria-hidden="true">{short}</span><span class="visually-hidden">{(strings.unread_mentions)(mentions.get())}</span> }
        })
    };
    let private = room.private.then(|| {
        view! { <small class="lock" title=strings.private_room><Icon path="M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z" /><span class="visually-hidden">{strings.private_room}</span></small> }
    });
    view! {
        <li hidden=move || !is_listed.get()>
            <a href=href aria-current=here.then_some("page") class:unread=move || { unread.get() > 0 && !here }>
                <span class="title">{title}</span>
                {private}
                {mention_badge}
                {badge}
            </a>
        </li>
    }
}
