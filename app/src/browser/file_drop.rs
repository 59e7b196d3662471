//! Files that are dropped on the page or pasted into it. They cannot be sent, and the page says so; the browser alone
//! would open them in place of the page, or do nothing.

use crate::{browser::dom::element, state::Live};
use leptos::{ev, prelude::*};
use std::time::Duration;
use web_sys::{DataTransfer, DragEvent, HtmlElement};

/// How long the sentence stands there.
const NOTICE_TIME: Duration = Duration::from_secs(8);

/// Catches files for as long as the page lives.
pub(crate) fn catch(live: Live) {
    std::mem::forget(window_event_listener(ev::dragover, |drag| {
        if has_files(drag.data_transfer().as_ref()) {
            drag.prevent_default();
        }
    }));
    std::mem::forget(window_event_listener(ev::drop, move |drop: DragEvent| {
        if has_files(drop.data_transfer().as_ref()) {
            drop.prevent_default();
            refuse(live);
        }
    }));
    std::mem::forget(window_event_listener(ev::paste, move |paste| {
        let pasted = paste.clipboard_data();
        // A table or a formatted text comes with a picture of itself: its text is pasted.
        let is_text = pasted
            .as_ref()
            .is_some_and(|pasted| pasted.get_data("text/plain").is_ok_and(|text| !text.is_empty()));
        if !is_text && has_files(pasted.as_ref()) {
            paste.prevent_default();
            refuse(live);
        }
    }));
}

fn has_files(data: Option<&DataTransfer>) -> bool {
    data.is_some_and(|data| data.types().iter().any(|kind| kind == "Files"))
}

fn refuse(live: Live) {
    let sentence = Some(live.strings.files_unsupported);
    live.notice.set(sentence);
    if let Some(field) = element::<HtmlElement>("text") {
        let _ = field.focus();
    }
    set_timeout(move || live.notice.set(None), NOTICE_TIME);
}
