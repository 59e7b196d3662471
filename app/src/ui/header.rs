//! The header of a room.

use crate::{
    base::link,
    page_data::RejectedInput,
    state::{MembersState, RoomInfoState, RoomListState, use_state},
    ui::{Icon, profile_card::ProfileCard},
    wire::RoomName,
};
use leptos::prelude::*;

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
    let count = move || members.present().to_string();
    let here = move || (strings.member_count)(members.present());
    let unread = Memo::new(move |_| rooms.unread() > rooms.unread_here());
    // On a phone the room list is hidden, so the lobby links to the form for a new room.
    let is_start = info.name.with_value(RoomName::is_lobby);
    let new_room =
        is_start.then(|| view! { " "<a class="new-room" href=link("/rooms")>{strings.new_room}</a> });
    view! {
        <header class="room-header" class:lobby=is_start>
            <a class="skip-link" href="#text">{strings.skip_to_composer}</a>
            <button type="button" class="icon-button open-rooms" popovertarget="rooms" aria-label=strings.rooms class:unread=unread>
                <Icon path="M4 7h16M4 12h16M4 17h10" />
            </button>
            <div class="heading">
                <h1>{info.title}</h1>
                <p class="topic">{info.topic}{new_room}</p>
            </div>
            <button type="button" class="icon-button open-members" popovertarget="members" aria-label=here>
                <Icon path="M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6M18.5 15c1.7.9 2.7 2.5 3 5" />
                <span aria-hidden="true">{count}</span>
            </button>
            <button type="button" class="icon-button" popovertarget="about" aria-label=strings.room_menu title=strings.room_menu>
                <Icon path="M8.5 12.5l7-4M8.5 13.5l7 4M6 15.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z" />
            </button>
            <ProfileCard rejected />
        </header>
    }
}
