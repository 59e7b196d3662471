//! Who is here.

use crate::{
    live::{Live, told_apart},
    wire::Author,
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
    let heading = move || (words.people_here)(live.people.with(Vec::len));
    let person = move |person: Author| {
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
    view! {
        <aside id="people" class="side" popover="auto" aria-label=words.people>
            <h2>{heading}</h2>
            <ul>
                <For each=move || live.people.with(|people| told_apart(people)) key=|person| (person.id, person.name.clone(), person.alike) let:known>
                    {person(known)}
                </For>
            </ul>
        </aside>
    }
}
