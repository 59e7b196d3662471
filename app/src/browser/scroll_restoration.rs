//! Restores the scroll position when the user comes back to a room by the browser's history.

use super::{
    dom::{is_navigation, scroller},
    load_older::fetch_older,
};
use crate::{
    base::link,
    client::{MAX_ENTRIES, Timeline},
    state::{RoomState, TimelineState},
    wire::Seq,
};
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Pixels below the upper edge of the messages at which the first message counts as visible.
const EDGE_PX: f64 = 8.0;

/// Stores the first visible message in the history entry of the page, if the reader is not at the end.
pub(super) fn store(timeline: TimelineState) {
    let seq = if timeline.at_end.get_untracked() { None } else { first_visible() };
    if let Ok(history) = window().history() {
        let _ = history.replace_state(&seq.map(|seq| seq as f64).into(), "");
    }
}

/// Shows the message again that was the first visible one when the user left this history entry.
pub(super) fn restore(room: RoomState) {
    let (true, Some(seq)) = (is_navigation("back_forward"), stored()) else { return };
    let timeline = room.timeline;
    timeline.is_loading.set_value(true);
    timeline.set_announce_each(false);
    spawn_local(async move {
        while timeline.first().is_some_and(|first| first > seq)
            && timeline.has_older.get_untracked()
            && timeline.with_timeline(Timeline::len) < MAX_ENTRIES / 2
        {
            if !fetch_older(room).await {
                break;
            }
        }
        if timeline.show_around(seq) {
            tick().await;
            scroll_to(seq);
        } else if timeline.has_older.get_untracked() {
            // The message is too far back to be fetched; a page of older messages has it.
            let _ = window().location().replace(&format!("{}?around={seq}", link(&room.info.path())));
        }
        timeline.is_loading.set_value(false);
    });
}

fn scroll_to(seq: Seq) {
    if let Some(row) = document().get_element_by_id(&format!("m{seq}"))
        && let Ok(Some(scroller)) = row.closest(".scroller")
    {
        let above = row.get_bounding_client_rect().top() - scroller.get_bounding_client_rect().top();
        scroller.set_scroll_top(scroller.scroll_top() + above as i32);
    }
}

fn stored() -> Option<Seq> {
    let state = window().history().ok()?.state().ok()?.as_f64()?;
    Some(state as Seq)
}

fn first_visible() -> Option<Seq> {
    let scroller = scroller()?;
    let top = scroller.get_bounding_client_rect().top() + EDGE_PX;
    let rows = scroller.query_selector_all(".line[id]").ok()?;
    let rows = (0..rows.length()).filter_map(|at| rows.item(at)?.dyn_into::<Element>().ok());
    let first = { rows }.find(|row| row.get_bounding_client_rect().bottom() > top)?;
    first.id().strip_prefix('m')?.parse().ok()
}
