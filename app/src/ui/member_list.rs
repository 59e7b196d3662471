//! The list of the users present.

use super::room_list::sidebar;
use crate::{
    client::mark_duplicates,
    state::{MembersState, ProfileState, RoomInfoState, use_state},
    ui::{
        close_button::close_button,
        face::face,
        inert_tree::{InertElement, reactive},
    },
    wire::{User, limits::MAX_LISTED_MEMBERS},
};
use leptos::prelude::*;

/// The users present, each once regardless of open tabs. A sidebar on wide screens, a popover on narrow ones.
#[component]
pub fn MemberList() -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let members = use_state::<MembersState>();
    let profile = use_state::<ProfileState>();
    let strings = info.strings;
    let person = move |person: User| {
        let is_you = profile.user.with(|you| you.id == person.id);
        let name = InertElement::new("b").class(person.id.color_class());
        let small = |text: &str| InertElement::new("small").text(text);
        InertElement::new("li")
            .child(face(&person))
            .child(name.with("data-user", person.id.to_string()).text(person.name.to_string()))
            .children(person.tag().map(|tag| small(&tag).class("tag")))
            .children(is_you.then(|| small(strings.you_suffix)))
    };
    reactive(move || {
        let present = members.present();
        let listed =
            members.members.with(|people| mark_duplicates(&people[..people.len().min(MAX_LISTED_MEMBERS)]));
        let more = present.saturating_sub(listed.len());
        let hint =
            (more > 0).then(|| InertElement::new("p").class("hint").text((strings.more_members)(more)));
        InertElement::from_server("aside", || sidebar("aside", "members", strings.members))
            .child(InertElement::from_server("button", || close_button("members", strings)))
            .child(InertElement::new("h2").text((strings.member_count)(present)))
            .child(InertElement::new("ul").children(listed.into_iter().map(person)))
            .children(hint)
    })
}
