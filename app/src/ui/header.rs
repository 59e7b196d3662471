//! The header of a room.

use crate::{
    base::link,
    page_data::RejectedInput,
    state::{MembersState, RoomInfoState, RoomListState, use_state},
    ui::{
        icon::icon,
        inert_tree::{InertElement, reactive},
        profile_card::ProfileCard,
    },
    wire::RoomName,
};
use leptos::prelude::*;

const ROOMS: &str = "M4 7h16M4 12h16M4 17h10";
const MEMBERS: &str = "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6M18.5 15c1.7.9 2.7 2.5 3 5";
const SEARCH: &str = "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20";
const DETAILS: &str = "M8.5 12.5l7-4M8.5 13.5l7 4M6 15.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z";

/// The header with the title, the topic and the profile card.
#[component]
pub fn Header(
    /// The name that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let members = use_state::<MembersState>();
    let rooms = use_state::<RoomListState>();
    let strings = info.strings;
    let is_start = info.name.with_value(RoomName::is_lobby);
    let skip = InertElement::from_server("a", || {
        InertElement::new("a").class("skip-link").with("href", "#text").text(strings.skip_to_composer)
    });
    let open_rooms = reactive(move || {
        let is_unread = rooms.unread() > rooms.unread_here();
        let button =
            InertElement::from_server("button", || opener("rooms").with("aria-label", strings.rooms));
        let class = if is_unread { "icon-button open-rooms unread" } else { "icon-button open-rooms" };
        button.class(class).child(InertElement::from_server("svg", || icon(ROOMS)))
    });
    let open_members = reactive(move || {
        let present = members.present();
        let count = InertElement::new("span").with("aria-hidden", "true").text(present.to_string());
        InertElement::from_server("button", || opener("members").class("icon-button open-members"))
            .with("aria-label", (strings.member_count)(present))
            .child(InertElement::from_server("svg", || icon(MEMBERS)))
            .child(count)
    });
    let open_search = InertElement::from_server("a", || {
        let (label, open) =
            (strings.lang.search().label, InertElement::new("a").with("href", link("/search")));
        open.class("icon-button open-search")
            .with("aria-label", label)
            .with("title", label)
            .child(icon(SEARCH))
    });
    let open_details = InertElement::from_server("button", || {
        let button = opener("about").class("icon-button").child(icon(DETAILS));
        button.with("aria-label", strings.room_menu).with("title", strings.room_menu)
    });
    view! {
        <header class="room-header" class:lobby=is_start>
            {skip}
            {open_rooms}
            {reactive(move || heading(info, is_start))}
            {open_search}
            {open_members}
            {open_details}
            <ProfileCard rejected />
        </header>
    }
}

/// Returns a button that opens a popover.
fn opener(popover: &'static str) -> InertElement {
    InertElement::new("button").with("type", "button").with("popovertarget", popover)
}

fn heading(info: RoomInfoState, is_start: bool) -> InertElement {
    let kept = info.kept_hours.get().map(|hours| {
        let text = (info.strings.kept_for)(hours);
        InertElement::new("span").class("kept").text(format!("{text} "))
    });
    let mut topic = InertElement::new("p").class("topic").children(kept).text(info.topic.get());
    if is_start {
        // On a phone the room list is hidden, so the lobby links to the form for a new room.
        topic = topic.text(" ").child(InertElement::from_server("a", || {
            InertElement::new("a").class("new-room").with("href", link("/rooms")).text(info.strings.new_room)
        }));
    }
    let title = InertElement::new("h1").text(info.title.get());
    InertElement::new("div").class("heading").child(title).child(topic)
}
