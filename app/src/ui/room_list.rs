//! The list of rooms.

use crate::{
    base::link,
    i18n::Strings,
    page_data::RoomSummary,
    state::{RoomInfoState, RoomListState, use_state},
    ui::{
        close_button::close_button,
        icon::icon,
        inert_tree::{InertElement, reactive},
    },
    wire::limits::MAX_LISTED_ROOMS,
};
use leptos::prelude::*;

/// The rooms of the current user with their unread counts, other public rooms, and a link to a new room. A sidebar on
/// wide screens, a popover on narrow ones.
#[component]
pub fn RoomList() -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let rooms = use_state::<RoomListState>();
    let strings = info.strings;
    let lists = move || {
        rooms.rooms.with(|rooms| {
            let list = |is_joined: bool| {
                let rooms = rooms.iter().filter(|room| room.is_joined == is_joined);
                let entries: Vec<_> = rooms.map(|room| room_entry(room, info)).collect();
                (entries.len(), InertElement::new("ul").children(entries))
            };
            (list(true).1, list(false))
        })
    };
    reactive(move || {
        let (own, (count, others)) = lists();
        let nav = InertElement::from_server("nav", || sidebar("nav", "rooms", strings.rooms))
            .child(InertElement::from_server("button", || close_button("rooms", strings)))
            .child(InertElement::from_server("a", || home_link(strings)))
            .child(InertElement::from_server("h2", || InertElement::new("h2").text(strings.your_rooms)))
            .child(own)
            .child(InertElement::from_server("a", || {
                directory_link().child(icon("M12 5v14M5 12h14")).text(strings.new_room)
            }));
        let other_rooms =
            [InertElement::from_server("h2", || InertElement::new("h2").text(strings.other_rooms)), others];
        let all = InertElement::from_server("a", || directory_link().text(strings.all_rooms));
        nav.children(other_rooms.into_iter().filter(|_| count > 0))
            .children((count >= MAX_LISTED_ROOMS).then_some(all))
            .child(InertElement::from_server("button", || settings_button(strings)))
    })
}

/// Returns an element that is a sidebar on wide screens and a popover on narrow ones.
pub(super) fn sidebar(name: &'static str, id: &'static str, label: &'static str) -> InertElement {
    let element = InertElement::new(name).with("id", id).class("sidebar");
    element.with("popover", "auto").with("aria-label", label)
}

fn home_link(strings: &Strings) -> InertElement {
    let lines = InertElement::new("path").with("d", "M6 9h20M6 16h14M6 23h8");
    let logo = InertElement::new("svg").with("viewBox", "0 0 32 32").with("aria-hidden", "true").child(lines);
    InertElement::new("a")
        .class("home")
        .with("href", link("/"))
        .with("aria-label", format!("{}{}", server_name(), strings.home))
        .child(logo)
        .child(InertElement::new("span").class("server-name").with("aria-hidden", "true").text(server_name()))
}

/// Returns the name of the server. Only the server renders it.
#[cfg(feature = "ssr")]
fn server_name() -> String {
    use_context::<crate::brand::Brand>().unwrap_or_default().name
}

#[cfg(not(feature = "ssr"))]
fn server_name() -> &'static str {
    ""
}

/// Returns the link to the list of all rooms, which has the form for a new one.
fn directory_link() -> InertElement {
    InertElement::new("a").class("sidebar-action").with("href", link("/rooms"))
}

fn settings_button(strings: &Strings) -> InertElement {
    InertElement::new("button")
        .with("type", "button")
        .class("sidebar-action pinned")
        .with("popovertarget", "settings")
        .child(icon("M4 8h9M17 8h3M15 6v4M4 16h3M11 16h9M9 14v4"))
        .text(strings.settings)
}

/// Returns an entry of the list. The order is fixed while the page is open.
fn room_entry(room: &RoomSummary, info: RoomInfoState) -> InertElement {
    let strings = info.strings;
    let here = info.is_here(&room.room);
    let (unread, mentions) = if here { (0, 0) } else { (room.unread, room.mentions) };
    // The link opens the first unread message, also without script.
    let fragment = if unread > 0 { "#new" } else { "" };
    let mut entry = InertElement::new("a").with("href", link(&room.room.path()) + fragment);
    if here {
        entry = entry.with("aria-current", "page");
    }
    let private = InertElement::from_server("small", || {
        let lock = icon("M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z");
        let small = InertElement::new("small").class("lock").with("title", strings.private_room);
        small.child(lock).child(hidden(strings.private_room))
    });
    let mention_badge = badge("badge mentions", "@", mentions, strings.unread_mentions);
    let entry = entry
        .class(if unread > 0 { "unread" } else { "" })
        .child(InertElement::new("span").class("title").text(&*room.title))
        .children(room.private.then_some(private))
        .children(mention_badge)
        .children(badge("badge", "", unread, strings.unread));
    InertElement::new("li").flag("hidden", !room.is_listed()).child(entry)
}

/// Returns the number of messages in short, and for screen readers as a phrase. There is none for 0.
fn badge(
    class: &'static str,
    sign: &str,
    count: u32,
    phrase: fn(u32) -> String,
) -> impl Iterator<Item = InertElement> {
    let short = if count >= 100 { format!("{sign}99+") } else { format!("{sign}{count}") };
    let badge = InertElement::new("span").class(class).with("aria-hidden", "true").text(short);
    [badge, hidden(phrase(count))].into_iter().filter(move |_| count > 0)
}

/// Returns a text for screen readers.
fn hidden(text: impl Into<String>) -> InertElement {
    InertElement::new("span").class("visually-hidden").text(text)
}
