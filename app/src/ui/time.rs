//! A moment.

use crate::{clock, wire::Millis};
use leptos::prelude::*;

/// A moment: in UTC as the server writes it, then in the browser's own zone and language.
#[component]
pub fn Time(
    /// When.
    at: Millis,
) -> impl IntoView {
    let (text, set_text) = signal(clock::utc(at));
    Effect::new(move || {
        #[cfg(feature = "hydrate")]
        set_text.set(clock::local(at));
        #[cfg(not(feature = "hydrate"))]
        let _ = set_text;
    });
    view! { <time datetime=clock::iso(at)>{text}</time> }
}
