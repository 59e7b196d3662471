//! A room comes to life, after hydration.

use super::{Live, keys, notice::listen, socket, storage};
use crate::clock;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;

/// Between two looks at the calendar.
const DAY_CHECK: Duration = Duration::from_secs(30);

/// Brings the page to life; the room too, where it shows the newest page.
pub(super) fn start(live: Live, newest: bool) {
    // From here on what needs a script shows itself.
    if let Some(page) = document().document_element() {
        let _ = page.set_attribute("data-alive", "");
    }
    live.change(super::Feed::settle_here);
    live.kept.set(storage::keeps());
    set_interval(
        move || {
            let today = clock::day_here(clock::now());
            if live.today.get_untracked() != today {
                live.today.set(today);
            }
        },
        DAY_CHECK,
    );
    keys::attend(live);
    live.offer_notices();
    register_worker();
    if newest {
        live.wear_badge();
        listen(&document(), "visibilitychange", move || {
            if document().hidden() {
                live.look_away();
                refresh_copy();
            } else {
                live.look();
            }
        });
        socket::connect(live);
    }
}

/// The worker that keeps the last seen rooms for when there is no network.
fn register_worker() {
    if let Some(container) = super::notice::workers() {
        let registered = container.register("/sw.js");
        // A browser that refuses it has no copies of rooms, and nothing else is missing.
        spawn_local(async move { drop(JsFuture::from(registered).await) });
    }
}

/// The worker fetches this page once more, so that what it keeps is as new as what was just read.
fn refresh_copy() {
    if let Some(worker) = super::notice::workers().and_then(|container| container.controller()) {
        let _ = worker.post_message(&"refresh".into());
    }
}
