//! Deletions that can be undone, and notices.

use crate::{
    commands::Commands,
    state::{RoomInfoState, TimelineState, use_state},
    ui::connection_status::countdown,
};
use leptos::prelude::*;

/// The number of deletions that can be undone, with the undo button. It precedes the composer, so that Shift Tab moves
/// the focus from there to the button.
#[component]
pub fn Toast() -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let timeline = use_state::<TimelineState>();
    let commands = use_state::<Commands>();
    let strings = info.strings;
    let seconds = countdown(move || timeline.held_deletions.get().map(|(_, until)| until));
    let count = Memo::new(move |_| timeline.held_deletions.get().map_or(0, |(count, _)| count));
    let sentence = move || (count.get() > 0).then(|| (strings.deleted_messages)(count.get()));
    let undo = move |_| commands.undo_deletions();
    let shown = Memo::new(move |_| count.get() > 0);
    let button = move || {
        shown.get().then(|| {
            view! {
                <button type="button" id="undo" aria-label=strings.undo on:click=undo>
                    {move || (strings.undo_in)(seconds.get())}
                </button>
            }
        })
    };
    view! {
        <div class="status" role="status">{move || timeline.notice.get().map(|sentence| view! { <p>{sentence}</p> })}</div>
        <div class:toast=shown>
            <span role="status">{sentence}</span>
            {button}
        </div>
    }
}
