//! The list of the users present.

use crate::{
    client::mark_duplicates,
    state::{MembersState, ProfileState, RoomInfoState, use_state},
    ui::{CloseButton, face::face},
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
    let heading = move || (strings.member_count)(members.present());
    let person = move |person: User| {
        let is_you = profile.user.with_untracked(|you| you.id == person.id);
        let tag = person.tag().map(|tag| view! { <small class="tag">{tag}</small> });
        view! {
            <li>
                {face(&person)}
                <b class=person.id.color_class() data-user=person.id.to_string()>{person.name.to_string()}</b>
                {tag}
                {is_you.then(|| view! { <small>{strings.you_suffix}</small> })}
            </li>
        }
    };
    let shown = move || {
        members.members.with(|people| mark_duplicates(&people[..people.len().min(MAX_LISTED_MEMBERS)]))
    };
    let more = move || {
        let more = members.present() - members.members.with(|people| people.len().min(MAX_LISTED_MEMBERS));
        (more > 0).then(|| view! { <p class="hint">{(strings.more_members)(more)}</p> })
    };
    view! {
        <aside id="members" class="sidebar" popover="auto" aria-label=strings.members>
            <CloseButton popover="members" strings />
            <h2>{heading}</h2>
            <ul>
                <For each=shown key=|person| (person.id, person.name.clone(), person.tag.clone()) let:known>
                    {person(known)}
                </For>
            </ul>
            {more}
        </aside>
    }
}
