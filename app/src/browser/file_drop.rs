//! Files that are dropped on the page or pasted into it. They cannot be sent, and the page says so. Otherwise the browser
//! would open them instead of the page, or do nothing.

use super::dom::element;
use crate::state::RoomState;
use leptos::{ev, prelude::*};
use std::time::Duration;
use web_sys::{DataTransfer, DragEvent, HtmlElement};

/// The time for which the notice is shown.
const NOTICE_TIME: Duration = Duration::from_secs(8);

/// Catches files for as long as the page lives.
pub(super) fn start(room: RoomState) {
    std::mem::forget(window_event_listener(ev::dragover, |drag| {
        if has_files(drag.data_transfer().as_ref()) {
            drag.prevent_default();
        }
    }));
    std::mem::forget(window_event_listener(ev::drop, move |drop: DragEvent| {
        if has_files(drop.data_transfer().as_ref()) {
            drop.prevent_default();
            refuse(room);
        }
    }));
    std::mem::forget(window_event_listener(ev::paste, move |paste| {
        let pasted = paste.clipboard_data();
        // The clipboard has a picture of a table or a formatted text too; its text is pasted.
        let is_text = pasted
            .as_ref()
            .is_some_and(|pasted| pasted.get_data("text/plain").is_ok_and(|text| !text.is_empty()));
        if !is_text && has_files(pasted.as_ref()) {
            paste.prevent_default();
            refuse(room);
        }
    }));
}

fn has_files(data: Option<&DataTransfer>) -> bool {
    data.is_some_and(|data| data.types().iter().any(|kind| kind == "Files"))
}

fn refuse(room: RoomState) {
    show_notice(room, room.info.strings.files_unsupported);
    if let Some(field) = element::<HtmlElement>("text") {
        let _ = field.focus();
    }
}

/// Shows for a while why what the user has just done has no effect.
pub(super) fn show_notice(room: RoomState, sentence: &'static str) {
    let notice = room.timeline.notice;
    notice.set(Some(sentence));
    set_timeout(move || notice.set(None), NOTICE_TIME);
}
