//! Below an older page: the way on, and back to now.

use crate::{
    base::link,
    state::Live,
    wire::{RoomName, Seq, limits},
};
use leptos::prelude::*;

/// Says that this is not the newest page, and where that is.
#[component]
pub fn History(
    /// The room.
    live: Live,
    /// The same, by name.
    room: RoomName,
    /// The last message of the page, if it has any.
    newer: Option<Seq>,
) -> impl IntoView {
    let words = live.words;
    let path = link(&room.path());
    let on = newer.map(|seq| {
        let next = format!("{path}?before={}#top", seq + 1 + Seq::from(limits::PAGE));
        view! { <a href=next>{words.newer}</a>" " }
    });
    view! { <div class="history"><p>{words.history}</p>" "{on}<a href=path>{words.back_to_now}</a></div> }
}
