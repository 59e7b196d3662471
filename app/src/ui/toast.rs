//! Deletions that can be undone, and notices.

use crate::{
    state::{RoomInfoState, TimelineState, use_state},
    ui::{
        connection_status::countdown,
        inert_tree::{InertElement, reactive},
    },
};
use leptos::prelude::*;

/// The number of deletions that can be undone, with the undo button. It precedes the composer, so that Shift Tab moves
/// the focus from there to the button.
#[component]
pub fn Toast() -> impl IntoView {
    let strings = use_state::<RoomInfoState>().strings;
    let timeline = use_state::<TimelineState>();
    let seconds = countdown(move || timeline.held_deletions.get().map(|(_, until)| until));
    let notice = reactive(move || {
        let notice = timeline.notice.get().map(|sentence| InertElement::new("p").text(sentence));
        InertElement::new("div").class("status").with("role", "status").children(notice)
    });
    let toast = reactive(move || {
        let count = timeline.held_deletions.get().map_or(0, |(count, _)| count);
        let is_shown = count > 0;
        let sentence = if is_shown { (strings.deleted_messages)(count) } else { String::new() };
        let button = is_shown.then(|| {
            InertElement::new("button")
                .with("type", "button")
                .with("id", "undo")
                .with("aria-label", strings.undo)
                .text((strings.undo_in)(seconds.get()))
        });
        InertElement::new("div")
            .class(if is_shown { "toast" } else { "" })
            .child(InertElement::new("span").with("role", "status").text(sentence))
            .children(button)
    });
    (notice, toast)
}
