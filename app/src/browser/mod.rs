//! The browser's half of a page: it starts after hydration.

pub mod attention;
mod badge;
mod carrier;
mod command_id;
pub mod deletions;
pub mod dom;
mod effects;
pub mod load_older;
mod message_editor;
mod notifications;
pub mod outbox;
mod profile_card;
mod scroll_restoration;
mod service_worker;
mod shortcuts;
mod socket;
mod storage;
pub mod typing;

use crate::{
    client::Timeline,
    clock,
    i18n::Strings,
    state::{RoomInfoState, RoomState, TimelineState},
    wire::PostingRules,
};
use dom::listen;
use futures_util::StreamExt;
use gloo_timers::future::IntervalStream;
use js_sys::Reflect;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// Time between two checks of the calendar.
const DAY_CHECK: Duration = Duration::from_secs(30);

/// Milliseconds between two heartbeats of the tab.
const TAB_HEARTBEAT_MS: u32 = 5_000;

/// Starts the browser's half of a page once the page is hydrated. Each step is a task: between them the browser can answer the
/// user.
pub fn start_soon(room: RoomState) {
    let Some(owner) = Owner::current() else { return };
    for step in [start_controls, use_local_times, start_live] {
        let owner = owner.clone();
        set_timeout(move || owner.with(|| step(room)), Duration::ZERO);
    }
}

fn start_controls(room: RoomState) {
    // Elements that need a script are visible from here on.
    if let Some(page) = document().document_element() {
        let _ = page.set_attribute("data-alive", "");
    }
    let RoomState { timeline, info, .. } = room;
    shortcuts::start(room);
    message_editor::start(room);
    profile_card::start(room);
    notifications::start(info);
    reopen_in_time(info);
    service_worker::register();
    dom::avoid_virtual_keyboard();
    let is_fetching = StoredValue::new(false);
    Effect::new(move || {
        timeline.entries.track();
        timeline.replying_to.track();
        load_older::fetch_sources(room, is_fetching);
    });
}

/// Shows times and days of the browser's time zone.
fn use_local_times(room: RoomState) {
    room.timeline.change(Timeline::use_local_days);
    run_calendar(room.timeline);
}

/// Connects the latest page of a room to the server.
fn start_live(room: RoomState) {
    let RoomState { connection, info, .. } = room;
    connection.storage_warning.set(storage_warning(info.strings));
    if info.is_latest_page {
        badge::start(info, room.rooms);
        attention::start(room);
        report_end(room);
        attention::restore_read_marker(room);
        scroll_restoration::restore(room);
        run_tab_heartbeats(room);
        socket::connect(room);
    }
}

/// Keeps the present day true.
fn run_calendar(timeline: TimelineState) {
    let check = move || {
        let today = clock::day_here(clock::now());
        if timeline.today.get_untracked() != today {
            timeline.today.set(today);
            timeline.render_rows_again();
        }
    };
    check();
    set_interval(check, DAY_CHECK);
}

/// Shows that the user may post again when what forbids it has ended.
fn reopen_in_time(info: RoomInfoState) {
    Effect::new(move |pending: Option<Option<TimeoutHandle>>| {
        if let Some(Some(pending)) = pending {
            pending.clear();
        }
        let rules = info.posting.get();
        // A browser counts 24 days at most.
        let ms = rules.closed_ms.filter(|ms| *ms <= i32::MAX as u64)?;
        let reopen = move || info.posting.set(PostingRules { closed: None, closed_ms: None, ..rules });
        set_timeout_with_handle(reopen, Duration::from_millis(ms)).ok()
    });
}

/// Reports and stores what the next page needs before this page is hidden or ends.
fn report_end(room: RoomState) {
    listen(&document(), "visibilitychange", move || {
        attention::check(room);
        if document().hidden() {
            attention::report_read_marker(room);
            service_worker::refresh_copy();
        }
    });
    if let Some(form) = document().get_element_by_id("leave") {
        listen(&form, "submit", move || room.timeline.with_session(|session| session.read_marker.stop()));
    }
    // This event comes before the browser requests the next page; later ones come when the server has rendered it.
    listen(&window(), "beforeunload", move || {
        // A message that arrived in this frame may not count as read yet.
        attention::look(room);
        attention::report_read_marker(room);
    });
    listen(&window(), "pagehide", move || {
        deletions::release_all(room);
        scroll_restoration::store(room.timeline);
    });
}

/// Writes this tab's heartbeats, and takes over the commands of tabs that are gone.
fn run_tab_heartbeats(room: RoomState) {
    let beat = move || {
        storage::write_heartbeat();
        outbox::restore(room);
    };
    beat();
    listen(&window(), "pagehide", storage::remove_heartbeat);
    spawn_local(async move {
        let mut heartbeats = IntervalStream::new(TAB_HEARTBEAT_MS);
        while heartbeats.next().await.is_some() {
            beat();
        }
    });
}

/// Returns a sentence if this browser stores nothing for the site.
fn storage_warning(strings: &Strings) -> Option<&'static str> {
    let cookies = Reflect::get(&window().navigator(), &"cookieEnabled".into());
    if cookies.is_ok_and(|enabled| enabled.is_falsy()) {
        Some(strings.cookies_disabled)
    } else if !storage::is_available() {
        Some(strings.storage_unavailable)
    } else {
        None
    }
}
