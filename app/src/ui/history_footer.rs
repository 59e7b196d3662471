//! Below an older page: the way on, and back to now.

use crate::{
    base::link,
    state::Live,
    wire::{RoomName, Seq, limits},
};
use leptos::prelude::*;

/// Says that this is not the newest page, and where that is.
#[component]
pub fn HistoryFooter(
    /// The room.
    live: Live,
    /// The same, by name.
    room: RoomName,
    /// The last message of the page, if it has any.
    newer: Option<Seq>,
) -> impl IntoView {
    let strings = live.strings;
    let path = link(&room.path());
    let on = newer.map(|seq| {
        let next = format!("{path}?before={}#top", seq + 1 + Seq::from(limits::DEFAULT_PAGE_SIZE));
        view! { <a href=next>{strings.newer}</a>" " }
    });
    view! { <div class="history"><p>{strings.history_notice}</p>" "{on}<a href=path>{strings.back_to_latest}</a></div> }
}
