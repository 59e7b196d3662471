//! Icons.

use leptos::prelude::*;

/// An icon of 24 by 24 units in the color of the text. Its parent has the accessible name.
#[component]
pub fn Icon(
    /// The SVG path.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d=path />
        </svg>
    }
}
