//! How the connection is, where that matters to somebody.

use crate::live::{Live, Status};
use leptos::prelude::*;

/// Says nothing while connected, nor at the first flicker; otherwise one calm line.
#[component]
pub fn State(
    /// The room.
    live: Live,
) -> impl IntoView {
    let lasts = lasting(move || matches!(live.status.get(), Status::Connecting | Status::Offline));
    let seconds = countdown(live);
    let words = move || match live.status.get() {
        _ if !lasts.get() => None,
        Status::Asleep | Status::Open => None,
        Status::Connecting => Some("Connecting…"),
        Status::Offline => Some("Offline. Your messages wait here and will be sent."),
    };
    // Said by nobody aloud: it changes every second.
    let next = move || {
        (live.status.get() == Status::Offline)
            .then(|| view! { <span aria-hidden="true">{move || next_try(seconds.get())}</span> })
    };
    let name = move || match live.status.get() {
        Status::Asleep => "asleep",
        Status::Connecting => "connecting",
        Status::Open => "open",
        Status::Offline => "offline",
    };
    view! {
        <div class="state" data-connection=name role="status">
            {move || words().map(|words| view! { <p>{words}{next}</p> })}
        </div>
    }
}

fn next_try(seconds: u64) -> String {
    match seconds {
        0 => " Trying now.".into(),
        1 => " Next try in a second.".into(),
        more => format!(" Next try in {more} seconds."),
    }
}

/// Whether `holds` has held for a second.
fn lasting(holds: impl Fn() -> bool + 'static) -> ReadSignal<bool> {
    let (lasts, set_lasts) = signal(false);
    Effect::new(move |pending: Option<Option<TimeoutHandle>>| {
        if let Some(Some(pending)) = pending {
            pending.clear();
        }
        if !holds() {
            set_lasts.set(false);
            return None;
        }
        let flicker = std::time::Duration::from_secs(1);
        set_timeout_with_handle(move || set_lasts.set(true), flicker).ok()
    });
    lasts
}

/// Seconds to the next try, counted down.
fn countdown(live: Live) -> ReadSignal<u64> {
    let (seconds, set_seconds) = signal(0);
    #[cfg(feature = "hydrate")]
    Effect::new(move |ticking: Option<Option<IntervalHandle>>| {
        if let Some(Some(ticking)) = ticking {
            ticking.clear();
        }
        let next = live.next_try.get()?;
        let count = move || set_seconds.set(next.saturating_sub(crate::clock::now()).div_ceil(1_000));
        count();
        set_interval_with_handle(count, std::time::Duration::from_secs(1)).ok()
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (live, set_seconds);
    seconds
}
