//! The footer of a page of older messages.

use crate::{
    base::link,
    state::{RoomInfoState, use_state},
    wire::{RoomName, Seq, limits},
};
use leptos::prelude::*;

/// The links from a page of older messages to newer ones and to the latest page.
#[component]
pub fn HistoryFooter(
    /// The name of the room.
    room: RoomName,
    /// The last message of the page.
    newer: Option<Seq>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let strings = info.strings;
    let path = link(&room.path());
    let on = newer.map(|seq| {
        let next = format!("{path}?before={}#top", seq + 1 + Seq::from(limits::DEFAULT_PAGE_SIZE));
        view! { <a href=next>{strings.newer}</a>" " }
    });
    view! { <div class="history-footer"><p>{strings.history_notice}</p>" "{on}<a href=path>{strings.back_to_latest}</a></div> }
}
