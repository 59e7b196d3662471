//! The browser's half of a page: it starts after hydration.

mod badge;
mod carrier;
mod deletions;
pub(crate) mod dom;
mod effects;
mod file_drop;
mod load_older;
pub(crate) mod notifications;
mod render_loop;
mod scroll_restoration;
mod service_worker;
mod shortcuts;
mod socket;
pub(crate) mod storage;

use crate::{clock, i18n::Strings, state::Live};
use dom::{avoid_virtual_keyboard, listen};
use futures_util::StreamExt;
use gloo_timers::future::IntervalStream;
use js_sys::Reflect;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// Time between two checks of the calendar.
const DAY_CHECK: Duration = Duration::from_secs(30);

/// Milliseconds between two heartbeats of the tab.
const TAB_HEARTBEAT_MS: u32 = 5_000;

/// Starts the browser's half of a page. The latest page of a room also connects to the server.
pub(crate) fn start(live: Live) {
    // Elements that need a script are visible from here on.
    if let Some(page) = document().document_element() {
        let _ = page.set_attribute("data-alive", "");
    }
    live.change(crate::client::Timeline::use_local_days);
    live.unkept.set(unkept(live.strings));
    set_interval(
        move || {
            let today = clock::day_here(clock::now());
            if live.today.get_untracked() != today {
                live.today.set(today);
            }
        },
        DAY_CHECK,
    );
    shortcuts::attend(live);
    file_drop::catch(live);
    live.init_settings();
    service_worker::register();
    avoid_virtual_keyboard();
    if live.lives {
        live.sync_title_badge();
        listen(&document(), "visibilitychange", move || {
            live.attend();
            if document().hidden() {
                live.leaves();
                service_worker::refresh_copy();
            }
        });
        listen(&window(), "blur", move || live.attend());
        // Not `scroll`: arriving messages scroll the page too.
        for event in ["focus", "pointerdown", "pointermove", "keydown", "touchstart", "touchmove", "wheel"] {
            listen(&window(), event, move || live.is_active());
        }
        // This event comes before the browser requests the next page; later ones come when the server has rendered it.
        listen(&window(), "beforeunload", move || {
            // A message that arrived in this frame may not count as read yet.
            live.look();
            live.leaves();
        });
        listen(&window(), "pagehide", move || {
            live.end_deletions();
            scroll_restoration::remember(live);
        });
        live.recall_read();
        live.return_to_place();
        run_tab_heartbeats(live);
        socket::connect(live);
    }
}

/// Writes this tab's heartbeats, and takes over the commands of tabs that are gone.
fn run_tab_heartbeats(live: Live) {
    let beat = move || {
        storage::write_heartbeat();
        live.restore_outbox();
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
fn unkept(strings: &Strings) -> Option<&'static str> {
    let cookies = Reflect::get(&window().navigator(), &"cookieEnabled".into());
    if cookies.is_ok_and(|keeps| keeps.is_falsy()) {
        Some(strings.cookies_disabled)
    } else if !storage::is_available() {
        Some(strings.storage_unavailable)
    } else {
        None
    }
}
