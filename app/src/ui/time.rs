//! A moment, a day.

use crate::{clock, i18n::Strings, state::Live, wire::Millis};
use leptos::prelude::*;

/// A moment: in UTC as the server writes it, then in the browser's own zone.
#[component]
pub fn Time(
    /// When.
    at: Millis,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    let (text, set_text) = signal(clock::utc(at, strings));
    Effect::new(move || {
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local(at, strings));
        #[cfg(not(feature = "hydrate"))]
        let _ = set_text;
    });
    view! { <time datetime=clock::iso(at)>{text}</time> }
}

/// The day of a moment: in UTC as the server writes it, then in the browser's own zone.
#[component]
pub fn Day(
    /// When.
    at: Millis,
    /// Whose today it is.
    live: Live,
) -> impl IntoView {
    let (text, set_text) = signal(clock::utc_day(at, live.strings));
    Effect::new(move || {
        live.today.track();
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local_day(at, live.strings));
        #[cfg(not(feature = "hydrate"))]
        let _ = set_text;
    });
    view! { <h2 class="day"><time datetime=clock::iso(at)>{text}</time></h2> }
}
