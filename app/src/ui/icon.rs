//! A drawing of lines.

use leptos::prelude::*;

/// An icon of 24 by 24, drawn in the colour of the text. What it means is said by what it stands in.
#[component]
pub fn Icon(
    /// The lines, as an SVG path.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d=path />
        </svg>
    }
}
