//! Who is here.

use crate::{
    state::{Live, told_apart},
    ui::Close,
    wire::{User, limits::MEMBERS_LISTED},
};
use leptos::prelude::*;

/// Who is here, each of them once, however many tabs they have open. At the side where there is space;
/// elsewhere a sheet, which opens without script too.
#[component]
pub fn People(
    /// The room.
    live: Live,
) -> impl IntoView {
    let words = live.words;
    let heading = move || (words.people_here)(live.present());
    let person = move |person: User| {
        let is_you = live.you.with_untracked(|you| you.id == person.id);
        let tag = person.tag().map(|tag| view! { <small class="tag">{tag}</small> });
        view! {
            <li>
                <b class=person.id.hue()>{person.name.to_string()}</b>
                {tag}
                {is_you.then(|| view! { <small>{words.is_you}</small> })}
            </li>
        }
    };
    let shown = move || live.people.with(|people| told_apart(&people[..people.len().min(MEMBERS_LISTED)]));
    let more = move || {
        let more = live.present() - live.people.with(|people| people.len().min(MEMBERS_LISTED));
        (more > 0).then(|| view! { <p class="note">{(words.more_people)(more)}</p> })
    };
    view! {
        <aside id="people" class="side" popover="auto" aria-label=words.people>
            <Close sheet="people" words />
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
