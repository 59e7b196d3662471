//! A room comes to life, after hydration.

mod carrier;
mod deletions;
mod effects;
mod file_drop;
mod load_older;
pub(crate) mod notifications;
mod render_loop;
mod scroll_restoration;
mod shortcuts;
mod socket;
pub(crate) mod storage;

use crate::{base::link, clock, i18n::Strings, state::Live};
use futures_util::StreamExt;
use gloo_timers::future::IntervalStream;
use js_sys::Reflect;
use leptos::{prelude::*, task::spawn_local};
use notifications::listen;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, ServiceWorkerRegistration};

/// Between two looks at the calendar.
const DAY_CHECK: Duration = Duration::from_secs(30);

/// Milliseconds between two heartbeats of the tab.
const TAB_HEARTBEAT_MS: u32 = 5_000;

/// Brings the page to life; the room too, where it shows the newest page.
pub(crate) fn start(live: Live) {
    // From here on what needs a script shows itself.
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
    crate::browser::file_drop::catch(live);
    live.init_settings();
    register_worker();
    avoid_virtual_keyboard();
    if live.lives {
        live.sync_title_badge();
        listen(&document(), "visibilitychange", move || {
            live.attend();
            if document().hidden() {
                live.leaves();
                refresh_copy();
            }
        });
        listen(&window(), "blur", move || live.attend());
        // No `scroll`: messages that come scroll the page too.
        for event in ["focus", "pointerdown", "pointermove", "keydown", "touchstart", "touchmove", "wheel"] {
            listen(&window(), event, move || live.is_active());
        }
        // Before the next page is asked for; later events come after it is made.
        listen(&window(), "beforeunload", move || {
            // A message that came in this frame may not count as read yet.
            live.look();
            live.leaves();
        });
        listen(&window(), "pagehide", move || {
            live.end_deletions();
            crate::browser::scroll_restoration::remember(live);
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
        storage::tab_heartbeat();
        live.restore_outbox();
    };
    beat();
    listen(&window(), "pagehide", storage::tab_closed);
    spawn_local(async move {
        let mut heartbeats = IntervalStream::new(TAB_HEARTBEAT_MS);
        while heartbeats.next().await.is_some() {
            beat();
        }
    });
}

/// What this browser would forget.
fn unkept(strings: &Strings) -> Option<&'static str> {
    let cookies = Reflect::get(&window().navigator(), &"cookieEnabled".into());
    if cookies.is_ok_and(|keeps| keeps.is_falsy()) {
        Some(strings.cookies_disabled)
    } else if !storage::keeps() {
        Some(strings.storage_unavailable)
    } else {
        None
    }
}

/// The worker that keeps the last seen rooms for when there is no network.
fn register_worker() {
    if let Some(container) = crate::browser::notifications::workers() {
        let registered = container.register(&link("/sw.js"));
        spawn_local(async move {
            // A browser that refuses it has no copies of rooms, and nothing else is missing.
            let first_time = container.controller().is_none();
            if JsFuture::from(registered).await.is_err() || !first_time {
                return;
            }
            // This page came before there was a worker to keep it.
            let Ok(ready) = container.ready() else { return };
            let ready = JsFuture::from(ready).await.ok().and_then(|ready| ready.dyn_into().ok());
            if let Some(worker) = ready.and_then(|ready: ServiceWorkerRegistration| ready.active()) {
                let _ = worker.post_message(&"refresh".into());
            }
        });
    }
}

/// Where a phone's keyboard lies over the page instead of shrinking it, the page gives way by itself.
fn avoid_virtual_keyboard() {
    let Some(view) = window().visual_viewport() else { return };
    listen(&view.clone(), "resize", move || {
        let Some(page) = document().document_element().and_then(|page| page.dyn_into::<HtmlElement>().ok())
        else {
            return;
        };
        let whole = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
        // Who has zoomed in sees a part of the page, which stays as it is.
        let covered = view.scale() < 1.01 && view.height() < whole - 1.0;
        let _ = if covered {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            page.style().set_property("--page-height", &format!("{}px", view.height() as u32))
        } else {
            page.style().remove_property("--page-height").map(drop)
        };
    });
}

/// The worker fetches this page once more, so that what it keeps is as new as what was just read.
fn refresh_copy() {
    if let Some(worker) =
        crate::browser::notifications::workers().and_then(|container| container.controller())
    {
        let _ = worker.post_message(&"refresh".into());
    }
}
