//! Icons.

use super::inert_tree::InertElement;
#[cfg(feature = "ssr")]
use leptos::prelude::*;

/// An icon of 24 by 24 units in the color of the text. Its parent has the accessible name.
#[cfg(feature = "ssr")]
#[component]
pub fn Icon(
    /// The SVG path.
    path: &'static str,
) -> impl IntoView {
    icon(path)
}

/// Returns an [`Icon`] as data.
pub(super) fn icon(path: &'static str) -> InertElement {
    let path = InertElement::new("path").with("d", path);
    InertElement::new("svg").with("viewBox", "0 0 24 24").with("aria-hidden", "true").child(path)
}
