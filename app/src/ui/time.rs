//! A moment, a day.

use crate::{clock, i18n::Words, state::Live, wire::Millis};
use leptos::prelude::*;

/// A moment: in UTC as the server writes it, then in the browser's own zone.
#[component]
pub fn Time(
    /// When.
    at: Millis,
    /// The page's language.
    words: &'static Words,
) -> impl IntoView {
    let (text, set_text) = signal(clock::utc(at, words));
    Effect::new(move || {
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local(at, words));
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
    let (text, set_text) = signal(clock::utc_day(at, live.words));
    Effect::new(move || {
        live.today.track();
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local_day(at, live.words));
        #[cfg(not(feature = "hydrate"))]
        let _ = set_text;
    });
    view! { <h2 class="day"><time datetime=clock::iso(at)>{text}</time></h2> }
}
