//! Loads messages at the ends of the timeline: older and newer ones that it has not shown, then those of the server.

use super::{attention, dom};
use crate::{
    base::link,
    client::{Timeline, viewport::STEP},
    state::{RoomState, TimelineState},
    wire::{
        Messages, Seq,
        json::{FromJson, Json},
    },
};
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Response};

/// The time for which a message is marked that the user has jumped to.
const FOUND_DURATION: Duration = Duration::from_secs(2);

/// Quoted messages that are fetched one after the other, at most, until more rows are shown.
const MAX_SOURCE_FETCHES: usize = 100;

/// Messages that are fetched at once.
const FETCH_LIMIT: u32 = 100;

/// Shows older messages, if there are any, unless some are being loaded.
pub fn load_older(room: RoomState) {
    let timeline = room.timeline;
    let has_older = timeline.has_older.get_untracked() || !timeline.shows_oldest();
    if !has_older || timeline.is_loading.get_value() {
        return;
    }
    timeline.is_loading.set_value(true);
    // They are new to the page, but not to the user.
    timeline.set_announce_each(false);
    spawn_local(async move {
        if timeline.has_older.get_untracked() && timeline.shows_oldest() {
            let _ = fetch_older(room).await;
        }
        // One row at a time: the list then moves no element, so that neither the position nor a selection is lost. The
        // browser paints once, since nothing here waits for a frame.
        let anchor = ScrollAnchor::new(".line + .line");
        for _ in 0..STEP {
            if !timeline.show_one_older() {
                break;
            }
            tick().await;
        }
        if let Some(anchor) = anchor {
            anchor.restore();
        }
        timeline.is_loading.set_value(false);
    });
}

/// Fetches the messages before the oldest one of the timeline, and returns whether that succeeded. If it fails, the next
/// scroll tries again.
pub(super) async fn fetch_older(room: RoomState) -> bool {
    let Some(first) = room.timeline.first() else { return false };
    let page = fetch_page(room, Some(first), FETCH_LIMIT).await;
    // The timeline may have begun again meanwhile.
    let fits = |page: &Messages| {
        page.head >= room.timeline.with_timeline(Timeline::last) && room.timeline.first() == Some(first)
    };
    page.filter(fits).map(|page| room.timeline.prepend(page.messages, page.more)).is_some()
}

/// Fetches the messages that the shown ones reply to and that the timeline does not have, one at a time.
pub(super) fn fetch_sources(room: RoomState, is_fetching: StoredValue<bool>) {
    if is_fetching.get_value() || room.timeline.unknown_source().is_none() {
        return;
    }
    is_fetching.set_value(true);
    spawn_local(async move {
        for _ in 0..MAX_SOURCE_FETCHES {
            let Some(seq) = room.timeline.unknown_source() else { break };
            let page = fetch_page(room, Some(seq + 1), 1).await;
            let source = page.and_then(|page| page.messages.into_iter().next());
            let Some(source) = source.filter(|source| source.seq == seq) else { break };
            room.timeline.change(|timeline| timeline.add_source(seq, source.into()));
        }
        is_fetching.set_value(false);
    });
}

/// Shows the message `seq`, and marks it for a moment. Returns `false` if the timeline does not have it.
pub fn go_to_message(room: RoomState, seq: Seq) -> bool {
    let is_known = room.timeline.show_around(seq);
    if is_known {
        spawn_local(async move {
            tick().await;
            if let Some(row) = dom::element::<Element>(&format!("m{seq}")) {
                row.scroll_into_view_with_bool(false);
                let _ = row.class_list().add_1("found");
                set_timeout(move || drop(row.class_list().remove_1("found")), FOUND_DURATION);
            }
        });
    }
    is_known
}

/// Shows newer messages, if the newest one is not shown.
pub fn load_newer(room: RoomState) {
    if !room.timeline.shows_newest() {
        let is_complete = room.timeline.extend_forward();
        show_in_place(room.timeline);
        if !is_complete {
            fetch_newer(room);
        }
    }
}

/// Shows entries that are added below, while the reader keeps those in view: at the very edge the browser would follow the
/// edge, so that the reader could not scroll on.
fn show_in_place(timeline: TimelineState) {
    let anchor = ScrollAnchor::new(".line:last-child");
    timeline.show();
    spawn_local(async move {
        tick().await;
        if let Some(anchor) = anchor {
            anchor.restore();
        }
    });
}

/// Fetches the messages that follow in a timeline that is detached from the end of the log.
fn fetch_newer(room: RoomState) {
    let timeline = room.timeline;
    let detached_at = timeline.with_timeline(Timeline::detached_at);
    let Some(detached_at) = detached_at.filter(|_| !timeline.is_loading.get_value()) else { return };
    timeline.is_loading.set_value(true);
    timeline.set_announce_each(false);
    spawn_local(async move {
        let mut events = FETCH_LIMIT;
        // One message more than there can be in these events: the page then reaches back to those of the timeline, unless
        // the server has cut it since it has too many bytes.
        while let Some(page) = fetch_page(room, Some(detached_at + 1 + Seq::from(events)), events + 1).await {
            let first = page.messages.first().map_or(0, |first| first.seq);
            if !page.more || first <= detached_at + 1 || events == 1 {
                if timeline.with_timeline(Timeline::detached_at) == Some(detached_at) {
                    timeline.append(page.messages, page.head.min(detached_at + Seq::from(events)));
                    show_in_place(timeline);
                }
                break;
            }
            events /= 2;
        }
        timeline.is_loading.set_value(false);
    });
}

/// Shows the newest messages, which are fetched first if the timeline has dropped them. They are read then, also if the user
/// has marked them as unread.
pub fn go_to_end(room: RoomState) {
    attention::release(room);
    let is_complete = room.timeline.show_end();
    scroll_to_end();
    if is_complete {
        attention::look(room);
        return;
    }
    room.timeline.set_announce_each(false);
    spawn_local(async move {
        if let Some(page) = fetch_page(room, None, FETCH_LIMIT).await {
            room.timeline.restart(page);
            scroll_to_end();
        }
    });
}

fn scroll_to_end() {
    if let Some(scroller) = dom::scroller() {
        scroller.set_scroll_top(0);
    }
}

/// Fetches at most `limit` messages of the timeline's log: those before an event, or the newest ones.
async fn fetch_page(room: RoomState, before: Option<Seq>, limit: u32) -> Option<Messages> {
    let name = room.info.name.get_value();
    let before = before.map(|before| format!("before={before}&")).unwrap_or_default();
    let page = fetch(&link(&format!("/api/rooms/{name}/messages?{before}limit={limit}"))).await?;
    Some(page).filter(|page| room.timeline.with_timeline(|timeline| page.log == timeline.log()))
}

async fn fetch(url: &str) -> Option<Messages> {
    let answer: Response = JsFuture::from(window().fetch_with_str(url)).await.ok()?.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok().filter(|_| answer.ok())?).await.ok()?;
    Messages::from_json(&Json::parse(&text.as_string()?)?)
}

/// The position of a row on the screen: the oldest but one (the oldest has other margins), or the newest. Browsers keep it
/// when rows are added beside it, but not for a reader at the very edge.
struct ScrollAnchor {
    row: Element,
    top: f64,
}

impl ScrollAnchor {
    fn new(selector: &str) -> Option<Self> {
        let row = document().query_selector(selector).ok().flatten()?;
        let top = row.get_bounding_client_rect().top();
        Some(Self { row, top })
    }

    fn restore(&self) {
        let moved = self.row.get_bounding_client_rect().top() - self.top;
        if let Ok(Some(scroller)) = self.row.closest(".scroller") {
            scroller.set_scroll_top(scroller.scroll_top() + moved as i32);
        }
    }
}
