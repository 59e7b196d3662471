//! Going back to a room: the page shows again what was read there when it was left.

use crate::{base::link, browser::dom::scroller, client::MAX_ENTRIES, state::Live, wire::Seq};
use js_sys::Reflect;
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Pixels below the upper edge of the messages at which the first message counts as visible.
const EDGE: f64 = 8.0;

/// Keeps the first visible message in the history entry of the page, if the reader is not at the end.
pub(crate) fn remember(live: Live) {
    let seq = if live.at_end.get_untracked() { None } else { first_visible() };
    if let Ok(history) = window().history() {
        let _ = history.replace_state(&seq.map(|seq| seq as f64).into(), "");
    }
}

impl Live {
    /// Shows the message again that was the first visible one when the user left this history entry.
    pub(crate) fn return_to_place(&self) {
        let (true, Some(seq)) = (came_back(), kept()) else { return };
        let live = *self;
        live.going_back.set_value(true);
        live.set_announce_each(false);
        spawn_local(async move {
            while live.first().is_some_and(|first| first > seq)
                && live.more.get_untracked()
                && live.rows() < MAX_ENTRIES / 2
            {
                if !live.fetch().await {
                    break;
                }
            }
            if live.show_around(seq) {
                tick().await;
                scroll_to(seq);
            } else if live.more.get_untracked() {
                // Too far back to be fetched: an older page has it.
                let path = live.room.with_value(|room| link(&room.path()));
                let _ = window().location().replace(&format!("{path}?around={seq}"));
            }
            live.going_back.set_value(false);
        });
    }

    fn rows(&self) -> usize {
        self.with_feed(crate::client::Timeline::len)
    }
}

fn scroll_to(seq: Seq) {
    if let Some(row) = document().get_element_by_id(&format!("m{seq}"))
        && let Ok(Some(scroller)) = row.closest(".scroller")
    {
        let above = row.get_bounding_client_rect().top() - scroller.get_bounding_client_rect().top();
        scroller.set_scroll_top(scroller.scroll_top() + above as i32);
    }
}

/// Whether the user came by the browser's Back or Forward.
fn came_back() -> bool {
    let navigation =
        window().performance().map(|performance| performance.get_entries_by_type("navigation").get(0));
    let kind = navigation.and_then(|navigation| Reflect::get(&navigation, &"type".into()).ok());
    kind.is_some_and(|kind| kind == "back_forward")
}

fn kept() -> Option<Seq> {
    let state = window().history().ok()?.state().ok()?.as_f64()?;
    Some(state as Seq)
}

fn first_visible() -> Option<Seq> {
    let scroller = scroller()?;
    let top = scroller.get_bounding_client_rect().top() + EDGE;
    let rows = scroller.query_selector_all(".line[id]").ok()?;
    let rows = (0..rows.length()).filter_map(|at| rows.item(at)?.dyn_into::<Element>().ok());
    let first = { rows }.find(|row| row.get_bounding_client_rect().bottom() > top)?;
    first.id().strip_prefix('m')?.parse().ok()
}
