//! Times and days.

use crate::{
    clock,
    i18n::Strings,
    state::{RoomInfoState, TimelineState, use_state},
    wire::Millis,
};
use leptos::prelude::*;

/// A time: in UTC from the server, then in the time zone of the browser.
#[component]
pub fn Time(
    /// The moment.
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

/// A day: in UTC from the server, then in the time zone of the browser.
#[component]
pub fn Day(
    /// The moment.
    at: Millis,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let timeline = use_state::<TimelineState>();
    let (text, set_text) = signal(clock::utc_day(at, info.strings));
    Effect::new(move || {
        timeline.today.track();
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local_day(at, info.strings));
        #[cfg(not(feature = "hydrate"))]
        let _ = set_text;
    });
    view! { <h2 class="day-separator"><time datetime=clock::iso(at)>{text}</time></h2> }
}
